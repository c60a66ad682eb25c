"""The product as somebody meets it: a running server with the demo in it, and the demo's key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Api
from tests.live import Database, Server

LOAD = """
import django; django.setup()
from django.core.management import call_command
call_command("load_demo", key_file={key_file!r})
"""


@dataclass(frozen=True)
class Demo:
    """``folder`` has the key where ``script/server`` keeps it: in var/demo_api_key."""

    server: Server
    folder: Path
    key: str
    database: Database | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def api(self) -> Api:
        return self.server.api(self.key)


@contextmanager
def running_demo(original: Database, folder: Path) -> Iterator[Demo]:
    """On a database of its own, for who changes what others count on.

    Its log shows no error in the end.
    """
    database = Database(folder, original)
    try:
        key_file = folder / "var" / "demo_api_key"
        database.run(LOAD.format(key_file=str(key_file)))
        server = Server(database, folder / "log")
        try:
            yield Demo(server, folder, key_file.read_text().strip(), database)
        finally:
            exit_code = server.stop()
        assert (exit_code, server.complaints()) == (0, [])
    finally:
        database.drop()
