"""``migrate`` while others are at work: it gives up, changes nothing, and can be run again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live import LEVELS, ROOT, Database


@pytest.fixture
def database(original, tmp_path) -> Iterator[Database]:
    database = Database(tmp_path, original)
    yield database
    database.drop()


def migrate(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "migrate", "--noinput", *arguments]
    environment = database.environment
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def applied(database: Database) -> set[str]:
    return {
        name
        for (name,) in database.query(
            "SELECT name FROM django_migrations WHERE app = 'inventory_levels'"
        )
    }


def vacuumed_from(database: Database) -> list[str] | None:
    """How many levels have to be written before PostgreSQL vacuums them, if not its default."""
    ((options,),) = database.query(
        f"SELECT reloptions FROM pg_class WHERE oid = '{LEVELS}'::regclass"
    )
    return options


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """As an import has the levels; on SQLite, where nobody else can write, as a download has."""
    with database.connect() as connection:
        connection.execute("BEGIN")
        if database.is_postgresql:
            connection.execute(f"LOCK TABLE {LEVELS} IN ROW EXCLUSIVE MODE")
        connection.execute(f"SELECT count(*) FROM {LEVELS}").fetchall()
        yield
        connection.execute("ROLLBACK")


def test_a_migration_that_waits_for_a_table_gives_up_and_can_be_run_again(database):
    everything = applied(database)
    assert migrate(database, "inventory_levels", "0001").returncode == 0
    assert applied(database) == {"0001_initial"}
    with writing(database):
        done = migrate(database, "--lock-timeout", "1")
    if database.is_postgresql:
        assert (done.returncode, applied(database)) == (1, {"0001_initial"})
        assert done.stderr == (
            "CommandError: Somebody held a table for longer than 1 s. What is not applied yet has "
            "changed nothing: run migrate again.\n"
        )
        assert "trigrams" not in str(database.query("SELECT indexname FROM pg_indexes"))
        assert vacuumed_from(database) is None
    again = migrate(database)
    assert (again.returncode, again.stderr) == (0, "")
    assert applied(database) == everything
    if database.is_postgresql:
        assert vacuumed_from(database) == [
            "autovacuum_vacuum_scale_factor=0.01",
            "autovacuum_vacuum_insert_scale_factor=0.01",
        ]
