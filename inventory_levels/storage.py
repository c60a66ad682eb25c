"""The statements behind services.py: set-based reads with locks, and the one upsert.

Locks are taken in one order everywhere, or overlapping batches would deadlock: products, then
locations, then levels; within each by primary key, levels by (product, location).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
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
_COLUMNS = [
    field
    for field in InventoryLevel._meta.concrete_fields
    if field.name not in ("id", "created_at", "updated_at") and not field.generated
]
_SETTINGS = [
    field.column
    for field in _COLUMNS
    if field.name not in ("organization", "public_id", "product", "location")
]


def hold(model: type[_Reference], public_ids: Iterable[str]) -> dict[str, _Reference]:
    """The rows with these public ids, by public id, held until the transaction ends.

    A key share lock: nobody can delete the row meanwhile, nor move a location (movers lock
    FOR UPDATE), while any number of writers hold it together.
    """
    wanted = set(public_ids)
    if not wanted:
        return {}
    rows = model.objects.filter(public_id__in=wanted).order_by("pk")
    sql, parameters = rows.query.sql_with_params()
    if connection.vendor == "postgresql":
        sql += " FOR KEY SHARE"
    return {row.public_id: row for row in model.objects.raw(sql, parameters)}


def lock_levels_by_id(public_ids: Iterable[str]) -> list[InventoryLevel]:
    """The levels with these public ids, their references loaded, locked for update."""
    return list(
        _for_update(InventoryLevel.objects.with_references().filter(public_id__in=set(public_ids)))
    )


def lock_levels_by_pair(pairs: Sequence[tuple[int, int]]) -> list[InventoryLevel]:
    """The levels of these (product, location) primary keys, likewise."""
    if not pairs:
        return []
    table = InventoryLevel._meta.db_table
    levels: list[InventoryLevel] = []
    for chunk in _chunks(sorted(pairs)):
        values = ", ".join(["(%s, %s)"] * len(chunk))
        among = RawSQL(
            f"({table}.product_id, {table}.location_id) IN (VALUES {values})",
            [key for pair in chunk for key in pair],
            output_field=models.BooleanField(),
        )
        levels += _for_update(InventoryLevel.objects.with_references().filter(among))
    return levels


def _for_update(levels: models.QuerySet[InventoryLevel]) -> models.QuerySet[InventoryLevel]:
    rows = levels.select_for_update(of=("self",), no_key=True)
    return rows.order_by("product_id", "location_id")


def insert_levels(levels: Sequence[InventoryLevel]) -> list[InventoryLevel]:
    """Insert levels and return those that were new; fill in their keys and times.

    The others lost a race: another transaction inserted their pair first and has committed.
    """
    return _upsert(levels, "DO NOTHING")


def update_levels(levels: Sequence[InventoryLevel]) -> None:
    """Overwrite levels that are locked; fill in their new ``updated_at``."""
    assignments = ", ".join(f"{column} = excluded.{column}" for column in _SETTINGS)
    _upsert(levels, f"DO UPDATE SET {assignments}, updated_at = excluded.updated_at")


def _upsert(levels: Sequence[InventoryLevel], on_conflict: str) -> list[InventoryLevel]:
    written = []
    columns = ", ".join(str(field.column) for field in _COLUMNS)
    in_order = sorted(levels, key=lambda level: (level.product_id, level.location_id))
    for chunk in _chunks(in_order):
        clock, now = _clock()
        row = "(" + ", ".join(["%s"] * len(_COLUMNS) + [clock] * 2) + ")"
        sql = (
            f"INSERT INTO {InventoryLevel._meta.db_table} ({columns}, created_at, updated_at) "
            f"VALUES {', '.join([row] * len(chunk))} "
            f"ON CONFLICT (organization_id, product_id, location_id) {on_conflict} "
            "RETURNING public_id, id, updated_at"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for level in chunk for value in _values(level)])
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


def _values(level: InventoryLevel) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(level, add=True), connection) for field in _COLUMNS
    ]


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
    the time of the change; so whoever has no id yet will write down a later time than this one.
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


def insert_changes(changes: Iterable[LevelChange]) -> None:
    """Append to the history."""
    LevelChange.objects.bulk_create(changes, batch_size=CHUNK)


def _chunks(rows: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
