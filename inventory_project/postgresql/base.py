"""Django's PostgreSQL backend, for prepared statements and connections that are kept."""

import select
from typing import Any

from django.db.backends.postgresql import base, operations
from psycopg.pq import TransactionStatus


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """For the log; psycopg doesn't tell the text of a statement that was prepared before."""
        told = super().last_executed_query(cursor, sql, params)
        return str(told or self.compose_sql(sql, params))


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Whether the server still holds the connection and takes statements; asks it for none.

        A server that has gone has closed the socket, which can then be read; only where it can
        is the server asked.
        """
        if self.connection is None or self.connection.closed:
            return False
        status = self.connection.info.transaction_status
        if status not in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            return False
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        return not socket.poll(0) or super().is_usable()
