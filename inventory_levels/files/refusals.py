"""Why a whole file is refused, before any of its rows counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inventory_levels.refusals import Refusal


class BadFile(Refusal):
    """The file can't be read, or its header says that it is another one. Nothing was written."""

    def __init__(self, sentence: str, details: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(sentence, details)


def bad_row(number: int, problem: str) -> BadFile:
    """Where one row makes the rest of the file unreadable."""
    return BadFile(f"Row {number} {problem}", {f"row {number}": [problem]})
