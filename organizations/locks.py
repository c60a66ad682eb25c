"""Statements that would rather fail than wait for a lock, and those that may take their time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection, transaction


@contextmanager
def without_waiting() -> Iterator[None]:
    """Inside, a statement that meets a lock raises DatabaseError at once."""
    if connection.vendor == "sqlite":
        with _sqlite_gives_up_at_once():
            yield
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            (patience,) = cursor.fetchone()
            set_timeout = "SELECT set_config('lock_timeout', %s, true)"
            cursor.execute(set_timeout, ["1ms"])
            yield
            cursor.execute(set_timeout, [patience])  # the transaction may be part of another


@contextmanager
def _sqlite_gives_up_at_once() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (patience,) = cursor.fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")


@contextmanager
def unhurried() -> Iterator[None]:
    """Inside, a statement may take longer than STATEMENT_TIMEOUT: for exports and imports."""
    if connection.vendor == "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        with suppress(Error), connection.cursor() as cursor:  # of a connection that may be gone
            cursor.execute("RESET statement_timeout")
