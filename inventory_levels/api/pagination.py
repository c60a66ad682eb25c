"""Pages with totals for people, cursors for programs, over one fixed order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db.models import F, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from inventory_levels import storage
from inventory_levels.api import filters
from inventory_levels.api.sealing import seal, unseal
from inventory_levels.api.serializers import time
from inventory_levels.shown import Indexed
from inventory_levels.walk import beyond, in_order
from organizations.tenancy import current_organization

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
# Rows into a list that a page may reach: a deep page costs all the rows before it.
MAX_DEPTH = 10_000

# Reads the records of a page, by one statement: each with what it has under the keys.
Reader = Callable[[QuerySet[Any], Sequence[str]], Iterable[tuple[Sequence[Any], Any]]]


def models_of(
    records: QuerySet[Any], page: QuerySet[Any], keys: Sequence[str]
) -> Iterator[tuple[Sequence[Any], Any]]:
    """The page's rows as these records: a Reader, once the records are given."""
    names = {f"key_{number}": F(key) for number, key in enumerate(keys)}
    for row in records.filter(storage.among("pk", page.values("pk"))).annotate(**names):
        yield tuple(getattr(row, name) for name in names), row


class Pages(BasePagination):
    """``?page=1&limit=50`` with totals; ``?cursor=`` walks any number of rows at constant cost.

    An order is a tuple of keys that ends in something unique; ``-`` reverses all of it.
    """

    default: tuple[str, ...] = ("public_id",)
    descending_by_default = False
    orderings: Mapping[str, tuple[str, ...]] = {}

    @property
    def parameters(self) -> set[str]:
        return {"page", "limit", "cursor"} | ({"ordering"} if self.orderings else set())

    def begin(self, request: Request) -> None:
        """Take the mark, before anything is read: who syncs by it must miss nothing."""
        self.request = request
        query = request.query_params
        is_first = "updatedSince" in query and not query.get("cursor")
        self.mark = time(storage.changed_until()) if is_first else None

    def page(self, chosen: QuerySet[Any], read: Reader) -> list[Any]:
        """The records of the page out of the chosen rows, in order. Raises ValidationError."""
        self.limit = _whole(self.request, "limit", DEFAULT_LIMIT, most=MAX_LIMIT)
        self.keys, self.descending = self.order_of(self.request)
        cursor = self.request.query_params.get("cursor")
        if cursor is None:
            with self._reading(chosen):
                return self._records(self._numbered(chosen), read)
        if "page" in self.request.query_params:
            raise ValidationError({"page": ["can't be combined with cursor"]})
        self.pagination: dict[str, Any] = {"pageSize": self.limit}
        after = None
        if cursor:
            after, self.mark = self._opened(cursor)
        return self._records(self._following(chosen, after), read)

    def body(self, items: list[Any]) -> dict[str, Any]:
        """What answers with these items."""
        body = {"items": items, "pagination": self.pagination}
        return body | ({"changedUntil": self.mark} if self.mark else {})

    def order_of(self, request: Request) -> tuple[tuple[str, ...], bool]:
        """The keys that the request asks the rows by, and whether in reverse."""
        asked = request.query_params.get("ordering")
        if asked is None:
            return self.default, self.descending_by_default
        keys = self.orderings.get(asked.removeprefix("-"))
        if keys is None:
            names = ", ".join(self.orderings)
            raise ValidationError({"ordering": [f"must be one of {names}, each also with -"]})
        return keys, asked.startswith("-")

    def _reading(self, chosen: QuerySet[Any]) -> AbstractContextManager[None]:
        """A block to count the chosen rows and read their page within."""
        return storage.reading()

    def _numbered(self, chosen: QuerySet[Any]) -> QuerySet[Any]:
        """The page that is asked for by number, and one row more; fills in the totals."""
        page = _whole(self.request, "page", 1)
        if page * self.limit > MAX_DEPTH:
            message = f"page × limit must be at most {MAX_DEPTH}; walk further with cursor"
            raise ValidationError({"page": [message]})
        total = chosen.count()
        self.pagination = {
            "page": page,
            "pageSize": self.limit,
            "total": total,
            "totalPages": -(-total // self.limit),
        }
        start = (page - 1) * self.limit
        return self._sorted(chosen)[start : start + self.limit + 1]

    def _following(self, chosen: QuerySet[Any], after: Sequence[Any] | None) -> QuerySet[Any]:
        """The page after these keys, or the first, and one row more."""
        if after is not None:
            chosen = beyond(chosen, self.keys, after, descending=self.descending)
        return self._sorted(chosen)[: self.limit + 1]

    def _sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return in_order(rows, self.keys, descending=self.descending)

    def _records(self, page: QuerySet[Any], read: Reader) -> list[Any]:
        """The page's records; fills in where to go on."""
        # Sorted here: asked for an order, SQLite walks along it and past the few that it wants.
        found = sorted(read(page, self.keys), key=itemgetter(0), reverse=self.descending)
        more = len(found) > self.limit
        self.pagination["nextCursor"] = self._cursor(found[self.limit - 1][0]) if more else None
        return [record for _, record in found[: self.limit]]

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
        # Sealed, as primary keys count what all organizations do.
        keys = [key.isoformat() if isinstance(key, datetime) else key for key in row]
        return seal([self._purpose(), keys, self.mark])

    def _opened(self, cursor: str) -> tuple[list[Any], str | None]:
        try:
            purpose, keys, mark = unseal(cursor)
        except ValueError as error:
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

    def _sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        # What the filters ask of updated_at once more of the history, whose index has the order.
        if self.keys == self.orderings["updatedAt"]:
            for name, lookup in (("updatedSince", "gte"), ("updatedBefore", "lt")):
                if text := self.request.query_params.get(name):
                    rows = rows.filter(**{f"latest_change__at__{lookup}": filters.time(text)})
        return super()._sorted(rows)

    def _following(self, chosen: QuerySet[Any], after: Sequence[Any] | None) -> QuerySet[Any]:
        """By location, most pages go on within one: a range of an index. The others are sorted,
        which reads all that is chosen of the locations that they touch."""
        if after is not None and self.keys == self.orderings["location"]:
            _, location, product = after
            sign, beyond = ("-", "lt") if self.descending else ("", "gt")
            within = chosen.filter(location_id=location, **{f"product_id__{beyond}": product})
            within = within.order_by(f"{sign}product_id")
            if within[self.limit :].exists():
                return within[: self.limit + 1]
        return super()._following(chosen, after)


class ShownLevelPages(LevelPages):
    """Pages that ``shown.among`` reads."""

    def _reading(self, chosen: Any) -> AbstractContextManager[None]:
        by_index = isinstance(chosen, Indexed) and chosen.is_narrow
        return nullcontext() if by_index else super()._reading(chosen)

    def _sorted(self, rows: Any) -> Any:
        return rows if isinstance(rows, Indexed) else super()._sorted(rows)

    def _following(self, chosen: Any, after: Sequence[Any] | None) -> Any:
        if isinstance(chosen, Indexed):
            return (chosen.after(after) if after else chosen)[: self.limit + 1]
        return super()._following(chosen, after)


class ChangePages(Pages):
    default = ("at", "pk")
    descending_by_default = True  # newest first
