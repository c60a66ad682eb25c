"""Django's PostgreSQL backend, for prepared statements and connections that are kept."""

import select
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from django.db.backends.postgresql import base, operations
from django.db.utils import DataError
from psycopg import ClientCursor, Cursor, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult

BINARY = int(Format.BINARY)  # the quickest to read
# Statements that a connection keeps prepared; the one that was asked longest ago makes room.
MOST_PREPARED = 100
# What a plan is that knows another type of a column, or that the server has lost.
USELESS = (b"0A000", b"26000")

# Its name, and psycopg's Transformer of its rows.
_Statement = tuple[bytes, Any]
_NUMBERS = count()


class _LiteralCursor(Cursor[Any]):
    """Writes the parameters into the text, so that the planner knows them; reads in binary."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        text = ClientCursor(self.connection).mogrify(query, params)
        return super().execute(text.encode(), prepare=False, binary=True)


class PreparedCursor(_LiteralCursor):
    """By which a statement goes that would be prepared if nobody looked."""


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """For the log; psycopg doesn't tell the text of a statement that was prepared before."""
        told = super().last_executed_query(cursor, sql, params)
        return str(told or self.compose_sql(sql, params))


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: Any) -> Any:
        self._prepared: dict[str, _Statement] = {}
        connection: Any = super().get_new_connection(conn_params)
        self._socket = select.poll()
        self._socket.register(connection.fileno(), select.POLLIN)
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        # PGDATESTYLE comes before all settings, and json_sql.py takes times as they are written.
        # A pooler may not tell it.
        if not (self.connection.info.parameter_status("DateStyle") or "").startswith("ISO"):
            with self.cursor() as cursor:
                cursor.execute("SET DateStyle TO ISO")

    def fetch_planned(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement that is planned for these parameters.

        Raises Django's database errors.
        """
        return self._fetched(_LiteralCursor, sql, parameters)

    def fetch_prepared(self, sql: str, parameters: Sequence[str | None]) -> list[tuple[Any, ...]]:
        """The rows of a statement that is planned once a connection, for any parameters.

        By libpq itself: a cursor takes twice the CPU time of a small statement. Where somebody
        wants to see it, or it begins a transaction, it goes by one. Raises likewise.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self.queries_logged or self.execute_wrappers or self._begins():
            return self._fetched(PreparedCursor, sql, parameters)
        self.validate_no_broken_transaction()
        values = [_text(value) for value in parameters]
        with self.wrap_database_errors:
            known = self._prepared.pop(sql) if sql in self._prepared else self._prepare(sql)
            self._prepared[sql] = known  # as the latest
            name, transformer = known
            result = self.connection.pgconn.exec_prepared(name, values, result_format=BINARY)
            self._check(result)
            transformer.set_pgresult(result)
            rows: list[tuple[Any, ...]] = transformer.load_rows(0, result.ntuples, tuple)
            transformer.set_pgresult(None)  # which may be large
        return rows

    def _fetched(
        self, cursor_class: type[_LiteralCursor], sql: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        self.close_if_health_check_failed()
        self.ensure_connection()
        wrapped: Any = self  # Django's typing leaves out how it wraps a cursor
        with wrapped._prepare_cursor(cursor_class(self.connection)) as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def _begins(self) -> bool:
        """Whether the next statement is the first of a transaction, which psycopg would begin."""
        status = self.connection.pgconn.transaction_status
        return bool(status == TransactionStatus.IDLE and not self.connection.autocommit)

    def _prepare(self, sql: str) -> _Statement:
        if len(self._prepared) >= MOST_PREPARED:
            oldest, _ = self._prepared.pop(next(iter(self._prepared)))
            self._check(self.connection.pgconn.close_prepared(oldest))
        first, *others = sql.replace("%%", "%").split("%s")
        numbered = [f"${number}{text}" for number, text in enumerate(others, 1)]
        name = b"ours_%d" % next(_NUMBERS)
        text = "".join([first, *numbered]).encode()
        self._check(self.connection.pgconn.prepare(name, text))
        return name, Transformer(self.connection)

    def _check(self, result: PGresult) -> None:
        """Raise what the server refused, as psycopg does."""
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return
        if result.error_field(DiagnosticField.SQLSTATE) in USELESS:
            self._prepared.clear()
        if self.connection.pgconn.status == ConnStatus.BAD:
            raise OperationalError(self.connection.pgconn.get_error_message())
        raise error_from_result(result)

    def is_usable(self) -> bool:
        """Whether the server still holds the connection and takes statements; asks it for none.

        A server that has gone has closed the socket, which can then be read; only where it can
        is the server asked. A connection older than CONN_MAX_AGE is none to begin a request with:
        a firewall may have forgotten it, and told nobody.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.close_at is not None and time.monotonic() >= self.close_at:
            return False
        status = self.connection.pgconn.transaction_status
        if status not in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            return False
        return not self._socket.poll(0) or super().is_usable()


def _text(value: str | None) -> bytes | None:
    """As libpq takes it, which would end at the first NUL."""
    text = None if value is None else value.encode()
    if text and b"\0" in text:
        raise DataError("a text holds NUL")
    return text
