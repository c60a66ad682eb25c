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

    Rows that can't be read fail beside those that can't be saved: every row is told. A readable
    row about the same record as an unreadable one fails too, as nobody knows which is meant.
    """
    refused: dict[int, Refusal] = {}
    readable: dict[int, CatalogRow] = {}
    unreadable: set[Any] = set()
    all_rows: dict[int, CatalogFileRow] = {}
    for row in rows:
        all_rows[row.number] = row
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
    counts = Counts()
    for number, row in all_rows.items():
        if number in refused:
            result = RowResult(number, "failed", refusal=refused[number], row=row)
        else:
            done = next(saved)
            result = RowResult(number, done.outcome, done.id, done.refusal, row, done)
        setattr(counts, result.outcome, getattr(counts, result.outcome) + 1)
        tell(result)
    if on_error == "abort" and counts.failed:
        return Counts(failed=counts.failed, aborted=True)
    return counts


def _identity(row: CatalogRow) -> Any:
    """What tells one product or location from another."""
    return row.public_id, *map(row.values.get, ("global_sku", "parent", "name"))
