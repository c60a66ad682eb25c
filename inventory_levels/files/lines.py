"""Lines of text out of a binary file, never the whole file at once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from inventory_levels.files.refusals import bad_row

# Characters a line may have: far more than any row has, far less than memory.
MAX_LINE = 1024 * 1024
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def lines(file: BinaryIO, row: Callable[[], int]) -> Iterator[str]:
    """The lines, their ends included, without the byte order mark.

    Raises BadFile, which names the ``row`` that was being read, where a byte is not UTF-8.
    """
    # newline="": a carriage return inside a quoted cell is part of its text.
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    try:
        while line := text.readline(MAX_LINE + 1):
            if not line.isascii() and (found := _NOT_UTF8.search(line)):
                byte = ord(found[0]) - 0xDC00
                raise bad_row(
                    row(),
                    f"is not UTF-8: byte 0x{byte:02X} after {line[: found.start()][-20:]!r}. "
                    "Save the file as CSV UTF-8",
                )
            if len(line) > MAX_LINE:
                raise bad_row(row(), f"has a line of more than {MAX_LINE} characters")
            yield line
    finally:
        if not file.closed:
            text.detach()  # or the wrapper would close the file, which is the caller's
