"""XLSX in: the first sheet's rows, one after the other, in constant memory."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Self

from inventory_levels.files.cells import Cell, Unreadable
from inventory_levels.files.refusals import BadFile
from inventory_levels.files.workbook_parts import Handler, Package, broken_is_bad

# Far more than there are columns that anybody knows.
MAX_COLUMNS = 256
_IN_MEMORY = 8 * 1024 * 1024
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# Numbers that are shown as dates or times: by the built-in formats, or by the letters of a
# custom one once its quoted, escaped and bracketed parts are gone.
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DATE = Unreadable("is a date: format the cell as text or number, and write it again")
_BOOLEAN = Unreadable("is a boolean, and no column takes one")
_NOT_COMPUTED = Unreadable(
    "is a formula without a computed value: open the file in a spreadsheet program and save it"
)


def read(file: BinaryIO) -> Iterator[tuple[int, list[Cell]]]:
    """The rows that hold anything, with their numbers. Raises BadFile.

    Of a formula the value counts that the spreadsheet program computed and saved.
    """
    package = Package(file)
    with ExitStack() as until_read, broken_is_bad():
        workbook = _only(package.related(""), "officeDocument")
        related = package.related(workbook)
        strings = until_read.enter_context(_Strings())
        dates: set[str] = set()
        for kind, part in related.values():
            if kind == "sharedStrings":
                strings.add(_texts(package, part))
            elif kind == "styles":
                dates = _date_styles(package, part)
        sheet = _Sheet(strings, dates)
        for _ in package.parse(_first_sheet(package, workbook, related), sheet):
            yield from sheet.rows
            sheet.rows.clear()


def _only(related: dict[str, tuple[str, str]], kind: str) -> str:
    return [part for its_kind, part in related.values() if its_kind == kind][0]  # noqa: RUF015


def _first_sheet(package: Package, workbook: str, related: dict[str, tuple[str, str]]) -> str:
    ids: list[str] = []

    class Sheets(Handler):
        def start(self, name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                ids.extend(value for key, value in attributes.items() if key.endswith(" id"))

    for _ in package.parse(workbook, Sheets()):
        pass
    # By index: what is not there is a LookupError.
    return [related[id_][1] for id_ in ids if related[id_][0] == "worksheet"][0]  # noqa: RUF015


def unescaped(text: str) -> str:
    """A cell's text: ``_x0041_`` means A, and a carriage return becomes a line feed."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class _Texts(Handler):
    """Collects rich and plain texts, but not how they are pronounced."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.hears = self.phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            self.phonetic = True
        elif name == "t":
            self.hears = not self.phonetic

    def end(self, name: str) -> None:
        if name == "rPh":
            self.phonetic = False
        elif name == "t":
            self.hears = False

    def text(self, text: str) -> None:
        if self.hears:
            self.pieces.append(text)


class _SharedTexts(_Texts):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            self.found.append(unescaped("".join(self.pieces)))
            self.pieces.clear()


def _texts(package: Package, part: str) -> Iterator[str]:
    texts = _SharedTexts()
    for _ in package.parse(part, texts):
        yield from texts.found
        texts.found.clear()


class _Strings:
    """The texts that cells share, by number: in a temporary file once they are many."""

    def __init__(self) -> None:
        self._ends = array("Q", [0])
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # see __exit__
        self.at = lru_cache(10_000)(self._at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            # A half of a surrogate pair is for the column to refuse.
            size = self._file.write(text.encode("utf-8", "surrogatepass"))
            self._ends.append(self._ends[-1] + size)

    def _at(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode("utf-8", "surrogatepass")


def _date_styles(package: Package, part: str) -> set[str]:
    """The numbers of the cell styles that show a number as a date or time."""
    dates: set[str] = set()
    custom: dict[int, str] = {}

    class Styles(Handler):
        inside, count = False, 0

        def start(self, name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt":
                custom[int(attributes["numFmtId"])] = attributes["formatCode"]
            elif name == "cellXfs":
                self.inside = True
            elif name == "xf" and self.inside:
                format_ = int(attributes.get("numFmtId", 0))
                shown = _NOT_SHOWN.sub("", custom.get(format_, ""))
                if format_ in _DATE_FORMATS or re.search("[dmyhs]", shown, re.IGNORECASE):
                    dates.add(str(self.count))
                self.count += 1

        def end(self, name: str) -> None:
            if name == "cellXfs":
                self.inside = False

    for _ in package.parse(part, Styles()):
        pass
    return dates


class _Sheet(_Texts):
    """Collects rows of cells."""

    def __init__(self, strings: _Strings, dates: set[str]) -> None:
        super().__init__()
        self.strings, self.dates = strings, dates
        self.rows: list[tuple[int, list[Cell]]] = []
        self.row: list[Cell] = []
        self.number = 0
        self.type, self.style, self.column = "n", "0", 0
        self.has_formula = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self.type = attributes.get("t", "n")
            self.style = attributes.get("s", "0")
            if place := attributes.get("r"):
                self.column = _column(place.rstrip("0123456789"))
            self.has_formula = False
            self.pieces.clear()
        elif name == "v":
            self.hears = True
        elif name == "f":
            self.has_formula = True
        elif name == "row":
            self.number = int(attributes.get("r", self.number + 1))
            self.row, self.column = [], 0
        else:
            super().start(name, attributes)

    def end(self, name: str) -> None:
        if name == "c":
            text = "".join(self.pieces)
            if text or self.has_formula:
                self._put(self._cell(text))
            self.column += 1
        elif name == "v":
            self.hears = False
        elif name == "row":
            if any(cell != "" for cell in self.row):
                self.rows.append((self.number, self.row))
        else:
            super().end(name)

    def _put(self, cell: Cell) -> None:
        if self.column >= MAX_COLUMNS:
            raise BadFile(f"The sheet has more than {MAX_COLUMNS} columns.")
        if missing := self.column + 1 - len(self.row):
            self.row.extend([""] * missing)
        self.row[self.column] = cell

    def _cell(self, text: str) -> Cell:
        if self.type in ("str", "inlineStr"):
            return unescaped(text)
        if self.type == "e":
            return Unreadable(f"holds the error {text}")
        if not text:
            return _NOT_COMPUTED
        if self.type == "s":
            return self.strings.at(int(text))
        if self.type == "b":
            return _BOOLEAN
        if self.type == "d" or self.style in self.dates:
            return _DATE
        return _number(text)


@lru_cache(10_000)
def _number(text: str) -> Cell:
    """The number as a spreadsheet shows it: a double's first 15 digits."""
    value = float(text)
    if not math.isfinite(value):
        return Unreadable("must be a number")
    return Decimal(f"{value:.15g}")


@lru_cache(1_000)
def _column(letters: str) -> int:
    """The place of a column from 0: 27 for AB."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    if number < 1:
        raise ValueError(letters)
    return number - 1
