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
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.fields import empty

from inventory_levels.api import examples
from inventory_levels.api.serializers import (
    ChangeSerializer,
    LevelSerializer,
    LocationSerializer,
    ProductSerializer,
)


def without_trailing_slash(endpoints: list[Any]) -> list[Any]:
    """Every path answers both ways; the document shows the plain one."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


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


class BulkResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The item's place in the request, from 0.")
    outcome = serializers.ChoiceField(choices=["created", "updated", "unchanged", "failed"])
    id = serializers.CharField(
        allow_null=True, help_text="null where it failed, or would be created in a dry run."
    )
    error = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    details = serializers.DictField(allow_null=True)


class BulkAnswerSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    dryRun = serializers.BooleanField()
    results = BulkResultSerializer(many=True)


class BulkRefusalSerializer(BulkAnswerSerializer):
    """An aborted bulk request: the error, and every failed row."""

    error = serializers.CharField()
    code = serializers.CharField()
    details = serializers.DictField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False)
    unchanged = serializers.IntegerField(required=False)
    failed = serializers.IntegerField(required=False)
    dryRun = serializers.BooleanField(required=False)
    results = BulkResultSerializer(many=True, required=False)


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
    request_shape: Any = empty,
    parameters: tuple[OpenApiParameter, ...] = (),
    name: str | None = None,
) -> Any:
    """One documented operation: its answers, and the refusals besides those of every one."""
    responses: dict[int, Any] = dict(answers)
    for status in sorted({*ALWAYS, *refusals} - responses.keys()):
        responses[status] = _answer(ErrorSerializer, examples.ERRORS[status], MEANING[status])
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        responses=responses,
        parameters=list(parameters),
        examples=[OpenApiExample("Request", request, request_only=True)] if request else None,
        request=request_shape,
    )


def _bulk(plural: str, shape: Any, request: Any, public_id: str) -> Any:
    """Many items in one request; a component of its own for each kind."""
    kind = shape.__name__.removesuffix("Serializer")
    envelope = inline_serializer(
        f"{kind}Bulk",
        {
            "items": shape(many=True, help_text="1 to 10,000 items."),
            "onError": serializers.ChoiceField(
                choices=["abort", "skip"],
                default="abort",
                help_text="abort: all or nothing; skip: the good items are written.",
            ),
            "dryRun": serializers.BooleanField(
                default=False, help_text="Check everything, write nothing."
            ),
        },
    )
    sentence = "1 of 2 items were refused; nothing was written."
    aborted = {"error": sentence, "code": "VALIDATION_ERROR", **examples.bulk(public_id)}
    aborted |= {"created": 0, "results": aborted["results"][1:]}
    return operation(
        f"Create or update many {plural}",
        "Each item as in a single request. Every bad item is told, not just the first.",
        {
            200: _answer(BulkAnswerSerializer, examples.bulk(public_id), "A result an item."),
            400: _answer(BulkRefusalSerializer, aborted, "Nothing was written."),
        },
        refusals=BODY,
        request=examples.bulk_request(request),
        request_shape=envelope,
    )


_HISTORY = "Who changed what, newest first, deletions included."


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
    bulk=_bulk("levels", LevelSerializer, examples.LEVEL_REQUEST, "level_123"),
    history=operation(
        "Read a level's history",
        f"{_HISTORY} Readable after the level is gone.",
        {200: _answer(ChangeSerializer(many=True), examples.CHANGE, "A page of changes.")},
        refusals=(400, 404),
        name="inventory_levels_history",
    ),
    organization_history=operation(
        "Read the organization's history",
        f"{_HISTORY} With updatedSince and changedUntil, deletions can be followed.",
        {200: _answer(ChangeSerializer(many=True), examples.CHANGE, "A page of changes.")},
        refusals=(400,),
        name="history_list",
    ),
)


def _catalog(
    noun: str,
    shape: Any,
    record: Any,
    request: Any,
    patch: Any,
    deleted: Any,
    key: str,
    **more: Any,
) -> Any:
    return extend_schema_view(
        bulk=_bulk(f"{noun}s", shape, request, record["id"]),
        **more,
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
    levels=operation(
        "List a product's levels",
        "The same shape and filters as the list of all levels.",
        {200: _answer(LevelSerializer(many=True), examples.LEVEL, "A page of levels.")},
        refusals=(400, 404),
        name="products_inventory_levels",
    ),
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

index = extend_schema(exclude=True)
