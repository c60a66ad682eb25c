"""The only writer of inventory levels: one way for a single request and for many rows.

Whoever calls (API, bulk, import, admin, command) opens an organization scope first and says
who acts. A level and its history are written in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from inventory_levels import single_level, storage
from inventory_levels.decisions import (
    LevelRow,
    Precondition,
    check_precondition,
    level_not_found,
)
from inventory_levels.imports import FileRow, RowResult, import_levels
from inventory_levels.level_batch import LevelBatch, LevelResult, Origin, change
from inventory_levels.models import SETTINGS, LevelChange
from inventory_levels.quantities import public
from inventory_levels.results import OnError, Result
from inventory_levels.storage import is_postgresql
from organizations.statements import Question

__all__ = [
    "LevelRow",
    "Origin",
    "Precondition",
    "delete_level",
    "level_with_id",
    "save_level",
    "save_levels",
    "save_many_levels",
]

# Rows from which on it pays to stage them.
LONG = 100


def save_levels(
    rows: Sequence[LevelRow],
    *,
    origin: Origin,
    on_error: OnError = "abort",
    dry_run: bool = False,
) -> list[LevelResult]:
    """Create or update levels with their history, and say what became of each row.

    With ``abort`` one bad row keeps all of them from being written (the good rows' results
    then say what would have been); with ``skip`` the good rows are written. Two rows for the
    same level both fail. Locks the products and locations named (key share), then the levels.
    """
    batch = LevelBatch(rows)
    with transaction.atomic():
        batch.hold_references()
        # A batch that lost a race begins again with none of its locks, or it would take more
        # of them out of order. A single row has none yet.
        begin = transaction.savepoint() if len(rows) > 1 else None
        while True:
            batch.decide()
            if dry_run or (on_error == "abort" and batch.any_failed) or batch.write(origin):
                break
            if begin is not None:
                transaction.savepoint_rollback(begin)
    return [batch.results[index] for index in range(len(rows))]


def save_many_levels(
    rows: Sequence[LevelRow],
    *,
    origin: Origin,
    on_error: OnError = "abort",
    dry_run: bool = False,
) -> list[LevelResult]:
    """Likewise, where of the levels themselves only the ids are wanted: many times as fast.

    PostgreSQL writes long batches by itself; what they say and do is the same.
    """
    plain = all(row.level is None and row.precondition is None for row in rows)
    if len(rows) < LONG or not plain or not is_postgresql():
        return save_levels(rows, origin=origin, on_error=on_error, dry_run=dry_run)
    results: dict[int, LevelResult] = {}

    def note(result: RowResult) -> None:
        refusal = rows[result.number].problem or result.refusal
        results[result.number] = Result(result.outcome, refusal=refusal, known_id=result.id)

    numbered = (
        FileRow(
            number,
            row.settings,
            product=row.product,
            location=row.location,
            problems={"row": [row.problem.sentence]} if row.problem else {},
        )
        for number, row in enumerate(rows)
    )
    with transaction.atomic():
        import_levels(numbered, origin=origin, on_error=on_error, dry_run=dry_run, tell=note)
    return [results[index] for index in range(len(rows))]


def level_with_id(public_id: str) -> Question | None:
    """Which level has this id? Who has asked already tells ``save_level`` the answer."""
    return single_level.with_id(public_id) if is_postgresql() else None


def level_of_row(row: LevelRow) -> Question | None:
    """Which level is of the row's product and location? Likewise."""
    return single_level.of_row(row) if is_postgresql() else None


def save_level(row: LevelRow, *, origin: Origin, stored: Sequence[Any] = ()) -> LevelResult:
    """Create or update one level: a batch of one. Raises the row's Refusal.

    PostgreSQL tries it without locks first.
    """
    if is_postgresql() and (saved := single_level.save(row, origin=origin, stored=stored)):
        return saved
    (result,) = save_levels([row], origin=origin)
    return result.or_raise()


def delete_level(
    public_id: str, *, origin: Origin, precondition: Precondition | None = None
) -> None:
    """Delete one level; its history keeps what was lost. Locks the level.

    Raises NotFound and PreconditionFailed.
    """
    with transaction.atomic():
        levels = storage.levels_by_id([public_id], lock=True)
        if not levels:
            raise level_not_found()
        (level,) = levels
        check_precondition(precondition, level)
        lost = {
            name: {"old": public(value), "new": None}
            for name, attribute in SETTINGS.items()
            if (value := getattr(level, attribute)) is not None
        }
        level.version += 1
        level.updated_at = storage.delete_level(level)
        storage.insert_changes([change(level, LevelChange.Action.DELETE, lost, origin)])
