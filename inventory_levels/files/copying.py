"""Lines that PostgreSQL writes by itself: a tenth of the time that Python takes for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, TextField, Value

from inventory_levels import json_sql
from inventory_levels.files.cells import FORMULA_STARTERS, NULL
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
    return _pieces(rows, cells, chunk=CSV_CHUNK, **walk)


def ndjson(rows: QuerySet[Any], columns: Sequence[Column], **walk: Any) -> Iterator[bytes]:
    """Lines, see ``_pieces``."""
    members = ",".join(f'"{column.name}":%s' for column in columns)
    values = [_JSON[column.kind](column.path) for column in columns]
    line = Func(Value(f"{{{members}}}"), *values, function="format", output_field=TextField())
    return _pieces(rows, [line], chunk=JSON_CHUNK, format_=_BARE, **walk)


def _pieces(
    rows: QuerySet[Any],
    cells: Sequence[Any],
    *,
    chunk: int,
    keys: Sequence[str],
    descending: bool,
    tell: Callable[[int], None],
    format_: str = "FORMAT csv",
) -> Iterator[bytes]:
    """Lines, a chunk of them at a time; each chunk is as the rows were when it was read.

    ``tell`` hears how many rows are in a chunk.
    """
    after, size = None, -(-chunk // 4)  # the first is short, so that it comes soon
    while True:
        rest = in_order(rows, keys, descending=descending, after=after)
        until = rest.values_list(*keys)[size - 1 : size].first()
        # Up to a row and not up to a number of rows: others may insert some meanwhile.
        part = in_order(rows, keys, descending=descending, after=after, until=until)
        yield from _copied(part.values_list(*cells), format_, tell)
        if until is None:
            return
        after, size = until, chunk


def _copied(rows: QuerySet[Any], format_: str, tell: Callable[[int], None]) -> Iterator[bytes]:
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # no row can fit the filters: there is nothing to ask for
        return
    with _along_the_order(), connection.wrap_database_errors, connection.cursor() as cursor:
        statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT ({format_})", parameters)
        with cursor.copy(statement) as lines:
            # Pieces: to let one buffer grow takes twice the memory, as does to send it.
            pieces = list(iter(lambda: b"".join(islice(lines, _PIECE)), b""))
        number = cursor.rowcount
    tell(number)
    yield from pieces


@contextmanager
def _along_the_order() -> Iterator[None]:
    """A block whose statements walk an index, by themselves.

    The sort of such wide rows would go to disk, and to start other processes for a chunk takes
    longer than they save.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0")
        yield
