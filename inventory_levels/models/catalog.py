"""What levels are about: products, and the tree of locations."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from inventory_levels.models.columns import (
    FoldedTextField,
    public_id,
    quantity,
    same_organization,
    unset_or_in_range,
)
from organizations import public_ids
from organizations.tenancy import TenantForeignKey, TenantModel
from organizations.texts import ExactCharField, is_text


class ProductStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"


class LocationType(models.TextChoices):
    WAREHOUSE = "WAREHOUSE", "Warehouse"
    STORE = "STORE", "Store"
    SUPPLIER = "SUPPLIER", "Supplier"
    BIN = "BIN", "Bin"
    OTHER = "OTHER", "Other"


def new_product_id() -> str:
    return public_ids.new_public_id("prod")


def new_location_id() -> str:
    return public_ids.new_public_id("loc")


class ProductMaster(TenantModel):
    """A product as the organization knows it, whatever the location."""

    public_id = public_id(new_product_id)
    global_sku = ExactCharField("SKU", max_length=64, validators=[is_text])
    product_name = ExactCharField("name", max_length=255, validators=[is_text])
    folded = FoldedTextField(sources=["global_sku", "product_name"])
    unit_cost = quantity("unit cost", "Cost of one unit, in the organization's currency.")
    status = models.CharField(
        max_length=16, choices=ProductStatus.choices, default=ProductStatus.ACTIVE
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "product"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "id"], name="product_is_one_organizations"
            ),
            models.UniqueConstraint(
                fields=["organization", "public_id"], name="one_product_per_id"
            ),
            models.UniqueConstraint(
                fields=["organization", "global_sku"], name="one_product_per_sku"
            ),
            models.CheckConstraint(
                condition=unset_or_in_range("unit_cost", 0), name="unit_cost_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ProductStatus.values), name="product_status_is_known"
            ),
        ]

    def new_public_id(self) -> str:
        return new_product_id()

    def __str__(self) -> str:
        return f"{self.global_sku} · {self.product_name}"


class Location(TenantModel):
    """A place that holds or supplies stock. Locations form a tree; a bin is always inside one."""

    public_id = public_id(new_location_id)
    name = ExactCharField(max_length=255, validators=[is_text])
    type = models.CharField(max_length=16, choices=LocationType.choices, default=LocationType.OTHER)
    parent = TenantForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        db_constraint=False,
        db_index=False,
    )
    # The primary keys of all locations above, outermost first: "/7/12/". Written with parent;
    # whoever moves a location rewrites it below, so that locking one row locks its whereabouts.
    path = models.TextField(default="/", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "id"], name="location_is_one_organizations"
            ),
            models.UniqueConstraint(
                fields=["organization", "public_id"], name="one_location_per_id"
            ),
            models.UniqueConstraint(
                fields=["organization", "parent", "name"],
                condition=Q(parent__isnull=False),
                name="one_sibling_per_name",
            ),
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(parent=None),
                name="one_top_level_location_per_name",
            ),
            models.CheckConstraint(
                condition=~Q(type=LocationType.BIN) | Q(parent__isnull=False),
                name="bin_has_a_parent",
            ),
            models.CheckConstraint(
                condition=Q(type__in=LocationType.values), name="location_type_is_known"
            ),
            *same_organization("parent", table="location"),
        ]
        indexes = [models.Index(fields=["organization", "name", "id"], name="location_by_name")]

    def __str__(self) -> str:
        return str(self.name)

    def new_public_id(self) -> str:
        kind = "bin" if self.type == LocationType.BIN else "loc"
        return public_ids.new_public_id(kind)

    @property
    def path_below(self) -> str:
        """The path that this location's children have."""
        return f"{self.path}{self.pk}/"

    def is_below(self, other: Location) -> bool:
        """Whether this location is inside the other one, at any depth."""
        return f"/{other.pk}/" in self.path
