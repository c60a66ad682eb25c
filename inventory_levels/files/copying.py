"""Lines that PostgreSQL writes by itself: a tenth of the time that Python takes for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from csv import reader
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, TextField, Value

from inventory_levels import json_sql
from inventory_levels.files.cells import FORMULA_STARTERS, NULL, unescaped
from inventory_levels.files.columns import Column, Kind
from inventory_levels.walk import in_order

# Rows a statement: eight megabytes, which leave the database before the client reads them.
CSV_CHUNK, JSON_CHUNK = 40_000, 15_000
# Lines handed on at a time.
_PIECE = 500


class _Escaped(Func):
    """What ``cells.escaped`` does."""

    _starters = [ord(starter) for starter in ("'", *FORMULA_STARTERS)]
    # Most texts begin with a letter, which is known sooner than that it is none of seven.
    template = (
        f"CASE WHEN ascii(%(expressions)s) <= {max(_starters)} "
        f"AND ascii(%(expressions)s) IN ({', '.join(map(str, _starters))}) "
        f"OR %(expressions)s = '{NULL}' "
        "THEN chr(39) || %(expressions)s ELSE %(expressions)s END"
    )
    arity, output_field = 1, TextField()


class _Quantity(Func):
    template = json_sql.QUANTITY.format("%(expressions)s")
    arity, output_field = 1, TextField()


class _Time(_Quantity):
    template = json_sql.TIME.format("%(expressions)s")


class _Json(_Quantity):
    template = json_sql.or_null(json_sql.TEXT.format("%(expressions)s"))


class _JsonNumber(_Quantity):
    template = json_sql.or_null(json_sql.NUMBER.format("%(expressions)s"))


class _JsonWord(_Quantity):
    template = json_sql.or_null(json_sql.WORD.format("%(expressions)s"))


_CSV: dict[Kind, Any] = {
    "text": _Escaped,
    "quantity": _Quantity,
    "word": F,
    "whole": F,
    "time": _Time,
}
_JSON: dict[Kind, Any] = {
    "text": _Json,
    "quantity": lambda path: _JsonNumber(_Quantity(path)),
    "word": _JsonWord,
    "whole": _JsonNumber,
    "time": lambda path: _JsonWord(_Time(path)),
}
# JSON has no such characters but escaped, so that nothing is quoted once more.
_BARE = r"FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01'"


def csv(rows: QuerySet[Any], columns: Sequence[Column], **walk: Any) -> Iterator[bytes]:
    """Lines, see ``_pieces``."""
    cells = [_CSV[column.kind](column.path) for column in columns]
    place = [column.path for column in columns].index("public_id")

    def id_in(line: str) -> str:
        (record,) = reader([line])
        return unescaped(record[place])

    return _pieces(rows, cells, chunk=CSV_CHUNK, id_in=id_in, **walk)


def ndjson(rows: QuerySet[Any], columns: Sequence[Column], **walk: Any) -> Iterator[bytes]:
    """Lines, see ``_pieces``."""
    members = ",".join(f'"{column.name}":%s' for column in columns)
    values = [_JSON[column.kind](column.path) for column in columns]
    line = Func(Value(f"{{{members}}}"), *values, function="format", output_field=TextField())
    (name,) = (column.name for column in columns if column.path == "public_id")

    def id_in(line: str) -> str:
        return str(json.loads(line)[name])

    return _pieces(rows, [line], chunk=JSON_CHUNK, id_in=id_in, format_=_BARE, **walk)


def _pieces(
    rows: QuerySet[Any],
    cells: Sequence[Any],
    *,
    chunk: int,
    id_in: Callable[[str], str],
    keys: Sequence[str],
    descending: bool,
    tell: Callable[[int], None],
    format_: str = "FORMAT csv",
) -> Iterator[bytes]:
    """Lines, a chunk of them at a time; each chunk is as the rows were when it was read.

    ``tell`` hears how many rows are in a chunk. The next one begins after the row whose id is in
    the last line: to look for its end beforehand would read the order twice.
    """
    after, size = None, -(-chunk // 4)  # the first is short, so that it comes soon
    while True:
        rest = in_order(rows, keys, descending=descending, after=after)
        with _at_one_moment():
            pieces, last, number = _copied(rest.values_list(*cells)[:size], format_)
            if number == size:
                after = rows.values_list(*keys).get(public_id=id_in(last))
        tell(number)
        yield from pieces
        del pieces  # two chunks needn't be in memory
        if number < size:
            return
        size = chunk


def _copied(rows: QuerySet[Any], format_: str) -> tuple[list[bytes], str, int]:
    """Some lines at a time, the last of all, and how many there are."""
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # no row can fit the filters: there is nothing to ask for
        return [], "", 0
    pieces, last = [], b""
    with connection.wrap_database_errors, connection.cursor() as cursor:
        statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT ({format_})", parameters)
        with cursor.copy(statement) as lines:
            # Pieces: to let one buffer grow takes twice the memory, as does to send it.
            while some := list(islice(lines, _PIECE)):
                pieces.append(b"".join(some))
                last = bytes(some[-1])
        return pieces, last.decode(), cursor.rowcount


@contextmanager
def _at_one_moment() -> Iterator[None]:
    """A transaction that sees the rows as they were when it began.

    Its statements walk an index, by themselves: the sort of such wide rows would go to disk, and
    to start other processes for a chunk takes longer than they save.
    """
    level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
    begins = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"{level if begins else ''} SET LOCAL enable_sort = off;"
            " SET LOCAL max_parallel_workers_per_gather = 0"
        )
        yield
