#!/usr/bin/env python3
"""Does anything get lost when things break under load? Prints figures; ends with 1 if so.

    PG_DURABLE=1 script/postgres .venv/bin/python benchmarks/faults.py
    PG_DURABLE=1 script/postgres .venv/bin/python benchmarks/faults.py --only kill --seconds 20

Each scenario has gunicorn as it is shipped, a database of its own and writers that never stop:
some PATCH levels that they share, some send bulk requests of 20. Every write carries a text that
no other write has, so that what was acknowledged is looked for by itself in the history, and a
retry hides no loss.

kill     a worker is killed (-9), again and again
reload   SIGHUP, as for a new version, again and again: no request fails
stop     PostgreSQL is stopped at once and started again: 503 with Retry-After, then as before
crowd    50 writers beside two imports of the same levels in opposite orders
full     somebody else takes every connection of PostgreSQL

After each: every acknowledged write is in the history, no bulk request is there in part, every
level is what its history leads to, and no answer was a 500. ``stop`` and ``full`` need PostgreSQL.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

import django  # noqa: E402
import psycopg  # noqa: E402

django.setup()

from tests.live import HISTORY, Database, Server, new_level, new_product  # noqa: E402
from tests.replay import assert_history_agrees  # noqa: E402

SHARED, BULK = 10, 20
PLACES = ("loc_123", "loc_456")


class Load:
    """Writers, what they were told, and what of it was acknowledged."""

    def __init__(self, database: Database, server: Server) -> None:
        self.database, self.server = database, server
        self.answers: Counter[str] = Counter()
        self.acknowledged: set[str] = set()
        self.refusals: list[str] = []
        self.last_success = 0.0
        self.longest_gap = 0.0
        self.done = threading.Event()
        self.lock = threading.Lock()
        api = server.api(database.key)
        products = [new_product(api, f"prod_{number}") for number in range(SHARED)]
        self.levels = [str(new_level(api, product)["id"]) for product in products]
        self.products = products

    def patch(self, writer: int) -> None:
        chance, number = random.Random(writer), 0
        while not self.done.is_set():
            number += 1
            text = f"patch-{writer}-{number}"
            path = f"/api/inventory-levels/{chance.choice(self.levels)}"
            self._send(text, "PATCH", path, {"comments": text})

    def bulk(self, writer: int) -> None:
        number = 0
        products = [f"bulk_{writer}_{n}" for n in range(BULK // 2)]
        catalog = [{"id": id_, "globalSku": id_, "productName": id_} for id_ in products]
        self._send(f"products-{writer}", "POST", "/api/products/bulk", {"items": catalog})
        while not self.done.is_set():
            number += 1
            text = f"bulk-{writer}-{number}"
            items = [
                {"productMasterId": product, "locationId": place, "comments": text}
                for product in products
                for place in PLACES
            ]
            self._send(text, "POST", "/api/inventory-levels/bulk", {"items": items})

    def _send(self, text: str, method: str, path: str, body: object) -> None:
        headers = {
            "Authorization": f"Bearer {self.database.key}",
            "Content-Type": "application/json",
        }
        try:
            answer = self.server.send(method, path, json.dumps(body), headers)
        except (OSError, http.client.HTTPException):
            with self.lock:
                self.answers["connection broken"] += 1
            time.sleep(0.02)
            return
        now = time.monotonic()
        with self.lock:
            self.answers[str(answer.status_code)] += 1
            if answer.status_code < 300:
                self.acknowledged.add(text)
                if self.last_success:
                    self.longest_gap = max(self.longest_gap, now - self.last_success)
                self.last_success = now
            else:
                self.refusals.append(f"{answer.status_code} {answer.content.decode()[:200]}")
                told = answer.headers.get("Retry-After")
                if answer.status_code != 503 or told is None or "error" not in answer.json():
                    self.answers["WRONG"] += 1
        if answer.status_code == 503:
            time.sleep(0.05)

    @contextmanager
    def running(self, patching: int, sending: int) -> Iterator[None]:
        threads = [threading.Thread(target=self.patch, args=(n,)) for n in range(patching)]
        threads += [threading.Thread(target=self.bulk, args=(n,)) for n in range(sending)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.done.set()
            for thread in threads:
                thread.join()

    def verdict(self) -> bool:
        """Print what happened; whether nothing was lost."""
        rows: Counter[str] = Counter()
        for (changes,) in self.database.query(f"SELECT changes FROM {HISTORY}"):
            known = changes if isinstance(changes, dict) else json.loads(changes)
            if text := known.get("comments", {}).get("new"):
                rows[text] += 1
        sent = {text for text in self.acknowledged if not text.startswith("products")}
        lost = {text for text in sent if not rows[text]}
        partly = {t for t, count in rows.items() if t.startswith("bulk") and count != BULK}
        unheard = {t for t in rows if t.startswith(("bulk", "patch"))} - sent
        assert_history_agrees(self.server.api(self.database.key), self.database)
        for what, number in sorted(self.answers.items()):
            print(f"  {what:24}{number:8,}")
        print(f"  {'acknowledged writes':24}{len(sent):8,}, lost {len(lost)}")
        print(f"  {'bulk requests in part':24}{len(partly):8,}")
        print(f"  {'written, not acknowledged':24}{len(unheard):7,}")
        print(f"  longest time without a success {self.longest_gap:.2f} s; history = levels")
        wrong = self.answers["WRONG"] or any(key.startswith("500") for key in self.answers)
        for refusal in sorted(set(self.refusals))[:5]:
            print(f"  e.g. {refusal}")
        return not (lost or partly or wrong)


# --- the scenarios: what goes wrong meanwhile


def kill(load: Load, seconds: float) -> None:
    """A worker every other second."""
    children = Path(f"/proc/{load.server.process.pid}/task/{load.server.process.pid}/children")
    killed = 0
    with load.running(6, 2):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(2)
            if workers := children.read_text().split():
                os.kill(int(random.choice(workers)), signal.SIGKILL)
                killed += 1
        time.sleep(3)
    print(f"  {'workers killed':24}{killed:8,}")


def reload(load: Load, seconds: float) -> None:
    """SIGHUP every sixth second, as for a new version."""
    with load.running(6, 2):
        for _ in range(max(1, int(seconds / 6))):
            load.server.tell(signal.SIGHUP)
            time.sleep(6)
    load.answers["WRONG"] += load.answers["connection broken"]


def stop(load: Load, seconds: float) -> None:
    """PostgreSQL, three times, for two seconds each."""
    ((data,),) = load.database.query("SHOW data_directory")
    owner = Path(data).stat()
    command = shlex.split((Path(data) / "postmaster.opts").read_text())
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    if os.geteuid() == owner.st_uid:
        as_owner = {}
    with load.running(6, 2):
        for _ in range(3):
            time.sleep(seconds / 6)
            pid = int((Path(data) / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)
            time.sleep(2)
            subprocess.Popen(
                command,
                cwd=data,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                **as_owner,  # type: ignore[arg-type]
            )
            wait_for(load.database)
            time.sleep(seconds / 6)


def wait_for(database: Database) -> None:
    """Until PostgreSQL has recovered."""
    for _ in range(600):
        try:
            database.query("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("PostgreSQL does not come back")


def crowd(load: Load, seconds: float) -> None:
    """Imports in opposite orders, one after the other, beside 50 writers."""
    imported: Counter[str] = Counter()

    def import_again_and_again(order: int) -> None:
        turn = 0
        while not load.done.is_set():
            turn += 1
            rows = [(f"prod_{n}", place) for n in range(SHARED) for place in PLACES][::order]
            lines = [f"{product},{place},{turn}" for product, place in rows]
            content = "\n".join(["productMasterId,locationId,forecastQuantity", *lines])
            answer = load.server.send(
                "POST",
                "/api/inventory-levels/import",
                content,
                {"Authorization": f"Bearer {load.database.key}", "Content-Type": "text/csv"},
            )
            imported[f"import answered {answer.status_code}"] += 1

    imports = [threading.Thread(target=import_again_and_again, args=(order,)) for order in (1, -1)]
    with load.running(48, 2):
        for thread in imports:
            thread.start()
        time.sleep(seconds)
    for thread in imports:
        thread.join()
    load.answers.update(imported)
    if imported.keys() - {"import answered 200"}:
        load.answers["WRONG"] += 1


def full(load: Load, seconds: float) -> None:
    """Somebody else takes every connection that PostgreSQL has, and gives them back."""
    with load.running(6, 2), ExitStack() as taken:
        time.sleep(seconds / 3)
        ours: list[int] = []
        until = time.monotonic() + seconds / 3
        while time.monotonic() < until:
            try:
                connection = taken.enter_context(load.database.connect())
                ours.append(connection.info.backend_pid)
            except psycopg.OperationalError:  # none is left but the server's own
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> ALL(%s)",
                    [ours],
                )
        taken.close()
        time.sleep(seconds / 3)


SCENARIOS: dict[str, Callable[[Load, float], None]] = {
    "kill": kill,
    "reload": reload,
    "stop": stop,
    "crowd": crowd,
    "full": full,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=list(SCENARIOS), action="append")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    failed = []
    for name in options.only or list(SCENARIOS):
        with TemporaryDirectory() as folder:
            database = Database(Path(folder))
            if name in ("stop", "full") and not database.is_postgresql:
                continue
            server = Server(database, Path(folder) / "log")
            load = Load(database, server)
            print(f"{name}: {SCENARIOS[name].__doc__}", flush=True)
            SCENARIOS[name](load, options.seconds)
            if not load.verdict():
                failed.append(name)
            print(f"  {'lines of ERROR in the log':24}{len(server.complaints()):7,}", flush=True)
            server.stop()
            database.drop()
    print("failed: " + ", ".join(failed) if failed else "nothing was lost")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
