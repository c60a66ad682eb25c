"""The OpenAPI document: complete, valid, with names that generators make good code of."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.validation import validate_schema

from inventory_levels.api import examples
from inventory_levels.api.viewsets import ApiViewSet
from tests.openapi.document import (
    Operation,
    document,
    operation_at,
    operations,
    problems,
    unfit,
)
from tests.routes import IDS, ROUTES, Route, World, api_patterns, make_world, methods_of

SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
DESCRIBES_THE_API = {"schema", "docs"}

every_operation = pytest.mark.parametrize("operation", operations(), ids=str)
every_schema = pytest.mark.parametrize(("name", "schema"), SCHEMAS.items(), ids=SCHEMAS)


def test_it_is_generated_without_a_warning_and_valid(tmp_path):
    file = str(tmp_path / "schema.yaml")
    call_command("spectacular", file=file, validate=True, fail_on_warn=True)
    validate_schema(document())
    assert document()["openapi"].startswith("3.")


def as_path(route: str) -> str:
    """A route as the document writes it: ``/api/products/{id}``."""
    named = route.replace(f"(?P<public_id>{ApiViewSet.lookup_value_regex})", "{id}")
    return "/" + named.rstrip("/?$").replace("\\", "")


def test_it_has_every_route_of_the_api_and_no_other():
    routed = {
        (method, as_path(route))
        for route, pattern in api_patterns()
        for method in methods_of(pattern)
        if pattern.name not in DESCRIBES_THE_API
    }
    assert {(operation.method, operation.path) for operation in operations()} == routed


def test_operations_have_names_of_their_own():
    names = [operation.name for operation in operations()]
    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)


@every_operation
def test_every_operation_says_what_it_is_for_and_who_may(operation: Operation):
    spec = operation.spec
    assert re.fullmatch(r"[A-Z][^.]+", spec["summary"])
    assert spec["description"].endswith(".")
    assert len(spec["tags"]) == 1
    public = operation.path == "/api"
    assert spec["security"] == ([{}] if public else [{"apiKey": []}, {"session": []}])
    for parameter in operation.parameters.values():
        assert parameter["description"], parameter["name"]
    assert {*re.findall(r"\{(\w+)\}", operation.path)} <= {*operation.parameters}


def test_it_says_how_to_authenticate():
    schemes = document()["components"]["securitySchemes"]
    assert {name: (scheme["type"], scheme.get("scheme")) for name, scheme in schemes.items()} == {
        "apiKey": ("http", "bearer"),
        "session": ("apiKey", None),
    }
    assert "X-CSRFToken" in schemes["session"]["description"]
    assert "ilk_" in document()["info"]["description"]
    assert all(scheme["description"].endswith(".") for scheme in schemes.values())


@every_operation
def test_every_operation_tells_its_refusals(operation: Operation):
    expected = {400, 401, 403, 404, 429, 500, 503} if operation.path != "/api" else set()
    expected |= {413, 415} if operation.has_body else set()
    assert expected <= {*operation.statuses}
    for status in operation.statuses:
        assert operation.response(status)["description"].endswith("."), status
        headers = operation.response(status).get("headers", {})
        assert "X-Request-Id" in headers
        assert ("WWW-Authenticate" in headers) == (status == 401)
        assert ("Retry-After" in headers) == (status in (429, 503))
        if status >= 400:
            shape = schema_at(operation.response_schema(status))
            assert shape["required"] == ["code", "error"]
            assert "details" in shape["properties"]


def schema_at(reference: dict[str, str]) -> dict[str, Any]:
    return SCHEMAS[reference["$ref"].rpartition("/")[2]]


@every_operation
def test_a_body_says_that_unknown_fields_are_refused_and_an_answer_may_grow(operation: Operation):
    if operation.takes_a_file:
        form = operation.spec["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["additionalProperties"] is False
    elif operation.has_body:
        shape = schema_at(operation.request_schema)
        assert shape["additionalProperties"] is False
        if items := shape["properties"].get("items"):
            assert schema_at(items["items"])["additionalProperties"] is False
    if not operation.answers_a_file:
        assert "additionalProperties" not in schema_at(operation.response_schema(200))


@every_operation
def test_every_parameter_says_what_it_takes(operation: Operation):
    for name, parameter in operation.parameters.items():
        schema = parameter["schema"]
        if parameter["in"] == "query" and name != "cursor" and schema.get("type") == "string":
            assert schema.get("minLength") == 1 or schema.get("format"), name
        assert parameter.get("required", False) is (parameter["in"] == "path")


@every_operation
def test_every_answer_and_body_has_an_example_that_fits_its_schema(operation: Operation):
    for status in operation.statuses:
        if status == 304:
            assert operation.response_schema(status) is None
            continue
        if not operation.name.endswith("_xlsx") or status != 200:
            assert operation.examples(status), status
        for example in operation.examples(status):
            assert problems(example, operation.response_schema(status)) == [], status
    if operation.has_body:
        assert operation.spec["requestBody"]["required"] is True
        example = operation.request_example
        if "items" in example:  # the second one is there to be refused
            assert problems(example["items"].pop(), {"$ref": "#/components/schemas/LevelStatus"})
        assert problems(example, operation.request_schema) == []


@every_schema
def test_every_schema_has_a_good_name(name: str, schema: dict[str, Any]):
    assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
    assert not name.endswith(("Enum", "List", "Serializer"))  # those that were made up


@every_schema
def test_every_enum_is_a_schema_with_a_name_for_each_choice(name: str, schema: dict[str, Any]):
    if "enum" in schema:
        names = schema["x-enum-varnames"]
        assert len({*names}) == len(schema["enum"])
        assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", name) for name in names)
    for property_name, property_schema in schema.get("properties", {}).items():
        assert "enum" not in property_schema, property_name


@every_operation
def test_no_parameter_has_choices_without_a_name(operation: Operation):
    for parameter in operation.parameters.values():
        assert "enum" not in parameter["schema"], parameter["name"]


@pytest.mark.parametrize("name", ["Level", "Product", "Location", "Change"])
def test_an_answer_has_all_of_its_fields(name: str):
    assert sorted(SCHEMAS[name]["properties"]) == SCHEMAS[name]["required"]


def test_no_default_would_be_sent_along_by_a_generated_client_and_refused():
    for operation in operations():
        if "cursor" in operation.parameters:
            assert "default" not in operation.parameters["page"]["schema"]


@pytest.fixture
def world(db) -> World:
    return make_world(IDS, called="Acme")


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.path.strip("/") not in DESCRIBES_THE_API],
    ids=str,
)
def test_the_answer_of_every_route_is_what_the_document_says(route: Route, world: World):
    response = route.ask(world.api, world.ids)
    operation = operation_at(route.method, f"/api{route.path_with(world.ids)}")
    assert unfit(operation, response) == []


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({"error": "x", "code": "X", "extra": 1}, "Error"),
        ({"error": "x"}, "Error"),
        ({"error": None, "code": "X"}, "Error"),
        ({"error": "x", "code": "X", "details": {"minQuantity": "text"}}, "Error"),
        ("Unknown", "LevelStatus"),
        ({"success": "yes", "message": "Deleted"}, "Deleted"),
        (examples.PRODUCT | {"createdAt": "2026-11-02T08:30:00Z"}, "Product"),
    ],
)
def test_what_does_not_fit_a_schema_is_noticed(value: Any, schema: str):
    assert problems(value, {"$ref": f"#/components/schemas/{schema}"})
