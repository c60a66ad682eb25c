"""What can be imported, and how each kind of it is previewed and then written as it was shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol

from inventory_levels import catalog, previews
from inventory_levels.admin.import_reports import LISTED
from inventory_levels.files.catalog_importing import import_catalog
from inventory_levels.files.columns import LEVELS, LOCATIONS, PRODUCTS, Table
from inventory_levels.files.importing import CatalogFileRow, catalog_rows, level_rows
from inventory_levels.imports import Counts, RowResult, import_levels
from inventory_levels.results import OnError, Result
from inventory_levels.services import Origin

Tell = Callable[[RowResult], None]
# Of the rows that were good in the preview, by number.
States = Iterator[previews.State]


class Kind(Protocol):
    @property
    def table(self) -> Table: ...

    def preview(
        self, file: BinaryIO, *, tell: Tell, note: Callable[[int, str], None]
    ) -> Counts: ...

    def write(
        self, file: BinaryIO, states: States, *, origin: Origin, on_error: OnError, tell: Tell
    ) -> Counts:
        """Import the rows that were noted, unless their records have moved on since."""


class Levels:
    table = LEVELS

    def preview(self, file: BinaryIO, *, tell: Tell, note: Callable[[int, str], None]) -> Counts:
        return previews.preview_levels(level_rows(file), listed=LISTED, tell=tell, note=note)

    def write(
        self, file: BinaryIO, states: States, *, origin: Origin, on_error: OnError, tell: Tell
    ) -> Counts:
        rows = previews.as_shown(level_rows(file), states)
        return import_levels(rows, origin=origin, on_error=on_error, tell=tell, tell_all=False)


@dataclass(frozen=True)
class Catalog:
    table: Table
    save: Callable[..., Sequence[Result[Any]]]

    def preview(self, file: BinaryIO, *, tell: Tell, note: Callable[[int, str], None]) -> Counts:
        def told(result: RowResult) -> None:
            if result.result and not result.refusal:
                note(result.number, result.result.made_from)
            tell(result)

        rows = catalog_rows(file, self.table)
        return import_catalog(rows, save=self.save, on_error="skip", dry_run=True, tell=told)

    def write(
        self, file: BinaryIO, states: States, *, origin: Origin, on_error: OnError, tell: Tell
    ) -> Counts:
        rows = _as_shown(catalog_rows(file, self.table), states)
        return import_catalog(rows, save=self.save, on_error=on_error, dry_run=False, tell=tell)


def _as_shown(rows: Iterable[CatalogFileRow], states: States) -> Iterator[CatalogFileRow]:
    for row, state in previews.noted(rows, states):
        yield replace(row, row=replace(row.row, made_from=state))


KINDS: dict[str, Kind] = {
    kind.table.name: kind
    for kind in (
        Levels(),
        Catalog(PRODUCTS, catalog.save_products),
        Catalog(LOCATIONS, catalog.save_locations),
    )
}
