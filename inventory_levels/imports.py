"""Importing levels from a file of any size, in constant memory: check all rows, then write.

A reader makes the rows; levels are written as services.py writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error, connection, transaction

from inventory_levels import staged_writes, staging
from inventory_levels.decisions import LevelRow
from inventory_levels.explanations import explain, in_its_columns
from inventory_levels.level_batch import LevelBatch, Origin
from inventory_levels.refusals import Refusal, Unfinished
from inventory_levels.results import OnError, Outcome, Result
from inventory_levels.staging import FileRow, PlannedRow
from inventory_levels.storage import is_postgresql

__all__ = ["CHUNK", "Counts", "FileRow", "Interrupted", "RowResult", "import_levels"]

# Rows that ``skip`` commits together, with their history.
CHUNK = 5_000


@dataclass(slots=True)
class RowResult:
    """What became of one row; ``id`` is the level's, None where there is none.

    ``row`` is told of refused rows, ``result`` of rows that were decided in memory.
    """

    number: int
    outcome: Outcome
    id: str | None = None
    refusal: Refusal | None = None
    row: Any = None
    result: Result[Any] | None = None


@dataclass(slots=True)
class Counts:
    """What became of the rows; nothing was written where an import was ``aborted``."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    aborted: bool = False

    @property
    def total(self) -> int:
        return self.created + self.updated + self.unchanged + self.failed


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in an import: ``done`` rows of ``total`` are written.

    ``unsure``: it came while more of them were being committed, and nobody knows which it was.
    """

    def __init__(self, done: int, total: int, *, unsure: bool) -> None:
        self.done, self.total, self.unsure = done, total, unsure


def import_levels(
    rows: Iterable[FileRow],
    *,
    origin: Origin,
    on_error: OnError,
    dry_run: bool = False,
    tell: Callable[[RowResult], None] = lambda result: None,
    tell_all: bool = True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Counts:
    """Create or update the levels that rows describe, with their history.

    All rows are staged and checked before the first lock. With ``abort`` one bad row keeps all
    of them from being written, in one transaction; with ``skip`` the good ones are written,
    each chunk in a transaction of its own, so that after a kill the import can be run again.
    Rows for the same level all fail, however far apart.

    ``tell`` gets each bad row as it is found and then (``tell_all``) the good ones, in the
    order in which they are written; where nothing is, they tell what would have been.
    ``on_progress`` gets how many rows of how many are done. Raises Interrupted at Ctrl-C, and
    Unfinished where the database or the disk gives up after some rows were written for good.
    Locks products and locations (key share), then levels, in the order of their keys.
    """
    writing = _Writing(origin, tell, tell_all, on_progress)
    try:
        with staging.staged(rows):
            counts = _run(writing, on_error=on_error, dry_run=dry_run)
    except (KeyboardInterrupt, Error, OSError) as error:
        if _is_ctrl_c(error):
            raise Interrupted(writing.done, writing.total, unsure=writing.unsure) from error
        if not writing.done or connection.in_atomic_block:
            raise
        raise Unfinished(writing.done, writing.total, unsure=writing.unsure) from error
    if on_error == "abort" and counts.failed:
        return Counts(failed=counts.failed, aborted=True)
    return counts


def _is_ctrl_c(error: BaseException | None) -> bool:
    """Whether it came of Ctrl-C: Django may stumble over a commit that has none of its ends."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _run(writing: _Writing, *, on_error: OnError, dry_run: bool) -> Counts:
    """Tell the staged rows that are wrong, and write the others where that is wanted."""
    tell_refused(writing.tell)
    counts = counts_of_plan()
    writing.total = counts.total
    if on_error == "skip" and not dry_run:
        writing.run_in_chunks()
    else:
        if not dry_run and not counts.failed:
            writing.run_at_once()
        writing.tell_good(1, counts.total)
    return counts_of_plan()


def tell_refused(tell: Callable[[RowResult], None]) -> None:
    """Tell the rows that the plan has found wrong, and why, by number."""
    after = -1
    while bad := staging.failed(after=after):
        for one, refusal in zip(bad, explain(bad), strict=True):
            tell(_refused_row(one, refusal))
        after = bad[-1].row.number


def _refused_row(one: PlannedRow, refusal: Refusal) -> RowResult:
    return RowResult(one.row.number, "failed", refusal=refusal, row=one.row)


def counts_of_plan() -> Counts:
    number = staging.counts().get
    return Counts(
        created=number("created", 0),
        updated=number("updated", 0),
        unchanged=number("unchanged", 0),
        failed=number("failed", 0),
    )


@dataclass(slots=True)
class _Writing:
    """The second half of an import: its rows are planned, and nothing is locked yet."""

    origin: Origin
    tell: Callable[[RowResult], None]
    tell_all: bool
    on_progress: Callable[[int, int], None]
    total: int = 0
    done: int = 0
    unsure: bool = False

    def run_in_chunks(self) -> None:
        """Write each chunk in a transaction of its own; rows that have become wrong fail."""
        for first, last in _spans(1, self.total):
            with transaction.atomic():
                _hold(first, last)
                bad = _write(first, last, self.origin)
                self.unsure = True
            self._committed(last)
            self._tell(bad)
            self.tell_good(first, last)
            self.on_progress(last, self.total)

    def run_at_once(self) -> None:
        """Write all chunks or, where rows have become wrong, nothing."""
        bad: list[RowResult] = []
        with transaction.atomic():
            _hold(1, self.total)
            for first, last in _spans(1, self.total):
                bad += _write(first, last, self.origin)
                self.on_progress(last, self.total)
            transaction.set_rollback(bool(bad))
            self.unsure = not bad
        if not bad:
            self._committed(self.total)
        else:  # it was noted in the transaction that is no more
            staging.revise({result.number: "failed" for result in bad}, 1, self.total)
            self._tell(bad)

    def _committed(self, last: int) -> None:
        self.done, self.unsure = last, False

    def _tell(self, results: Sequence[RowResult]) -> None:
        for result in results:
            self.tell(result)

    def tell_good(self, first: int, last: int) -> None:
        for start, end in _spans(first, last) if self.tell_all else ():
            for number, outcome, public_id in staging.good(start, end):
                self.tell(RowResult(number, outcome, public_id))


def _spans(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The first and the last turn of each chunk of these turns."""
    return ((start, min(start + CHUNK - 1, last)) for start in range(first, last + 1, CHUNK))


def _hold(first: int, last: int) -> None:
    """Keep what rows refer to as it is."""
    if is_postgresql():  # SQLite's one lock is on everything
        staged_writes.hold_references(first, last)


def _write(first: int, last: int, origin: Origin) -> list[RowResult]:
    """Write the rows of these turns; answers those that have become wrong since the plan."""
    if is_postgresql():
        return _refused(staged_writes.write(first, last, origin))
    return _write_batch(first, last, origin)


def _refused(numbers: Sequence[int]) -> list[RowResult]:
    rows = staging.failed_among(numbers)
    refusals = explain(rows)
    return [_refused_row(one, refusal) for one, refusal in zip(rows, refusals, strict=True)]


def _write_batch(first: int, last: int, origin: Origin) -> list[RowResult]:
    """Likewise, as any batch of rows is written."""
    planned = [one for one in staging.between(first, last) if one.outcome in ("created", "updated")]
    batch = LevelBatch(
        [
            LevelRow(
                one.row.settings,
                product=one.product,
                location=one.location,
                precondition=one.row.made_from,
            )
            for one in planned
        ]
    )
    batch.hold_references()
    batch.decide()
    batch.write(origin)
    results = [batch.results[index] for index in range(len(planned))]
    surprises = {
        one.row.number: result.outcome
        for one, result in zip(planned, results, strict=True)
        if one.outcome != result.outcome
    }
    staging.revise(surprises, first, last)
    return [
        _refused_row(one, in_its_columns(result.refusal, one.row))
        for one, result in zip(planned, results, strict=True)
        if result.refusal
    ]
