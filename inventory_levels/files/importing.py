"""Files into rows for whoever writes them: levels, products and locations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from inventory_levels.catalog import CatalogRow
from inventory_levels.files.columns import LEVELS, LOCATIONS, PRODUCTS, Table
from inventory_levels.files.rows import Format, ReadRow, read, sniffed
from inventory_levels.imports import FileRow
from inventory_levels.refusals import Invalid


def level_rows(file: BinaryIO, format_: Format | None = None) -> Iterator[FileRow]:
    """The rows of a file of levels. Raises BadFile, for the header at once."""
    return map(_level_row, read(file, LEVELS, format_))


def _level_row(row: ReadRow) -> FileRow:
    values, problems = row.values, row.problems
    older = values.pop("older_product", None)
    product = values.pop("product", older)
    if older not in (None, product):
        problems["productId"] = ["differs from productMasterId"]
    return FileRow(
        number=row.number,
        product=product,
        sku=values.pop("sku", None),
        location=values.pop("location", None),
        location_name=values.pop("location_name", None),
        product_name=values.pop("product_name", None),
        level=values.pop("level", None),
        settings=values,
        problems=problems,
    )


@dataclass(slots=True)
class CatalogFileRow:
    """A row of a file of products or locations."""

    number: int
    row: CatalogRow


def catalog_rows(
    file: BinaryIO, table: Table, format_: Format | None = None
) -> Iterator[CatalogFileRow]:
    """The rows of a file of PRODUCTS or LOCATIONS. Raises BadFile."""
    assert table in (PRODUCTS, LOCATIONS)
    format_ = format_ or sniffed(file)
    any_line_ends = format_ == "xlsx"  # which knows one kind
    for row in read(file, table, format_):
        public_id = row.values.pop("public_id", None)
        problem = Invalid(row.problems) if row.problems else None
        wanted = CatalogRow(row.values, public_id, any_line_ends=any_line_ends, problem=problem)
        yield CatalogFileRow(row.number, wanted)
