"""The settings of one product at one location, and the rule that ties them together."""

from __future__ import annotations

import operator
from decimal import Decimal
from functools import reduce
from itertools import combinations
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone

from inventory_levels.models.catalog import Location, ProductMaster
from inventory_levels.models.columns import (
    MAX_COMMENTS,
    MAX_DAYS,
    FoldedTextField,
    days,
    public_id,
    quantity,
    same_organization,
    unset_or_in_range,
)
from inventory_levels.models.history import LevelChange
from organizations import public_ids
from organizations.tenancy import TenantForeignKey, TenantManager, TenantModel
from organizations.texts import is_text


class LevelStatus(models.TextChoices):
    SUPPORTED = "Supported", "Supported: stocked and reordered here"
    NOT_SUPPORTED = "NotSupported", "Not supported: not carried here"
    SUPPORTED_NON_INVENTORY = "SupportedNonInventory", "Supported, not tracked"
    STOCK = "Stock", "Stock"
    FORMULARY = "Formulary", "Formulary"
    INACTIVE = "Inactive", "Inactive: rule switched off"


class AbcClass(models.TextChoices):
    A = "A"
    B = "B"
    C = "C"


def new_level_id() -> str:
    return public_ids.new_public_id("level")


# The quantities in the order in which they must ascend. clean() and the database's
# constraint both come from here.
QUANTITY_ORDER = ("min_quantity", "reorder_quantity", "max_quantity")

# What a client may set on a level: the name it uses, and the model's field.
SETTINGS = {
    "minQuantity": "min_quantity",
    "reorderQuantity": "reorder_quantity",
    "maxQuantity": "max_quantity",
    "status": "status",
    "abcClass": "abc_class",
    "expectedLeadTimeDays": "expected_lead_time_days",
    "replenishmentPeriodDays": "replenishment_period_days",
    "forecastPeriodDays": "forecast_period_days",
    "forecastQuantity": "forecast_quantity",
    "preferredBinLocationId": "preferred_bin_location",
    "replenishmentLocationId": "replenishment_location",
    "comments": "comments",
}


# The fields that may be unset, each a bit of ``InventoryLevel.unset``. Not abc_class, whose own
# index holds its nulls.
UNSET = {
    field: 1 << number
    for number, field in enumerate(
        field for field in SETTINGS.values() if field not in ("status", "abc_class")
    )
}


def _unset() -> Any:
    """The bits of the fields that are unset, added up."""
    return reduce(
        operator.add,
        (Case(When(Q(**{field: None}), then=bit), default=0) for field, bit in UNSET.items()),
    )


def _quantities_ascend() -> Q:
    """All pairs, not just neighbours: min ≤ max must hold with reorder unset."""
    rule = Q()
    for lower, upper in combinations(QUANTITY_ORDER, 2):
        rule &= Q(**{lower: None}) | Q(**{upper: None}) | Q(**{f"{lower}__lte": F(upper)})
    return rule


class LevelManager(TenantManager["InventoryLevel"]):
    def with_references(self) -> models.QuerySet[InventoryLevel]:
        """Levels with all that their representation shows, in one query."""
        return self.select_related(
            "product", "location", "preferred_bin_location", "replenishment_location"
        )


class InventoryLevel(TenantModel):
    """When to reorder one product at one location, and how far to fill up."""

    public_id = public_id(new_level_id)
    product = TenantForeignKey(
        ProductMaster,
        on_delete=models.PROTECT,
        related_name="levels",
        db_constraint=False,
        db_index=False,
    )
    location = TenantForeignKey(
        Location,
        on_delete=models.PROTECT,
        related_name="levels",
        db_constraint=False,
        db_index=False,
    )
    min_quantity = quantity(
        "min", "Units. The least that should be here: at or below it, stock is low."
    )
    reorder_quantity = quantity("reorder point", "Units. When stock falls to this, order.")
    max_quantity = quantity("max", "Units. Order up to this; more is overstock.")
    status = models.CharField(
        max_length=32, choices=LevelStatus.choices, default=LevelStatus.SUPPORTED
    )
    abc_class = models.CharField(
        "ABC class", max_length=1, choices=AbcClass.choices, null=True, blank=True
    )
    expected_lead_time_days = days("lead time", "Days from order to arrival.")
    replenishment_period_days = days("replenishment period", "Days between two orders.")
    forecast_period_days = days(
        "forecast period", "Days that the forecast covers; 30 if unset.", least=1
    )
    forecast_quantity = quantity("forecast", "Units of demand expected over the forecast period.")
    preferred_bin_location = TenantForeignKey(
        Location,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="preferred_by_levels",
        db_constraint=False,
        db_index=False,
        verbose_name="preferred bin",
        help_text="Where to put the stock away; a place inside the location.",
    )
    replenishment_location = TenantForeignKey(
        Location,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replenished_levels",
        db_constraint=False,
        db_index=False,
        verbose_name="replenished from",
        help_text="Where stock is replenished from.",
    )
    comments = models.TextField(
        null=True, blank=True, validators=[MaxLengthValidator(MAX_COMMENTS), is_text]
    )
    folded_comments = FoldedTextField(sources=["comments"])
    # Which settings are unset, for the filter ``missing``: it changes only where one comes or
    # goes, so that a new quantity alone moves no index.
    unset = models.GeneratedField(
        expression=_unset(), output_field=models.IntegerField(), db_persist=True
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    # The history's entry of the state as it is now. There is no column for it: what would be
    # an index of updated_at, moved by every write, is the append-only history's index.
    latest_change = models.ForeignObject(
        LevelChange,
        on_delete=models.DO_NOTHING,
        from_fields=["organization", "public_id", "version"],
        to_fields=["organization", "level_public_id", "version"],
        related_name="+",
        editable=False,
    )

    objects: ClassVar[LevelManager] = LevelManager()

    class Meta:
        verbose_name = "inventory level"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "product", "location"],
                name="one_level_per_product_and_location",
            ),
            models.UniqueConstraint(fields=["organization", "public_id"], name="one_level_per_id"),
            models.CheckConstraint(condition=_quantities_ascend(), name="quantities_ascend"),
            models.CheckConstraint(
                condition=unset_or_in_range("min_quantity", 0)
                & unset_or_in_range("reorder_quantity", 0)
                & unset_or_in_range("max_quantity", 0)
                & unset_or_in_range("forecast_quantity", 0),
                name="quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=unset_or_in_range("expected_lead_time_days", 0, MAX_DAYS)
                & unset_or_in_range("replenishment_period_days", 0, MAX_DAYS)
                & unset_or_in_range("forecast_period_days", 1, MAX_DAYS),
                name="days_in_range",
            ),
            models.CheckConstraint(
                condition=Q(status__in=LevelStatus.values), name="level_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(abc_class=None) | Q(abc_class__in=AbcClass.values),
                name="abc_class_is_known",
            ),
            models.CheckConstraint(
                condition=Q(replenishment_location=None) | ~Q(replenishment_location=F("location")),
                name="replenished_from_elsewhere",
            ),
            *same_organization(
                "product",
                "location",
                "preferred_bin_location",
                "replenishment_location",
                table="level",
            ),
        ]
        # One index a filter, each in the order of the list; updated_at has none, because it
        # would have to move with every update (the history's index answers for it).
        indexes = [
            models.Index(fields=["organization", "location", "product"], name="level_by_location"),
            models.Index(
                fields=["organization", "status", "product", "location"], name="level_by_status"
            ),
            models.Index(
                fields=["organization", "abc_class", "product", "location"],
                name="level_by_abc_class",
            ),
            models.Index(
                fields=["organization", "preferred_bin_location", "product", "location"],
                condition=Q(preferred_bin_location__isnull=False),
                name="level_by_preferred_bin",
            ),
            models.Index(
                fields=["organization", "replenishment_location", "product", "location"],
                condition=Q(replenishment_location__isnull=False),
                name="level_by_source",
            ),
            models.Index(
                fields=["organization", "unset", "product", "location"], name="level_by_unset"
            ),
            models.Index(fields=["organization", "created_at", "id"], name="level_by_creation"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def clean(self) -> None:
        """Raise ValidationError, keyed by field, where the set quantities don't ascend."""
        messages: dict[str, list[str]] = {}
        for lower, upper in combinations(QUANTITY_ORDER, 2):
            less, more = getattr(self, lower), getattr(self, upper)
            # clean() also runs after clean_fields() refused a value, so compare only numbers.
            if isinstance(less, Decimal) and isinstance(more, Decimal) and less > more:
                messages.setdefault(upper, []).append(
                    f"must not be below {lower.removesuffix('_quantity')} ({less.normalize():f})"
                )
        if messages:
            raise ValidationError(messages)
