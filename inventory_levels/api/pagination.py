"""Pages with totals for people, cursors for programs, over one fixed order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from inventory_levels import storage
from inventory_levels.api.serializers import time
from organizations.tenancy import current_organization

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
# Rows into a list that a page may reach: a deep page costs all the rows before it.
MAX_DEPTH = 10_000


class Pages(BasePagination):
    """``?page=1&limit=50`` with totals; ``?cursor=`` walks any number of rows at constant cost.

    An order is a tuple of keys that ends in something unique; ``-`` reverses all of it. The
    rows' keys are read first, then the rows of the one page.
    """

    default: tuple[str, ...] = ("pk",)
    descending_by_default = False
    orderings: Mapping[str, tuple[str, ...]] = {}

    @property
    def parameters(self) -> set[str]:
        return {"page", "limit", "cursor"} | ({"ordering"} if self.orderings else set())

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """The primary keys of the page's rows, in order. Raises ValidationError."""
        self.request: Request = request
        self.limit = _whole(request, "limit", DEFAULT_LIMIT, most=MAX_LIMIT)
        self.keys, self.descending = self._ordering()
        cursor = request.query_params.get("cursor")
        if cursor is not None and "page" in request.query_params:
            raise ValidationError({"page": ["can't be combined with cursor"]})
        self.mark: str | None = None
        start, after = 0, None
        if cursor:
            after, self.mark = self._opened(cursor)
        elif "updatedSince" in request.query_params:
            self.mark = time(storage.changed_until())  # before the rows are read
        self.pagination: dict[str, Any] = {"pageSize": self.limit}
        if cursor is None:
            start = self._count(queryset)
        wanted = self._rows(queryset, after)[start : start + self.limit + 1]
        rows = list(wanted) if start < self.pagination.get("total", 1) else []
        more = len(rows) > self.limit
        self.pagination["nextCursor"] = self._cursor(rows[self.limit - 1]) if more else None
        return [row[0] for row in rows[: self.limit]]

    def get_paginated_response(self, data: Any) -> Response:
        body = {"items": data, "pagination": self.pagination}
        return Response(body | ({"changedUntil": self.mark} if self.mark else {}))

    def _ordering(self) -> tuple[tuple[str, ...], bool]:
        asked = self.request.query_params.get("ordering")
        if asked is None:
            return self.default, self.descending_by_default
        keys = self.orderings.get(asked.removeprefix("-"))
        if keys is None:
            names = ", ".join(self.orderings)
            raise ValidationError({"ordering": [f"must be one of {names}, each also with -"]})
        return keys, asked.startswith("-")

    def _count(self, queryset: QuerySet[Any]) -> int:
        """Fill in the totals; answers how many rows come before the page."""
        page = _whole(self.request, "page", 1)
        if page * self.limit > MAX_DEPTH:
            message = f"page × limit must be at most {MAX_DEPTH}; walk further with cursor"
            raise ValidationError({"page": [message]})
        total = queryset.count()
        self.pagination = {
            "page": page,
            "pageSize": self.limit,
            "total": total,
            "totalPages": -(-total // self.limit),
        }
        return (page - 1) * self.limit

    def _rows(self, queryset: QuerySet[Any], after: Sequence[Any] | None) -> QuerySet[Any]:
        sign = "-" if self.descending else ""
        rows = queryset.order_by(*(sign + key for key in self.keys)).values_list("pk", *self.keys)
        if after is None:
            return rows
        lookup = TupleLessThan if self.descending else TupleGreaterThan
        # The first key once more by itself: what every database turns into an index range.
        bound = {f"{self.keys[0]}__{'lte' if self.descending else 'gte'}": after[0]}
        return rows.filter(lookup(Tuple(*map(F, self.keys)), tuple(after)), **bound)

    def _purpose(self) -> str:
        """What a cursor is good for: this list, its filters and its order."""
        parameters = sorted(
            (name, value)
            for name, value in self.request.query_params.items()
            if name not in ("page", "limit", "cursor")
        )
        text = repr((current_organization().pk, self.request.path.rstrip("/"), parameters))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _cursor(self, row: Sequence[Any]) -> str:
        keys = [key.isoformat() if isinstance(key, datetime) else key for key in row[1:]]
        return signing.dumps([self._purpose(), keys, self.mark], salt="cursor")

    def _opened(self, cursor: str) -> tuple[list[Any], str | None]:
        try:
            purpose, keys, mark = signing.loads(cursor, salt="cursor")
        except (signing.BadSignature, ValueError) as error:
            raise ValidationError({"cursor": ["is not a cursor of this service"]}) from error
        if purpose != self._purpose():
            message = "was made for another list, other filters or another ordering"
            raise ValidationError({"cursor": [message]})
        return [
            parse_datetime(value) if name.endswith("at") else value
            for name, value in zip(self.keys, keys, strict=True)
        ], mark

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1}
        names = [sign + name for name in self.orderings for sign in ("", "-")]
        described: dict[str, tuple[dict[str, Any], str]] = {
            "page": ({**whole, "default": 1}, f"page × limit is at most {MAX_DEPTH}."),
            "limit": ({**whole, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, "Rows a page."),
            "cursor": (
                {"type": "string"},
                "`nextCursor` of the page before; empty to start a walk without totals.",
            ),
            "ordering": ({"type": "string", "enum": names}, "Ties come in a fixed order."),
        }
        return [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
            for name, (schema, text) in described.items()
            if name in self.parameters
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        def whole(example: int) -> dict[str, Any]:
            return {"type": "integer", "example": example}

        return {
            "type": "object",
            "required": ["items", "pagination"],
            "properties": {
                "items": schema,
                "pagination": {
                    "type": "object",
                    "required": ["pageSize", "nextCursor"],
                    "properties": {
                        "page": whole(1),
                        "pageSize": whole(DEFAULT_LIMIT),
                        "total": whole(1),
                        "totalPages": whole(1),
                        "nextCursor": {"type": "string", "nullable": True, "example": None},
                    },
                },
                "changedUntil": {
                    "type": "string",
                    "format": "date-time",
                    "description": "With updatedSince: where the next sync starts.",
                    "example": "2026-11-02T08:30:00.000000Z",
                },
            },
        }


def _whole(request: Request, name: str, default: int, most: int | None = None) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise ValidationError({name: ["must be a whole number from 1"]})
    if most is not None and int(text) > most:
        raise ValidationError({name: [f"must be at most {most}"]})
    return int(text)


class LevelPages(Pages):
    default = ("product_id", "location_id")  # keeps one product's levels together
    orderings = {
        "updatedAt": ("latest_change__at", "latest_change__id"),
        "createdAt": ("created_at", "pk"),
        "sku": ("product__global_sku", "location_id"),
        "location": ("location__name", "location_id", "product_id"),
    }


class ChangePages(Pages):
    default = ("at", "pk")
    descending_by_default = True  # newest first
