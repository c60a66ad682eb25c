#!/usr/bin/env python3
"""How near do bulk requests and imports come to what PostgreSQL itself can do with the same rows?

    PG_DURABLE=1 script/postgres .venv/bin/python benchmarks/bulk.py [--rows 10000] [--rounds 5]

The limit is SQL by hand: COPY into a temporary table, one merge that resolves ids and overwrites
every column, one INSERT of the history; it checks nothing. Against it, in the same rounds and on
tables in the same state, up to 10,000 rows: ``save_many_levels``, and ``POST .../bulk`` to the
product as it is shipped and to the peer ``fast``; and ``manage.py import_levels`` from a CSV file
in a process of its own, where one row in a thousand is bad, which is left out of what the limit
gets. ``fresh``: no level is there; ``changed``: all are, and every row changes three quantities.

Prints medians: seconds, rows a second, their share of the limit's of the same round, and the peak
memory of the importing process. It empties the tables of DATABASE_URL.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.single_requests import ROOT, served  # isort: skip  # sets Django up

from django.core.management import call_command
from django.db import connection, transaction

from inventory_levels.models import SETTINGS, LevelChange
from inventory_levels.services import LevelRow, Origin, save_many_levels
from organizations.actors import Actor
from organizations.models import ApiKey, Organization
from organizations.tenancy import organization_scope

PLACES = 50
CSV = [name for name in SETTINGS if name != "comments"]
BAD_EVERY = 1_000
LEVELS, HISTORY = "inventory_levels_inventorylevel", "inventory_levels_levelchange"
PRODUCTS, LOCATIONS = "inventory_levels_productmaster", "inventory_levels_location"

CATALOG = f"""
INSERT INTO {PRODUCTS} (organization_id, public_id, global_sku, product_name, folded, status,
    created_at, updated_at)
SELECT %(org)s, 'prod_' || n, 'SKU-' || n, 'Product ' || n, 'sku-' || n || E'\\nproduct ' || n,
    'Active', now(), now() FROM generate_series(1, %(products)s) n;
INSERT INTO {LOCATIONS} (organization_id, public_id, name, type, path, created_at, updated_at)
SELECT %(org)s, 'loc_' || n, 'Site ' || n, 'WAREHOUSE', '/', now(), now()
FROM generate_series(1, {PLACES}) n;
INSERT INTO {LOCATIONS} (organization_id, public_id, name, type, parent_id, path, created_at,
    updated_at)
SELECT %(org)s, 'bin_' || substr(public_id, 5), 'A-01', 'BIN', id, '/' || id || '/', now(), now()
FROM {LOCATIONS} WHERE public_id LIKE 'loc%%'
"""


@dataclass(frozen=True)
class Item:
    product: str
    location: str
    least: int
    settings: dict[str, Any]
    is_bad: bool


def items(number: int, turn: int) -> Iterator[Item]:
    """Rows in an order of their own, not that of the keys; ``turn`` changes the quantities."""
    products = number // PLACES
    for n in range(number):
        place = n % PLACES + 1
        least = n % 90 + turn
        yield Item(
            f"prod_{n // PLACES * 7919 % products + 1}",
            f"loc_{place}",
            least,
            {
                "minQuantity": least,
                "reorderQuantity": least + 10,
                "maxQuantity": least + 50.5,
                "status": "Supported",
                "abcClass": "ABC"[n % 3],
                "expectedLeadTimeDays": 7,
                "replenishmentPeriodDays": 14,
                "forecastPeriodDays": 30,
                "forecastQuantity": n % 100 + 0.25,
                "preferredBinLocationId": f"bin_{place}",
                "replenishmentLocationId": f"loc_{place % PLACES + 1}",
            },
            n % BAD_EVERY == BAD_EVERY - 1,
        )


# --- the limit


def copy_and_merge(organization: int, payload: bytes) -> None:
    """COPY, merge, history: what anybody would have to do who checks nothing."""
    plain = [name for name in SETTINGS if not name.endswith("LocationId") and name != "comments"]
    columns = [SETTINGS[name] for name in plain]
    keys = ["preferred_bin_location_id", "replenishment_location_id"]
    entries = []
    for name, old, new in [
        *((name, f"o.{SETTINGS[name]}", f"n.{SETTINGS[name]}") for name in plain),
        ("preferredBinLocationId", "ob.public_id", "b.public_id"),
        ("replenishmentLocationId", "os.public_id", "r.public_id"),
    ]:
        was, becomes = (_as_json(name, value) for value in (old, new))
        entry = f"""'"{name}": {{"old": ' || {was} || ', "new": ' || {becomes} || '}}'"""
        entries.append(f"CASE WHEN {old} IS DISTINCT FROM {new} THEN {entry} END")
    changes = f"('{{' || concat_ws(',', {', '.join(entries)}) || '}}')::jsonb"
    written = [*columns, *keys, "version"]
    ours = f"organization_id = {organization}"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE fresh ON COMMIT DROP AS SELECT {', '.join(columns)},"
            " '' AS product, '' AS location, '' AS bin, '' AS source"
            f" FROM {LEVELS} LIMIT 0"
        )
        order = ", ".join(["product", "location", *map(_staged, CSV)])
        with cursor.copy(f"COPY fresh ({order}) FROM STDIN") as copy:
            for start in range(0, len(payload), 1 << 16):
                copy.write(payload[start : start + (1 << 16)])
        cursor.execute("ANALYZE fresh")
        cursor.execute(
            f"""
            CREATE TEMP TABLE merged ON COMMIT DROP AS
            SELECT p.id AS product_id, l.id AS location_id, n.product, n.location,
                {", ".join(f"n.{column}" for column in columns)}, b.id AS {keys[0]},
                r.id AS {keys[1]}, coalesce(o.version, 0) + 1 AS version,
                coalesce(o.public_id, 'level_' || md5(random()::text)) AS public_id,
                {changes} AS changes
            FROM fresh n JOIN {PRODUCTS} p ON p.{ours} AND p.public_id = n.product
            JOIN {LOCATIONS} l ON l.{ours} AND l.public_id = n.location
            LEFT JOIN {LOCATIONS} b ON b.{ours} AND b.public_id = n.bin
            LEFT JOIN {LOCATIONS} r ON r.{ours} AND r.public_id = n.source
            LEFT JOIN {LEVELS} o ON o.{ours} AND o.product_id = p.id AND o.location_id = l.id
            LEFT JOIN {LOCATIONS} ob ON ob.{ours} AND ob.id = o.{keys[0]}
            LEFT JOIN {LOCATIONS} os ON os.{ours} AND os.id = o.{keys[1]}
            ORDER BY p.id, l.id"""
        )
        cursor.execute(f"""
            INSERT INTO {LEVELS} (organization_id, public_id, product_id, location_id,
                {", ".join(written)}, created_at, updated_at)
            SELECT {organization}, public_id, product_id, location_id, {", ".join(written)},
                now(), now() FROM merged
            ON CONFLICT (organization_id, product_id, location_id) DO UPDATE SET
                {", ".join(f"{name} = excluded.{name}" for name in written)},
                updated_at = excluded.updated_at""")
        cursor.execute(f"""
            INSERT INTO {HISTORY} (organization_id, level_public_id, product_public_id,
                location_public_id, action, version, changes, actor_type, actor_id, actor_name,
                source, at)
            SELECT {organization}, public_id, product, location,
                CASE WHEN version = 1 THEN 'CREATE' ELSE 'UPDATE' END, version, changes, 'command',
                'bench', 'bench', 'command', now() FROM merged""")


def _as_json(name: str, value: str) -> str:
    if name.endswith("Quantity"):
        return f"coalesce(trim_scale({value})::text, 'null')"
    if name.endswith("Days"):
        return f"coalesce({value}::text, 'null')"
    return f"""coalesce('"' || {value} || '"', 'null')"""


def _staged(name: str) -> str:
    return {"preferredBinLocationId": "bin", "replenishmentLocationId": "source"}.get(
        name, SETTINGS[name]
    )


def payload(number: int, turn: int, *, with_bad: bool) -> bytes:
    lines = (
        "\t".join([item.product, item.location, *(str(item.settings[name]) for name in CSV)])
        for item in items(number, turn)
        if with_bad or not item.is_bad
    )
    return ("\n".join(lines) + "\n").encode()


# --- the product


def level_rows(number: int, turn: int) -> list[LevelRow]:
    exact = Decimal("1.0000")
    return [
        LevelRow(
            {
                SETTINGS[name]: Decimal(str(value)).quantize(exact) if "Quantity" in name else value
                for name, value in item.settings.items()
            },
            product=item.product,
            location=item.location,
        )
        for item in items(number, turn)
    ]


def body(number: int, turn: int) -> bytes:
    rows = [
        {"productMasterId": item.product, "locationId": item.location, **item.settings}
        for item in items(number, turn)
    ]
    return json.dumps({"items": rows}).encode()


def write_csv(path: Path, number: int, turn: int) -> None:
    with path.open("w") as file:
        file.write(",".join(["productMasterId", "locationId", *CSV]) + "\n")
        for item in items(number, turn):
            values = [str(item.settings[name]) for name in CSV]
            if item.is_bad:
                values[0] = "1e9"
            file.write(",".join([item.product, item.location, *values]) + "\n")


# --- the measuring


@dataclass(slots=True)
class Run:
    seconds: float
    memory: float | None  # MiB, at its peak


def measured(work: Callable[[], float | None]) -> Run:
    start = time.perf_counter()
    memory = work()
    return Run(time.perf_counter() - start, memory)


def prepare(organization: Organization, number: int, kind: str) -> None:
    """The tables as they are at the begin of each run, whoever's it is."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {LEVELS}, {HISTORY}")
    if kind == "changed":
        copy_and_merge(organization.pk, payload(number, 1, with_bad=True))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


class Contenders:
    """``ports``: of the servers that take bulk requests, by their names."""

    def __init__(
        self, organization: Organization, key: str, folder: Path, ports: dict[str, int]
    ) -> None:
        self.organization, self.key, self.folder, self.ports = organization, key, folder, ports

    def of(self, number: int, turn: int) -> dict[str, Callable[[], float | None]]:
        """What to run, all with data that is ready."""
        small = number <= 10_000
        data = payload(number, turn, with_bad=small)
        found: dict[str, Callable[[], float | None]] = {
            "limit": lambda: copy_and_merge(self.organization.pk, data)
        }
        if small:
            rows, text = level_rows(number, turn), body(number, turn)
            found["save_many_levels"] = lambda: self._save(rows)
            for name, port in self.ports.items():
                found[f"bulk, {name}"] = lambda port=port: self._post(port, text)
        file = self.folder / "levels.csv"
        write_csv(file, number, turn)
        found["import_levels"] = lambda: self._command(file)
        return found

    def warm_up(self) -> None:
        for port in self.ports.values():
            self._post(port, body(PLACES, 1))

    def _save(self, rows: list[LevelRow]) -> None:
        origin = Origin(Actor.of_command("bench"), LevelChange.Source.COMMAND)
        with organization_scope(self.organization):
            results = save_many_levels(rows, origin=origin)
        assert all(result.refusal is None for result in results)

    def _post(self, port: int, text: bytes) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", port, timeout=600)) as client:
            client.request("POST", "/api/inventory-levels/bulk", text, headers)
            answer = client.getresponse()
            content = answer.read()
        assert answer.status == 200, content[:200]

    def _command(self, file: Path) -> float:
        """Peak memory of the process."""
        command = [sys.executable, "manage.py", "import_levels", str(file)]
        with subprocess.Popen(
            [*command, "--on-error", "skip", "--organization", self.organization.public_id],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            peak = 0.0
            while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                peak = max(peak, _peak_memory(process.pid))
                time.sleep(0.05)
        return peak


def _peak_memory(pid: int) -> float:
    """MiB. Not getrusage's, in which a process begins with what its parent had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it has just ended


def compare(contenders: Contenders, number: int, kind: str, rounds: int) -> None:
    runs: dict[str, list[Run]] = defaultdict(list)
    for turn in range(rounds):
        for name, work in contenders.of(number, 10 + turn).items():
            prepare(contenders.organization, number, kind)
            runs[name].append(measured(work))
    print(f"\n{number:,} rows, {kind}, median of {rounds}")
    print(f"{'':20}{'s':>8}{'rows/s':>10}{'of limit':>10}{'MiB':>6}")
    for name, made in runs.items():
        seconds = median(run.seconds for run in made)
        share = median(
            limit.seconds / run.seconds for limit, run in zip(runs["limit"], made, strict=True)
        )
        memory = max(run.memory or 0 for run in made)
        line = f"{name:20}{seconds:8.2f}{number / seconds:10,.0f}{share:9.2f}x"
        print(f"{line}{memory:6.0f}" if memory else line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=["fresh", "changed"], action="append")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="bench")
    _, key = ApiKey.objects.issue(organization=organization, name="bench", scopes=["*"])
    with connection.cursor() as cursor:
        products = max(options.rows) // PLACES
        cursor.execute(CATALOG, {"org": organization.pk, "products": products})
        cursor.execute("VACUUM (ANALYZE)")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        ports = {name: stack.enter_context(served(name)) for name in ("product", "fast")}
        contenders = Contenders(organization, key, folder, ports)
        for _ in range(12):  # so that every worker has imported what it needs
            contenders.warm_up()
        for number in options.rows:
            for kind in options.kind or ["fresh", "changed"]:
                compare(contenders, number, kind, options.rounds)


if __name__ == "__main__":
    main()
