"""The JSON shapes: which fields there are, of which type. No rule between stored values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from inventory_levels.api.fields import (
    ChoiceField,
    IdField,
    QuantityField,
    StrictSerializer,
    TextField,
    WholeNumberField,
    fold_product,
)
from inventory_levels.models import (
    MAX_COMMENTS,
    MAX_DAYS,
    AbcClass,
    LevelStatus,
    Location,
    LocationType,
    ProductMaster,
    ProductStatus,
)
from inventory_levels.quantities import number, public
from inventory_levels.shown import ShownLevel


def time(moment: datetime) -> str:
    """ISO 8601, UTC, always six decimals."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _time(moment: datetime) -> datetime | str:
    """What JSON has of it: the same. The renderer is quicker, but leaves out six zeros."""
    return moment if moment.microsecond and moment.tzinfo is UTC else time(moment)


def _quantity(source: str, help_text: str) -> QuantityField:
    return QuantityField(source=source, allow_null=True, required=False, help_text=help_text)


def _days(source: str, help_text: str, least: int = 0) -> WholeNumberField:
    return WholeNumberField(
        source=source,
        least=least,
        most=MAX_DAYS,
        allow_null=True,
        required=False,
        help_text=help_text,
    )


def _chosen_id() -> IdField:
    help_text = "Yours, kept as it is; else we make one."
    return IdField(source="public_id", required=False, help_text=help_text)


class _ProductReference(serializers.Serializer[Any]):
    id = IdField()
    sku = TextField(longest=64)
    name = TextField(longest=255)


class _ProductMasterReference(serializers.Serializer[Any]):
    id = IdField()
    globalSku = TextField(longest=64)
    productName = TextField(longest=255)


class _LocationReference(serializers.Serializer[Any]):
    id = IdField()
    name = TextField(longest=255)


class LevelSerializer(StrictSerializer):
    """The settings of one product at one location."""

    id = IdField(read_only=True)
    productMasterId = IdField(
        source="product",
        allow_null=True,
        required=False,
        help_text="Required on create, here or as productId.",
    )
    productId = IdField(
        write_only=True,
        allow_null=True,
        required=False,
        help_text="Deprecated name of productMasterId.",
    )
    locationId = IdField(source="location")
    minQuantity = _quantity("min_quantity", "Minimum; min ≤ reorder ≤ max.")
    reorderQuantity = _quantity("reorder_quantity", "The reorder point, not an order size.")
    maxQuantity = _quantity("max_quantity", "Maximum, or order-up-to level.")
    status = ChoiceField(
        choices=LevelStatus.values,
        null_means=LevelStatus.SUPPORTED.value,
        allow_null=True,
        required=False,
        help_text="Matched without regard to case, spaces, _ and -; null is the default.",
    )
    abcClass = ChoiceField(
        source="abc_class",
        choices=AbcClass.values,
        empty_is_unset=True,
        allow_null=True,
        required=False,
        help_text="Empty clears it.",
    )
    expectedLeadTimeDays = _days("expected_lead_time_days", "Days from order to arrival.")
    replenishmentPeriodDays = _days("replenishment_period_days", "Days between two orders.")
    forecastPeriodDays = _days(
        "forecast_period_days", "Days that forecastQuantity covers.", least=1
    )
    forecastQuantity = _quantity("forecast_quantity", "Demand over forecastPeriodDays.")
    preferredBinLocationId = IdField(
        source="preferred_bin_location",
        allow_null=True,
        required=False,
        help_text="A place inside the location.",
    )
    replenishmentLocationId = IdField(
        source="replenishment_location",
        allow_null=True,
        required=False,
        help_text="Where stock is replenished from; not the location itself.",
    )
    comments = TextField(
        longest=MAX_COMMENTS,
        empty_is_unset=True,
        allow_null=True,
        required=False,
        help_text="Kept as given; empty clears it.",
    )
    version = WholeNumberField(
        least=1, most=2**31 - 1, read_only=True, help_text="Grows by one with each change."
    )
    createdAt = serializers.DateTimeField(read_only=True)
    updatedAt = serializers.DateTimeField(read_only=True)
    product = _ProductReference(read_only=True)
    productMaster = _ProductMasterReference(read_only=True)
    location = _LocationReference(read_only=True)

    def check(self, values: dict[str, Any], problems: dict[str, list[str]]) -> None:
        fold_product(values, problems, required=not self.partial)

    def to_representation(
        self,
        level: ShownLevel,
        number: Callable[[Any], Any] = number,
        time: Callable[[Any], Any] = _time,
    ) -> dict[str, Any]:
        product, sku, name = level[1:4]
        place, place_name = level[4:6]
        return {
            "id": level.public_id,
            "productMasterId": product,
            "locationId": place,
            "minQuantity": number(level.min_quantity),
            "reorderQuantity": number(level.reorder_quantity),
            "maxQuantity": number(level.max_quantity),
            "status": level.status,
            "abcClass": level.abc_class,
            "expectedLeadTimeDays": level.expected_lead_time_days,
            "replenishmentPeriodDays": level.replenishment_period_days,
            "forecastPeriodDays": level.forecast_period_days,
            "forecastQuantity": number(level.forecast_quantity),
            "preferredBinLocationId": level.preferred_bin_location__public_id,
            "replenishmentLocationId": level.replenishment_location__public_id,
            "comments": level.comments,
            "version": level.version,
            "createdAt": time(level.created_at),
            "updatedAt": time(level.updated_at),
            "product": {"id": product, "sku": sku, "name": name},
            "productMaster": {"id": product, "globalSku": sku, "productName": name},
            "location": {"id": place, "name": place_name},
        }


class ProductSerializer(StrictSerializer):
    """A product master."""

    id = _chosen_id()
    globalSku = TextField(
        source="global_sku",
        shortest=1,
        longest=64,
        required=False,
        help_text="Required on create; unique in the organization.",
    )
    productName = TextField(
        source="product_name",
        shortest=1,
        longest=255,
        required=False,
        help_text="Required on create.",
    )
    unitCost = _quantity("unit_cost", "Cost of one unit, in the organization's currency.")
    status = ChoiceField(
        choices=ProductStatus.values,
        null_means=ProductStatus.ACTIVE.value,
        allow_null=True,
        required=False,
    )
    createdAt = serializers.DateTimeField(read_only=True)
    updatedAt = serializers.DateTimeField(read_only=True)

    def to_representation(self, product: ProductMaster) -> dict[str, Any]:
        return {
            "id": product.public_id,
            "globalSku": product.global_sku,
            "productName": product.product_name,
            "unitCost": number(product.unit_cost),
            "status": product.status,
            "createdAt": time(product.created_at),
            "updatedAt": time(product.updated_at),
        }


class LocationSerializer(StrictSerializer):
    """A place that holds or supplies stock."""

    id = _chosen_id()
    name = TextField(
        shortest=1,
        longest=255,
        required=False,
        help_text="Required on create; unique among its siblings.",
    )
    type = ChoiceField(
        choices=LocationType.values,
        null_means=LocationType.OTHER.value,
        allow_null=True,
        required=False,
        help_text="OTHER where it is not given. A BIN needs a parent.",
    )
    parentId = IdField(
        source="parent", allow_null=True, required=False, help_text="null: at the top."
    )
    createdAt = serializers.DateTimeField(read_only=True)
    updatedAt = serializers.DateTimeField(read_only=True)

    def to_representation(self, location: Location) -> dict[str, Any]:
        return {
            "id": location.public_id,
            "name": location.name,
            "type": location.type,
            "parentId": public(location.parent),
            "createdAt": time(location.created_at),
            "updatedAt": time(location.updated_at),
        }
