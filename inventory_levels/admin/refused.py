"""Why rows of a file are refused, in words: by the columns' headers, and by who was quicker."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from inventory_levels.admin.words import Entry, changes_since, told
from inventory_levels.files.columns import Table
from inventory_levels.imports import RowResult
from inventory_levels.refusals import PreconditionFailed, Refusal
from inventory_levels.staging import FileRow

# Characters of a value that a page shows.
LONGEST = 200
CHANGED = "has changed since the preview"
MADE = "somebody else has made it since the preview"


def reasons(refusal: Refusal, table: Table) -> list[tuple[str, str]]:
    """What is wrong, by the columns' headers; without a column where it is about the row."""
    found = [
        (_header(name, table), friendly("; ".join(messages), table))
        for name, messages in (refusal.details or {}).items()
        if not isinstance(messages, int)
    ]
    return found or [("", friendly(refusal.sentence, table))]


def friendly(text: str, table: Table) -> str:
    """The sentence with the columns' headers in place of their names in the API."""
    headers = {
        name: column.header
        for name, column in table.by_name.items()
        if _is_code(name) or column.header.isupper()
    }
    return re.sub(rf"\b({'|'.join(headers)})\b", lambda found: headers[found[0]], text)


def _is_code(name: str) -> bool:
    return any(letter.isupper() for letter in name)


def _header(name: str, table: Table) -> str:
    """Of what readers say about the whole row they say it under "row"."""
    column = table.by_name.get(name)
    return column.header if column else "" if name in ("row", "line") else name


def called(row: Any) -> str:
    """What a row is about, as the file says it: there may be nothing of that name."""
    if isinstance(row, FileRow):
        product, location = row.sku or row.product, row.location_name or row.location
        return " at ".join(filter(None, [product, location]))
    values = row.row.values
    return str(values.get("global_sku") or values.get("name") or row.row.public_id or "")


def refused_rows(results: Sequence[RowResult], table: Table) -> list[dict[str, Any]]:
    """The rows as a page lists them; rows that others were quicker with tell by whom."""
    changes = _later_changes(results)
    return [
        {
            "number": result.number,
            "name": called(result.row),
            "reasons": [
                {"column": column, "reason": shortened(reason)}
                for column, reason in _reasons_of(result, table, changes)
            ],
        }
        for result in results
    ]


def why(result: RowResult, table: Table) -> list[tuple[str, str]]:
    """Likewise, without asking the history."""
    return _reasons_of(result, table, {})


def _reasons_of(
    result: RowResult, table: Table, changes: dict[str, list[Entry]]
) -> list[tuple[str, str]]:
    assert result.refusal
    if not _was_overtaken(result):
        return reasons(result.refusal, table)
    row = result.row
    if isinstance(row, FileRow):
        later = changes.get(row.level or "", [])
        return [("", told(later) or (CHANGED if row.version else MADE))]
    return [("", CHANGED if row.row.made_from else MADE)]


def _was_overtaken(result: RowResult) -> bool:
    """Whether a row that is tied to what was shown is refused because that has moved on."""
    if isinstance(result.refusal, PreconditionFailed):
        return True
    # Deleted and made again: then it has another id than the one that was shown.
    is_tied = isinstance(result.row, FileRow) and result.row.version is not None
    return is_tied and result.refusal is not None and "id" in (result.refusal.details or {})


def _later_changes(results: Sequence[RowResult]) -> dict[str, list[Entry]]:
    """Of the levels that rows of the file were tied to, and that have moved on."""
    return changes_since(
        {
            row.level: row.version
            for one in results
            if _was_overtaken(one)
            and isinstance(row := one.row, FileRow)
            and row.level
            and row.version
        }
    )


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
