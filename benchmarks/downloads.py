#!/usr/bin/env python3
"""What an export of very many levels costs, and what slow clients do to everybody else.

    PG_DURABLE=1 script/postgres .venv/bin/python benchmarks/downloads.py [--levels 1000000]
    DATABASE_URL=sqlite:////tmp/downloads.sqlite3 .venv/bin/python benchmarks/downloads.py --slow

On PostgreSQL it first loads that many levels of one organization and a ninth as many of others,
and downloads the one's: from gunicorn as it is shipped, in turn with psql's COPY TO of the same
columns (the limit). Printed are medians of the seconds, the seconds to the first byte, and by how
much any worker's memory rose. On SQLite an import makes fewer levels.

Then the slow ones, also alone with ``--slow``: two clients take a CSV each at 100 kB/s while a
third imports 30 MiB, for a minute at least, and a fourth asks for ``/healthz`` and for one level,
and writes one that is not in the file, again and again. It prints what the fourth waited.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")
os.environ |= {"RATE_LIMIT_PER_MINUTE": "0", "DEBUG": "0", "HTTPS": "0"}
os.environ |= {"ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "only-for-this-" + "x" * 50}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import many_levels  # noqa: E402
from inventory_levels.models import InventoryLevel  # noqa: E402
from organizations.models import ApiKey, Organization  # noqa: E402

LEVELS = "/api/inventory-levels"
IMPORTED = 30 * 1024 * 1024
SLOW = 100_000  # bytes a second
SECONDS = 60.0

COPY = """COPY (
SELECT l.public_id, p.public_id, o.public_id, min_quantity, reorder_quantity, max_quantity,
    l.status, abc_class, expected_lead_time_days, replenishment_period_days, forecast_period_days,
    forecast_quantity, b.public_id, r.public_id, comments, p.global_sku, p.product_name, o.name,
    version, l.created_at, l.updated_at
FROM inventory_levels_inventorylevel l
JOIN inventory_levels_productmaster p ON p.id = product_id
JOIN inventory_levels_location o ON o.id = location_id
LEFT JOIN inventory_levels_location b ON b.id = preferred_bin_location_id
LEFT JOIN inventory_levels_location r ON r.id = replenishment_location_id
WHERE l.organization_id = {} ORDER BY product_id, location_id
) TO STDOUT WITH CSV HEADER"""


class Server:
    """gunicorn as it is shipped."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.headers = port, {"Authorization": f"Bearer {key}"}
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        self.process = subprocess.Popen(
            [*command, "inventory_project.wsgi"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
            stderr=subprocess.DEVNULL,
        )

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answering = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        answering.request(method, path, body, {**self.headers, **headers})
        return answering.getresponse()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer's body; it must be a good one."""
        with closing(self.request(method, path, body, **headers)) as response:
            content = response.read()
            assert response.status < 300, (response.status, content[:300])
            return content

    def memory(self) -> dict[str, float]:
        """Resident MiB of each worker, by pid."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        statuses = {pid: Path(f"/proc/{pid}/status").read_text() for pid in pids.split()}
        return {
            pid: int(text.partition("VmRSS:")[2].split()[0]) / 1024
            for pid, text in statuses.items()
        }


@contextmanager
def serving(key: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(port, key)
    try:
        for _ in range(100):
            try:
                server.ask("GET", "/readyz")
                break
            except OSError:
                time.sleep(0.2)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(60)


# --- whole exports


def exports(server: Server, organization: Organization, options: argparse.Namespace) -> None:
    contenders: dict[str, Callable[[], tuple[float, int]]] = {
        "psql COPY TO": lambda: copied(organization),
        **{
            kind: lambda path=f"{LEVELS}/export.{kind}": downloaded(server, path)
            for kind in options.only
        },
    }
    if connection.vendor != "postgresql":
        del contenders["psql COPY TO"]
    for _ in range(20):  # so that every worker has imported what it needs
        server.ask("GET", f"{LEVELS}/export.csv?search=nothing-has-this")
        server.ask("GET", f"{LEVELS}/export.ndjson?search=nothing-has-this")
    made: dict[str, list[tuple[float, float, int, float]]] = defaultdict(list)
    for _ in range(options.rounds):
        for name, work in contenders.items():
            start = time.perf_counter()
            with watched(server) as risen:
                first, size = work()
            made[name].append((time.perf_counter() - start, first, size, risen[0]))
    print(f"{'':14}{'s':>8}{'rows/s':>10}{'× psql':>8}{'first byte':>12}{'MB':>7}{'MiB more':>10}")
    rows = InventoryLevel._base_manager.filter(organization=organization).count()
    for name, runs in made.items():
        seconds, first, size = (median(run[place] for run in runs) for place in range(3))
        rise = max(run[3] for run in runs) if name != "psql COPY TO" else 0
        limits = made.get("psql COPY TO", runs)
        share = median(limit[0] / run[0] for limit, run in zip(limits, runs, strict=True))
        speed = f"{seconds:8.2f}{rows / seconds:10,.0f}{share:8.2f}{first:12.3f}"
        print(f"{name:14}{speed}{size / 1e6:7.0f}{rise:10.1f}", flush=True)


def copied(organization: Organization) -> tuple[float, int]:
    command = ["psql", os.environ["DATABASE_URL"], "-c", COPY.format(organization.pk)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        return drained(process.stdout, time.perf_counter())


def downloaded(server: Server, path: str) -> tuple[float, int]:
    start = time.perf_counter()
    with closing(server.request("GET", path)) as response:
        assert response.status == 200, response.read()
        return drained(response, start)


def drained(stream: Any, start: float) -> tuple[float, int]:
    """The seconds from the start to the first byte, and how many bytes came."""
    size = len(stream.read(1))
    first = time.perf_counter() - start
    while piece := stream.read(1 << 16):
        size += len(piece)
    return first, size


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """By how many MiB the memory of any worker rises meanwhile."""
    before, risen, done = server.memory(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            now = server.memory()
            risen[0] = max(risen[0], *(now[pid] - before[pid] for pid in now))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield risen
    finally:
        done.set()
        watching.join()


# --- slow clients


def slow_clients(server: Server) -> None:
    content, another = some_levels(server, IMPORTED)
    path = f"{LEVELS}/{another}"
    number = iter(range(10**9))
    asked: dict[str, Callable[[], Any]] = {
        "GET /healthz": lambda: server.ask("GET", "/healthz"),
        "GET one level": lambda: server.ask("GET", path),
        "PATCH one level": lambda: write(path, f"{next(number)}"),
    }
    busy_answers = 0

    def write(path: str, comments: str) -> None:
        """SQLite has one writer at a time: whoever waits for longer than LOCK_TIMEOUT gets 503."""
        nonlocal busy_answers
        body, type_ = json.dumps({"comments": comments}), {"Content-Type": "application/json"}
        with closing(server.request("PATCH", path, body, **type_)) as response:
            content = response.read()
            assert response.status in (200, 503), content
            busy_answers += response.status == 503

    waited: dict[str, list[float]] = {name: [] for name in asked}
    done, told = threading.Event(), []

    def take_slowly() -> None:
        with closing(server.request("GET", f"{LEVELS}/export.csv")) as response:
            start, size = time.perf_counter(), 0
            while not done.is_set() and (piece := response.read(SLOW // 10)):
                size += len(piece)
                time.sleep(max(0, start + size / SLOW - time.perf_counter()))
            told.append(
                f"an export gave {size / 1e6:.1f} MB in {time.perf_counter() - start:.0f} s"
            )

    def put() -> None:
        start = time.perf_counter()
        answer = json.loads(
            server.ask("POST", f"{LEVELS}/import", content, **{"Content-Type": "text/csv"})
        )
        counts = {name: answer[name] for name in ("created", "updated", "unchanged", "failed")}
        told.append(f"an import of 30 MiB took {time.perf_counter() - start:.1f} s: {counts}")

    busy = [threading.Thread(target=work) for work in (take_slowly, take_slowly, put)]
    for thread in busy:
        thread.start()
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until or busy[-1].is_alive():
        for name, ask in asked.items():
            start = time.perf_counter()
            ask()
            waited[name].append(time.perf_counter() - start)
        time.sleep(0.1)
    done.set()
    for thread in busy:
        thread.join()
    told.append(f"{busy_answers} of {len(waited['PATCH one level'])} writes were told to come back")
    print("\n".join(["", *told, f"{'':18}{'median s':>10}{'p99':>8}{'longest':>9}"]))
    for name, seconds in waited.items():
        p99 = quantiles(seconds, n=100)[98]
        print(f"{name:18}{median(seconds):10.3f}{p99:8.3f}{max(seconds):9.3f}")


def some_levels(server: Server, size: int) -> tuple[bytes, str]:
    """The first levels of the export as a file of that size, each with another maximum; and the
    id of the next one."""
    with closing(server.request("GET", f"{LEVELS}/export.csv")) as response:
        rows = csv.DictReader(io.TextIOWrapper(response, "utf-8", newline=""))
        names = [name for name in rows.fieldnames or () if name not in ("version", "updatedAt")]
        text = io.StringIO()
        write = csv.DictWriter(text, names, extrasaction="ignore")
        write.writeheader()
        for row in rows:
            if text.tell() > size - 2_000:
                break
            row["maxQuantity"] = "1000"
            write.writerow(row)
    return text.getvalue().encode(), row["id"]


# --- the levels


def fill_sqlite(organization: Organization, levels: int) -> None:
    """As many products and 10 locations as make so many levels, through the front door."""
    folder = ROOT / "var" / "downloads"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    many = {"organization": organization.public_id, "verbosity": 0}
    with connection.cursor() as cursor:
        now = "2026-01-01 00:00:00"
        cursor.executemany(
            "INSERT INTO inventory_levels_productmaster (organization_id, public_id, global_sku,"
            " product_name, folded, status, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s, 'Active', %s, %s)",
            [
                (organization.pk, f"prod_{n}", f"SKU-{n}", f"Product {n}", f"sku-{n}", now, now)
                for n in range(levels // 10)
            ],
        )
        cursor.executemany(
            "INSERT INTO inventory_levels_location (organization_id, public_id, name, type, path,"
            " created_at, updated_at) VALUES (%s, %s, %s, 'STORE', '/', %s, %s)",
            [(organization.pk, f"loc_{n}", f"Site {n}", now, now) for n in range(10)],
        )
    file = folder / "levels.csv"
    with file.open("w") as lines:
        lines.write("productMasterId,locationId,minQuantity,maxQuantity,comments\n")
        for n in range(levels):
            lines.write(f"prod_{n // 10},loc_{n % 10},{n % 50},100,{'agreed with the ward ' * 5}\n")
    call_command("import_levels", str(file), **many)
    shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--levels", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    kinds = ["csv", "ndjson", "xlsx"]
    parser.add_argument("--only", type=lambda text: text.split(","), default=kinds)
    parser.add_argument("--slow", action="store_true", help="the slow clients only")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        many_levels.load((options.levels or 1_000_000) * 10 // 9)
        organization = Organization.objects.get(name="big")
    else:
        organization = Organization.objects.create(name="big")
        fill_sqlite(organization, options.levels or 200_000)
    _, key = ApiKey.objects.issue(organization=organization, name="bench", scopes=["*"])
    connection.close()
    with serving(key) as server:
        if not options.slow:
            exports(server, organization, options)
        slow_clients(server)


if __name__ == "__main__":
    main()
