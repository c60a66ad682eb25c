"""XLSX in and out, row by row: the first sheet of a workbook, which may be broken or hostile."""

from __future__ import annotations

import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import chain
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from defusedxml import DefusedXmlException
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from inventory_levels.files.cells import Cell, Unreadable, escaped
from inventory_levels.files.columns import Column
from inventory_levels.files.refusals import BadFile

# What a sheet holds besides its header.
MAX_ROWS = 1_048_575

# Far more than there are columns that anybody knows.
MAX_COLUMNS = 256
# Sheets pack to a tenth, the most repetitive ones to a fiftieth; a zip bomb to a thousandth.
MAX_RATIO = 100
MAX_PARTS = 10_000
_SMALL = 1024 * 1024
_PART, _OLD_OR_LOCKED = b"PK\x01\x02", b"\xd0\xcf\x11\xe0"
_SHARED_TEXT = f"{{{SHEET_MAIN_NS}}}si"
_FORMULA, _VALUE = f"{{{SHEET_MAIN_NS}}}f", f"{{{SHEET_MAIN_NS}}}v"
_LIKE_AN_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_DATE = Unreadable("is a date: format the cell as text or number, and write it again")
_BOOLEAN = Unreadable("is a boolean, and no column takes one")
_NOT_COMPUTED = Unreadable(
    "is a formula without a computed value: open the file in a spreadsheet program and save it"
)

# Of dates out of range, and of parts that are of no use here.
warnings.filterwarnings("ignore", module="openpyxl")


def read(file: BinaryIO) -> Iterator[tuple[int, list[Cell]]]:
    """The rows that hold anything, with their numbers. Raises BadFile.

    Of a formula the value counts that the spreadsheet program computed and saved.
    """
    _check(file)
    with _broken_is_bad():
        reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
        reader.read()
        for number, cells in _Sheet(reader).parse():
            if number > MAX_ROWS + 1:
                raise BadFile(f"The sheet has more than {MAX_ROWS + 1} rows.")
            row = _row(cells)
            if any(cell != "" for cell in row):
                yield number, row


def _check(file: BinaryIO) -> None:
    """Refuse what would take all memory before the first row is read. Raises BadFile."""
    file.seek(0)
    if file.read(4) == _OLD_OR_LOCKED:
        raise BadFile(
            "The workbook has a password, or is of the old kind (.xls): save it as .xlsx."
        )
    # Python would list millions of empty parts in memory.
    file.seek(0)
    if sum(piece.count(_PART) for piece in iter(lambda: file.read(_SMALL), b"")) > MAX_PARTS:
        raise BadFile("The file is not an Excel workbook: it holds too many parts.")
    with _broken_is_bad(), zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    for part in parts:  # reading one stops at the size that it claims
        if part.file_size > MAX_RATIO * part.compress_size + _SMALL:
            raise BadFile(f"The workbook unpacks to more than {MAX_RATIO} times its size.")


@contextmanager
def _broken_is_bad() -> Iterator[None]:
    """Whatever reading a damaged workbook raises is a BadFile."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        SyntaxError,  # XML
        EOFError,
        OSError,  # no workbook within
        LookupError,  # a part or a shared text that is not there, an unknown encoding
        ArithmeticError,
        AttributeError,
        TypeError,
        ValueError,
        RuntimeError,  # encrypted, or packed in a way of its own
    ) as error:
        if isinstance(error.__cause__ or error, DefusedXmlException):
            message = "The workbook declares XML entities, which no spreadsheet program does."
        else:
            message = "The file is damaged, or is not an Excel workbook (.xlsx)."
        raise BadFile(message) from error


class _Reader(ExcelReader):
    """Leaves the texts that cells share as they are: openpyxl makes _x0041_ of _x005F_x0041_."""

    def read_strings(self) -> None:
        if (part := self.package.find(SHARED_STRINGS)) is None:
            return
        with self.archive.open(part.PartName[1:]) as source:
            for _, element in iterparse(source):
                if element.tag == _SHARED_TEXT:
                    self.shared_strings.append(Text.from_tree(element).content)
                    element.clear()


class _Sheet(WorkSheetParser):
    """The rows of the first sheet; tells a formula that was never computed from a blank."""

    def __init__(self, reader: _Reader) -> None:
        workbook = reader.wb
        super().__init__(
            reader.archive.open(workbook.worksheets[0]._worksheet_path),
            reader.shared_strings,
            data_only=True,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,
            timedelta_formats=workbook._timedelta_formats,
        )

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(_FORMULA) is not None:
            is_empty_text = element.get("t") == "str" and element.find(_VALUE) is not None
            cell["value"] = None if is_empty_text else _NOT_COMPUTED
        return cell


def _row(cells: list[dict[str, Any]]) -> list[Cell]:
    """The cells, each in its column's place. Raises BadFile."""
    row: list[Cell] = []
    for cell in cells:
        if (value := _cell(cell["value"], cell["data_type"])) == "":
            continue
        column = cell["column"]
        if column > MAX_COLUMNS:
            raise BadFile(f"The sheet has more than {MAX_COLUMNS} columns.")
        row.extend([""] * (column - len(row)))
        row[column - 1] = value
    return row


def _cell(value: Any, type_: str) -> Cell:
    if value is None:
        return ""
    if isinstance(value, Unreadable):
        return value
    if type_ == "e":
        return Unreadable(f"holds the error {value}")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return _BOOLEAN
    if isinstance(value, int | float):
        return _number(value)
    return _DATE


def _text(text: str) -> str:
    """A cell's text: ``_x0041_`` means A, and a carriage return becomes a line feed."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return _lines(text)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _number(value: float) -> Cell:
    """The number as a spreadsheet shows it: a double's first 15 digits."""
    if not math.isfinite(value):
        return Unreadable("must be a number")
    return Decimal(f"{value:.15g}")


def write(
    file: BinaryIO,
    name: str,
    columns: Sequence[Column],
    header: Sequence[str],
    chunks: Iterable[Iterable[Sequence[Any]]],
) -> None:
    """Write a workbook whose one sheet has this name. Raises BadFile where it gets too large."""
    with TemporaryDirectory() as scratch:
        workbook = Workbook(file, {"constant_memory": True, "tmpdir": scratch})
        workbook.use_zip64()
        sheet = workbook.add_worksheet(name, _Written)
        with closing(sheet.row_data_fh):
            text = workbook.add_format({"num_format": "@"})  # stays text when it is edited
            for place, (column, title) in enumerate(zip(columns, header, strict=True)):
                width = max(12, len(title) + 2)
                sheet.set_column(place, place, width, None if column.is_number else text)
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, header, workbook.add_format({"bold": True}))
            for number, row in enumerate(chain.from_iterable(chunks), start=1):
                if number > MAX_ROWS:
                    raise too_large()
                _write_row(sheet, number, columns, row, text)
            workbook.close()


class _Written(Worksheet):
    """Escapes what reads like an escape, also where two of them share an underscore."""

    def _escape_control_characters(self, text: str) -> str:
        return _LIKE_AN_ESCAPE.sub("_x005F_", text)


def _write_row(
    sheet: Worksheet, number: int, columns: Sequence[Column], row: Sequence[Any], text: Format
) -> None:
    for place, (column, value) in enumerate(zip(columns, row, strict=True)):
        if value is None:
            continue
        if column.is_number:
            sheet.write_number(number, place, value)
            continue
        value = escaped(_lines(value))
        if value.startswith("<r>") and value.endswith("</r>"):
            # Which the library takes for what it writes of a text in pieces.
            sheet.write_rich_string(number, place, value[0], value[1], value[2:], text)
        else:
            sheet.write_string(number, place, value, text)


def too_large() -> BadFile:
    return BadFile(f"This is more than a workbook holds ({MAX_ROWS} rows): export CSV instead.")
