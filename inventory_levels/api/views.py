"""The viewsets: each action parses, calls one function and answers."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from inventory_levels import catalog, services, shown
from inventory_levels.api import bulk, filters, schema
from inventory_levels.api.conditional import Precondition, etag
from inventory_levels.api.files import CatalogFiles, LevelFiles
from inventory_levels.api.filters import ChangeFilter, LevelFilter, LocationFilter, ProductFilter
from inventory_levels.api.history import ChangeSerializer
from inventory_levels.api.level_rows import LEVEL, level_rows
from inventory_levels.api.pagination import ChangePages, ShownLevelPages
from inventory_levels.api.serializers import (
    LevelSerializer,
    LocationSerializer,
    ProductSerializer,
)
from inventory_levels.api.viewsets import ApiViewSet, json_response
from inventory_levels.catalog import CatalogRow
from inventory_levels.files.columns import LOCATIONS, PRODUCTS
from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from inventory_levels.refusals import NotFound, Refusal
from inventory_levels.services import LevelRow, Origin
from inventory_levels.shown import ShownLevel
from organizations.statements import Question

LEVEL_PATCH = LevelSerializer(partial=True)


HISTORY: dict[str, Any] = {
    "serializer_class": ChangeSerializer,
    "shape": ChangeSerializer(),
    "pagination_class": ChangePages,
    "filterset_class": ChangeFilter,
    "queryset": LevelChange.objects.none(),
}


@schema.levels
class LevelViewSet(LevelFiles, ApiViewSet):
    serializer_class = LevelSerializer
    shape = LEVEL
    queryset = InventoryLevel.objects.none()
    pagination_class = ShownLevelPages
    filterset_class = LevelFilter

    def question(self) -> Question | None:
        if self.action == "retrieve":
            return shown.with_id(self.kwargs["public_id"])
        if self.action == "partial_update":
            return services.level_with_id(self.kwargs["public_id"])
        if self.action == "create" and self.has_short_body:
            with suppress(exceptions.APIException):  # which is told when its turn comes
                return services.level_of_row(self.row)
        return None

    @cached_property
    def row(self) -> LevelRow:
        """What a POST asks for."""
        return level_row(LEVEL.run_validation(self.body(self.request)))

    def list(self, request: Request) -> HttpResponse:
        levels = filters.indexed(request.query_params) or InventoryLevel.objects.all()
        return self.page_of(levels, level_rows)

    def retrieve(self, request: Request, public_id: str) -> HttpResponse:
        self.check_parameters()
        level = shown.found(self.answer)
        if level is None:
            raise NotFound("Inventory level not found")
        tag = etag(level)
        if Precondition(request).is_known(tag):
            return HttpResponse(status=304, headers={"ETag": tag})
        return answer(level, tag=tag)

    def create(self, request: Request) -> HttpResponse:
        row = self.row
        self.check_parameters()
        row.precondition = Precondition(request)
        result = services.save_level(row, origin=origin(request), stored=self.answer)
        status = 201 if result.outcome == "created" else 200
        return answer(ShownLevel.of(result.saved), status)

    def partial_update(self, request: Request, public_id: str) -> HttpResponse:
        values = LEVEL_PATCH.run_validation(self.body(request))
        self.check_parameters()
        row = LevelRow(
            level=public_id,
            product=values.pop("product", None),
            location=values.pop("location", None),
            settings=values,
            precondition=Precondition(request),
        )
        result = services.save_level(row, origin=origin(request), stored=self.answer)
        return answer(ShownLevel.of(result.saved))

    def destroy(self, request: Request, public_id: str) -> Response:
        self.check_parameters()
        services.delete_level(public_id, origin=origin(request), precondition=Precondition(request))
        return Response({"success": True, "message": "Inventory level deleted"})

    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def bulk(self, request: Request) -> Response:
        body = self.body(request)
        self.check_parameters()
        return bulk.save_all(
            body,
            shape=LEVEL,
            row=level_row,
            save=partial(
                services.save_many_levels, origin=origin(request, LevelChange.Source.BULK)
            ),
        )

    @action(detail=False, url_path="history", **HISTORY)
    def organization_history(self, request: Request) -> HttpResponse:
        return self.page_of(LevelChange.objects.all())

    @action(detail=True, **HISTORY)
    def history(self, request: Request, public_id: str) -> HttpResponse:
        self.check_list_parameters()
        changes = LevelChange.objects.filter(level_public_id=public_id)
        if not changes.exists():
            raise NotFound("Inventory level not found")
        return self.page_of(changes)


def answer(level: ShownLevel, status: int = 200, *, tag: str | None = None) -> HttpResponse:
    """``tag``: the level's ETag, where it is known."""
    headers = {"ETag": tag or etag(level)}
    return json_response(LEVEL.to_representation(level), status, headers)


def level_row(values: dict[str, Any], problem: Refusal | None = None) -> LevelRow:
    product, location = values.pop("product", None), values.pop("location", None)
    return LevelRow(product=product, location=location, settings=values, problem=problem)


def origin(request: Request, source: LevelChange.Source = LevelChange.Source.API) -> Origin:
    caller: Any = request.auth
    return Origin(caller.actor, source)


def catalog_row(values: dict[str, Any], problem: Refusal | None = None) -> CatalogRow:
    return CatalogRow(public_id=values.pop("public_id", None), values=values, problem=problem)


class CatalogViewSet(CatalogFiles, ApiViewSet):
    """Products and locations: the same actions on different models."""

    noun: str

    def rows(self) -> Any:
        """The organization's records."""
        raise NotImplementedError

    def store(self, rows: list[CatalogRow], **options: Any) -> Any:
        """Create or update records; a result a row."""
        raise NotImplementedError

    def remove(self, public_id: str) -> None:
        raise NotImplementedError

    def list(self, request: Request) -> HttpResponse:
        return self.page_of(self.rows())

    def retrieve(self, request: Request, public_id: str) -> Response:
        self.check_parameters()
        record = self.rows().filter(public_id=public_id).first()
        if record is None:
            raise NotFound(f"{self.noun} not found")
        return Response(self.shape.to_representation(record))

    def create(self, request: Request) -> Response:
        values = self.shape.run_validation(self.body(request))
        self.check_parameters()
        result = self.store([catalog_row(values)])[0].or_raise()
        status = 201 if result.outcome == "created" else 200
        return Response(self.shape.to_representation(result.saved), status)

    def partial_update(self, request: Request, public_id: str) -> Response:
        values = self.shape.run_validation(self.body(request))
        self.check_parameters()
        row = CatalogRow(public_id=public_id, values=values, must_exist=True)
        result = self.store([row])[0].or_raise()
        return Response(self.shape.to_representation(result.saved))

    def destroy(self, request: Request, public_id: str) -> Response:
        self.check_parameters()
        self.remove(public_id)
        return Response({"success": True, "message": f"{self.noun} deleted"})

    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def bulk(self, request: Request) -> Response:
        body = self.body(request)
        self.check_parameters()
        return bulk.save_all(body, shape=self.shape, row=catalog_row, save=self.store)


@schema.products
class ProductViewSet(CatalogViewSet):
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    queryset = ProductMaster.objects.none()
    shape = ProductSerializer()
    noun = "Product"
    table = PRODUCTS

    def rows(self) -> Any:
        return ProductMaster.objects.all()

    def store(self, rows: list[CatalogRow], **options: Any) -> Any:
        return catalog.save_products(rows, **options)

    def remove(self, public_id: str) -> None:
        catalog.delete_product(public_id)

    @action(
        detail=True,
        url_path="inventory-levels",
        serializer_class=LevelSerializer,
        shape=LEVEL,
        pagination_class=ShownLevelPages,
        filterset_class=LevelFilter,
        queryset=InventoryLevel.objects.none(),
    )
    def levels(self, request: Request, public_id: str) -> HttpResponse:
        self.check_list_parameters()
        product = ProductMaster.objects.filter(public_id=public_id).first()
        if product is None:
            raise NotFound("Product not found")
        levels = filters.indexed(request.query_params, public_id)
        return self.page_of(levels or InventoryLevel.objects.filter(product=product), level_rows)


@schema.locations
class LocationViewSet(CatalogViewSet):
    serializer_class = LocationSerializer
    filterset_class = LocationFilter
    queryset = Location.objects.none()
    shape = LocationSerializer()
    noun = "Location"
    table = LOCATIONS

    def rows(self) -> Any:
        return Location.objects.select_related("parent")

    def store(self, rows: list[CatalogRow], **options: Any) -> Any:
        return catalog.save_locations(rows, **options)

    def remove(self, public_id: str) -> None:
        catalog.delete_location(public_id)
