"""Files of products and locations, written by the catalog as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from inventory_levels.catalog import CatalogRow
from inventory_levels.files.importing import CatalogFileRow
from inventory_levels.imports import Counts, RowResult
from inventory_levels.refusals import Invalid, Refusal
from inventory_levels.results import OnError, Result


def import_catalog(
    rows: Iterable[CatalogFileRow],
    *,
    save: Callable[..., Sequence[Result[Any]]],
    on_error: OnError,
    dry_run: bool,
    tell: Callable[[RowResult], None],
) -> Counts:
    """Create or update what the rows hold through ``save``, a function of the catalog.

    Rows that can't be read fail beside those that can't be saved: every bad row is told, and
    the good ones where they were not aborted. A readable row about the same record as an
    unreadable one fails too, as nobody knows which of the two is meant.
    """
    refused: dict[int, Refusal] = {}
    readable: dict[int, CatalogRow] = {}
    unreadable: set[Any] = set()
    numbers: list[int] = []
    for row in rows:
        numbers.append(row.number)
        if row.problems:
            refused[row.number] = Invalid(row.problems)
            unreadable.add(_identity(row.row))
        else:
            readable[row.number] = row.row
    for number in [n for n, row in readable.items() if _identity(row) in unreadable]:
        del readable[number]
        refused[number] = Refusal("Another row is about the same one")
    write = not dry_run and (not refused or on_error == "skip")
    saved = iter(save(list(readable.values()), on_error=on_error, dry_run=not write))
    results = [
        RowResult(number, "failed", refusal=refused[number])
        if number in refused
        else _told(number, next(saved))
        for number in numbers
    ]
    counts = Counts()
    for result in results:
        setattr(counts, result.outcome, getattr(counts, result.outcome) + 1)
    counts.aborted = on_error == "abort" and counts.failed > 0
    for result in results:
        if result.refusal or not counts.aborted:
            tell(result)
    return counts


def _identity(row: CatalogRow) -> Any:
    """What tells one product or location from another."""
    return row.public_id, *map(row.values.get, ("global_sku", "parent", "name"))


def _told(number: int, result: Result[Any]) -> RowResult:
    public_id = result.record.public_id if result.record else None
    return RowResult(number, result.outcome, public_id, result.refusal)
