"""Statements that requests run again and again, and what their rows are made into.

PostgreSQL plans each of them once a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connection, connections, models
from django.db.models.expressions import Col


def fetch(sql: str, parameters: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that is planned once, for any parameters.

    Raises Django's database errors, as ``fetch_once`` does.
    """
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return _fetched(database, sql, parameters)
    # All of them texts: one plan serves, whichever are null and however large numbers are.
    texts = [None if value is None else str(value) for value in parameters]
    ask: Callable[[], list[tuple[Any, ...]]] = partial(database.fetch_prepared, sql, texts)
    try:
        return ask()
    except NotSupportedError:
        # A migration has changed the type of a column that the plan knows: plan again.
        if database.in_atomic_block:
            raise
        database.close()
        return ask()


def fetch_once(sql: str, parameters: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that is planned for these parameters."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return _fetched(database, sql, parameters)
    rows: list[tuple[Any, ...]] = database.fetch_planned(sql, tuple(parameters))
    return rows


def _fetched(database: Any, sql: str, parameters: Iterable[Any]) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(sql, tuple(parameters))
        return list(cursor.fetchall())


@dataclass(frozen=True)
class Lookup:
    """What there is of one thing in the organization ``here``: one row, of nulls where nothing is.

    ``joins`` are outer ones; they take parameters, ``columns`` don't.
    """

    columns: str
    joins: str

    def row(self, organization_id: int, parameters: Iterable[Any]) -> Sequence[Any]:
        here = "(SELECT CAST(%s AS bigint) AS organization_id) here"
        (row,) = fetch(
            f"SELECT {self.columns} FROM {here} {self.joins}", [organization_id, *parameters]
        )
        return row


# A lookup and its parameters.
Question = tuple[Lookup, Sequence[Any]]


class Columns:
    """Columns in a statement, each of a table by its alias, and their values as Python's."""

    def __init__(self, columns: Iterable[tuple[str, Any]]) -> None:
        self._columns = [Col(alias, field) for alias, field in columns]
        self.sql = ", ".join(map(_as_read, self._columns))

    def __len__(self) -> int:
        return len(self._columns)

    def values(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._converters:
            return row
        values = list(row)
        for place, convert, column in self._converters:
            values[place] = convert(values[place], column, connection)
        return values

    @cached_property
    def _converters(self) -> list[tuple[int, Any, Any]]:
        """What the values still need, by place. On PostgreSQL psycopg has done most of it."""
        return [
            (place, convert, column)
            for place, column in enumerate(self._columns)
            if connection.vendor != "postgresql" or _is_json(column)
            for convert in (
                *connection.ops.get_db_converters(column),
                *column.get_db_converters(connection),
            )
        ]


def _is_json(column: Col) -> bool:
    return isinstance(column.target, models.JSONField)


def _as_read(column: Col) -> str:
    """JSON as a text: then a row can be looked up in a cache."""
    name = f"{column.alias}.{column.target.column}"
    return f"CAST({name} AS text)" if _is_json(column) else name


class Instances(Columns):
    """All columns of a model, and the instance that their values make."""

    def __init__(self, model: type[models.Model], alias: str) -> None:
        fields = [field for field in model._meta.concrete_fields if not field.generated]
        super().__init__((alias, field) for field in fields)
        self.model, self.alias = model, alias
        self.names = [field.attname for field in fields]

    def instance(self, row: Sequence[Any]) -> Any:
        """None where an outer join has found none."""
        if row[0] is None:
            return None
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, self.values(row))


def instances(row: Sequence[Any], *parts: Instances) -> list[Any]:
    """Those of a row that is made of these parts' columns."""
    found, start = [], 0
    for part in parts:
        end = start + len(part)
        found.append(part.instance(row[start:end]))
        start = end
    return found
