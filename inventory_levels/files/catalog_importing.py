"""Files of products and locations, written by the catalog as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from inventory_levels.files.importing import CatalogFileRow
from inventory_levels.files.refusals import BadFile
from inventory_levels.imports import Counts, RowResult
from inventory_levels.refusals import Unfinished
from inventory_levels.results import OnError, Result

# A usual row takes 2 kB until it is written.
MOST_ROWS = 500_000


def import_catalog(
    rows: Iterable[CatalogFileRow],
    *,
    save: Callable[..., Sequence[Result[Any]]],
    on_error: OnError,
    dry_run: bool,
    tell: Callable[[RowResult], None],
) -> Counts:
    """Create or update what the rows hold through ``save``, a function of the catalog.

    Holds them all in memory. Raises BadFile for more than MOST_ROWS, and Unfinished where there
    is no space to tell what was written.
    """
    read = list(islice(rows, MOST_ROWS + 1))
    if len(read) > MOST_ROWS:
        raise BadFile(f"The file has more than {MOST_ROWS:,} rows: split it.")
    wanted = [row.row for row in read]
    results = save(wanted, on_error=on_error, dry_run=dry_run, in_chunks=True)
    counts = Counts()
    for result in results:
        setattr(counts, result.outcome, getattr(counts, result.outcome) + 1)
    if on_error == "abort" and counts.failed:
        counts = Counts(failed=counts.failed, aborted=True)
    try:
        for row, done in zip(read, results, strict=True):
            tell(RowResult(row.number, done.outcome, done.id, done.refusal, row, done))
    except OSError as error:
        if dry_run or counts.aborted:
            raise
        raise Unfinished(len(read), len(read), unsure=False) from error
    return counts
