"""What counts as text, what as a number in it, and columns that compare it exactly."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# Control characters other than tab, line feed and carriage return; halves of surrogate pairs;
# U+FFFE and U+FFFF. None of them is text, and each breaks some file or database downstream.
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# Characters that a person searches for at most.
LONGEST_SEARCH = 1_000


def is_text(value: str) -> None:
    """Raise ValidationError for a value that holds what is no text."""
    if NOT_TEXT.search(value):
        raise ValidationError("must not hold control characters or broken Unicode", "not_text")


def whole_number(text: str, digits: int = 18) -> int | None:
    """The number that a request's text is, if it has no more digits; 18 fit into any column."""
    fits = text.isascii() and text.isdecimal() and len(text) <= digits
    return int(text) if fits else None


def may_be_found(text: str) -> bool:
    """Whether anything can have a name like this; databases fail at searching for the others."""
    return len(text) <= LONGEST_SEARCH and not NOT_TEXT.search(text)


class ExactCharField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """Text that compares exactly and sorts by code point, whatever the database's locale."""

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
