#!/usr/bin/env python3
"""Does the time of an answer tell whether an id is another organization's? Ends with 1 if so.

    .venv/bin/python benchmarks/timing.py                              # SQLite, 4 minutes
    script/postgres .venv/bin/python benchmarks/timing.py              # PostgreSQL
    script/postgres .venv/bin/python benchmarks/timing.py --samples 10000 --only "GET level"

Against gunicorn as it is shipped, over one connection on loopback, each request is sent with the
id of another organization's record, with one that nobody has, and with another one that nobody has,
in random order. The two that nobody has show what chance alone does. Told are the medians'
differences in microseconds, how often a foreign id takes longer than a missing one (50 % says
nothing), and Mann-Whitney's z: beyond 4 it is no chance.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from itertools import groupby
from math import sqrt
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

import django  # noqa: E402

django.setup()

from tests.live import Database, Server  # noqa: E402

# As many others' things as make a lookup of theirs a usual one.
OTHERS = """
import django; django.setup()
from tests import factories
theirs = factories.OrganizationFactory(name="Globex")
place = factories.LocationFactory(organization=theirs, public_id="loc_theirs1", name="Theirs")
for number in range(1, 201):
    product = factories.ProductFactory(organization=theirs, public_id=f"prod_theirs{number}")
    factories.LevelFactory(
        organization=theirs, product=product, location=place, public_id=f"level_theirs{number}"
    )
"""
KINDS = ("foreign", "missing", "control")
IDS = dict(zip(KINDS, ("theirs1", "nobody1", "nowhere"), strict=True))
NO_CHANCE = 4.0

PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
STOCK = {**PAIR, "quantityOnHand": 1}
REQUESTS: dict[str, tuple[str, str, object]] = {
    "GET level": ("GET", "/inventory-levels/level_$", None),
    "PATCH level": ("PATCH", "/inventory-levels/level_$", {"minQuantity": 1}),
    "DELETE level": ("DELETE", "/inventory-levels/level_$", None),
    "history": ("GET", "/inventory-levels/level_$/history", None),
    "recommendation": ("GET", "/inventory-levels/level_$/recommendation", None),
    "POST product": ("POST", "/inventory-levels", {**PAIR, "productMasterId": "prod_$"}),
    "POST location": ("POST", "/inventory-levels", {**PAIR, "locationId": "loc_$"}),
    "POST bin": ("POST", "/inventory-levels", {**PAIR, "preferredBinLocationId": "loc_$"}),
    "POST source": ("POST", "/inventory-levels", {**PAIR, "replenishmentLocationId": "loc_$"}),
    "list by product": ("GET", "/inventory-levels?productMasterId=prod_$", None),
    "evaluate": (
        "POST",
        "/inventory-levels/evaluate",
        {"items": [{**STOCK, "productMasterId": "prod_$"}]},
    ),
    "GET product": ("GET", "/products/prod_$", None),
    "PATCH product": ("PATCH", "/products/prod_$", {"productName": "New"}),
    "DELETE product": ("DELETE", "/products/prod_$", None),
    "levels of product": ("GET", "/products/prod_$/inventory-levels", None),
    "PATCH location": ("PATCH", "/locations/loc_$", {"name": "New"}),
}


class Clock:
    """One connection that is kept, and how long each answer takes."""

    def __init__(self, connection: HTTPConnection, key: str) -> None:
        self.connection = connection
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def microseconds(self, name: str, kind: str) -> tuple[float, int]:
        method, path, body = REQUESTS[name]
        path = "/api" + path.replace("$", IDS[kind])
        content = json.dumps(body).replace("$", IDS[kind]) if body else None
        start = time.perf_counter()
        self.connection.request(method, path, content, self.headers)
        response = self.connection.getresponse()
        response.read()
        return 1e6 * (time.perf_counter() - start), response.status


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """How often a value of ``one`` is above one of ``other``, 0 to 1, and z (normal, with ties)."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    rank, ranks, ties = 1, 0.0, 0
    for _, group in groupby(ranked, key=lambda pair: pair[0]):
        same = [which for _, which in group]
        ranks += same.count(0) * (rank + (len(same) - 1) / 2)
        ties += len(same) ** 3 - len(same)
        rank += len(same)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    total = n + m
    spread = sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))))
    return u / (n * m), (u - n * m / 2) / spread


def measure(clock: Clock, name: str, samples: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    statuses: dict[str, set[int]] = {kind: set() for kind in KINDS}
    chance = random.Random(name)
    for number in range(samples + 50):
        for kind in chance.sample(KINDS, len(KINDS)):
            taken, status = clock.microseconds(name, kind)
            statuses[kind].add(status)
            if number >= 50:  # by then it is warm
                times[kind].append(taken)
    assert statuses["foreign"] == statuses["missing"] == statuses["control"], statuses
    return times


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=list(REQUESTS), action="append")
    parser.add_argument("--samples", type=int, default=2000)
    options = parser.parse_args()
    told = []
    with TemporaryDirectory() as folder:
        database = Database(Path(folder))
        database.run(OTHERS)
        server = Server(database, Path(folder) / "log")
        gc.disable()
        print("                     median   foreign − missing         missing − missing")
        print("                         µs      µs  longer      z         µs  longer      z")
        with closing(server.connection()) as connection:
            clock = Clock(connection, database.key)
            for name in options.only or REQUESTS:
                times = measure(clock, name, options.samples)
                medians = {kind: median(times[kind]) for kind in KINDS}
                line = f"{name:18}{medians['missing']:9,.0f}"
                for kind in ("foreign", "control"):
                    share, z = mann_whitney(times[kind], times["missing"])
                    difference = medians[kind] - medians["missing"]
                    line += f"{difference:+8.1f}{share:8.1%}{z:+7.1f}    "
                    if kind == "foreign" and abs(z) > NO_CHANCE:
                        told.append(name)
                print(line.rstrip(), flush=True)
        server.stop()
        database.drop()
    print("the time tells: " + ", ".join(told) if told else "the time tells nothing")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
