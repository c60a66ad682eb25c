"""The document's examples are what the API answers: each is compared with a real answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse

from inventory_levels.api import examples, planning_examples
from inventory_levels.api.views import ApiViewSet
from inventory_levels.models import InventoryLevel, LevelChange
from organizations.models import Organization
from tests.api.answers import TIME
from tests.conftest import Acme, Api, issue_key, signed_in
from tests.openapi.document import Operation, operations, unfit
from tests.routes import whole

NOT_BUILT_YET = {429}
ANSWERS = [
    (operation, status)
    for operation in operations()
    for status in operation.statuses
    if status not in NOT_BUILT_YET
]
IDS = {"inventory-levels": "level_123", "products": "prod_123", "locations": "bin_123"}

MORE = {
    "/products": {"id": "prod_124", "globalSku": "SKU-124", "productName": "Gadget"},
    "/locations": {"id": "bin_124", "name": "A-02", "type": "BIN", "parentId": "loc_123"},
}

# What differs from one answer to the next; its type is compared.
VOLATILE = {"createdAt", "updatedAt", "at", "changedUntil"}


@dataclass
class World:
    """Acme with the records of the examples, and whoever may ask for them."""

    acme: Acme
    api: Api

    def path(self, operation: Operation, public_id: str | None = None) -> str:
        tag = operation.spec["tags"][0]
        return operation.path.removeprefix("/api").replace("{id}", public_id or IDS.get(tag, ""))

    def send(
        self,
        operation: Operation,
        body: Any = None,
        *,
        path: str | None = None,
        api: Api | None = None,
        **headers: str,
    ) -> HttpResponse:
        """The operation's own example as a request, or a request that differs from it."""
        if body is None and operation.has_body:
            body = operation.request_example
        if isinstance(body, str):  # a file
            body, headers = body.encode(), {"Content_Type": "text/csv", **headers}
        path = path or self.path(operation)
        return whole((api or self.api).request(operation.method, path, body, **headers))


@pytest.fixture
def world(acme, api) -> World:
    for path, body in (
        ("/products", examples.PRODUCT_REQUEST),
        ("/inventory-levels", examples.LEVEL_REQUEST),
    ):
        assert api.post(path, body).status_code in (200, 201)
    # Level ids are always ours and new; only the published examples know one beforehand.
    InventoryLevel._base_manager.update(public_id="level_123")
    LevelChange._base_manager.update(level_public_id="level_123")
    return World(acme, api)


def without_a_forecast(world: World, operation: Operation) -> HttpResponse:
    world.api.patch("/inventory-levels/level_123", {"forecastQuantity": None})
    return world.send(operation)


def applied(world: World, operation: Operation) -> HttpResponse:
    return world.send(operation, operation.request_example | {"apply": True})


IN_OTHER_WAYS = {"get_recommendation": without_a_forecast, "recommend_levels": applied}


def succeed(world: World, operation: Operation) -> list[HttpResponse]:
    if operation.name in ("list_changes", "list_level_changes"):
        world.api.patch("/inventory-levels/level_123", examples.LEVEL_PATCH)
    if operation.name in ("delete_product", "delete_location"):
        world.api.delete("/inventory-levels/level_123")
    if operation.takes_a_file:
        return [world.send(operation, path=f"{world.path(operation)}?onError=skip")]
    if operation.name in IN_OTHER_WAYS:
        return [world.send(operation), IN_OTHER_WAYS[operation.name](world, operation)]
    if not operation.name.startswith("list_"):
        return [world.send(operation)]
    return list_in_each_way(world, operation)


def list_in_each_way(world: World, operation: Operation) -> list[HttpResponse]:
    """As the examples go: a page, one of a walk with more to come, and a page of a sync."""
    narrow = "type=BIN&" if operation.name == "list_locations" else ""

    def send(query: str) -> HttpResponse:
        return world.send(operation, path=f"{world.path(operation)}?{narrow}{query}".rstrip("?&"))

    page, synced = send(""), None
    if len(operation.examples(200)) > 2:
        synced = send("updatedSince=2026-01-01T00:00:00Z")
    if not operation.name.endswith("_changes"):  # which has a second entry already
        add_one_more_of_each(world.api)
    walk = send("cursor=&limit=1")
    return [page, walk] + ([synced] if synced else [])


def add_one_more_of_each(api: Api) -> None:
    level = {"productMasterId": "prod_123", "locationId": "loc_456"}
    for path, body in (("/inventory-levels", level), *MORE.items()):
        assert api.post(path, body).status_code == 201


def create(world: World, operation: Operation) -> list[HttpResponse]:
    world.api.delete("/inventory-levels/level_123")
    if operation.name != "save_level":
        world.api.delete(f"{world.path(operation)}/{IDS[operation.spec['tags'][0]]}")
    return [world.send(operation)]


def know_it_already(world: World, operation: Operation) -> list[HttpResponse]:
    etag = world.send(operation).headers["ETag"]
    return [world.send(operation, If_None_Match=etag)]


BAD_BODIES: dict[str, Any] = {
    "save_level": examples.LEVEL_REQUEST | {"reorderQuantity": 20},
    "update_level": {"reorderQuantity": 20},
    "save_product": examples.PRODUCT_REQUEST | {"unitCost": "12.50"},
    "update_product": {"unitCost": "12.50"},
    "save_location": examples.LOCATION_REQUEST | {"parentId": None},
    "update_location": {"parentId": None},
    "evaluate_stocks": {"items": [planning_examples.STOCKS["items"][1] | {"quantityOnHand": "3"}]},
    "recommend_levels": {"colour": "red"},
}


def ask_badly(world: World, operation: Operation) -> list[HttpResponse]:
    if operation.name.startswith("bulk"):
        return [world.send(operation, operation.request_example | {"onError": "abort"})]
    if operation.takes_a_file:
        return [world.send(operation)]
    if operation.has_body:
        return [world.send(operation, BAD_BODIES[operation.name])]
    return [world.send(operation, path=f"{world.path(operation)}?colour=red")]


def be_nobody(world: World, operation: Operation) -> list[HttpResponse]:
    return [
        world.send(operation, api=Api()),
        world.send(operation, api=Api("ilk_00000000_no-such-key")),
    ]


def be_refused(world: World, operation: Operation) -> list[HttpResponse]:
    refused = []
    if operation.name == "recommend_levels":
        reader = Api(issue_key(world.acme.organization, "inventory:read"))
        refused.append(world.send(operation, {"apply": True}, api=reader))
    elif operation.method != "GET" and operation.name != "evaluate_stocks":
        reader = Api(issue_key(world.acme.organization, "inventory:read"))
        refused.append(world.send(operation, api=reader))
    Organization.objects.update(is_active=False)
    return [*refused, world.send(operation)]


def look_for_nothing(world: World, operation: Operation) -> list[HttpResponse]:
    if "{id}" in operation.path:
        return [world.send(operation, path=world.path(operation, "none"))]
    if operation.name == "save_level":
        return [world.send(operation, operation.request_example | {"locationId": "none"})]
    if operation.name == "save_location":
        return [world.send(operation, operation.request_example | {"parentId": "none"})]
    member = signed_in(world.acme.organization, "editor")
    return [world.send(operation, api=member, X_Organization_Id="org_none")]


def conflict(world: World, operation: Operation) -> list[HttpResponse]:
    for path, body in MORE.items():
        assert world.api.post(path, body).status_code == 201
    bodies = {
        "save_product": examples.PRODUCT_REQUEST | {"globalSku": "SKU-124"},
        "update_product": {"globalSku": "SKU-124"},
        "save_location": examples.LOCATION_REQUEST | {"name": "A-02"},
        "update_location": {"name": "A-02"},
    }
    return [world.send(operation, bodies.get(operation.name))]


def expect_another_state(world: World, operation: Operation) -> list[HttpResponse]:
    return [world.send(operation, If_Match='"level_123.7.x"')]


def send_too_much(world: World, operation: Operation) -> list[HttpResponse]:
    many = operation.takes_a_file or operation.name.startswith(("bulk", "evaluate"))
    headers = {"Content_Type": "text/csv"} if operation.takes_a_file else {}
    body = b" " * ((32 if many else 1) * 1024 * 1024 + 1)
    return [world.send(operation, body, **headers)]


def send_text(world: World, operation: Operation) -> list[HttpResponse]:
    body = json.dumps(operation.request_example).encode()
    return [world.send(operation, body, Content_Type="text/plain")]


def fail(world: World, operation: Operation) -> list[HttpResponse]:
    return [world.send(operation)]  # the test has broken something inside


PROVOKE: dict[int, Callable[[World, Operation], list[HttpResponse]]] = {
    200: succeed,
    201: create,
    304: know_it_already,
    400: ask_badly,
    401: be_nobody,
    403: be_refused,
    404: look_for_nothing,
    409: conflict,
    412: expect_another_state,
    413: send_too_much,
    415: send_text,
    500: fail,
    503: fail,
}
FAILURES = {500: RuntimeError("a bug"), 503: OperationalError("out of reach")}


@pytest.mark.parametrize(
    ("operation", "status"), ANSWERS, ids=[f"{operation}-{status}" for operation, status in ANSWERS]
)
def test_the_example_is_what_the_api_answers(operation, status, world, monkeypatch):
    if failure := FAILURES.get(status):

        def stop(*args: Any) -> None:
            raise failure

        monkeypatch.setattr(ApiViewSet, "check_permissions", stop)
    responses = PROVOKE[status](world, operation)
    assert [response.status_code for response in responses] == [status] * len(responses)
    for response in responses:
        assert unfit(operation, response) == []
    expected = [comparable(example) for example in operation.examples(status)]
    if operation.answers_a_file and status == 200:
        answers = [comparable(response.content.decode()) for response in responses]
        answers = answers[: len(expected)]  # nobody can read an example of a workbook
    else:
        answers = [comparable(response.json()) for response in responses if response.content]
    assert answers == expected


def comparable(value: Any, key: str = "") -> Any:
    """The value without what differs each time."""
    if key in VOLATILE:
        return type(value).__name__
    if key == "nextCursor" and value is not None:
        return "a cursor"
    if key == "id" and str(value).startswith(("key_", "level_")):
        return str(value).partition("_")[0]
    if isinstance(value, str) and "\n" in value:  # a file
        return TIME.sub("a time", value)
    if isinstance(value, dict):
        return {name: comparable(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return value


@pytest.mark.parametrize(
    ("example", "answer"),
    [
        ({"minQuantity": 50}, {"minQuantity": 51}),
        ({"minQuantity": 50}, {"minQuantity": None}),
        ({"createdAt": "2026-11-02T08:30:00.000000Z"}, {"createdAt": None}),
        ({"items": [{"id": "level_123"}]}, {"items": []}),
        ({"items": [{"id": "level_123"}]}, {"items": [{"id": "level_1"}, {"id": "level_2"}]}),
        ({"nextCursor": "WyJhNDVl…"}, {"nextCursor": None}),
        ({"error": "No"}, {"error": "No", "code": "NOT_FOUND"}),
    ],
)
def test_an_example_that_is_wrong_is_noticed(example, answer):
    assert comparable(example) != comparable(answer)
