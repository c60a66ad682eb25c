"""What stands in a cell, and what it means: blank, ``null``, an escaped text, a number.

The rules of spreadsheets; NDJSON has types of its own and needs none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from inventory_levels.files.columns import NEVER, Column

NULL = "null"
BLANK: Any = object()
# A spreadsheet takes a text that begins with one of these for a formula, or runs it as one.
FORMULA_STARTERS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_THOUSANDS = re.compile(r"-?[0-9]+\.[0-9]{3}")
# What a spreadsheet keeps of a number.
_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that holds something no column takes: a date, a boolean, an error."""

    problem: str


Cell = str | Decimal | Unreadable


def escaped(text: str) -> str:
    """The text as it stands in a cell, where it must not be cleared away nor run."""
    if text == NULL or text.startswith(("'", *FORMULA_STARTERS)):
        return f"'{text}"
    return text


def unescaped(text: str) -> str:
    """The text that a cell means; an apostrophe that ``escaped`` did not put there stays."""
    if text.startswith("'"):
        behind = text[1:]
        if behind == NULL or behind.startswith(("'", *FORMULA_STARTERS)):
            return behind
    return text


def value_of(cell: Cell, column: Column, *, semicolons: bool = False) -> Any:
    """The value in a cell of this column, BLANK where it says nothing. Raises ValidationError.

    ``semicolons``: the file is separated by them, so whoever wrote it may use decimal commas.
    """
    if cell == "" or column.read is None:
        return BLANK
    if isinstance(cell, Unreadable):
        raise ValidationError(cell.problem)
    if cell == NULL:
        if column.null_means is NEVER:
            raise ValidationError("must not be null")
        return column.null_means
    if column.is_number:
        number = _number(cell, semicolons=semicolons) if isinstance(cell, str) else cell
        return BLANK if number is None else column.read(number)
    return column.read(unescaped(cell) if isinstance(cell, str) else _text_of_number(cell))


def _number(text: str, *, semicolons: bool) -> Decimal | None:
    digits = text.strip()
    if not digits:
        return None
    if not _NUMBER.fullmatch(digits):
        if "," in digits:
            raise ValidationError("must be a number with a decimal point and without commas")
        raise ValidationError("must be a number")
    if semicolons and _THOUSANDS.fullmatch(digits):
        whole, thousand = digits.split(".")
        raise ValidationError(
            f"could mean {whole}{thousand} in a file separated by semicolons: "
            f"write {whole}{thousand} or {digits}0"
        )
    return Decimal(digits)


def _text_of_number(number: Decimal) -> str:
    """What a spreadsheet shows of a number that it made of digits in a column of texts."""
    if number.adjusted() >= _DIGITS:
        raise ValidationError(
            f"is a number of more than {_DIGITS} digits, of which a spreadsheet forgets some: "
            "format the column as text"
        )
    return f"{number.normalize():f}"
