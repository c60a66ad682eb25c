"""Levels as clients see them: each a row of one statement, and no model.

A page of them PostgreSQL writes as JSON itself, in a third of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from inventory_levels import json_sql
from inventory_levels.models import InventoryLevel, Location, ProductMaster
from organizations.statements import Columns, Lookup, Question, fetch, fetch_once
from organizations.tenancy import current_organization


class ShownLevel(NamedTuple):
    """What a level's representation is made of, named as Django names paths."""

    public_id: str
    product__public_id: str
    product__global_sku: str
    product__product_name: str
    location__public_id: str
    location__name: str
    min_quantity: Decimal | None
    reorder_quantity: Decimal | None
    max_quantity: Decimal | None
    status: str
    abc_class: str | None
    expected_lead_time_days: int | None
    replenishment_period_days: int | None
    forecast_period_days: int | None
    forecast_quantity: Decimal | None
    preferred_bin_location__public_id: str | None
    replenishment_location__public_id: str | None
    comments: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, level: InventoryLevel) -> Self:
        return cls(*(_at(level, path) for path in _PATHS))


_PATHS = [name.split("__") for name in ShownLevel._fields]


def _at(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        record = getattr(record, name, None)
    return record


def _columns(paths: Iterable[Sequence[str]]) -> Columns:
    return Columns(((["level", *path])[-2], _field(path)) for path in paths)


def _field(path: Sequence[str]) -> Any:
    *through, name = path
    model: Any = InventoryLevel
    for reference in through:
        model = model._meta.get_field(reference).related_model
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


_COLUMNS = _columns(_PATHS)


@dataclass(frozen=True)
class Form:
    """In which form levels are read: these columns, so many, and what a row of them becomes."""

    columns: str
    width: int
    made: Callable[[Sequence[Any]], Any]


AS_VALUES = Form(_COLUMNS.sql, len(_COLUMNS), lambda row: ShownLevel._make(_COLUMNS.values(row)))


def as_json(pattern: str) -> Form:
    """On PostgreSQL: a text, this one with ``"%3$s"`` replaced by what the third of the level's
    fields is in JSON."""
    # A % more: the statement's own parameters are %s.
    unquoted = re.sub(r'"(%\d+\$s)"', r"%\1", pattern.replace("'", "''"))
    values = ", ".join(map(_json_of, _PATHS))
    return Form(f"format('{unquoted}', {values})", 1, lambda row: row[0])


def _json_of(path: Sequence[str]) -> str:
    text = json_sql.of_column(_field(path), ".".join(["level", *path][-2:]))
    is_nullable = any(_field(path[:depth]).null for depth in range(1, len(path) + 1))
    return json_sql.or_null(text) if is_nullable else text


def _joined(model: type[Any], alias: str, kind: str) -> str:
    return (
        f"{kind} {model._meta.db_table} {alias} "
        f"ON {alias}.organization_id = level.organization_id AND {alias}.id = level.{alias}_id"
    )


def _references(kind: str = "JOIN") -> str:
    return " ".join(
        [
            _joined(ProductMaster, "product", kind),
            _joined(Location, "location", kind),
            _joined(Location, "preferred_bin_location", "LEFT JOIN"),
            _joined(Location, "replenishment_location", "LEFT JOIN"),
        ]
    )


_REFERENCES = _references()
_TABLE = InventoryLevel._meta.db_table
_WITH_ID = Lookup(
    _COLUMNS.sql,
    # One after the other: SQLite would make a join in brackets of all levels first.
    f"LEFT JOIN {_TABLE} level ON level.organization_id = here.organization_id "
    f"AND level.public_id = %s {_references('LEFT JOIN')}",
)


def with_id(public_id: str) -> Question:
    """Which level has this id?"""
    return _WITH_ID, [public_id]


def found(answer: Sequence[Any]) -> ShownLevel | None:
    """The level of the answer."""
    return ShownLevel._make(_COLUMNS.values(answer)) if answer[0] is not None else None


def keys_with(model: type[Any], public_ids: Sequence[str]) -> list[int]:
    """The primary keys of the records that have these ids."""
    sql = (
        f"SELECT id FROM {model._meta.db_table} WHERE organization_id = %s "
        f"AND public_id IN ({', '.join(['%s'] * len(public_ids))})"
    )
    read = fetch if len(public_ids) == 1 else fetch_once
    return [key for (key,) in read(sql, [current_organization().pk, *public_ids])]


def among(
    form: Form, page: QuerySet[InventoryLevel] | Indexed, keys: Sequence[str]
) -> Iterable[tuple[Sequence[Any], Any]]:
    """The chosen levels in this form, each with what it has under these keys, in no order."""
    if isinstance(page, Indexed):
        return page.rows(form)
    names = [f"key_{number}" for number in range(len(keys))]
    try:
        chosen, parameters = page.values_list("pk", *keys).query.sql_with_params()
    except EmptyResultSet:  # nothing can fit the filters: there is nothing to ask for
        return []
    # The page is made once and first, whatever the planner knows of new rows.
    sql = (
        f"WITH page (level_id, {', '.join(names)}) AS MATERIALIZED ({chosen}) "
        f"SELECT {form.columns}, {', '.join(f'page.{name}' for name in names)} "
        f"FROM page JOIN {_TABLE} level ON level.id = page.level_id {_REFERENCES}"
    )
    ends = _columns(key.split("__") for key in keys)
    return [
        (ends.values(row[form.width :]), form.made(row[: form.width]))
        for row in fetch_once(sql, parameters)
    ]


@dataclass(frozen=True)
class Indexed:
    """The levels of at most one product and one location (public ids), by their primary keys.

    An index has them in this order whichever the ids are, so one plan serves for all: to plan
    takes twice as long as to read a hundred levels. Sliced and counted like a queryset.
    """

    product: str | None = None
    location: str | None = None
    place: tuple[int, int] | None = None  # of the level that they come after
    size: int | None = None

    def after(self, place: Sequence[int]) -> Self:
        """Those after the level of this product and location."""
        product, location = place
        return replace(self, place=(product, location))

    def __getitem__(self, rows: slice) -> Self:
        """The first so many."""
        return replace(self, size=rows.stop)

    @property
    def is_narrow(self) -> bool:
        """Whether they are one product's or location's: PostgreSQL counts these by their index
        where that is the quickest way, without being told to."""
        return self.product is not None or self.location is not None

    def count(self) -> int:
        """Unless they are narrow, to be asked within ``storage.reading``, whose plan it keeps."""
        conditions, parameters = self._conditions()
        sql = f"SELECT count(*) FROM {_TABLE} level WHERE {conditions}"
        ((number,),) = fetch(sql, parameters)
        return int(number)

    def rows(self, form: Form) -> list[tuple[Sequence[int], Any]]:
        """The levels, each with the keys of its product and location, in no order."""
        conditions, parameters = self._conditions()
        if self.place is not None and self.product is not None:
            conditions += " AND level.location_id > %s"
            parameters.append(self.place[1])
        elif self.place is not None:
            # The product once more by itself: what every database turns into an index range.
            conditions += (
                " AND level.product_id >= %s AND (level.product_id, level.location_id) > (%s, %s)"
            )
            parameters += [self.place[0], *self.place]
        sql = (
            f"SELECT {form.columns}, level.product_id, level.location_id FROM "
            f"(SELECT * FROM {_TABLE} level WHERE {conditions} "
            f"ORDER BY level.product_id, level.location_id LIMIT {self.size}) level {_REFERENCES}"
        )
        return [(row[form.width :], form.made(row[: form.width])) for row in fetch(sql, parameters)]

    def _conditions(self) -> tuple[str, list[Any]]:
        organization = current_organization().pk
        conditions, parameters = "level.organization_id = %s", [organization]
        for alias, model in (("product", ProductMaster), ("location", Location)):
            if (public_id := getattr(self, alias)) is not None:
                conditions += (
                    f" AND level.{alias}_id = (SELECT id FROM {model._meta.db_table} "
                    "WHERE organization_id = %s AND public_id = %s)"
                )
                parameters += [organization, public_id]
        return conditions, parameters
