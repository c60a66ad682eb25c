"""Writing planned rows with their history inside PostgreSQL: a few statements, however many.

The rules are those of staging.py, which every row is held to again, on what is stored by then.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import connection

from inventory_levels import staging
from inventory_levels.decisions import LOCATION_SETTINGS, PUBLIC_NAME
from inventory_levels.level_batch import Origin
from inventory_levels.models import LevelChange, LevelStatus
from inventory_levels.results import Outcome
from inventory_levels.staged_plan import (
    BITS,
    LEVELS,
    LOCATIONS,
    PRODUCTS,
    QUANTITIES,
    column,
    differs,
    disordered,
    merged,
    misplaced,
    moved_on,
)
from inventory_levels.storage import SETTING_COLUMNS
from organizations.public_ids import new_public_id
from organizations.tenancy import current_organization

_HISTORY = LevelChange._meta.db_table
_WORDS = ("status", "abc_class", *LOCATION_SETTINGS)
_IS_WRITTEN = "outcome IN ('created', 'updated')"
# Not a level that was made because the one to be updated had just been deleted.
_IS_OURS = "written.id = coalesce(decided.id, written.id)"


def hold_references(first: int, last: int) -> None:
    """Keep what the rows of these turns refer to as it is."""
    ours = f"organization_id = {current_organization().pk}"
    todo = f"FROM planned WHERE turn BETWEEN {first} AND {last} AND {_IS_WRITTEN}"
    places = ", ".join(("location_id", *map(column, LOCATION_SETTINGS)))
    with connection.cursor() as cursor:
        for table, keys in ((PRODUCTS, "product_id"), (LOCATIONS, f"unnest(ARRAY[{places}])")):
            cursor.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {ours} AND id IN"
                f" (SELECT DISTINCT {keys} {todo}) ORDER BY id FOR KEY SHARE) held"
            )


def write(first: int, last: int, origin: Origin) -> list[int]:
    """Write the rows of these turns, whose references are held; answers those that are wrong.

    A level that another transaction wrote after the statement had begun is left as it is, but
    locked, for a second statement.
    """
    surprises: dict[int, Outcome] = {}
    turns = f"s.turn BETWEEN {first} AND {last}"
    todo = turns
    with connection.cursor() as cursor:
        while todo:
            cursor.execute(_write(todo), _entry(origin))
            told = cursor.fetchall()
            surprises |= {number: outcome for number, outcome, _ in told if outcome}
            lost = [number for number, outcome, _ in told if not outcome]
            _unmake(cursor, [level for *_, level in told if level])
            todo = f"{turns} AND s.number IN ({', '.join(map(str, lost))})" if lost else ""
    staging.revise(surprises, first, last)
    return [number for number, outcome in surprises.items() if outcome == "failed"]


def _unmake(cursor: Any, levels: Sequence[int]) -> None:
    """Delete levels that were made of what another transaction has just deleted."""
    if levels:
        ours = f"organization_id = {current_organization().pk}"
        cursor.execute(f"DELETE FROM {LEVELS} WHERE {ours} AND id = ANY(%s)", [list(levels)])


def _entry(origin: Origin) -> list[Any]:
    actor = origin.actor
    return [actor.type, actor.id, actor.name, origin.source.value, origin.reason]


def _write(todo: str) -> str:
    """Make or change the levels of these rows, in one order.

    So two writers never wait for each other, whatever the rows of each and however they are
    parted. Answers rows that came to something else than was planned, with what they came to:
    nothing where another transaction was first, and then perhaps the level to unmake.
    """
    organization = current_organization().pk
    columns = ", ".join(SETTING_COLUMNS)
    assignments = ", ".join(f"{name} = excluded.{name}" for name in SETTING_COLUMNS)
    return f"""
        WITH decided AS MATERIALIZED ({_decisions(todo)}), written AS (
            INSERT INTO {LEVELS} AS level (organization_id, public_id, product_id, location_id,
                {columns}, created_at, updated_at)
            SELECT {organization}, public_id, product_id, location_id, {columns},
                statement_timestamp(), statement_timestamp()
            FROM decided WHERE {_IS_WRITTEN} ORDER BY turn
            ON CONFLICT (organization_id, product_id, location_id)
                DO UPDATE SET {assignments}, updated_at = excluded.updated_at
                WHERE level.public_id = excluded.public_id
                    AND level.version = excluded.version - 1
            RETURNING id, product_id, location_id
        ), noted AS ({_note()}), ends AS (
            SELECT number, planned, written.id AS level,
                CASE WHEN NOT {_IS_WRITTEN} OR {_IS_OURS} THEN outcome END AS outcome
            FROM decided LEFT JOIN written USING (product_id, location_id)
        )
        SELECT number, outcome, CASE WHEN outcome IS NULL THEN level END FROM ends
        WHERE outcome IS DISTINCT FROM planned"""


def _note() -> str:
    return f"""
        INSERT INTO {_HISTORY} (organization_id, level_public_id, product_public_id,
            location_public_id, action, version, changes, actor_type, actor_id, actor_name, source,
            reason, at)
        SELECT {current_organization().pk}, public_id, product_public_id, location_public_id,
            CASE version WHEN 1 THEN 'CREATE' ELSE 'UPDATE' END, version, changes,
            %s, %s, %s, %s, %s, statement_timestamp()
        FROM decided JOIN written USING (product_id, location_id) WHERE {_IS_OURS}"""


def _decisions(todo: str) -> str:
    """What these rows make of the levels as they are now."""
    ours = f"organization_id = {current_organization().pk}"
    values = {name: merged(name) for name in BITS}
    values["status"] = f"coalesce({values['status']}, '{LevelStatus.SUPPORTED.value}')"
    entries = ", ".join(
        f"CASE WHEN {_is_news(name)} THEN"
        f" {_change(name, _or_null(_json(name, 'o')), _or_null(_json(name, 's')))} END"
        for name in BITS
    )
    return f"""
        SELECT s.number, s.turn, s.product_id, s.location_id, s.product_public_id,
            s.location_public_id, s.outcome AS planned, o.id,
            coalesce(o.public_id, {_new_public_id()}) AS public_id,
            coalesce(o.version, 0) + 1 AS version, {_object(entries)} AS changes,
            {", ".join(f"{value} AS {column(name)}" for name, value in values.items())},
            {merged("comments", "folded_comments")} AS folded_comments,
            CASE WHEN p.id IS NULL OR l.id IS NULL OR {misplaced("b.path", "r.id")} THEN 'failed'
                WHEN (o.public_id, o.version) IS NOT DISTINCT FROM (s.stored_id, s.stored_version)
                    THEN s.outcome
                WHEN {moved_on()} OR {disordered()} THEN 'failed'
                WHEN o.id IS NULL THEN 'created'
                WHEN {" OR ".join(map(differs, BITS))} THEN 'updated'
                ELSE 'unchanged' END AS outcome
        FROM planned s
        LEFT JOIN {PRODUCTS} p ON p.{ours} AND p.id = s.product_id
        LEFT JOIN {LOCATIONS} l ON l.{ours} AND l.id = s.location_id
        LEFT JOIN {LOCATIONS} b ON b.{ours} AND b.id = s.preferred_bin_location_id
        LEFT JOIN {LOCATIONS} r ON r.{ours} AND r.id = s.replenishment_location_id
        LEFT JOIN {LEVELS} o ON o.{ours} AND o.product_id = s.product_id
            AND o.location_id = s.location_id
        WHERE {todo} AND s.{_IS_WRITTEN}"""


def _new_public_id() -> str:
    """The SQL of a new level's id: this moment's, and numbers from a random one on."""
    moment = new_public_id("level")[:-16]
    return f"'{moment}' || lpad(to_hex({secrets.randbits(60)} + s.turn), 16, '0')"


def _object(entries: str) -> str:
    return f"('{{' || concat_ws(', ', {entries}) || '}}')::jsonb"


def _is_news(name: str) -> str:
    """The SQL of whether a setting belongs into the history."""
    return f"({differs(name)} OR o.id IS NULL)" if name == "status" else differs(name)


def _change(name: str, old: str, new: str) -> str:
    """The SQL of an entry of ``changes``; null where one of the two is."""
    return f"""'"{PUBLIC_NAME[name]}": {{"old": ' || {old} || ', "new": ' || {new} || '}}'"""


def _or_null(json: str) -> str:
    return f"coalesce({json}, 'null')"


def _json(name: str, table: str) -> str:
    """The SQL of a setting of row ``s`` or level ``o`` as JSON text, null where it is unset.

    Only comments hold what JSON would escape.
    """
    if name == "comments":
        return f"to_json({table}.{name})::text"
    if name in QUANTITIES:
        return f"trim_scale({table}.{name})::text"
    if name in LOCATION_SETTINGS and table == "o":
        ours = f"organization_id = {current_organization().pk}"
        place = f"SELECT public_id FROM {LOCATIONS} WHERE {ours} AND id = o.{column(name)}"
        return f"""'"' || ({place}) || '"'"""
    if name == "status" and table == "s":
        return f"""'"' || coalesce(s.status, '{LevelStatus.SUPPORTED.value}') || '"'"""
    if name in _WORDS:
        return f"""'"' || {table}.{name} || '"'"""
    return f"{table}.{name}::text"
