"""Writing planned rows with their history inside PostgreSQL: a few statements, however many.

The rules are those of staging.py, which every row is held to again, on what is locked by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# By which name the bin and the source of a level are joined.
_STORED_PLACES = dict(zip(LOCATION_SETTINGS, ("ob", "os"), strict=True))


def hold_references(first: int, last: int) -> list[int]:
    """Keep what the rows of these turns refer to as it is; answers the rows it is too late for.

    Those were planned on something that has been deleted or moved since, and fail.
    """
    ours = f"organization_id = {current_organization().pk}"
    todo = _todo(first, last)
    with connection.cursor() as cursor:
        places = " UNION ".join(
            f"SELECT {name} FROM planned s WHERE {todo}"
            for name in ("location_id", *map(column, LOCATION_SETTINGS))
        )
        for table, keys in (
            (PRODUCTS, f"SELECT product_id FROM planned s WHERE {todo}"),
            (LOCATIONS, places),
        ):
            cursor.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {ours} AND id IN ({keys})"
                " ORDER BY id FOR KEY SHARE) held"
            )
        cursor.execute(
            f"""
            UPDATE planned SET outcome = 'failed'
            WHERE turn BETWEEN {first} AND {last} AND number IN (
                SELECT s.number FROM planned s
                LEFT JOIN {PRODUCTS} p ON p.{ours} AND p.id = s.product_id
                LEFT JOIN {LOCATIONS} l ON l.{ours} AND l.id = s.location_id
                LEFT JOIN {LOCATIONS} b ON b.{ours} AND b.id = s.preferred_bin_location_id
                LEFT JOIN {LOCATIONS} r ON r.{ours} AND r.id = s.replenishment_location_id
                WHERE {todo} AND (p.id IS NULL OR l.id IS NULL OR {misplaced("b.path", "r.id")})
            ) RETURNING number"""
        )
        return [number for (number,) in cursor.fetchall()]


def write(first: int, last: int, origin: Origin) -> list[int]:
    """Write the rows of these turns, whose references are held; answers those that are wrong."""
    with connection.cursor() as cursor:
        cursor.execute(_lock_known(first, last))
        cursor.execute(_insert(first, last), _entry(origin))
        surprises: dict[int, Outcome] = dict(cursor.fetchall())
        cursor.execute(_update(first, last, surprises), _entry(origin))
        surprises |= dict(cursor.fetchall())
    staging.revise(surprises, first, last)
    return [number for number, outcome in surprises.items() if outcome == "failed"]


def _lock_known(first: int, last: int) -> str:
    """Lock the levels of rows that were made from one, and that must not make another."""
    return f"""
        SELECT count(*) FROM (
            SELECT 1 FROM planned s
            JOIN {LEVELS} o ON o.organization_id = {current_organization().pk}
                AND o.product_id = s.product_id AND o.location_id = s.location_id
            WHERE {_todo(first, last)} AND s.version > 0
            ORDER BY s.turn FOR NO KEY UPDATE OF o
        ) locked"""


def _todo(first: int, last: int) -> str:
    return f"s.turn BETWEEN {first} AND {last} AND s.outcome IN ('created', 'updated')"


def _entry(origin: Origin) -> list[Any]:
    actor = origin.actor
    return [actor.type, actor.id, actor.name, origin.source.value, origin.reason]


def _insert(first: int, last: int) -> str:
    """Insert the levels that are not there, and lock those that are, all in one order.

    So two writers never wait for each other, whatever the rows of each and however they are
    parted. An update that does nothing locks the row that is in the way.
    """
    columns = ", ".join(SETTING_COLUMNS)
    initial = {"version": "1", "status": f"coalesce(s.status, '{LevelStatus.SUPPORTED.value}')"}
    values = ", ".join(initial.get(name, f"s.{name}") for name in SETTING_COLUMNS)
    organization = current_organization().pk
    known = ", ".join(
        _change(name, "'null'", _json(name, "s" if name in LOCATION_SETTINGS else "made"))
        for name in BITS
    )
    return f"""
        WITH made AS (
            INSERT INTO {LEVELS} (organization_id, public_id, product_id, location_id, {columns},
                created_at, updated_at)
            SELECT {organization}, {_new_public_id()}, s.product_id, s.location_id, {values},
                statement_timestamp(), statement_timestamp()
            FROM planned s WHERE {_todo(first, last)} AND coalesce(s.version, 0) = 0
            ORDER BY s.turn
            ON CONFLICT (organization_id, product_id, location_id)
                DO UPDATE SET version = excluded.version WHERE false
            RETURNING *
        ), entries AS (
            SELECT s.number, made.public_id, s.product_public_id, s.location_public_id,
                made.version, {_object(known)} AS changes, made.updated_at
            FROM made JOIN planned s USING (product_id, location_id) WHERE {_todo(first, last)}
        ), noted AS ({_note("CREATE")})
        SELECT s.number, CASE WHEN entries.number IS NULL THEN 'updated' ELSE 'created' END
        FROM planned s LEFT JOIN entries USING (number)
        WHERE {_todo(first, last)} AND (entries.number IS NULL) = (s.outcome = 'created')"""


def _update(first: int, last: int, surprises: Mapping[int, str]) -> str:
    """Update the levels that are there, unless they would break a rule with what they are now.

    Answers rows that did not come to what was planned, with what they came to.
    """
    ours = f"organization_id = {current_organization().pk}"
    made = [number for number, outcome in surprises.items() if outcome == "created"]
    found = [number for number, outcome in surprises.items() if outcome == "updated"]
    entries = ", ".join(
        f"CASE WHEN {differs(name)} THEN"
        f" {_change(name, _or_null(_json(name, 'o')), _or_null(_json(name, 's')))} END"
        for name in BITS
    )
    values = ", ".join(f"{merged(name)} AS {column(name)}" for name in BITS)
    columns = [*map(column, BITS), "folded_comments", "version"]
    return f"""
        WITH changed AS MATERIALIZED (
            SELECT s.number, o.id, o.public_id, o.version + 1 AS version, {values},
                {merged("comments", "folded_comments")} AS folded_comments, s.product_public_id,
                s.location_public_id, {_object(entries)} AS changes, s.outcome AS planned,
                CASE WHEN o.id IS NULL OR {moved_on()} OR {disordered()} THEN 'failed'
                    WHEN {" OR ".join(map(differs, BITS))} THEN 'updated'
                    ELSE 'unchanged' END AS outcome
            FROM planned s
            LEFT JOIN {LEVELS} o ON o.{ours} AND o.product_id = s.product_id
                AND o.location_id = s.location_id
            LEFT JOIN {LOCATIONS} ob ON ob.{ours} AND ob.id = o.preferred_bin_location_id
            LEFT JOIN {LOCATIONS} os ON os.{ours} AND os.id = o.replenishment_location_id
            WHERE s.turn BETWEEN {first} AND {last}
                AND (s.outcome = 'updated' OR s.number {_among(found)})
                AND NOT s.number {_among(made)}
        ), written AS (
            UPDATE {LEVELS} level
            SET {", ".join(f"{name} = changed.{name}" for name in columns)},
                updated_at = statement_timestamp()
            FROM changed
            WHERE level.{ours} AND level.id = changed.id AND changed.outcome = 'updated'
            RETURNING changed.*, level.updated_at
        ), entries AS (SELECT * FROM written), noted AS ({_note("UPDATE")})
        SELECT number, outcome FROM changed WHERE outcome <> planned"""


def _among(numbers: Sequence[int]) -> str:
    return f"IN ({', '.join(map(str, numbers))})" if numbers else "IS NULL"


def _note(action: str) -> str:
    return f"""
        INSERT INTO {_HISTORY} (organization_id, level_public_id, product_public_id,
            location_public_id, action, version, changes, actor_type, actor_id, actor_name, source,
            reason, at)
        SELECT {current_organization().pk}, public_id, product_public_id, location_public_id,
            '{action}', version, changes, %s, %s, %s, %s, %s, updated_at
        FROM entries"""


def _new_public_id() -> str:
    """The SQL of a new level's id: this moment's ids, with other random characters."""
    moment = new_public_id("level")[:-16]
    return f"'{moment}' || right(replace(gen_random_uuid()::text, '-', ''), 16)"


def _object(entries: str) -> str:
    return f"('{{' || concat_ws(', ', {entries}) || '}}')::jsonb"


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
        return f"""'"' || {_STORED_PLACES[name]}.public_id || '"'"""
    if name in _WORDS:
        return f"""'"' || {table}.{name} || '"'"""
    return f"{table}.{name}::text"
