"""One level in two statements, without a transaction: what is there, and the write.

The write takes effect only where everything is still as it was read; where it is not, the
caller begins again with locks. PostgreSQL only: SQLite's writers take turns anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

from django.db import IntegrityError, connection, transaction

from inventory_levels import storage
from inventory_levels.decisions import (
    LOCATION_SETTINGS,
    PUBLIC_NAME,
    Changes,
    LevelRow,
    References,
    decide,
)
from inventory_levels.level_batch import LevelResult, Origin, change
from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from inventory_levels.results import Result
from organizations.statements import Instances, Lookup, Question, fetch, instances
from organizations.tenancy import current_organization

_LEVEL, _PRODUCT = Instances(InventoryLevel, "level"), Instances(ProductMaster, "product")
_LOCATION, _BIN, _SOURCE, _NEW_BIN, _NEW_SOURCE = (
    Instances(Location, alias) for alias in ("location", "bin", "source", "new_bin", "new_source")
)
_STORED, _NAMED = (_LEVEL, _PRODUCT, _LOCATION, _BIN, _SOURCE), (_NEW_BIN, _NEW_SOURCE)
_LOCATIONS = ("location", *LOCATION_SETTINGS)


def with_id(public_id: str) -> Question:
    """Which level has this id? ``save`` takes the answer."""
    return _WITH_ID, [public_id]


def of_row(row: LevelRow) -> Question:
    """Which level is of the row's product and location? ``save`` takes the answer."""
    named = [row.settings.get(name) for name in LOCATION_SETTINGS]
    return _OF_PAIR, [row.product, row.location, *named]


def save(row: LevelRow, *, origin: Origin, stored: Sequence[Any] = ()) -> LevelResult | None:
    """Create or update a level; None where that takes another look, with locks.

    ``stored``: what was there when the request came, where that is known: who changes nothing,
    or is refused, comes before whoever wrote since. Raises the row's Refusal.
    """
    level, references = _read(row, stored)
    if level is not None and not references.has(row):
        return None  # a PATCH that names another product or location
    decided, changes = decide(row, level, references)
    if level is not None and not changes:
        return Result("unchanged", decided)
    # By what it is to the level: who moves a bin asks only for the levels that prefer it.
    changed = [name for name in LOCATION_SETTINGS if PUBLIC_NAME[name] in changes]
    referring = [getattr(decided, name) for name in (changed if level else _LOCATIONS)]
    places = {place.pk: place.path for place in referring if place is not None}
    if not _write(decided, changes, origin, places=places):
        return None
    return Result("updated" if level else "created", decided)


# --- reading


def _read(row: LevelRow, stored: Sequence[Any]) -> tuple[InventoryLevel | None, References]:
    """The level that a row is about, and what the row names, as they are at one moment."""
    named = [row.settings.get(name) for name in LOCATION_SETTINGS]
    parts: tuple[Instances, ...] = _STORED
    if row.level is None:
        lookup, parameters = of_row(row)
        stored = stored or lookup.row(current_organization().pk, parameters)
        parts += _NAMED
    elif not stored or any(named):
        stored = _WITH_ID_AND_NAMED.row(current_organization().pk, [row.level, *named])
        parts += _NAMED
    level, product, location, bin_, source, *new = instances(stored, *parts)
    if level is not None:
        level.product, level.location = product, location
        level.preferred_bin_location, level.replenishment_location = bin_, source
    return level, References(
        {product.public_id: product} if product else {},
        {place.public_id: place for place in (location, *new) if place is not None},
    )


def _joined(part: Instances, condition: str, of: str = "here") -> str:
    return (
        f"LEFT JOIN {part.model._meta.db_table} {part.alias} "
        f"ON {part.alias}.organization_id = {of}.organization_id AND {part.alias}.{condition}"
    )


def _joined_to_level(part: Instances, reference: str) -> str:
    """By the level's own organization: with that of a key, a plan that is made while the tables
    are empty would look for the level without its organization."""
    return _joined(part, f"id = level.{reference}_id", of="level")


def _lookup(parts: Iterable[Instances], *joins: str) -> Lookup:
    return Lookup(", ".join(part.sql for part in parts), " ".join(joins))


_PLACES_JOINED = (
    _joined_to_level(_BIN, "preferred_bin_location"),
    _joined_to_level(_SOURCE, "replenishment_location"),
)
_NAMED_JOINED = (_joined(_NEW_BIN, "public_id = %s"), _joined(_NEW_SOURCE, "public_id = %s"))
_WITH_ID_JOINED = (
    _joined(_LEVEL, "public_id = %s"),
    _joined_to_level(_PRODUCT, "product"),
    _joined_to_level(_LOCATION, "location"),
    *_PLACES_JOINED,
)
_WITH_ID = _lookup(_STORED, *_WITH_ID_JOINED)
_WITH_ID_AND_NAMED = _lookup(_STORED + _NAMED, *_WITH_ID_JOINED, *_NAMED_JOINED)
_OF_PAIR = _lookup(
    _STORED + _NAMED,
    _joined(_PRODUCT, "public_id = %s"),
    _joined(_LOCATION, "public_id = %s"),
    _joined(_LEVEL, "product_id = product.id AND level.location_id = location.id"),
    *_PLACES_JOINED,
    *_NAMED_JOINED,
)

# --- writing


def _write(
    level: InventoryLevel, changes: Changes, origin: Origin, *, places: Mapping[int, str]
) -> bool:
    """Write a level with its history, if nobody was quicker.

    Holds the places where they were found, in the order of their keys as everybody does: nobody
    deletes them or moves them away meanwhile.
    """
    read, level.version = level.version, level.version + 1
    action = LevelChange.Action.UPDATE if read else LevelChange.Action.CREATE
    keys = sorted(places)
    held = [level.organization_id, _array(keys)] if places else []
    as_found = [_array(places[key] for key in keys)] if places else []
    which = [level.organization_id, level.pk, read] if read else []
    entry = change(level, action, changes, origin)
    noted = [entry[field.name] for field in storage.HISTORY if field.name != "at"]
    statement = _write_statement(action, bool(places))
    # In the order in which the statement has them.
    parameters = [*held, *storage.values_of(level), *which, *as_found, *noted]
    try:
        # A caller's transaction survives a refusal.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            rows = fetch(statement, parameters)
    except IntegrityError:  # what the row names is being deleted
        return False
    if not rows:
        return False
    ((level.pk, level.updated_at),) = rows
    if not read:
        level.created_at = level.updated_at
    return True


def _array(values: Iterable[Any]) -> str:
    """Of numbers, or of paths, which need no quotes."""
    return "{" + ",".join(map(str, values)) + "}"


@cache
def _write_statement(action: LevelChange.Action, holds: bool) -> str:
    table = InventoryLevel._meta.db_table
    columns = [str(field.column) for field in storage.COLUMNS]
    hold = (
        f"held AS MATERIALIZED (SELECT id, path FROM {Location._meta.db_table} "
        "WHERE organization_id = %s AND id = ANY(%s) ORDER BY id FOR KEY SHARE), "
    )
    as_found = "(SELECT array_agg(path ORDER BY id) FROM held) = %s" if holds else "true"
    if action == LevelChange.Action.CREATE:
        write = (
            f"INSERT INTO {table} ({', '.join(columns)}, created_at, updated_at) "
            f"SELECT {', '.join(['%s'] * len(columns))}, at, at FROM clock WHERE {as_found} "
            "ON CONFLICT (organization_id, product_id, location_id) DO NOTHING"
        )
    else:
        assignments = ", ".join(f"{column} = %s" for column in columns)
        write = (
            f"UPDATE {table} SET {assignments}, updated_at = at FROM clock "
            f"WHERE organization_id = %s AND {table}.id = %s AND version = %s AND {as_found}"
        )
    history = [str(field.column) for field in storage.HISTORY if field.name != "at"]
    # The clock is looked at when the transaction has its id: see storage.changed_until().
    return (
        f"WITH {hold if holds else ''}clock AS MATERIALIZED (SELECT CASE "
        "WHEN pg_current_xact_id() IS NOT NULL THEN clock_timestamp() END AS at), "
        f"written AS ({write} RETURNING {table}.id, updated_at), "
        f"noted AS (INSERT INTO {LevelChange._meta.db_table} ({', '.join(history)}, at) "
        f"SELECT {', '.join(['%s'] * len(history))}, updated_at FROM written) "
        "SELECT id, updated_at FROM written"
    )
