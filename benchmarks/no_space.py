#!/usr/bin/env python3
"""Does anything get lost when a disk is full? Prints figures; ends with 1 if so.

    .venv/bin/python benchmarks/no_space.py                       # SQLite
    script/postgres .venv/bin/python benchmarks/no_space.py       # PostgreSQL

Needs root: the database, or the folder for temporary files, is on a small file system of its own
(tmpfs) that is filled up while the writers of faults.py are at work.

abort    an import of all or nothing, with a little more space each time until it succeeds
skip     an import in chunks, likewise: what was told as written is there, and the last one ends it
bulk     a bulk request of 10,000, likewise
uploads  no space for temporary files: large imports, uploads in the admin, workbooks to download

Each refused request is a 503 with Retry-After. Afterwards, with space again and nothing restarted,
every acknowledged write is in the history and every level is what its history leads to.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.faults import PLACES, Load  # noqa: E402
from tests.live import LEVELS, PRODUCTS, Answer, Database, Server  # noqa: E402

MIB = 1024 * 1024
SIZE = 4096  # MiB of such a file system, when it is not full
STEP = 4  # MiB more space in each attempt
ROWS = 20_000
CSV = "text/csv"


class Disk:
    """A file system of its own, with as much space left as is wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, space: int) -> None:
        """``space``: bytes, or a little more where others write meanwhile."""
        for spare in range(1000):  # a size of 0 would be no limit
            status = os.statvfs(self.folder)
            used = (status.f_blocks - status.f_bfree) * status.f_frsize
            if self._mount(f"remount,size={max(4, (used + space) // 1024 + 64 * spare)}k"):
                return
        raise AssertionError("it can't be made so small")

    def free(self) -> None:
        self._mount(f"remount,size={SIZE}m")

    def _mount(self, options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir()
    disk = Disk(folder)
    assert disk._mount(f"size={SIZE}m,mode=0777"), "it takes root to mount a file system"
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def move_database(database: Database, disk: Disk) -> None:
    """Onto the disk, before anybody is connected to it."""
    if not database.is_postgresql:
        moved = disk.folder / database.path.name
        for name in (database.path.name, f"{database.path.name}-wal"):
            if (file := database.path.with_name(name)).exists():
                (disk.folder / name).write_bytes(file.read_bytes())
        database.path = moved
        return
    ((data,),) = database.query("SHOW data_directory")
    owner = Path(data).stat()
    place = disk.folder / "tablespace"
    place.mkdir(mode=0o700)
    os.chown(place, owner.st_uid, owner.st_gid)
    database._on_the_server(f"CREATE TABLESPACE {database.name} LOCATION '{place}'")
    database._on_the_server(f"ALTER DATABASE {database.name} SET TABLESPACE {database.name}")


class Scenario:
    """The product on small disks, with writers at work."""

    def __init__(self, load: Load, disk: Disk, temporary: Disk) -> None:
        self.load, self.disk, self.temporary = load, disk, temporary
        self.database, self.server = load.database, load.server
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()

    def send(self, path: str, body: Any, content_type: str = "application/json") -> Answer:
        headers = {"Authorization": f"Bearer {self.database.key}", "Content-Type": content_type}
        return self.server.send("POST", f"/api{path}", body, headers)

    def get(self, path: str) -> Answer:
        headers = {"Authorization": f"Bearer {self.database.key}"}
        return self.server.send("GET", f"/api{path}", None, headers)

    def expect(self, what: str, *, holds: bool) -> None:
        if not holds:
            self.wrong.append(what)

    def refused(self, answer: Answer) -> str:
        """The sentence of a 503 as it has to be."""
        told = answer.json()
        as_it_should = (answer.status_code, told.get("code"), answer.headers["Retry-After"])
        self.expect(
            f"{answer.status_code} {told}", holds=as_it_should == (503, "UNAVAILABLE", "30")
        )
        return str(told["error"])

    def products(self, name: str) -> list[str]:
        ids = [f"{name}_{number}" for number in range(ROWS // len(PLACES))]
        items = [{"id": id_, "globalSku": id_, "productName": id_} for id_ in ids]
        answer = self.send("/products/bulk", json.dumps({"items": items}))
        assert answer.status_code == 200, answer.content
        return ids

    def stored(self, name: str) -> int:
        ((count,),) = self.database.query(
            f"SELECT count(*) FROM {LEVELS} level JOIN {PRODUCTS} product"
            f" ON product.id = level.product_id WHERE product.public_id LIKE '{name}~_%' ESCAPE '~'"
        )
        return int(count)

    def until_it_succeeds(self, name: str, attempt: Callable[[], Answer]) -> Answer:
        """With a little more space each time; a refusal tells how much is there."""
        for number in range(50):
            self.disk.leave(number * STEP * MIB)
            before = self.stored(name)
            answer = attempt()
            if answer.status_code == 200:
                self.disk.free()
                return answer
            sentence = self.refused(answer)
            written = re.search(r"([\d,]+) of ([\d,]+) rows were written", sentence)
            told = int(written[1].replace(",", "")) if written else before
            stored = self.stored(name)
            self.expect(f"{sentence}, and {stored} rows are there", holds=stored == told)
            self.seen[sentence] += 1
        raise AssertionError("it never succeeds")

    def file(self, ids: list[str]) -> str:
        lines = [f"{id_},{place},{'x' * 200}" for id_ in ids for place in PLACES]
        return "\n".join(["productMasterId,locationId,comments", *lines])


def abort(scenario: Scenario) -> None:
    """An import of all or nothing."""
    content = scenario.file(scenario.products("abort"))
    path = "/inventory-levels/import"
    answer = scenario.until_it_succeeds("abort", lambda: scenario.send(path, content, CSV))
    scenario.expect("all are created", holds=answer.json()["created"] == ROWS)


def skip(scenario: Scenario) -> None:
    """An import in chunks of 5,000."""
    content = scenario.file(scenario.products("skip"))
    path = "/inventory-levels/import?onError=skip"
    answer = scenario.until_it_succeeds("skip", lambda: scenario.send(path, content, CSV))
    told = answer.json()
    scenario.expect(f"{told['failed']}", holds=told["created"] + told["unchanged"] == ROWS)
    print(f"  the last attempt found {told['unchanged']:,} rows and created {told['created']:,}")


def bulk(scenario: Scenario) -> None:
    """A bulk request of 10,000."""
    ids = scenario.products("bulk_of_many")
    items = [{"productMasterId": id_, "locationId": "loc_123", "minQuantity": 1} for id_ in ids]
    body = json.dumps({"items": items})
    path = "/inventory-levels/bulk"
    answer = scenario.until_it_succeeds("bulk_of_many", lambda: scenario.send(path, body))
    scenario.expect("all are created", holds=answer.json()["created"] == len(items))


def uploads(scenario: Scenario) -> None:
    """No space for temporary files."""
    content = scenario.file(scenario.products("uploads"))
    form = f"--x\r\n{PART}Content-Type: text/csv\r\n\r\n{content}\r\n--x--\r\n"
    page = sign_in(scenario)
    requests: dict[str, Callable[[], Answer]] = {
        "import, as the body": lambda: scenario.send("/inventory-levels/import", content, CSV),
        "import, in a form": lambda: scenario.send(
            "/inventory-levels/import", form, "multipart/form-data; boundary=x"
        ),
        "workbook": lambda: scenario.get("/inventory-levels/export.xlsx"),
        "workbook in the admin": lambda: page("GET", "/export.xlsx"),
        "upload in the admin": lambda: page("POST", "/import/", form),
    }
    for _ in range(20):  # a worker that never had space here would look elsewhere
        assert scenario.get("/inventory-levels/export.xlsx").status_code == 200
    for name, request in requests.items():
        scenario.temporary.leave(0)
        answer = request()
        if "admin" in name:
            told = (answer.status_code, answer.headers["Retry-After"])
            scenario.expect(f"{name}: {told}", holds=told == (503, "30"))
            scenario.expect(name, holds=b"No space is left" in answer.content)
        else:
            scenario.refused(answer)
        scenario.seen[f"503 to: {name}"] += 1
        scenario.expect("nothing is written", holds=scenario.stored("uploads") == 0)
        scenario.temporary.free()
    for name, request in reversed(requests.items()):
        answer = request()
        scenario.expect(f"{name}: {answer.content[:200]!r}", holds=answer.status_code in (200, 302))


PART = 'Content-Disposition: form-data; name="file"; filename="levels.csv"\r\n'
SIGN_IN = """
import django; django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
root = User.objects.create_superuser("root")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(root.pk), root.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
print(session.session_key)
"""
LEVELS_PAGE = "/admin/inventory_levels/inventorylevel"


def sign_in(scenario: Scenario) -> Callable[..., Answer]:
    """How a superuser's browser asks for pages of levels."""
    session, token = scenario.database.run(SIGN_IN).strip(), "x" * 32
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={token}",
        "X-CSRFToken": token,
        "Content-Type": "multipart/form-data; boundary=x",
    }

    def ask(method: str, path: str, body: str = "") -> Answer:
        return scenario.server.send(method, LEVELS_PAGE + path, body.encode() or None, headers)

    return ask


SCENARIOS: dict[str, Callable[[Scenario], None]] = {
    "abort": abort,
    "skip": skip,
    "bulk": bulk,
    "uploads": uploads,
}


def run(name: str) -> bool:
    """Print what happened; whether all of it was right."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        folder.chmod(0o755)
        disk = stack.enter_context(small_disk(folder / "disk"))
        temporary = stack.enter_context(small_disk(folder / "temporary"))
        database = Database(folder)
        move_database(database, disk)
        # DEBUG: the admin's pages need static files, collected or not.
        server = Server(database, folder / "log", TMPDIR=str(temporary.folder), DEBUG="1")
        load = Load(database, server)
        scenario = Scenario(load, disk, temporary)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        workers = children.read_text()
        print(f"{name}: {SCENARIOS[name].__doc__}", flush=True)
        with load.running(3, 1):
            try:
                SCENARIOS[name](scenario)
                time.sleep(1)
            except BaseException:
                server.process.kill()
                raise
        scenario.expect("no worker was restarted", holds=children.read_text() == workers)
        for sentence, count in sorted(scenario.seen.items()):
            print(f"  {count:4}  {sentence}")
        whole = load.verdict()
        for wrong in scenario.wrong:
            print(f"  WRONG: {wrong}")
        server.stop()
        database.drop()
        if database.is_postgresql:
            database._on_the_server(f"DROP TABLESPACE {database.name}")
    return whole and not scenario.wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=list(SCENARIOS), action="append")
    options = parser.parse_args()
    if os.geteuid():
        parser.error("only root may mount a small file system")
    failed = [name for name in options.only or list(SCENARIOS) if not run(name)]
    print("failed: " + ", ".join(failed) if failed else "nothing was lost")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
