"""The documentation of planning: states of stocks, and recommended levels."""

from __future__ import annotations

from typing import Any

from drf_spectacular.drainage import get_override
from drf_spectacular.utils import (
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from inventory_levels.api import examples, planning_examples
from inventory_levels.api.filters import LevelFilter
from inventory_levels.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, LevelPages
from inventory_levels.api.planning_query import LISTS
from inventory_levels.api.planning_serializers import (
    MAX_STOCKS,
    EvaluationSerializer,
    LevelRecommendationSerializer,
    StockSerializer,
)
from inventory_levels.api.schema import shapes
from inventory_levels.api.schema.operations import BODY, ETAG, KNOWN, answer, by_id, operation

_TEXT = {"type": "string", "minLength": 1}
_ONE_OR_MANY = [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]


class LevelQuerySerializer(serializers.Serializer[Any]):
    """Which levels: the filters of their list by name. Without any, all of them."""

    def get_fields(self) -> dict[str, Any]:
        filters = {name: _field(name, one) for name, one in LevelFilter.base_filters.items()}
        ordering = [sign + name for name in LevelPages.orderings for sign in ("", "-")]
        return {
            **filters,
            "ordering": serializers.ChoiceField(
                choices=ordering, required=False, help_text="Ties come in a fixed order."
            ),
            "limit": serializers.IntegerField(
                min_value=1,
                max_value=MAX_LIMIT,
                required=False,
                help_text=f"Recommendations a page; {DEFAULT_LIMIT} unless given.",
            ),
            "cursor": serializers.CharField(
                required=False,
                allow_blank=True,
                help_text="`nextCursor` of the page before; empty to start without totals.",
            ),
            "apply": serializers.BooleanField(
                required=False, help_text="Write the recommendations for all levels that match."
            ),
        }


def _field(name: str, level_filter: Any) -> Any:
    """The same as in a query, and where that takes a comma list an array as well."""
    told = _TEXT | get_override(level_filter, "field")
    if "enum" in told:
        return serializers.ChoiceField(
            choices=told["enum"], required=False, help_text=told["description"]
        )
    if name in LISTS:
        told = {"oneOf": _ONE_OR_MANY, "description": told["description"]}
    field: Any = serializers.Field(required=False)
    return extend_schema_field(told)(field)


class AppliedSerializer(shapes.BulkAnswerSerializer):
    """With apply: what became of the levels that match; `results` are the failed ones."""

    insufficientData = serializers.IntegerField(
        help_text="Levels that were left alone: a forecast, lead time or period is missing."
    )


_MANY: Any = {"many": True, "min_length": 0, "max_length": MAX_STOCKS}
PAGE = shapes.page_of(LevelRecommendationSerializer, synced=True)
STOCKS = inline_serializer("Stocks", {"items": StockSerializer(**_MANY)})
STATES = inline_serializer("Evaluations", {"items": EvaluationSerializer(many=True)})

planning = extend_schema_view(
    evaluate=operation(
        "evaluate_stocks",
        "Is it time to order?",
        "The state of each stock against its level, why, and how much to order. First match wins: "
        "`noLevel`, `notManaged` (by status), `outOfStock` (on hand ≤ 0), `belowMinimum` (on hand "
        "≤ min), `reorder` (position ≤ reorder point), `overstock` (on hand > max), `ok`. The "
        "position is on hand + on order − reserved. Reads only, so a key that reads will do.",
        {200: answer(STATES, "The states, in the order of the request.", planning_examples.STATES)},
        refusals={
            400: examples.NOT_A_STOCK,
            413: examples.BULK_TOO_LARGE,
            415: examples.UNSUPPORTED_MEDIA_TYPE,
        },
        request=planning_examples.STOCKS,
        request_shape=STOCKS,
    ),
    recommendation=operation(
        "get_recommendation",
        "Recommend a level's quantities",
        "Minimum, reorder point and maximum from forecast, lead time, replenishment period and "
        "service level, with the arithmetic; nothing is changed. The ETag can be sent as If-Match "
        "with the PATCH that writes them down.",
        {
            200: answer(
                LevelRecommendationSerializer,
                "The recommendation.",
                planning_examples.RECOMMENDATION,
                planning_examples.NO_RECOMMENDATION,
            ),
            304: OpenApiResponse(description="The client's copy is current."),
        },
        refusals={404: examples.LEVEL_NOT_FOUND},
        parameters=(by_id("level"), KNOWN, ETAG),
    ),
    recommendations=operation(
        "recommend_levels",
        "Recommend many levels' quantities",
        "A page of recommendations for the levels that match; a key that reads will do. With "
        "`apply` they are written for all levels that match, in one transaction, with history.",
        {
            200: answer(
                PolymorphicProxySerializer(
                    component_name="RecommendationsAnswer",
                    serializers=[PAGE, AppliedSerializer],
                    resource_type_field_name=None,
                ),
                "A page, or with `apply` what was written.",
                examples.page(planning_examples.RECOMMENDATION),
                planning_examples.APPLIED,
            )
        },
        refusals={**BODY, 400: examples.UNKNOWN_FILTER},
        request=planning_examples.LEVEL_QUERY,
        request_shape=LevelQuerySerializer,
    ),
)
