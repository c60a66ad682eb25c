"""The statements behind services.py: set-based reads with locks, and the one upsert.

Locks are taken in one order everywhere, or overlapping batches would deadlock: products, then
locations, then levels; within each by primary key, levels by (product, location).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar, cast

from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact
from django.utils import timezone

from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from organizations.tenancy import current_organization

_Item = TypeVar("_Item")
_Reference = TypeVar("_Reference", ProductMaster, Location)

# Rows a statement: 20 columns each stay below SQLite's limit of 32,766 variables.
CHUNK = 1_000

# The columns that a write fills. Times come from the database's clock, see _clock().
COLUMNS: list[Any] = [
    field
    for field in InventoryLevel._meta.concrete_fields
    if field.name not in ("id", "created_at", "updated_at") and not field.generated
]
SETTING_COLUMNS = [
    str(field.column)
    for field in COLUMNS
    if field.name not in ("organization", "public_id", "product", "location")
]

HISTORY: list[Any] = [field for field in LevelChange._meta.concrete_fields if field.name != "id"]


def hold(model: type[_Reference], public_ids: Iterable[str | None]) -> dict[str, _Reference]:
    """The rows with these public ids, by public id, held until the transaction ends.

    A key share lock: nobody can delete the row meanwhile, nor move a location (movers lock
    FOR UPDATE), while any number of writers hold it together.
    """
    rows = find(model, public_ids, lock=" FOR KEY SHARE" if is_postgresql() else "")
    return {row.public_id: row for row in rows}


def find(
    model: type[_Reference],
    values: Iterable[str | None],
    *,
    by: str = "public_id",
    lock: str = "",
) -> list[_Reference]:
    """The rows with these public ids, SKUs or names."""
    wanted = {value for value in values if value is not None}
    if not wanted:
        return []
    among, parameter = _among(wanted)
    sql = (
        f"SELECT * FROM {model._meta.db_table} WHERE organization_id = %s AND {by} {among} "
        f"ORDER BY id{lock}"
    )
    return list(model.objects.raw(sql, [current_organization().pk, parameter]))


def level_ids(public_ids: Iterable[str]) -> set[str]:
    """Those of these ids that a level has."""
    return {level.public_id for level in levels_by_id(public_ids, lock=False)}


def _among(values: Iterable[str]) -> tuple[str, Any]:
    """The SQL of "is one of", and its parameter: one, as databases limit how many there are."""
    if is_postgresql():
        return "= ANY(%s)", list(values)
    return "IN (SELECT value FROM json_each(%s))", json.dumps(list(values))


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def levels_by_id(public_ids: Iterable[str], *, lock: bool) -> list[InventoryLevel]:
    """The levels with these public ids, their references loaded; on demand locked for update."""
    wanted = set(public_ids)
    if not wanted:
        return []
    among, ids = _among(wanted)
    named = RawSQL(
        f"{InventoryLevel._meta.db_table}.public_id {among}",
        [ids],
        output_field=models.BooleanField(),
    )
    return _read(InventoryLevel.objects.with_references().filter(named), lock)


def levels_by_pair(pairs: Iterable[tuple[int, int]], *, lock: bool) -> list[InventoryLevel]:
    """The levels of these (product, location) primary keys, likewise."""
    table = InventoryLevel._meta.db_table
    levels: list[InventoryLevel] = []
    for chunk in _chunks(sorted(set(pairs))):
        values = ", ".join(["(%s, %s)"] * len(chunk))
        # A list of values as it stands would send SQLite through all of the organization's levels.
        among = RawSQL(
            f"({table}.product_id, {table}.location_id) IN "
            f"(SELECT column1, column2 FROM (VALUES {values}) pairs)",
            [key for pair in chunk for key in pair],
            output_field=models.BooleanField(),
        )
        levels += _read(InventoryLevel.objects.with_references().filter(among), lock)
    return levels


def _read(levels: models.QuerySet[InventoryLevel], lock: bool) -> list[InventoryLevel]:
    rows = levels.select_for_update(of=("self",), no_key=True) if lock else levels
    # The order of locks. Asked for it, SQLite would walk along all of the organization's levels.
    rows = rows.order_by("product_id", "location_id") if is_postgresql() else rows.order_by()
    locked = sorted(rows, key=attrgetter("product_id", "location_id"))
    # A row that had to be waited for is read again by PostgreSQL, but joined to what the
    # statement saw before: it seems to have no place where it now has another one.
    stale = [
        (level, name)
        for level in locked
        for name in ("preferred_bin_location", "replenishment_location")
        if getattr(level, name) is None and getattr(level, f"{name}_id") is not None
    ]
    if stale:
        places = Location.objects.in_bulk([getattr(level, f"{name}_id") for level, name in stale])
        for level, name in stale:
            setattr(level, name, places[getattr(level, f"{name}_id")])
    return locked


def insert_levels(levels: Sequence[InventoryLevel]) -> bool:
    """Insert levels and fill in their keys and times; answers whether all of them were new.

    Else a race was lost: another transaction inserted a pair first and has committed.
    """
    return len(_upsert(levels, "DO NOTHING")) == len(levels)


def update_levels(levels: Sequence[InventoryLevel]) -> None:
    """Overwrite levels that are locked; fill in their new ``updated_at``."""
    assignments = ", ".join(f"{column} = excluded.{column}" for column in SETTING_COLUMNS)
    _upsert(levels, f"DO UPDATE SET {assignments}, updated_at = excluded.updated_at")


def _upsert(levels: Sequence[InventoryLevel], on_conflict: str) -> list[InventoryLevel]:
    written = []
    columns = ", ".join(str(field.column) for field in COLUMNS)
    in_order = sorted(levels, key=lambda level: (level.product_id, level.location_id))
    for chunk in _chunks(in_order):
        clock, now = _clock()
        row = "(" + ", ".join(["%s"] * len(COLUMNS) + [clock] * 2) + ")"
        sql = (
            f"INSERT INTO {InventoryLevel._meta.db_table} ({columns}, created_at, updated_at) "
            f"VALUES {', '.join([row] * len(chunk))} "
            f"ON CONFLICT (organization_id, product_id, location_id) {on_conflict} "
            "RETURNING public_id, id, updated_at"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for level in chunk for value in values_of(level)])
            returned = {row[0]: row[1:] for row in cursor.fetchall()}
        for level in chunk:
            if level.public_id in returned:
                level.pk, at = returned[level.public_id]
                level.updated_at = now or at
                if level.version == 1:
                    level.created_at = level.updated_at
                written.append(level)
    return written


def _clock() -> tuple[str, datetime | None]:
    """The SQL of "now" by the database's clock, and its value where Python had to tell it.

    PostgreSQL: the start of the statement, which is after the wait for any lock, so a level's
    times never run backwards. SQLite is one host, and its clock knows only milliseconds.
    """
    if connection.vendor == "postgresql":
        return "statement_timestamp()", None
    now = timezone.now()
    return f"'{connection.ops.adapt_datetimefield_value(now)}'", now


def values_of(level: InventoryLevel) -> list[Any]:
    return [field.pre_save(level, add=True) for field in COLUMNS]


def delete_level(level: InventoryLevel) -> datetime:
    """Delete a level that is locked; answers when, by the database's clock."""
    table = InventoryLevel._meta.db_table
    clock, now = _clock()
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE organization_id = %s AND id = %s RETURNING {clock}",
            [level.organization_id, level.pk],
        )
        (at,) = cursor.fetchone()
    return now or at


def changed_until() -> datetime:
    """A time before every change that a reader can't see yet; later ones will be at or after it.

    PostgreSQL: the start of the oldest transaction that is writing. Each of ours takes a lock,
    which gives it a transaction id, in a statement before the one whose start it writes down as
    the time of the change, or has its id before it looks at the clock (single_level.py); so
    whoever has no id yet will write down a later time than this one.
    SQLite: writers take turns, so whatever comes is not before the last change there is; where
    there is none, any time is before every change.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND backend_type = 'client backend' "
                "AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
            )
            (moment,) = cursor.fetchone()
        return cast(datetime, moment)
    latest = LevelChange.objects.aggregate(at=models.Max("at"))["at"]
    return latest or datetime(1970, 1, 1, tzinfo=UTC)


def among(column: str, values: models.QuerySet[Any, Any]) -> models.Q:
    """The rows whose column is among the values, which are read first and once.

    As an array on PostgreSQL: of a subquery the planner may think so little, where it knows
    nothing of new rows yet, that it runs it for each row.
    """
    if connection.vendor != "postgresql":
        return models.Q(**{f"{column}__in": values})
    return models.Q(_EqualsAny(models.F(column), models.Subquery(values, template=_ARRAY)))


_ARRAY = "ARRAY(%(subquery)s)"


class _EqualsAny(Exact):
    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"= ANY ({rhs})"


def unset_in_use() -> list[int]:
    """The values of ``unset`` that the organization's levels have, from one to the next."""
    table = InventoryLevel._meta.db_table
    following = f"SELECT min(unset) FROM {table} WHERE organization_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE used (unset) AS ({following} UNION ALL "
            f"SELECT ({following} AND {table}.unset > used.unset) FROM used WHERE unset >= 0) "
            "SELECT unset FROM used WHERE unset >= 0",
            [current_organization().pk] * 2,
        )
        return [row[0] for row in cursor.fetchall()]


@contextmanager
def reading() -> Iterator[None]:
    """A block whose statements go by an index, whatever part of a table is the organization's.

    PostgreSQL would read most of a table from end to end: rows of every organization, the more
    the more there are.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield


def insert_changes(changes: Iterable[Mapping[str, Any]]) -> None:
    """Append entries to the history: each its fields by name, ``changes`` as JSON."""
    columns = ", ".join(str(field.column) for field in HISTORY)
    row = "(" + ", ".join(["%s"] * len(HISTORY)) + ")"
    for chunk in _chunks(list(changes)):
        values = ", ".join([row] * len(chunk))
        sql = f"INSERT INTO {LevelChange._meta.db_table} ({columns}) VALUES {values}"
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for change in chunk for value in _entry(change)])


def _entry(change: Mapping[str, Any]) -> list[Any]:
    at = connection.ops.adapt_datetimefield_value(change["at"])
    return [at if field.name == "at" else change[field.name] for field in HISTORY]


def _chunks(rows: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
