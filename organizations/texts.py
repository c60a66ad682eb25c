"""What counts as text, and columns that compare it exactly."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# Control characters other than tab, line feed and carriage return; halves of surrogate pairs;
# U+FFFE and U+FFFF. None of them is text, and each breaks some file or database downstream.
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def is_text(value: str) -> None:
    """Raise ValidationError for a value that holds what is no text."""
    if NOT_TEXT.search(value):
        raise ValidationError("must not hold control characters or broken Unicode", "not_text")


class ExactCharField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """Text that compares exactly and sorts by code point, whatever the database's locale."""

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
