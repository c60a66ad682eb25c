"""Stored records into files, chunk by chunk along an order, in constant memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
from typing import Any, BinaryIO

from django.db import connection
from django.db.models import QuerySet

from inventory_levels.files import copying, delimited, workbook
from inventory_levels.files.columns import Kind, Table
from inventory_levels.files.rows import Format
from inventory_levels.quantities import number
from inventory_levels.walk import in_order

# Rows a statement. No transaction spans two of them, so a slow download holds up nobody.
CHUNK = 2_000

Records = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Export:
    """Records of a table in an order.

    ``for_people``: with friendly headers, and in CSV the mark by which Excel knows UTF-8.
    ``tell`` hears how many more rows were read.
    """

    table: Table
    rows: QuerySet[Any]
    order: Sequence[str] | None = None
    descending: bool = False
    for_people: bool = False
    tell: Callable[[int], None] = lambda rows: None

    @property
    def keys(self) -> Sequence[str]:
        return self.order or self.table.order

    @property
    def header(self) -> list[str]:
        columns = self.table.columns
        return [column.header if self.for_people else column.name for column in columns]

    def chunks(self) -> Iterator[Records]:
        """The columns' values, rows by the thousand; each chunk is as it was when it was read."""
        paths = [column.path for column in self.table.columns]
        wanted = [*paths, *(key for key in self.keys if key not in paths)]
        places = [wanted.index(key) for key in self.keys]
        width, after = len(paths), None
        while True:
            ordered = in_order(self.rows, self.keys, descending=self.descending, after=after)
            records = list(ordered.values_list(*wanted)[:CHUNK])
            if records:
                after = [records[-1][place] for place in places]
                yield [record[:width] for record in records]
                self.tell(len(records))
            if len(records) < CHUNK:
                return

    @property
    def _walk(self) -> dict[str, Any]:
        return {"keys": self.keys, "descending": self.descending, "tell": self.tell}

    def csv(self) -> Generator[bytes, None, None]:
        if self.for_people:
            yield codecs.BOM_UTF8
        yield delimited.line(map(delimited.quoted, self.header)).encode()
        if connection.vendor == "postgresql":
            yield from copying.csv(self.rows, self.table.columns, **self._walk)
            return
        formats = _formats(self.table, _CSV)
        for chunk in self.chunks():
            yield "".join(
                delimited.line([f(v) for f, v in zip(formats, record, strict=True)])
                for record in chunk
            ).encode()

    def ndjson(self) -> Generator[bytes, None, None]:
        if connection.vendor == "postgresql":
            yield from copying.ndjson(self.rows, self.table.columns, **self._walk)
            return
        names = [column.name for column in self.table.columns]
        formats = _formats(self.table, _JSON)
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        for chunk in self.chunks():
            yield "".join(
                encode({n: f(v) for n, f, v in zip(names, formats, record, strict=True)}) + "\n"
                for record in chunk
            ).encode()

    def write(self, format_: Format, file: BinaryIO) -> None:
        """Write the whole file. Raises BadFile."""
        if format_ == "xlsx":
            self.xlsx(file)
        else:
            file.writelines(self.csv() if format_ == "csv" else self.ndjson())

    def xlsx(self, file: BinaryIO) -> None:
        """Write a workbook. Raises BadFile where it would be too large."""
        if self.rows.order_by()[: workbook.MAX_ROWS + 1].count() > workbook.MAX_ROWS:
            raise workbook.too_large()
        formats = _formats(self.table, _XLSX)
        chunks = (
            [[f(v) for f, v in zip(formats, record, strict=True)] for record in chunk]
            for chunk in self.chunks()
        )
        columns = self.table.columns
        workbook.write(file, self.table.name, columns, self.header, chunks)


class Begun:
    """A file in pieces, begun so far that what fails at once is still answered as an error.

    Whoever breaks it off closes it, as a response does: left to the garbage collector, the end of
    a generator could run amidst another statement of the connection.
    """

    def __init__(self, pieces: Generator[bytes, None, None], *, pieces_ready: int) -> None:
        self._pieces, self._ready = pieces, list(islice(pieces, pieces_ready))

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._ready, self._pieces)

    def close(self) -> None:
        self._pieces.close()


def _formats(table: Table, by_kind: dict[Kind, Callable[[Any], Any]]) -> list[Callable[[Any], Any]]:
    return [by_kind[column.kind] for column in table.columns]


def _time(moment: datetime) -> str:
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"


@lru_cache(10_000)
def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _same(value: Any) -> Any:
    return value


_CSV: dict[Kind, Callable[[Any], str]] = {
    "text": lambda value: "" if value is None else delimited.quoted(value),
    "word": lambda value: value or "",
    "quantity": _plain,
    "whole": lambda value: "" if value is None else str(value),
    "time": _time,
}
_JSON: dict[Kind, Callable[[Any], Any]] = {
    "text": _same,
    "word": _same,
    "quantity": number,
    "whole": _same,
    "time": _time,
}
_XLSX: dict[Kind, Callable[[Any], Any]] = {
    "text": _same,
    "word": _same,
    "quantity": lambda value: None if value is None else value.normalize(),
    "whole": lambda value: None if value is None else Decimal(value),
    "time": _time,
}
