"""The OpenAPI document: what it says beyond what serializers and routes tell by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers

from inventory_levels.api import examples
from inventory_levels.api.serializers import LevelSerializer, LocationSerializer, ProductSerializer


class _StrictFieldSchema(OpenApiSerializerFieldExtension):
    target_class = "inventory_levels.api.fields.StrictField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return dict(self.target.json_schema)


class _ApiKeySchema(OpenApiAuthenticationExtension):
    target_class = "organizations.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, ilk_…; it fixes the organization.",
        }


class _SessionSchema(OpenApiAuthenticationExtension):
    target_class = "organizations.authentication.MemberSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in member's session; writes need X-CSRFToken.",
        }


class ErrorSerializer(serializers.Serializer[Any]):
    """Every 4xx and 5xx."""

    error = serializers.CharField(help_text="One sentence.")
    code = serializers.CharField(help_text="A word for programs.")
    details = serializers.DictField(
        required=False, help_text="The fields (or rows) concerned and what is wrong with each."
    )


class DeletedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    message = serializers.CharField()


MEANING = {
    400: "Bad input; `details` names every bad field.",
    401: "No key, or a bad one.",
    403: "The key lacks the scope, or the organization is inactive.",
    404: "It does not exist, or is not the organization's.",
    409: "It conflicts with what is stored.",
    412: "The level moved on since the client read it (`If-Match`, `If-None-Match`).",
    413: "The body is too large.",
    415: "The body is not `application/json` in UTF-8.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "Our fault; the log has it under `X-Request-Id`.",
    503: "The database is busy or out of reach; nothing was written, `Retry-After` says when.",
}
ALWAYS = (401, 403, 429, 500, 503)
BODY = (400, 413, 415)

_IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="Only if the level is at this ETag."
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="`*`: create only."
)
_KNOWN = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="304 if this ETag is current."
)


def _answer(shape: Any, example: Any, description: str) -> OpenApiResponse:
    name = description.rstrip(".")
    return OpenApiResponse(shape, description, [OpenApiExample(name, example)])


def operation(
    summary: str,
    description: str,
    answers: Mapping[int, Any],
    *,
    refusals: tuple[int, ...] = (),
    request: Any = None,
    parameters: tuple[OpenApiParameter, ...] = (),
) -> Any:
    """One documented operation: its answers, and the refusals besides those of every one."""
    responses: dict[int, Any] = dict(answers)
    for status in sorted({*ALWAYS, *refusals}):
        responses[status] = _answer(ErrorSerializer, examples.ERRORS[status], MEANING[status])
    return extend_schema(
        summary=summary,
        description=description,
        responses=responses,
        parameters=list(parameters),
        examples=[OpenApiExample("Request", request, request_only=True)] if request else None,
    )


levels = extend_schema_view(
    list=operation(
        "List levels",
        "The organization's levels, those of one product together.",
        {200: _answer(LevelSerializer(many=True), examples.LEVEL, "A page of levels.")},
        refusals=(400,),
    ),
    retrieve=operation(
        "Read a level",
        "The settings of one product at one location, with their ETag.",
        {
            200: _answer(LevelSerializer, examples.LEVEL, "The level."),
            304: OpenApiResponse(description="The client's copy is current."),
        },
        refusals=(400, 404),
        parameters=(_KNOWN,),
    ),
    create=operation(
        "Create or update a level",
        "Creates the settings of a product at a location, or changes the ones there are: "
        "omitted fields stay as they are, `null` clears a field. Retrying is always safe.",
        {
            200: _answer(LevelSerializer, examples.LEVEL_PATCHED, "Updated, or unchanged."),
            201: _answer(LevelSerializer, examples.LEVEL, "Created."),
        },
        refusals=(*BODY, 404, 412),
        request=examples.LEVEL_REQUEST,
        parameters=(_IF_MATCH, _IF_NONE_MATCH),
    ),
    partial_update=operation(
        "Change a level",
        "Changes the fields it names; the stored result must keep min ≤ reorder ≤ max.",
        {200: _answer(LevelSerializer, examples.LEVEL_PATCHED, "The level as it is now.")},
        refusals=(*BODY, 404, 412),
        request=examples.LEVEL_PATCH,
        parameters=(_IF_MATCH,),
    ),
    destroy=operation(
        "Delete a level",
        "Deletes the settings; the history keeps them.",
        {200: _answer(DeletedSerializer, examples.LEVEL_DELETED, "Deleted.")},
        refusals=(400, 404, 412),
        parameters=(_IF_MATCH,),
    ),
)


def _catalog(
    noun: str, shape: Any, record: Any, request: Any, patch: Any, deleted: Any, key: str
) -> Any:
    return extend_schema_view(
        list=operation(
            f"List {noun}s",
            f"The organization's {noun}s, oldest first.",
            {200: _answer(shape(many=True), record, f"A page of {noun}s.")},
            refusals=(400,),
        ),
        retrieve=operation(
            f"Read a {noun}",
            f"One {noun} by its id.",
            {200: _answer(shape, record, f"The {noun}.")},
            refusals=(400, 404),
        ),
        create=operation(
            f"Create or update a {noun}",
            f"By `id`, or by {key} where no id is given. Omitted fields stay as they are.",
            {
                200: _answer(shape, record, "Updated, or unchanged."),
                201: _answer(shape, record, "Created."),
            },
            refusals=(*BODY, 404, 409),
            request=request,
        ),
        partial_update=operation(
            f"Change a {noun}",
            "Changes the fields it names.",
            {200: _answer(shape, {**record, **patch}, f"The {noun} as it is now.")},
            refusals=(*BODY, 404, 409),
            request=patch,
        ),
        destroy=operation(
            f"Delete a {noun}",
            "Refused while levels refer to it.",
            {200: _answer(DeletedSerializer, deleted, "Deleted.")},
            refusals=(400, 404, 409),
        ),
    )


products = _catalog(
    "product",
    ProductSerializer,
    examples.PRODUCT,
    examples.PRODUCT_REQUEST,
    examples.PRODUCT_PATCH,
    examples.PRODUCT_DELETED,
    "`globalSku`",
)
locations = _catalog(
    "location",
    LocationSerializer,
    examples.LOCATION,
    examples.LOCATION_REQUEST,
    examples.LOCATION_PATCH,
    examples.LOCATION_DELETED,
    "`parentId` and `name`",
)
