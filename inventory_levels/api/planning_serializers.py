"""The JSON shapes of planning: stocks in, their states out, and recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

from rest_framework import serializers
from rest_framework.exceptions import ValidationError as Refused

from inventory_levels import quantities
from inventory_levels.api.fields import (
    IdField,
    QuantityField,
    StrictSerializer,
    fold_product,
)
from inventory_levels.models import QUANTITY_ORDER, SETTINGS, InventoryLevel
from inventory_levels.planning import Inputs, Policy, State, recommend
from inventory_levels.planning_in_words import explanation
from inventory_levels.quantities import number
from inventory_levels.remarks import remarks
from inventory_levels.replenishment import Stock, StockState
from inventory_levels.rounding import rounded_half_up
from inventory_levels.values import printable

MAX_STOCKS = 10_000
STATES = list(get_args(State))
_QUANTITIES = {name: field for name, field in SETTINGS.items() if field in QUANTITY_ORDER}


class SignedQuantityField(QuantityField):
    """A quantity, which may be below zero."""

    json_schema = {**QuantityField.json_schema, "minimum": -99999999999.9999}

    def read(self, value: Any) -> Any:
        exact = Decimal(value) if isinstance(value, (int, Decimal)) else Decimal(0)
        if exact.is_signed():
            return -quantities.quantity(exact.copy_negate())
        return super().read(value)


def _optional(help_text: str) -> QuantityField:
    return QuantityField(
        allow_null=True, null_means=Decimal(0), required=False, help_text=help_text
    )


class StockSerializer(StrictSerializer):
    """What is there of a product at a location."""

    productMasterId = IdField(
        source="product",
        allow_null=True,
        required=False,
        help_text="Required, here or as productId.",
    )
    productId = IdField(
        write_only=True,
        allow_null=True,
        required=False,
        help_text="Deprecated name of productMasterId.",
    )
    locationId = IdField(source="location")
    quantityOnHand = SignedQuantityField(source="on_hand", help_text="Units that are there.")
    quantityOnOrder = _optional("Units that are ordered and have not arrived.")
    quantityReserved = _optional("Units that are promised to somebody.")

    def check(self, values: dict[str, Any], problems: dict[str, list[str]]) -> None:
        fold_product(values, problems, required=True)


STOCK = StockSerializer()


def stocks(body: Any) -> list[Stock]:
    """The stocks of a request. Raises ValidationError that names every bad field of each item."""
    if not isinstance(body, Mapping):
        raise Refused("The body must be a JSON object.")
    items = body.get("items")
    problems = {printable(name): ["unknown field"] for name in body if name != "items"}
    if not isinstance(items, list):
        problems["items"] = ["must be an array" if "items" in body else "is required"]
    elif len(items) > MAX_STOCKS:
        problems["items"] = [f"must hold at most {MAX_STOCKS} items"]
    if problems:
        raise Refused(problems)
    assert isinstance(items, list)
    found = [_stock(index, item, problems) for index, item in enumerate(items)]
    if problems:
        raise Refused(problems)
    return [stock for stock in found if stock is not None]


def _stock(index: int, item: Any, problems: dict[str, list[str]]) -> Stock | None:
    if not isinstance(item, Mapping):
        problems[f"items[{index}]"] = ["must be a JSON object"]
        return None
    try:
        values = STOCK.run_validation(item)
    except Refused as error:
        detail: Any = error.detail
        problems.update((f"items[{index}].{name}", texts) for name, texts in detail.items())
        return None
    return Stock(
        product=values["product"],
        location=values["location"],
        on_hand=values["on_hand"],
        on_order=values.get("quantityOnOrder", Decimal(0)),
        reserved=values.get("quantityReserved", Decimal(0)),
    )


class EvaluationSerializer(serializers.Serializer[Any]):
    """A stock against its level."""

    productMasterId = serializers.CharField()
    locationId = serializers.CharField()
    levelId = serializers.CharField(allow_null=True, help_text="null where there is no level.")
    state = serializers.ChoiceField(choices=STATES)
    reason = serializers.CharField(help_text="Why it is this state, and why so much is suggested.")
    suggestedQuantity = serializers.FloatField(
        allow_null=True, help_text="Units to order now; null where nobody can say."
    )
    replenishmentLocationId = serializers.CharField(
        allow_null=True, help_text="Where to order them from."
    )
    daysOfCover = serializers.FloatField(
        allow_null=True, help_text="Days that what is there will last; null without demand."
    )

    def to_representation(self, state: StockState) -> dict[str, Any]:
        evaluation = state.evaluation
        return {
            "productMasterId": state.stock.product,
            "locationId": state.stock.location,
            "levelId": state.level_id,
            "state": evaluation.state,
            "reason": evaluation.reason,
            "suggestedQuantity": number(evaluation.suggested),
            "replenishmentLocationId": state.replenishment_location_id,
            "daysOfCover": number(evaluation.days_of_cover),
        }


class QuantitiesSerializer(serializers.Serializer[Any]):
    """Minimum, reorder point and maximum."""

    minQuantity = serializers.FloatField(allow_null=True)
    reorderQuantity = serializers.FloatField(allow_null=True)
    maxQuantity = serializers.FloatField(allow_null=True)


class InputsSerializer(serializers.Serializer[Any]):
    """What a recommendation is computed from; numbers to 4 decimals."""

    demandPerDay = serializers.FloatField(allow_null=True)
    expectedLeadTimeDays = serializers.IntegerField(allow_null=True)
    replenishmentPeriodDays = serializers.IntegerField(allow_null=True)
    serviceLevel = serializers.FloatField(help_text="A share: 0.95 is 95 %.")
    z = serializers.FloatField(help_text="The standard normal's quantile at the service level.")
    safetyStock = serializers.FloatField(allow_null=True)

    def to_representation(self, inputs: Inputs) -> dict[str, Any]:
        return {
            "demandPerDay": _rounded(inputs.demand_per_day),
            "expectedLeadTimeDays": inputs.lead_time_days,
            "replenishmentPeriodDays": inputs.period_days,
            "serviceLevel": number(inputs.service_level),
            "z": _rounded(Fraction(inputs.z)),
            "safetyStock": _rounded(inputs.safety_stock),
        }


def _rounded(exact: Fraction | None) -> int | float | None:
    return None if exact is None else number(rounded_half_up(exact))


INPUTS = InputsSerializer()


class LevelRecommendationSerializer(serializers.Serializer[Any]):
    """A level's quantities as they are and as they are recommended."""

    levelId = serializers.CharField()
    current = QuantitiesSerializer()
    recommendation = QuantitiesSerializer(
        allow_null=True, help_text="null where `reason` says why."
    )
    reason = serializers.CharField(allow_null=True, help_text="Why nothing is recommended.")
    inputs = InputsSerializer()
    explanation = serializers.ListField(
        child=serializers.CharField(), help_text="The arithmetic in words."
    )
    remarks = serializers.ListField(
        child=serializers.CharField(), help_text="Where to take it with care."
    )


def recommendation(level: InventoryLevel, policy: Policy) -> dict[str, Any]:
    """What LevelRecommendationSerializer describes."""
    found = recommend(level, policy)
    recommended = None if found.quantities is None else _named(found.quantities)
    return {
        "levelId": level.public_id,
        "current": _named(level),
        "recommendation": recommended,
        "reason": found.reason,
        "inputs": INPUTS.to_representation(found.inputs),
        "explanation": explanation(found),
        "remarks": [remark.sentence for remark in remarks(level, found)],
    }


def _named(holder: Any) -> dict[str, Any]:
    return {name: number(getattr(holder, field)) for name, field in _QUANTITIES.items()}
