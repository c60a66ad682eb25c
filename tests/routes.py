"""Every route of the API, one line each: what it needs, and a request that succeeds.

An id in a path, query or body is written ``$product``, ``$level`` and so on (``IDS`` has the
kinds), so that the tests can put another organization's in its place.
"""

from __future__ import annotations

import inspect
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from inventory_project import errors
from organizations.models import ApiKey, Organization
from tests import factories
from tests.conftest import Api, issue_key

PUBLIC = "nothing"
READ = "inventory:read"
WRITE = "inventory:write"


@dataclass(frozen=True)
class Route:
    """A request below /api that succeeds for whoever has what it needs."""

    method: str
    path: str
    needs: str
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f" {json.dumps(self.body)}" if self.body else "")

    @property
    def text(self) -> str:
        """The body, as JSON or as CSV."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    @property
    def kinds(self) -> list[str]:
        """The kinds of ids that the request names."""
        return sorted(set(re.findall(r"\$(\w+)", f"{self.path} {self.text}")))

    @property
    def kinds_in_path(self) -> list[str]:
        return re.findall(r"\$(\w+)", self.path.partition("?")[0])

    @property
    def entry(self) -> tuple[str, str]:
        """The method, and the route as the resolver names it."""
        path = Template(self.path.partition("?")[0]).substitute(IDS)
        return self.method, resolve(f"/api{path}").route.removeprefix("^")

    def path_with(self, ids: Mapping[str, str]) -> str:
        return Template(self.path).substitute(ids)

    def ask(self, api: Api, ids: Mapping[str, str], *, slash: bool = False, **headers: str):
        path, mark, query = self.path_with(ids).partition("?")
        path = path.rstrip("/") + "/" if slash else path
        body = None
        if self.body is not None:
            body = Template(self.text).substitute(ids).encode()
        if isinstance(self.body, str):
            headers = {"Content_Type": "text/csv", **headers}
        return whole(api.request(self.method, path + mark + query, body, **headers))


def whole(response: Any) -> Any:
    """The answer with all of its content; of a workbook, its sheet."""
    if not response.streaming:
        return response
    content = response.getvalue()
    headers = dict(response.headers)
    if headers.pop("Content-Length", None):  # a workbook, of as many bytes as its times take
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("xl/worksheets/sheet1.xml")
    return HttpResponse(content, status=response.status_code, headers=headers)


ROUTES = [
    Route("GET", "", PUBLIC),
    Route("GET", "/", PUBLIC),
    Route("GET", "/inventory-levels", READ),
    Route("GET", "/inventory-levels?cursor=&ordering=-sku&search=acme", READ),
    Route("GET", "/inventory-levels?productMasterId=$product&locationId=$location", READ),
    Route(
        "GET", "/inventory-levels?productId=prod_1,$product&updatedSince=2026-01-01T00:00:00Z", READ
    ),
    Route("GET", "/inventory-levels?preferredBinLocationId=$bin", READ),
    Route("GET", "/inventory-levels?replenishmentLocationId=loc_1,$source", READ),
    Route("GET", "/inventory-levels?sku=$sku", READ),
    Route(
        "POST",
        "/inventory-levels",
        WRITE,
        {
            "productMasterId": "$product",
            "locationId": "$location",
            "preferredBinLocationId": "$bin",
            "replenishmentLocationId": "$source",
        },
    ),
    Route("POST", "/inventory-levels", WRITE, {"productId": "$product", "locationId": "$bin"}),
    Route("GET", "/inventory-levels/$level", READ),
    Route("PATCH", "/inventory-levels/$level", WRITE, {"minQuantity": 1}),
    Route(
        "PATCH",
        "/inventory-levels/$level",
        WRITE,
        {"preferredBinLocationId": "$bin", "replenishmentLocationId": "$source"},
    ),
    Route("DELETE", "/inventory-levels/$level", WRITE),
    Route("GET", "/inventory-levels/$level/history", READ),
    Route("GET", "/inventory-levels/history", READ),
    Route("GET", "/inventory-levels/history?source=api&updatedSince=2026-01-01T00:00:00Z", READ),
    Route(
        "POST",
        "/inventory-levels/bulk",
        WRITE,
        {
            "items": [
                {
                    "productMasterId": "$product",
                    "locationId": "$location",
                    "preferredBinLocationId": "$bin",
                    "replenishmentLocationId": "$source",
                },
                {"productMasterId": "$idle_product", "locationId": "$idle_location"},
            ]
        },
    ),
    Route(
        "POST",
        "/inventory-levels/bulk",
        WRITE,
        {"onError": "skip", "items": [{"productId": "$product", "locationId": "$idle_location"}]},
    ),
    Route(
        "POST",
        "/inventory-levels/import",
        WRITE,
        "productMasterId,locationId,preferredBinLocationId,replenishmentLocationId\n"
        "$product,$location,$bin,$source\n",
    ),
    Route(
        "POST",
        "/inventory-levels/import?onError=skip",
        WRITE,
        "sku,locationName,comments\n$sku,$name,imported\n",
    ),
    Route("GET", "/inventory-levels/export.csv", READ),
    Route("GET", "/inventory-levels/export.csv?locationId=$location&ordering=-sku", READ),
    Route("GET", "/inventory-levels/export.ndjson?productId=$product", READ),
    Route("GET", "/inventory-levels/export.xlsx?preferredBinLocationId=$bin", READ),
    Route("POST", "/products/import", WRITE, "id,globalSku,productName\n$product,$sku,New\n"),
    Route("GET", "/products/export.csv?globalSku=$sku", READ),
    Route("GET", "/products/export.ndjson", READ),
    Route("GET", "/products/export.xlsx", READ),
    Route("POST", "/locations/import", WRITE, "id,name,parentId\n$idle_location,New,$location\n"),
    Route("GET", "/locations/export.csv", READ),
    Route("GET", "/locations/export.ndjson?parentId=$location", READ),
    Route("GET", "/locations/export.xlsx?name=$name", READ),
    Route(
        "POST",
        "/inventory-levels/evaluate",
        READ,
        {
            "items": [
                {"productMasterId": "$product", "locationId": "$location", "quantityOnHand": 5},
                {"productId": "$idle_product", "locationId": "$bin", "quantityOnHand": 5},
            ]
        },
    ),
    Route("GET", "/inventory-levels/$level/recommendation", READ),
    Route("POST", "/inventory-levels/recommendations", READ, {}),
    Route(
        "POST",
        "/inventory-levels/recommendations",
        READ,
        {"productMasterId": "prod_1,$product", "locationId": ["$location"], "cursor": ""},
    ),
    Route(
        "POST",
        "/inventory-levels/recommendations",
        READ,
        {"preferredBinLocationId": "$bin", "replenishmentLocationId": "$source", "sku": "$sku"},
    ),
    Route(
        "POST",
        "/inventory-levels/recommendations",
        WRITE,
        {"apply": True, "productMasterId": ["$product"], "locationId": "$location"},
    ),
    Route("GET", "/products", READ),
    Route("GET", "/products?globalSku=$sku", READ),
    Route("POST", "/products", WRITE, {"globalSku": "$sku", "productName": "New"}),
    Route("POST", "/products", WRITE, {"id": "$product", "globalSku": "N", "productName": "New"}),
    Route("GET", "/products/$product", READ),
    Route("PATCH", "/products/$product", WRITE, {"globalSku": "$sku", "productName": "New"}),
    Route("DELETE", "/products/$idle_product", WRITE),
    Route("GET", "/products/$product/inventory-levels?locationId=$location", READ),
    Route(
        "POST",
        "/products/bulk",
        WRITE,
        {"items": [{"id": "$product", "globalSku": "$sku", "productName": "New"}]},
    ),
    Route("GET", "/locations", READ),
    Route("GET", "/locations?parentId=$location", READ),
    Route("GET", "/locations?name=$name", READ),
    Route("POST", "/locations", WRITE, {"name": "$name", "type": "STORE"}),
    Route("POST", "/locations", WRITE, {"id": "$location", "name": "New"}),
    Route("POST", "/locations", WRITE, {"name": "New", "type": "BIN", "parentId": "$location"}),
    Route("GET", "/locations/$location", READ),
    Route("PATCH", "/locations/$idle_location", WRITE, {"parentId": "$location"}),
    Route("DELETE", "/locations/$idle_location", WRITE),
    Route(
        "POST",
        "/locations/bulk",
        WRITE,
        {"items": [{"id": "$idle_location", "name": "New", "parentId": "$location"}]},
    ),
    Route("GET", "/schema", PUBLIC),
    Route("GET", "/docs", PUBLIC),
]

# What each kind of id is in the organization that asks. The other one's are in THEIRS.
IDS = {
    "product": "prod_123",
    "idle_product": "prod_idle",
    "sku": "SKU-123",
    "location": "loc_123",
    "idle_location": "loc_idle",
    "bin": "bin_123",
    "source": "loc_456",
    "name": "Main warehouse",
    "level": "level_123",
}
THEIRS = {kind: f"{kind}-of-theirs" for kind in IDS}


@dataclass
class World:
    """An organization with one of each kind of thing, and a key that reads and writes."""

    organization: Organization
    ids: dict[str, str]
    api: Api

    def empty(self) -> None:
        """Remove all that has an id; the history stays."""
        for rows in (
            InventoryLevel._base_manager,
            ProductMaster._base_manager,
            Location._base_manager.exclude(parent=None),
            Location._base_manager,
        ):
            assert rows.filter(organization=self.organization).delete()[0] > 0


def make_world(ids: Mapping[str, str], *, called: str) -> World:
    """An organization whose things have these ids and are all called something."""
    organization = factories.OrganizationFactory(name=called)
    product, _ = [
        factories.ProductFactory(
            organization=organization,
            public_id=ids[kind],
            global_sku=sku,
            product_name=f"{called} {kind}",
        )
        for kind, sku in (("product", ids["sku"]), ("idle_product", "SKU-IDLE"))
    ]
    location, source, _ = [
        factories.LocationFactory(organization=organization, public_id=ids[kind], name=name)
        for kind, name in (
            ("location", ids["name"]),
            ("source", f"{called} source"),
            ("idle_location", f"{called} idle location"),
        )
    ]
    place = factories.LocationFactory(
        organization=organization,
        public_id=ids["bin"],
        name=f"{called} bin",
        type="BIN",
        parent=location,
    )
    factories.LevelFactory(
        organization=organization,
        public_id=ids["level"],
        product=product,
        location=location,
        preferred_bin_location=place,
        replenishment_location=source,
        comments=f"{called} comments",
    )
    LevelChange._base_manager.create(
        organization=organization,
        level_public_id=ids["level"],
        product_public_id=ids["product"],
        location_public_id=ids["location"],
        action=LevelChange.Action.CREATE,
        version=1,
        changes={},
        actor_type="apiKey",
        actor_id="key_1",
        actor_name=f"{called} ERP",
        source=LevelChange.Source.API,
        at=timezone.now(),
    )
    api = Api(issue_key(organization), client=Client(raise_request_exception=False))
    # Not due: otherwise the first request would have one statement more than the second.
    ApiKey.objects.filter(organization=organization).update(last_used_at="2999-01-01T00:00:00Z")
    return World(organization, dict(ids), api)


def api_patterns() -> Iterator[tuple[str, URLPattern]]:
    """Every URL pattern below /api with its route, but the one that answers all the others."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern).removeprefix("^")
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif inspect.unwrap(pattern.callback) is inspect.unwrap(errors.unknown_path):
                continue
            elif route.startswith("api"):
                yield route, pattern

    yield from walk(get_resolver().url_patterns, "")


def methods_of(pattern: URLPattern) -> set[str]:
    """The methods that a pattern's view answers, HEAD and OPTIONS aside; "?" if it won't say."""
    view: Any = pattern.callback
    if actions := getattr(view, "actions", None):
        methods = set(actions)
    elif cls := getattr(view, "cls", None) or getattr(view, "view_class", None):
        methods = {name for name in cls.http_method_names if hasattr(cls, name)}
    else:
        return {"?"}
    return {method.upper() for method in methods - {"head", "options"}}
