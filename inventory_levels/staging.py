"""Rows of any number in a temporary table, for the database to work on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import Error, connection

from inventory_levels.decisions import LOCATION_SETTINGS, with_default_status
from inventory_levels.models import InventoryLevel
from inventory_levels.quantities import quantity
from inventory_levels.results import Outcome
from inventory_levels.staged_plan import BITS, LEVELS, QUANTITIES, Lookups, plan
from inventory_levels.storage import is_postgresql
from organizations.tenancy import current_organization

_KEYS = ("product", "sku", "product_name", "location", "location_name", "level")
_STAGED = ("number", *_KEYS, "version", "problems", "given", *BITS, "folded_comments")
# Rows in memory at a time.
BUFFER = 5_000


@dataclass(slots=True)
class FileRow:
    """A row of a file, or of anything else that is long.

    ``number`` is how a person would find it: as a spreadsheet counts, with the header as 1, or
    the line of NDJSON. ``settings`` maps model fields to values, locations by public id, as
    LevelRow has it. The product is named by id or SKU, the location by id or name; where both
    are given they must agree, and so must the product's name and the level's id with what is
    stored. ``version`` is the version of the level that the row was made from (0: there was
    none); it is refused once the level has another. ``problems`` are what the reader found,
    keyed by column.
    """

    number: int
    settings: Mapping[str, Any]
    product: str | None = None
    sku: str | None = None
    location: str | None = None
    location_name: str | None = None
    product_name: str | None = None
    level: str | None = None
    version: int | None = None
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def made_from(self) -> MadeFrom | None:
        return None if self.version is None else MadeFrom(self.version)


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """The precondition of a row that was made from this version of a level, or from none: 0."""

    version: int

    def holds_for(self, level: InventoryLevel | None) -> bool:
        return (level.version if level else 0) == self.version


@dataclass(slots=True)
class PlannedRow:
    """A staged row, and what the database makes of it."""

    row: FileRow
    outcome: Outcome
    product: str | None
    location: str | None
    level: str | None
    is_repeated: bool


@contextmanager
def staged(rows: Iterable[FileRow]) -> Iterator[None]:
    """Stage rows and plan what becomes of them, without a lock; the tables go at the end.

    ``rows`` may read the database: it is asked for them between two statements.
    """
    with connection.cursor() as cursor:
        _drop(cursor)
        try:
            types = ", ".join(f"{name} {_type(name)}" for name in _STAGED)
            cursor.execute(f"CREATE TEMPORARY TABLE staged ({types})")
            lookups = _stage(cursor, rows)
            cursor.execute(f"CREATE TEMPORARY TABLE planned AS {plan(_STAGED, lookups)}")
            cursor.execute("DROP TABLE staged")
            cursor.execute("CREATE INDEX planned_turn ON planned (turn)")
            cursor.execute("CREATE INDEX planned_bad ON planned (number) WHERE outcome = 'failed'")
            if is_postgresql():
                cursor.execute("ANALYZE planned (turn, number, outcome)")
            yield
        finally:
            # Where the database has given up, they have gone with the transaction or session.
            with suppress(Error):
                _drop(cursor)


def _drop(cursor: Any) -> None:
    schema = "pg_temp" if is_postgresql() else "temp"
    for table in ("staged", "planned"):
        cursor.execute(f"DROP TABLE IF EXISTS {schema}.{table}")


def _type(name: str) -> str:
    if name in ("number", "given", "version"):
        return "bigint" if name == "number" else "integer"
    if name in BITS and name not in LOCATION_SETTINGS:
        return str(InventoryLevel._meta.get_field(name).db_type(connection))
    return "text"


def _stage(cursor: Any, rows: Iterable[FileRow]) -> Lookups:
    lookups, remaining = Lookups(), iter(rows)
    places = ", ".join(["%s"] * len(_STAGED))
    while chunk := list(islice(remaining, BUFFER)):
        for row in chunk:
            lookups.by_sku |= row.product is None and row.sku is not None
            lookups.by_name |= row.location is None and row.location_name is not None
        if is_postgresql():
            statement = f"COPY staged ({', '.join(_STAGED)}) FROM STDIN"
            # Django doesn't know of copying: its errors would be the driver's own.
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for row in chunk:
                    copy.write_row(_values(row))
        else:
            cursor.executemany(f"INSERT INTO staged VALUES ({places})", map(_values, chunk))
    return lookups


def _values(row: FileRow) -> list[Any]:
    settings = with_default_status(row.settings)
    comments = settings.get("comments")
    return [
        row.number,
        row.product,
        row.sku,
        row.product_name,
        row.location,
        row.location_name,
        row.level,
        row.version,
        json.dumps(row.problems) if row.problems else None,
        sum(map(BITS.__getitem__, settings)),
        *map(settings.get, BITS),
        comments.casefold() if comments else None,
    ]


def counts() -> dict[str, int]:
    """How many rows there are of each outcome."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outcome, count(*) FROM planned GROUP BY outcome")
        return dict(cursor.fetchall())


def failed(*, after: int) -> list[PlannedRow]:
    """The next rows that are wrong, by number."""
    return _read(f"outcome = 'failed' AND number > {after} ORDER BY number LIMIT {BUFFER}")


def first(outcome: Outcome, number: int) -> list[PlannedRow]:
    """The first so many rows of this outcome, by number."""
    return _read(f"outcome = '{outcome}' ORDER BY number LIMIT {number}")


def states() -> Iterator[tuple[int, str]]:
    """Of each row that is not wrong the number, and the id@version that it would change.

    By number; "" where there is no level yet.
    """
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX planned_good ON planned (number) WHERE outcome <> 'failed'")
    after = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT number, stored_id, stored_version FROM planned"
                f" WHERE outcome <> 'failed' AND number > {after} ORDER BY number LIMIT {BUFFER}"
            )
            rows = cursor.fetchall()
        for number, level, version in rows:
            yield number, f"{level}@{version}" if level else ""
        if len(rows) < BUFFER:
            return
        after = rows[-1][0]


def between(first: int, last: int) -> list[PlannedRow]:
    """The rows of these turns."""
    return _read(f"turn BETWEEN {first} AND {last} ORDER BY turn")


def failed_among(numbers: Sequence[int]) -> list[PlannedRow]:
    """Of these rows those that are wrong."""
    among = ", ".join(map(str, numbers))
    return _read(f"outcome = 'failed' AND number IN ({among})") if numbers else []


def good(first: int, last: int) -> list[tuple[int, Outcome, str | None]]:
    """Number, outcome and level's id of the rows of these turns that did not fail."""
    organization = current_organization().pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.number, s.outcome, coalesce(o.public_id, s.stored_id) FROM planned s
            LEFT JOIN {LEVELS} o ON o.organization_id = {organization}
                AND o.product_id = s.product_id AND o.location_id = s.location_id
            WHERE s.turn BETWEEN {first} AND {last} AND s.outcome <> 'failed' ORDER BY s.turn"""
        )
        rows: list[tuple[int, Outcome, str | None]] = cursor.fetchall()
    return rows


def revise(outcomes: Mapping[int, Outcome], first: int, last: int) -> None:
    """Note what became of rows of these turns, by number, where that is not what was planned."""
    with connection.cursor() as cursor:
        for outcome in set(outcomes.values()):
            among = ", ".join(str(number) for number in outcomes if outcomes[number] == outcome)
            cursor.execute(
                f"UPDATE planned SET outcome = '{outcome}'"
                f" WHERE turn BETWEEN {first} AND {last} AND number IN ({among})"
            )


_READ = (*_STAGED[:-1], "outcome", "product_public_id", "location_public_id", "stored_id")


def _read(condition: str) -> list[PlannedRow]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(_READ)}, is_repeated FROM planned WHERE {condition}")
        return [_planned(row) for row in cursor.fetchall()]


def _planned(values: Sequence[Any]) -> PlannedRow:
    number, *keys = values[: 1 + len(_KEYS)]
    version, problems, given, *settings = values[1 + len(_KEYS) : -5]
    outcome, product, location, level, is_repeated = values[-5:]
    row = FileRow(
        number,
        {
            name: _setting(name, value)
            for (name, bit), value in zip(BITS.items(), settings, strict=True)
            if given & bit
        },
        **dict(zip(_KEYS, keys, strict=True)),
        version=version,
        problems=json.loads(problems) if problems else {},
    )
    return PlannedRow(row, outcome, product, location, level, bool(is_repeated))


def _setting(name: str, value: Any) -> Any:
    """SQLite hands out quantities as its own numbers."""
    return quantity(Decimal(str(value))) if name in QUANTITIES and value is not None else value
