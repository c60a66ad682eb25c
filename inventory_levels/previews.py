"""Looking at what a file of levels would do, and then doing that and nothing else.

Between the two may lie hours. A row is tied to the state of the level that it was shown with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from inventory_levels import staging
from inventory_levels.decisions import LevelRow
from inventory_levels.imports import Counts, RowResult, counts_of_plan, tell_refused
from inventory_levels.level_batch import LevelBatch
from inventory_levels.staging import FileRow, PlannedRow

# The number of a row that was good in a preview, and the state of what it would change.
State = tuple[int, str]


class _Numbered(Protocol):
    number: int


_Row = TypeVar("_Row", bound=_Numbered)


def preview_levels(
    rows: Iterable[FileRow],
    *,
    listed: int,
    tell: Callable[[RowResult], None],
    note: Callable[[int, str], None],
) -> Counts:
    """What ``import_levels`` would make of these rows. Takes no lock.

    ``tell`` gets each bad row, and of the rows that would create and of those that would
    change a level the first so many with what they change. ``note`` gets of each good row
    its number and the state that it would change, by number.
    """
    with staging.staged(rows):
        tell_refused(tell)
        for outcome in ("created", "updated"):
            for result in _decided(staging.first(outcome, listed)):
                tell(result)
        for number, state in staging.states():
            note(number, state)
        return counts_of_plan()


def as_shown(rows: Iterable[FileRow], states: Iterator[State]) -> Iterator[FileRow]:
    """Of these rows those that were noted in a preview, each tied to the state it was noted with.

    Both come by number.
    """
    for row, state in noted(rows, states):
        level, _, version = state.rpartition("@")
        yield replace(row, level=level or row.level, version=int(version or 0))


def noted(rows: Iterable[_Row], states: Iterator[State]) -> Iterator[tuple[_Row, str]]:
    """The rows that have a state, with it."""
    number, state = next(states, (0, ""))
    for row in rows:
        if row.number == number:
            yield row, state
            number, state = next(states, (0, ""))


def _decided(planned: Sequence[PlannedRow]) -> Iterator[RowResult]:
    """What these rows change; one that has become wrong since the plan is left out."""
    batch = LevelBatch(
        [LevelRow(one.row.settings, product=one.product, location=one.location) for one in planned]
    )
    batch.look_up_references()
    batch.decide(lock=False)
    for index, one in enumerate(planned):
        result = batch.results[index]
        if result.refusal is None:
            result.changes = batch.changes.get(index, {})
            yield RowResult(one.row.number, one.outcome, result.id, row=one.row, result=result)
