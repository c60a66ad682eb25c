"""Lines that PostgreSQL writes by itself: a tenth of the time that Python takes for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, TextField, Value

from inventory_levels.files.cells import FORMULA_STARTERS, NULL
from inventory_levels.files.columns import Column, Kind
from inventory_levels.walk import in_order

# Rows a statement: three megabytes, which leave the database before the client reads them.
CSV_CHUNK, JSON_CHUNK = 20_000, 5_000


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
    function, arity, output_field = "trim_scale", 1, TextField()


class _Time(Func):
    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    arity, output_field = 1, TextField()


class _Json(Func):
    template = "COALESCE(to_json(%(expressions)s), 'null')"
    arity, output_field = 1, TextField()


class _JsonNumber(_Json):
    template = "COALESCE(%(expressions)s::text, 'null')"


class _JsonWord(_Json):
    """A text that has nothing to escape."""

    template = """COALESCE('"' || %(expressions)s || '"', 'null')"""


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
    """Lines, many at a time; each piece is as the rows were when it was read.

    ``tell`` hears how many rows are in a piece.
    """
    after = None
    while True:
        rest = in_order(rows, keys, descending=descending, after=after)
        until = rest.values_list(*keys)[chunk - 1 : chunk].first()
        # Up to a row and not up to a number of rows: others may insert some meanwhile.
        part = in_order(rows, keys, descending=descending, after=after, until=until)
        lines, number = _copy(part.values_list(*cells), format_)
        tell(number)
        yield lines
        if until is None:
            return
        after = until


def _copy(rows: QuerySet[Any], format_: str) -> tuple[bytes, int]:
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # no row can fit the filters: there is nothing to ask for
        return b"", 0
    with _along_the_order(), connection.wrap_database_errors, connection.cursor() as cursor:
        statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT ({format_})", parameters)
        written = BytesIO()  # a list of so many lines takes twice the memory and time
        with cursor.copy(statement) as lines:
            written.writelines(lines)
        return written.getvalue(), cursor.rowcount


@contextmanager
def _along_the_order() -> Iterator[None]:
    """A block whose statements walk an index: the sort of such wide rows would go to disk."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        yield
