"""From the cells under a header to values by field, with what is wrong in each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, BinaryIO, Literal

from django.core.exceptions import ValidationError

from inventory_levels.files import delimited, json_lines, workbook
from inventory_levels.files.cells import BLANK, Cell, value_of
from inventory_levels.files.columns import Column, Table
from inventory_levels.files.refusals import BadFile
from inventory_levels.values import printable

Format = Literal["csv", "xlsx", "ndjson"]
FORMATS: tuple[Format, ...] = ("csv", "xlsx", "ndjson")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(slots=True)
class ReadRow:
    """``values`` by the columns' fields, ``problems`` by the columns' names.

    ``number`` is as a spreadsheet counts (the header is 1), or the line of NDJSON.
    """

    number: int
    values: dict[str, Any]
    problems: dict[str, list[str]]


def read(file: BinaryIO, table: Table, format_: Format | None = None) -> Iterator[ReadRow]:
    """The rows of a file; without a format, CSV or XLSX, whichever it is.

    Raises BadFile for the header at once, and in the course of it for what can't be read.
    """
    if format_ == "ndjson":
        return _objects(file, table)
    cells: Iterator[tuple[int, Sequence[Cell]]]
    separator = None
    if (format_ or sniffed(file)) == "xlsx":
        cells = workbook.read(file)
    else:
        separator, cells = delimited.read(file, table)
    columns = _header(cells, table)
    return _rows(cells, columns, separator)


def sniffed(file: BinaryIO) -> Format:
    """CSV or XLSX, by how the file begins."""
    start = file.read(4)
    file.seek(0)
    return "xlsx" if start in (_ZIP, _OLE) else "csv"


def _header(cells: Iterator[tuple[int, Sequence[Cell]]], table: Table) -> list[Column | None]:
    """The columns that the first row names; None where a name is empty. Raises BadFile."""
    number, header = next(cells, (0, ()))
    if number == 0:
        raise BadFile("The file is empty.")
    if number > 1:
        raise BadFile("Row 1 is empty; it must name the columns.")
    problems: dict[str, list[str]] = {}
    columns: list[Column | None] = []
    for cell in header:
        name = cell if isinstance(cell, str) else "?"
        column = table.column(name) if name.strip() else None
        if column is not None and column in columns:
            problems[printable(name)] = [f"names the column {column.name} a second time"]
        elif column is None and name.strip():
            problems[printable(name)] = ["unknown column"]
        columns.append(column)
    if not any(columns):
        known = ", ".join(column.name for column in table.columns)
        raise BadFile(f"Row 1 must name the columns. There are {known}.", problems)
    if problems:
        name, (problem, *_) = next(iter(problems.items()))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BadFile(f"{name}: {problem}{more}", problems)
    present = {column.name for column in columns if column}
    for names in table.keys:
        if not present.intersection(names):
            wanted = " or ".join(name for name in names if name in _told(table))
            raise BadFile(f"The file needs a column {wanted}.", {names[0]: ["is required"]})
    return columns


def _told(table: Table) -> set[str]:
    return {column.name for column in table.columns}


def _rows(
    cells: Iterator[tuple[int, Sequence[Cell]]],
    columns: Sequence[Column | None],
    separator: str | None,
) -> Iterator[ReadRow]:
    semicolons = separator == ";"
    # Most columns repeat few values, and a cell is read once for all rows that hold it.
    readers: list[tuple[str, str, Callable[[Cell], Any]]] = [
        (
            column.name if column else f"column {place}",
            column.field if column else "",
            lru_cache(1_000)(
                partial(value_of, column=column, semicolons=semicolons) if column else _unnamed
            ),
        )
        for place, column in enumerate(columns, start=1)
    ]
    for number, row in cells:
        values: dict[str, Any] = {}
        problems: dict[str, list[str]] = {}
        if len(row) != len(readers) and (separator or len(row) > len(readers)):
            problems["row"] = [f"has {len(row)} cells where the header has {len(readers)}"]
            yield ReadRow(number, {}, problems)
            continue
        for (name, field, reader), cell in zip(readers, row, strict=False):
            if cell == "":
                continue
            try:
                value = reader(cell)
            except ValidationError as error:
                problems[name] = error.messages
            else:
                if value is not BLANK:
                    values[field] = value
        yield ReadRow(number, values, problems)


def _unnamed(cell: Cell) -> Any:
    raise ValidationError("holds a value under no column name")


def _objects(file: BinaryIO, table: Table) -> Iterator[ReadRow]:
    for number, members, problem in json_lines.read(file):
        if problem:
            yield ReadRow(number, {}, {"line": [problem]})
            continue
        row = ReadRow(number, {}, {})
        for name, value in members.items():
            column = table.by_name.get(name)
            if column is None:
                row.problems[printable(name)] = ["unknown column"]
                continue
            try:
                value = json_lines.value_of(value, column)
            except ValidationError as error:
                row.problems[name] = error.messages
            else:
                if value is not BLANK:
                    row.values[column.field] = value
        yield row
