"""CSV: quoted cells, separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from inventory_levels.files.cells import escaped
from inventory_levels.files.columns import Table
from inventory_levels.files.lines import lines
from inventory_levels.files.refusals import bad_row

SEPARATORS = ",;\t"
# Lines that a header may have: one, unless somebody quoted a line break in it.
_HEADER_LINES = 20
_QUOTED = re.compile('[",;\t\r\n]')


def read(file: BinaryIO, table: Table) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """The separator, and the rows with their numbers (the header is 1); empty ones are left out.

    Raises BadFile as soon as a row can't be read.
    """
    number = 0
    text = lines(file, lambda: number + 1)
    header = list(_record(text))
    separator = _separator(header, table)

    def rows() -> Iterator[tuple[int, list[str]]]:
        nonlocal number
        reader = csv.reader(chain(header, text), delimiter=separator, strict=True)
        try:
            for number, row in enumerate(reader, start=1):
                if any(row):
                    yield number, row
        except csv.Error as error:
            raise bad_row(number + 1, f"is not CSV: {error}") from error

    return separator, rows()


def _record(text: Iterator[str]) -> Iterator[str]:
    """The lines of the first record."""
    quotes = 0
    for _, line in zip(range(_HEADER_LINES), text, strict=False):
        yield line
        quotes += line.count('"')
        if quotes % 2 == 0:
            return


def _separator(header: Sequence[str], table: Table) -> str:
    """The one that finds most columns in the header."""

    def found(separator: str) -> tuple[int, int]:
        try:
            names = next(csv.reader(header, delimiter=separator, strict=True), [])
        except csv.Error:
            return 0, 0
        return sum(table.column(name) is not None for name in names), len(names)

    return max(SEPARATORS, key=found)


def line(cells: Iterable[str]) -> str:
    """A line of cells that were quoted where they need to be."""
    return f"{','.join(cells)}\n"


def quoted(text: str) -> str:
    """A cell that means this text, and nothing more, to spreadsheets and to our import."""
    text = escaped(text)
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
