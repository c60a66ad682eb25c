"""The statements behind catalog.py: locks, keys given in advance, updates in the rows' order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models
from django.db.models import Count

from inventory_levels.models import InventoryLevel, Location, ProductMaster
from organizations.tenancy import current_organization

# Rows a statement.
CHUNK = 1_000


def lock(model: type[models.Model], keys: Iterable[int]) -> None:
    """Lock rows against every reference to them, in the order in which writers hold them."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), CHUNK):
        rows = model._default_manager.select_for_update()
        chunk = rows.filter(pk__in=wanted[start : start + CHUNK])
        list(chunk.order_by("pk").values_list("pk"))


def update_records(records: Sequence[ProductMaster | Location], fields: Sequence[str]) -> None:
    """Overwrite these fields of stored products or locations, one after the other.

    One might take what another gave up, and a unique index looks at each row by itself.
    """
    if not records:
        return
    model = type(records[0])
    columns: list[Any] = [model._meta.get_field(name) for name in (*fields, "updated_at")]
    assignments = ", ".join(f"{field.column} = %s" for field in columns)
    sql = f"UPDATE {model._meta.db_table} SET {assignments} WHERE organization_id = %s AND id = %s"
    rows = [
        [field.get_db_prep_save(field.pre_save(one, add=False), connection) for field in columns]
        + [one.organization_id, one.pk]
        for one in records
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def insert_records(records: Sequence[ProductMaster | Location]) -> None:
    """Insert products or locations, in this order."""
    for start in range(0, len(records), CHUNK):
        chunk: Sequence[Any] = records[start : start + CHUNK]
        type(chunk[0]).objects.bulk_create(chunk)
        _tell_the_planner_of(type(chunk[0]), start + len(chunk))


def _tell_the_planner_of(model: type[models.Model], rows: int) -> None:
    """Analyze a table of which so many rows, that were just written, are a large part.

    PostgreSQL notices a minute later by itself. Until then it takes the table for empty and
    any index for as good as the right one, and a batch, or the foreign keys of the next one,
    reads all that there is for each of its rows.
    """
    if connection.vendor != "postgresql" or rows < CHUNK:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
        (known,) = cursor.fetchone()
        if known < rows:
            cursor.execute(f"ANALYZE {table}")


def new_keys(model: type[models.Model], number: int) -> list[int]:
    """Primary keys for so many new rows, which nobody else gets.

    SQLite has no sequence to ask, but writers there take turns.
    """
    with connection.cursor() as cursor:
        table = model._meta.db_table
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, number],
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone()
    return list(range(last + 1, last + 1 + number))


def parents() -> dict[int, int | None]:
    """Every location of the organization and the one that it is in, by primary key."""
    return dict(Location.objects.values_list("pk", "parent_id"))


def preferences(bins: Iterable[int]) -> dict[int, dict[int, int]]:
    """How many levels of which locations prefer these bins, by bin and location."""
    wanted = sorted(bins)
    found: dict[int, dict[int, int]] = {}
    for start in range(0, len(wanted), CHUNK):
        levels = InventoryLevel.objects.filter(
            preferred_bin_location__in=wanted[start : start + CHUNK]
        )
        pairs = levels.values_list("preferred_bin_location_id", "location_id")
        for key, location, number in pairs.annotate(Count("pk")).order_by():
            found.setdefault(key, {})[location] = number
    return found


def update_paths(paths: Mapping[int, str]) -> None:
    """Overwrite the paths of locations that moved along with others."""
    if not paths:
        return
    organization: int = current_organization().pk
    sql = f"UPDATE {Location._meta.db_table} SET path = %s WHERE organization_id = %s AND id = %s"
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(paths[key], organization, key) for key in sorted(paths)])
