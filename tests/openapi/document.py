"""The published OpenAPI document as tests read it: its operations, and whether an answer fits.

It is checked more strictly than clients do: a key that the document does not name is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from tests.api.answers import TIME

METHODS = ("get", "post", "patch", "delete")
FORMATS = FormatChecker()


@FORMATS.checks("date-time")
def is_a_time_as_the_api_writes_it(value: Any) -> bool:
    return not isinstance(value, str) or bool(TIME.fullmatch(value))


@cache
def document() -> dict[str, Any]:
    """What GET /api/schema answers."""
    response = Client(SERVER_NAME="localhost").get("/api/schema")
    assert response.status_code == 200, response.content
    return json.loads(response.content)


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    spec: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.spec["operationId"]

    @property
    def parameters(self) -> dict[str, Any]:
        return {parameter["name"]: parameter for parameter in self.spec.get("parameters", [])}

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.spec

    @property
    def takes_a_file(self) -> bool:
        return self.has_body and "text/csv" in self.spec["requestBody"]["content"]

    @property
    def answers_a_file(self) -> bool:
        return "application/json" not in self.response(200)["content"]

    @property
    def request_schema(self) -> Any:
        return _content(self.spec["requestBody"])["schema"]

    @property
    def request_example(self) -> Any:
        """The body of the request that the document shows."""
        (example,) = _examples(self.spec["requestBody"])
        return example

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in self.spec["responses"]]

    def response(self, status: int) -> Any:
        return self.spec["responses"][str(status)]

    def response_schema(self, status: int) -> Any:
        """None where the answer has no body."""
        content = _content(self.response(status))
        return content["schema"] if content else None

    def examples(self, status: int) -> list[Any]:
        return _examples(self.response(status))


def _content(place: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a body may be: JSON, or the first of the types that it may have."""
    content = place.get("content", {})
    return content.get("application/json") or next(iter(content.values()), {})


def _examples(place: Mapping[str, Any]) -> list[Any]:
    return [example["value"] for example in _content(place).get("examples", {}).values()]


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(method.upper(), path, spec)
        for path, methods in document()["paths"].items()
        for method, spec in methods.items()
        if method in METHODS
    )


def operation_at(method: str, path: str) -> Operation:
    """The operation that answers a request; a path without parameters goes first."""
    path = path.partition("?")[0].rstrip("/")
    fitting = [
        operation
        for operation in operations()
        if operation.method == method
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation.path), path)
    ]
    return min(fitting, key=lambda operation: operation.path.count("{"))


def problems(value: Any, schema: Any) -> list[str]:
    """What does not fit a schema of the document."""
    root = {"components": _strict(document()["components"]), "allOf": [_strict(schema)]}
    validator = Draft202012Validator(root, format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _strict(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: null by its right name, and no key that is not named."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    translated = {name: _strict(part) for name, part in schema.items() if name != "nullable"}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        translated.setdefault("additionalProperties", False)
    if schema.get("nullable") is True:
        return {"anyOf": [translated, {"type": "null"}]}
    return translated


def unfit(operation: Operation, response: HttpResponse) -> list[str]:
    """What of an answer the document does not say: its status, headers and body."""
    if response.status_code not in operation.statuses:
        return [f"{response.status_code} is not documented"]
    documented = operation.response(response.status_code)
    missing = [
        f"header {name} is missing"
        for name, header in documented.get("headers", {}).items()
        if header.get("required") and name not in response.headers
    ]
    schema = operation.response_schema(response.status_code)
    if schema is None:
        return missing + (["there is a body"] if response.content else [])
    answered = response.headers["Content-Type"]
    if answered.partition(";")[0] not in documented["content"]:
        return [*missing, f"the answer is {answered}"]
    if answered != "application/json":
        return missing
    return missing + problems(response.json(), schema)
