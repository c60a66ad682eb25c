"""NDJSON: a JSON object a line, with the columns' names and JSON's own types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError

from inventory_levels.files.cells import BLANK
from inventory_levels.files.columns import NEVER, Column
from inventory_levels.files.lines import lines
from organizations import exact_json


def read(file: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any], str]]:
    """The lines' numbers, objects, and what is wrong with a line; empty lines are left out.

    Raises BadFile where a line is not UTF-8.
    """
    number = 0
    text = lines(file, lambda: number + 1)
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            value = exact_json.loads(line)
        except ValueError as error:
            yield number, {}, f"is not JSON: {error}"
            continue
        if isinstance(value, Mapping):
            yield number, value, ""
        else:
            yield number, {}, "must be a JSON object"


def value_of(value: Any, column: Column) -> Any:
    """The value of a member; BLANK where the column is ignored. Raises ValidationError."""
    if column.read is None:
        return BLANK
    if value is None or (value == "" and column.empty_clears):
        if column.null_means is NEVER:
            raise ValidationError("must not be null")
        return column.null_means
    return column.read(value)
