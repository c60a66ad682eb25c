"""How the API's types look in the OpenAPI document.

The names matter: generators make classes and functions of them.
"""

# mypy: allow-untyped-calls
# (drf-spectacular's extensions register themselves untyped)

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.serializers import PolymorphicProxySerializerExtension
from rest_framework import serializers

from inventory_levels.api.pagination import LevelPages
from inventory_levels.api.planning_serializers import STATES
from inventory_levels.conditions import NULLABLE
from inventory_levels.models import AbcClass, LevelChange, LevelStatus, LocationType, ProductStatus

_Schema = dict[str, Any]

ON_ERROR = ["abort", "skip"]
OUTCOMES = ["created", "updated", "unchanged", "failed"]
ENUMS: dict[str, Sequence[str]] = {
    "LevelStatus": LevelStatus.values,
    "AbcClass": AbcClass.values,
    "ProductStatus": ProductStatus.values,
    "LocationType": LocationType.values,
    "ChangeAction": LevelChange.Action.values,
    "ChangeSource": LevelChange.Source.values,
    "ActorType": ("apiKey", "user", "command"),
    "OnError": ON_ERROR,
    "BulkOutcome": OUTCOMES,
    "LevelSetting": NULLABLE,
    "StockState": STATES,
    "LevelOrdering": [sign + name for name in LevelPages.orderings for sign in ("", "-")],
}
_NAME_OF_ENUM = {frozenset(values): name for name, values in ENUMS.items()}


def without_trailing_slash(endpoints: list[Any]) -> list[Any]:
    """Every path answers both ways; the document shows the plain one, with the id as ``id``."""
    plain = {
        (_plain(path), method): (path_regex, callback)
        for path, path_regex, method, callback in endpoints
    }
    return [(path, regex, method, callback) for (path, method), (regex, callback) in plain.items()]


def _enum(values: Sequence[str]) -> _Schema:
    """Choices, each with the name of a constant: NOT_SUPPORTED, SKU_DESCENDING."""
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).upper() for value in values]
    names = [f"{name[1:]}_DESCENDING" if name.startswith("-") else name for name in names]
    return {"type": "string", "enum": list(values), "x-enum-varnames": names}


def _refuse_empty(schema: _Schema) -> None:
    if schema.get("type") == "string" and not {"enum", "format"} & schema.keys():
        schema.setdefault("minLength", 1)


def _plain(path: str) -> str:
    return path.rstrip("/").replace("{public_id}", "{id}").replace("\\.", ".")


class ApiSchema(AutoSchema):
    """One operation. ``is_list``: with the parameters of the view's filters and pages."""

    is_list = False

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self.is_list and serializer is None  # a page is a shape like any other

    def get_auth(self) -> list[_Schema]:
        return super().get_auth() or [{}]  # nobody is asked who they are

    def get_tags(self) -> list[str]:
        return super().get_tags() or ["index"]

    def get_operation(self, *args: Any) -> _Schema:
        operation: _Schema = super().get_operation(*args) or {}
        if body := operation.get("requestBody"):
            body["required"] = True  # also where every field of it may be left out
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            if parameter["name"] == "page":
                schema.pop("default", None)  # clients would send it beside a cursor
            if parameter["in"] == "query" and parameter["name"] != "cursor":
                _refuse_empty(schema)
            if name := _NAME_OF_ENUM.get(frozenset(schema.get("enum", ()))):
                kind = serializers.ChoiceField  # bodies may have it too
                parameter["schema"] = self._component(name, _enum(ENUMS[name]), kind)
        return operation

    def _component(self, name: str, schema: _Schema, kind: type = str) -> Any:
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema=schema, object=kind)
        self.registry.register_on_missing(component)
        return component.ref


class ListSchema(ApiSchema):
    is_list = True


class ExportSchema(ListSchema):
    """A list in one piece: the filters, and no pages."""

    def get_operation(self, *args: Any) -> _Schema:
        operation = super().get_operation(*args)
        parameters = operation["parameters"]
        pages = ("page", "limit", "cursor")
        operation["parameters"] = [one for one in parameters if one["name"] not in pages]
        return operation


class DetailsField(serializers.DictField):
    """The fields (or rows) concerned, with messages or a count each."""


class _DetailsSchema(OpenApiSerializerFieldExtension):
    target_class = DetailsField

    def get_name(self) -> str:
        return "ErrorDetails"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> _Schema:
        messages = {"type": "array", "items": {"type": "string"}}
        return {
            "type": "object",
            "additionalProperties": {"oneOf": [messages, {"type": "integer"}]},
        }


class _StrictFieldSchema(OpenApiSerializerFieldExtension):
    target_class = "inventory_levels.api.fields.StrictField"
    match_subclasses = True

    def get_name(self) -> str | None:
        return _NAME_OF_ENUM.get(frozenset(self.target.json_schema.get("enum", ())))

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> _Schema:
        schema = self.target.json_schema
        return _enum(schema["enum"]) if "enum" in schema else dict(schema)


class _ChoiceSchema(OpenApiSerializerFieldExtension):
    target_class = "rest_framework.serializers.ChoiceField"

    def get_name(self) -> str | None:
        return _NAME_OF_ENUM.get(frozenset(self.target.choices))

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> _Schema:
        return _enum(list(self.target.choices))


class _NestedSchema(OpenApiSerializerFieldExtension):
    """An object that only answers hold gets no shape for requests."""

    target_class = "rest_framework.serializers.Serializer"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        if direction == "request" and self.target.read_only:
            return None
        schema: _Schema = auto_schema._map_serializer_field(
            self.target, direction, bypass_extensions=True
        )
        return schema


class _ShapeSchema(OpenApiSerializerExtension):
    target_class = "rest_framework.serializers.Serializer"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return type(self.target).__name__.lstrip("_")

    def map_serializer(self, auto_schema: Any, direction: Any) -> _Schema:
        schema: _Schema = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        if direction == "request":
            schema["additionalProperties"] = False  # a misspelt field is refused
        fields: Any = self.target.fields
        for name, field in fields.items():
            if isinstance(field, serializers.ListSerializer) and (
                most := vars(field)["max_length"]
            ):
                limits = {"minItems": vars(field)["min_length"], "maxItems": most}
                schema["properties"][name].update(limits)
        return schema


class _EitherSchema(PolymorphicProxySerializerExtension):
    """One of several shapes; comes before the one for any shape."""

    priority = 1


class _StrictShapeSchema(_ShapeSchema):
    """An answer has every field, and none is null where null only stands for a default."""

    target_class = "inventory_levels.api.serializers.StrictSerializer"
    priority = 1

    def map_serializer(self, auto_schema: Any, direction: Any) -> _Schema:
        schema = super().map_serializer(auto_schema, direction)
        properties = schema["properties"]
        if direction == "response":
            schema["required"] = sorted(properties)
        for name, field in self.target.fields.items():
            if direction == "response" and getattr(field, "null_means", None) is not None:
                properties[name].pop("nullable", None)
            if name in properties and str(field.help_text or "").startswith("Deprecated"):
                properties[name]["deprecated"] = True
        return schema


class _ChangeSchema(_StrictShapeSchema):
    target_class = "inventory_levels.api.history.ChangeSerializer"
    priority = 2

    def map_serializer(self, auto_schema: Any, direction: Any) -> _Schema:
        schema = super().map_serializer(auto_schema, direction)
        value = {"oneOf": [{"type": "string"}, {"type": "number"}], "nullable": True}
        change = {
            "type": "object",
            "properties": {"old": value, "new": value},
            "required": ["old", "new"],
        }
        ref = auto_schema._component("SettingChange", change)
        schema["properties"]["changes"]["additionalProperties"] = ref
        return schema


class _ApiKeySchema(OpenApiAuthenticationExtension):
    target_class = "organizations.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> _Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, ilk_…; it fixes the organization.",
        }


class _SessionSchema(OpenApiAuthenticationExtension):
    target_class = "organizations.authentication.MemberSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> _Schema:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in member's session; writes need the header X-CSRFToken, and "
            "a member of several organizations names one in X-Organization-Id.",
        }
