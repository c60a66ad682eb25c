"""JSON that PostgreSQL writes: the SQL of a value's text in it, by what the value is.

``{}`` stands for the value. It takes a third of the time that Python takes for a list's rows, and a
tenth for an export's.
"""

from __future__ import annotations

from typing import Any

from django.db import models

# A quantity without the zeros behind its last digit.
QUANTITY = "trim_scale({})"
# A moment with six decimals. Its own text, in the style that connections have, takes half the time,
# but lacks a zero at its end: one in ten does.
TIME = """CASE WHEN {0}::timestamptz(5) <> {0}
THEN replace(({0} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'
ELSE to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END"""

TEXT = "to_json({})::text"
NUMBER = "{}::text"
# A text that has nothing to escape.
WORD = """'"' || {} || '"'"""


def or_null(text: str) -> str:
    return f"COALESCE({text}, 'null')"


def of_column(field: models.Field[Any, Any], name: str) -> str:
    """The text of a column of this name, null where it is."""
    if isinstance(field, models.DecimalField):
        return NUMBER.format(QUANTITY.format(name))
    if isinstance(field, models.DateTimeField):
        return WORD.format(TIME.format(name))
    if isinstance(field, models.IntegerField):
        return NUMBER.format(name)
    return (WORD if field.choices or field.name == "public_id" else TEXT).format(name)
