"""The product as it runs: gunicorn with several workers, on a migrated database of its own.

For what one process with one connection can't show: races, locks, signals, sockets.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from tests.conftest import Api

ROOT = Path(__file__).resolve().parent.parent
ANSWER = TypeVar("ANSWER")
State = dict[str, Any]

ORGANIZATIONS = "organizations_organization"
KEYS = "organizations_apikey"
PRODUCTS = "inventory_levels_productmaster"
LOCATIONS = "inventory_levels_location"
LEVELS = "inventory_levels_inventorylevel"
HISTORY = "inventory_levels_levelchange"
MIB = 1024 * 1024

# Makes Acme, the cast of all tests, and tells its keys: two that write, as two clients have.
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.conftest import issue_key, make_acme
acme = make_acme()
print(issue_key(acme.organization), issue_key(acme.organization))
"""


class Database:
    """A migrated database with Acme in it, on the engine that the tests run on; or a copy of
    another one, to which nobody may be connected: migrating takes seconds."""

    def __init__(self, folder: Path, original: Database | None = None) -> None:
        self.name = f"live_{uuid4().hex}"
        self.path = folder / f"{self.name}.sqlite3"
        self.config = settings.DATABASES["default"]
        self.is_postgresql = "postgresql" in self.config["ENGINE"]
        if self.is_postgresql:
            template = f" TEMPLATE {original.name}" if original else ""
            self._on_the_server(f"CREATE DATABASE {self.name}{template}")
        elif original:
            shutil.copy(original.path, self.path)
        if original:
            self.key, self.other_key = original.key, original.other_key
        else:
            self.key, self.other_key = self.run(PREPARE).split()

    @property
    def url(self) -> str:
        if not self.is_postgresql:
            return f"sqlite:///{self.path}"
        user, password, host = (
            quote(str(self.config[name] or ""), safe="") for name in ("USER", "PASSWORD", "HOST")
        )
        who = f"{user}:{password}" if password else user
        return f"postgres://{who}@{host}:{self.config['PORT'] or 5432}/{self.name}"

    def drop(self) -> None:
        if self.is_postgresql:
            self._on_the_server(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _on_the_server(self, statement: str) -> None:
        with closing(self._connect_postgresql("postgres")) as connection:
            connection.execute(statement)

    def _connect_postgresql(self, name: str) -> psycopg.Connection[Any]:
        config = self.config
        return psycopg.connect(
            dbname=name,
            user=config["USER"] or None,
            password=config["PASSWORD"] or None,
            host=config["HOST"] or None,
            port=config["PORT"] or None,
            autocommit=True,
        )

    def run(self, script: str) -> str:
        """Run Python with this database as the product's; answers what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "inventory_project.settings",
            "DEBUG": "0",
            "HTTPS": "0",
            "SECRET_KEY": "only-for-tests-" + "x" * 50,
            "ALLOWED_HOSTS": "127.0.0.1",
            "RATE_LIMIT_PER_MINUTE": "0",
        }

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A connection of our own, beside the server's, without a transaction."""
        if self.is_postgresql:
            connection: Any = self._connect_postgresql(self.name)
        else:
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        with closing(connection):
            yield connection

    def execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return list(connection.execute(sql).fetchall())

    @contextmanager
    def locked_row(self, table: str, public_id: str) -> Iterator[None]:
        """As ``locked``, for one row."""
        with self.locked(f"{table} WHERE public_id = '{public_id}'"):
            yield

    @contextmanager
    def referred_to(self, rows: str) -> Iterator[Any]:
        """Hold these rows as a slow writer of levels would that refer to them; on SQLite, whose
        one lock would be on everything, only read them."""
        with self.connect() as connection:
            connection.execute("BEGIN")
            hold = " FOR KEY SHARE" if self.is_postgresql else ""
            assert connection.execute(f"SELECT 1 FROM {rows}{hold}").fetchall()
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def locked(self, rows: str) -> Iterator[None]:
        """Keep a lock as a slow writer would: on these rows ("table WHERE ..."), or on SQLite,
        which has only one, on everything."""
        with self.connect() as connection:
            connection.execute("BEGIN" if self.is_postgresql else "BEGIN IMMEDIATE")
            if self.is_postgresql:
                assert connection.execute(f"SELECT 1 FROM {rows} FOR UPDATE").fetchall()
            yield
            connection.execute("ROLLBACK")


@dataclass(frozen=True)
class Answer:
    """What a client got, with the names that Django's test client has for it."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.content)


class Server:
    """gunicorn with several workers on a free port of 127.0.0.1."""

    def __init__(self, database: Database, log: Path, workers: int = 2, **environment: str) -> None:
        self.log = log
        self.lines_seen = 0
        command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
        command += ["--bind", "127.0.0.1:0", "--workers", str(workers), "--threads", "4"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "inventory_project.wsgi"],
                cwd=ROOT,
                env=database.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A process group of its own, as a terminal gives it, and apart from ours.
                start_new_session=True,
            )
        try:
            self.port = self._port()
            self._wait_until_healthy()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _patiently(self, ask: Callable[[], ANSWER | None]) -> ANSWER:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if (answer := ask()) is not None:
                return answer
            time.sleep(0.02)
        raise AssertionError(f"the server did not start\n{self.log.read_text()}")

    def _port(self) -> int:
        def ask() -> int | None:
            found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.log.read_text())
            return int(found[1]) if found else None

        return self._patiently(ask)

    def _wait_until_healthy(self) -> None:
        def ask() -> bool | None:
            try:
                return self.send("GET", "/healthz").status_code == 200 or None
            except OSError:
                return None

        self._patiently(ask)

    def connection(self, timeout: float = 60) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        start = time.monotonic()
        with closing(self.connection()) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
        return Answer(response.status, response.headers, content, time.monotonic() - start)

    def generic(
        self, method: str, path: str, data: bytes, content_type: str, headers: dict[str, str]
    ) -> Answer:
        """What ``Api`` asks of its client."""
        if content_type:
            headers = {"Content-Type": content_type, **headers}
        return self.send(method, path, data or None, headers)

    def api(self, key: str) -> Api:
        return Api(key, client=self)  # type: ignore[arg-type]

    def tell(self, signum: int) -> None:
        """Send a signal: Ctrl-C as a terminal does, to the whole group, else to the master."""
        if signum == signal.SIGINT:
            os.killpg(self.process.pid, signum)
        else:
            self.process.send_signal(signum)

    def stop(self) -> int:
        """Stop as an operator would; answers the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"the server did not stop\n{self.log.read_text()}") from None

    def complaints(self) -> list[str]:
        """Lines that came into the log since the last call and should have woken an operator."""
        alarming = re.compile(r"\b(ERROR|CRITICAL)\b|^Traceback")
        lines = self.log.read_text().splitlines()
        new, self.lines_seen = lines[self.lines_seen :], len(lines)
        return [line for line in new if alarming.search(line)]


def together(*calls: Callable[[], ANSWER]) -> list[ANSWER]:
    """Make calls at the same moment, each in a thread; their answers in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], ANSWER]) -> ANSWER:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


class InBackground(threading.Thread):
    """A request that is under way while the test goes on."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.answer: Any = None
        self.start()

    def run(self) -> None:
        self.answer = self.call()

    def result(self) -> Any:
        self.join(60)
        assert self.answer is not None, "no answer"
        return self.answer


class Race:
    """Two calls at the same moment, round after round.

    Who lost a round starts a little earlier in the next one, so that they keep meeting.
    """

    def __init__(self) -> None:
        self.head_start = 0.0  # seconds; of the second call where negative
        self.won = [0, 0]

    def run(self, one: Callable[[], ANSWER], other: Callable[[], ANSWER]) -> tuple[ANSWER, ANSWER]:
        def late(seconds: float, call: Callable[[], ANSWER]) -> ANSWER:
            time.sleep(max(0.0, seconds))
            return call()

        first, second = together(
            partial(late, -self.head_start, one), partial(late, self.head_start, other)
        )
        return first, second

    def note_winner(self, winner: int) -> None:
        self.won[winner] += 1
        self.head_start += 0.0004 if winner else -0.0004

    @property
    def was_close(self) -> bool:
        return min(self.won) > 0


def new_product(api: Api, public_id: str) -> str:
    body = {"id": public_id, "globalSku": public_id, "productName": public_id}
    assert api.post("/products", body).status_code == 201
    return public_id


def new_location(api: Api, public_id: str, parent: str | None = None) -> str:
    body = {"id": public_id, "name": public_id, "parentId": parent}
    assert api.post("/locations", body).status_code == 201
    return public_id


def new_level(api: Api, product: str, location: str = "loc_123", **settings: Any) -> State:
    body = {"productMasterId": product, "locationId": location, **settings}
    answer = api.post("/inventory-levels", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def everything(api: Api, path: str) -> list[State]:
    """All items of a list."""
    items: list[State] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(f"{path}?limit=500&cursor={cursor}").json()
        items += answer["items"]
        cursor = answer["pagination"]["nextCursor"]
    return items


def codes(answers: Iterable[Any]) -> Counter[Any]:
    """How often each status came, with its error code where it has one."""
    return Counter(
        (answer.status_code, answer.json()["code"])
        if answer.status_code >= 400
        else answer.status_code
        for answer in answers
    )


# One of each for all tests, as they take seconds to start: tests keep to names of their own.


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """What ``Database`` copies; nobody connects to it."""
    database = Database(tmp_path_factory.mktemp("original"))
    yield database
    database.drop()


@pytest.fixture(scope="session")
def live_database(
    original: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A migrated database with Acme in it, and nothing but what tests wrote by the API."""
    database = Database(tmp_path_factory.mktemp("live"), original)
    yield database
    database.drop()


@pytest.fixture(scope="session")
def server(live_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The running product."""
    running = Server(live_database, tmp_path_factory.mktemp("server") / "log")
    yield running
    assert running.stop() == 0


@pytest.fixture
def live_api(server: Server, live_database: Database) -> Iterator[Api]:
    """Acme's ERP, against the running product, whose log shows no error after the test."""
    server.complaints()  # of a test before
    yield server.api(live_database.key)
    assert server.complaints() == []
