"""The viewset of planning: is it time to order, and how far should levels go?"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from inventory_levels import replenishment
from inventory_levels.api import planning_serializers, schema
from inventory_levels.api.conditional import Precondition, tag
from inventory_levels.api.filters import LevelFilter
from inventory_levels.api.pagination import LevelPages, models_of
from inventory_levels.api.planning_query import Query, read_query, wants_to_apply
from inventory_levels.api.planning_serializers import (
    EvaluationSerializer,
    LevelRecommendationSerializer,
    recommendation,
)
from inventory_levels.api.viewsets import ApiViewSet
from inventory_levels.models import InventoryLevel, LevelChange, PlanningSettings
from inventory_levels.planning import Settings
from inventory_levels.refusals import NotFound

STATE = EvaluationSerializer()
# What a recommendation needs of a level.
COLUMNS = ("public_id", "version", *Settings.__annotations__)


@schema.planning
class PlanningViewSet(ApiViewSet):
    serializer_class = LevelRecommendationSerializer
    queryset = InventoryLevel.objects.none()
    pagination_class = LevelPages
    filterset_class = LevelFilter
    # But for recommendations with ``apply``.
    read_only_actions = frozenset({"evaluate", "recommendations"})

    @property
    def max_body(self) -> int:
        """Bytes a body may have."""
        return int(settings.MAX_BULK_BODY if self.action == "evaluate" else settings.MAX_BODY)

    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def evaluate(self, request: Request) -> Response:
        stocks = planning_serializers.stocks(self.body(request))
        self.check_parameters()
        states = replenishment.evaluate_stocks(stocks)
        return Response({"items": [STATE.to_representation(state) for state in states]})

    @action(detail=True, pagination_class=None, filterset_class=None)
    def recommendation(self, request: Request, public_id: str) -> Response:
        self.check_parameters()
        level = InventoryLevel.objects.only(*COLUMNS).filter(public_id=public_id).first()
        if level is None:
            raise NotFound("Inventory level not found")
        found = recommendation(level, PlanningSettings.objects.current().policy)
        # The settings of the organization count too; the level's id and version lead, so that
        # whoever writes it down can say with If-Match that the level is still the same.
        current = tag(level, repr(found))
        if Precondition(request).is_known(current):
            return Response(status=304, headers={"ETag": current})
        return Response(found, headers={"ETag": current})

    @action(detail=False, methods=["post"])
    def recommendations(self, request: Request) -> Response:
        body = self.body(request)
        if wants_to_apply(body):
            self.read_only_actions = frozenset()
            self.check_permissions(request)
        query = read_query(body, request.path)
        self.check_parameters()
        return self._applied(query) if query.apply else self._page(query)

    def _matching(self, query: Query) -> Any:
        request: Any = query  # all that a filter looks at of one
        (backend,) = self.filter_backends
        return backend().filter_queryset(request, InventoryLevel.objects.all(), self)

    def _page(self, query: Query) -> Response:
        paginator: Any = self.paginator
        paginator.begin(query)
        read = partial(models_of, InventoryLevel.objects.only(*COLUMNS))
        levels = paginator.page(self._matching(query), read)
        policy = PlanningSettings.objects.current().policy
        return Response(paginator.body([recommendation(level, policy) for level in levels]))

    def _applied(self, query: Query) -> Response:
        caller: Any = self.request.auth
        applied = replenishment.apply_recommendations(
            self._matching(query), actor=caller.actor, source=LevelChange.Source.API
        )
        return Response(applied.told(dry_run=False))
