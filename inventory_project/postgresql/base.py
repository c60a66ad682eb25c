"""Django's PostgreSQL backend, whose check of a kept connection costs no statement."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the server still holds the connection, and takes statements.

        A server that has gone has closed the socket, which can then be read; only where it can
        is the server asked.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return False
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        return not socket.poll(0) or super().is_usable()
