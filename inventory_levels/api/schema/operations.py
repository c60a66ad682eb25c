"""What documents one operation: summary, answers, refusals, each with its examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework.fields import empty

from inventory_levels.api import examples
from inventory_levels.api.schema import shapes
from inventory_levels.api.schema.types import ApiSchema, ListSchema

MEANING = {
    400: "Bad input; `details` names every bad field.",
    401: "No key, or a bad one.",
    403: "The key lacks the scope, or the organization is inactive.",
    404: "It does not exist, or is not the organization's.",
    409: "It conflicts with what is stored.",
    412: "The level is not as the client expects it (`If-Match`, `If-None-Match`).",
    413: "The body is too large.",
    415: "The body is of another type than it must be, or not in UTF-8.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "Our fault; the log has it under `X-Request-Id`.",
    503: "The database is busy or out of reach, or no space is left; nothing was written, or as "
    "many rows as it says. `Retry-After` says when.",
}
Method = TypeVar("Method")
Refusals = Mapping[int, examples.Example | Sequence[examples.Example]]
ALWAYS: Refusals = {
    400: examples.UNKNOWN_PARAMETER,
    401: [examples.MISSING_AUTHORIZATION, examples.INVALID_API_KEY],
    403: examples.INACTIVE_ORGANIZATION,
    404: examples.ORGANIZATION_NOT_FOUND,
    429: examples.RATE_LIMITED,
    500: examples.INTERNAL_ERROR,
    503: examples.UNAVAILABLE,
}
WRITE: Refusals = {403: [examples.INSUFFICIENT_SCOPE, examples.INACTIVE_ORGANIZATION]}
BODY: Refusals = {
    **WRITE,
    413: examples.PAYLOAD_TOO_LARGE,
    415: examples.UNSUPPORTED_MEDIA_TYPE,
}


def _header(
    name: str, description: str, *statuses: int, shape: Any = str, required: bool = True
) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        shape,
        OpenApiParameter.HEADER,
        required=required,
        response=list(statuses) or True,
        description=description,
    )


HEADERS = (
    _header("X-Request-Id", "The client's own, if it sent a sane one; the log has it too."),
    _header("WWW-Authenticate", "Bearer", 401),
    _header("Retry-After", "Seconds to wait.", 429, 503, shape=int),
    *(
        _header(
            f"X-RateLimit-{name}",
            f"{description} Not where rates are not limited.",
            shape=int,
            required=False,
        )
        for name, description in (
            ("Limit", "Requests that the key may make in a minute."),
            ("Remaining", "How many of them are left."),
            ("Reset", "When the next minute begins, in Unix seconds."),
        )
    ),
)
ETAG = _header("ETag", "This state of the level, for If-Match.", 200, 201, 304)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="Only if the level is at this ETag."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="`*`: create only."
)
KNOWN = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="304 if this ETag is current."
)


def by_id(noun: str) -> OpenApiParameter:
    return OpenApiParameter(
        "id",
        {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"},
        OpenApiParameter.PATH,
        description=f"The {noun}'s id.",
    )


def answer(shape: Any, description: str, *told: examples.Example) -> OpenApiResponse:
    """An answer with its examples, each named by its code or by the description."""
    named: dict[str, OpenApiExample] = {}
    for example in told:
        name = re.sub(r"[\W_]+", " ", example.get("code", description)).strip().capitalize()
        name = f"{name} {len(named) + 1}" if name in named else name
        named[name] = OpenApiExample(name, example)
    return OpenApiResponse(shape, description, list(named.values()))


def operation(
    name: str,
    summary: str,
    description: str,
    answers: Mapping[Any, Any],
    *,
    refusals: Refusals | None = None,
    request: Any = None,
    request_shape: Any = empty,
    parameters: tuple[OpenApiParameter, ...] = (),
    schema: type[ApiSchema] = ApiSchema,
    public: bool = False,
) -> Callable[[Method], Method]:
    """One documented operation: its answers, and the refusals besides those of every one."""
    responses: dict[Any, Any] = dict(answers)
    for status, told in sorted({**({} if public else ALWAYS), **(refusals or {})}.items()):
        if status not in responses:
            several = [told] if isinstance(told, dict) else told
            responses[status] = answer(shapes.ErrorSerializer, MEANING[status], *several)
    documented = extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        responses=responses,
        parameters=[*parameters, *HEADERS],
        examples=[_request_example(request)] if request else None,
        request=request_shape,
    )

    def decorate(method: Method) -> Method:
        of_action: Any = method
        of_action.kwargs = {**getattr(method, "kwargs", {}), "schema": schema}
        documented(of_action)
        return method

    return decorate


def _request_example(request: Any) -> OpenApiExample:
    if isinstance(request, OpenApiExample):
        return request
    return OpenApiExample("Request", request, request_only=True)


def listing(
    name: str,
    summary: str,
    description: str,
    shape: Any,
    *items: examples.Example,
    synced: bool = False,
    refusals: Refusals | None = None,
    parameters: tuple[OpenApiParameter, ...] = (),
) -> Any:
    """A list in pages; ``synced``: it takes updatedSince and answers changedUntil."""
    pages = [examples.page(*items), examples.cursor_page(items[0])]
    if synced:
        pages.append(examples.synced(pages[0]))
    page = shapes.page_of(shape, synced=synced)
    return operation(
        name,
        summary,
        f"{description} In pages with totals, or with `cursor` in a walk of any length.",
        {200: answer(page, "A page of the list.", *pages)},
        refusals=refusals,
        parameters=parameters,
        schema=ListSchema,
    )


def bulk(name: str, plural: str, shape: Any, item: Any, public_id: str, field: str) -> Any:
    """Many items in one request; the example has one with a bad ``field``."""
    return operation(
        name,
        f"Create or update many {plural}",
        "Each item as in a single request. Every bad item is told, not just the first.",
        {
            200: answer(
                shapes.BulkAnswerSerializer, "A result an item.", examples.bulk(public_id, field)
            ),
            400: answer(
                shapes.BulkRefusalSerializer,
                "Nothing was written.",
                examples.bulk_refused(public_id, field),
            ),
        },
        refusals={**BODY, 413: examples.BULK_TOO_LARGE},
        request=examples.bulk_request(item, field),
        request_shape=shapes.bulk_of(shape),
    )
