"""Levels as clients see them: each a row of one statement, and no model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from inventory_levels.models import InventoryLevel, Location, ProductMaster
from organizations.statements import Columns, fetch, fetch_once
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


def _joined(model: type[Any], alias: str, kind: str = "JOIN") -> str:
    return (
        f"{kind} {model._meta.db_table} {alias} "
        f"ON {alias}.organization_id = level.organization_id AND {alias}.id = level.{alias}_id"
    )


_REFERENCES = " ".join(
    [
        _joined(ProductMaster, "product"),
        _joined(Location, "location"),
        _joined(Location, "preferred_bin_location", "LEFT JOIN"),
        _joined(Location, "replenishment_location", "LEFT JOIN"),
    ]
)
_TABLE = InventoryLevel._meta.db_table
_WITH_ID = (
    f"SELECT {_COLUMNS.sql} FROM {_TABLE} level {_REFERENCES} "
    "WHERE level.organization_id = %s AND level.public_id = %s"
)


def find(public_id: str) -> ShownLevel | None:
    """The level with this id."""
    for row in fetch(_WITH_ID, [current_organization().pk, public_id]):
        return ShownLevel._make(_COLUMNS.values(row))
    return None


def keys_with(model: type[Any], public_ids: Sequence[str]) -> list[int]:
    """The primary keys of the records that have these ids."""
    sql = (
        f"SELECT id FROM {model._meta.db_table} WHERE organization_id = %s "
        f"AND public_id IN ({', '.join(['%s'] * len(public_ids))})"
    )
    read = fetch if len(public_ids) == 1 else fetch_once
    return [key for (key,) in read(sql, [current_organization().pk, *public_ids])]


def count(chosen: QuerySet[InventoryLevel]) -> int:
    """How many levels there are among the chosen; planned once, see ``among``.

    To be asked within ``storage.reading``, whose plan it keeps.
    """
    try:
        sql, parameters = chosen.values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    ((number,),) = fetch(f"SELECT count(*) FROM ({sql}) chosen", parameters)
    return int(number)


def among(
    page: QuerySet[InventoryLevel], keys: Sequence[str], *, planned_once: bool = False
) -> Iterable[tuple[Sequence[Any], ShownLevel]]:
    """The chosen levels, each with what it has under these keys, in no order.

    To plan takes twice as long as to read a hundred levels; ``planned_once`` says that one plan
    is right whatever the values are that the levels are chosen by.
    """
    names = [f"key_{number}" for number in range(len(keys))]
    try:
        chosen, parameters = page.values_list("pk", *keys).query.sql_with_params()
    except EmptyResultSet:  # nothing can fit the filters: there is nothing to ask for
        return []
    # The page is made once and first, whatever the planner knows of new rows.
    sql = (
        f"WITH page (level_id, {', '.join(names)}) AS MATERIALIZED ({chosen}) "
        f"SELECT {_COLUMNS.sql}, {', '.join(f'page.{name}' for name in names)} "
        f"FROM page JOIN {_TABLE} level ON level.id = page.level_id {_REFERENCES}"
    )
    ends, width = _columns(key.split("__") for key in keys), len(_COLUMNS)
    rows = fetch(sql, parameters) if planned_once else fetch_once(sql, parameters)
    return [
        (ends.values(row[width:]), ShownLevel._make(_COLUMNS.values(row[:width]))) for row in rows
    ]
