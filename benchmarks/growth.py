#!/usr/bin/env python3
"""How the cost of requests grows: with levels, organizations, the page and the batch.

    PG_DURABLE=1 script/postgres .venv/bin/python benchmarks/growth.py [--rounds 5] [--json FILE]
    DATABASE_URL=sqlite:////tmp/new.sqlite3 .venv/bin/python benchmarks/growth.py --sizes 1000,9000

One client asks gunicorn as it is shipped, over a kept connection, one request after the other:

levels          organizations of 1,000 to 1,000,000 levels, all in one database: a level, a page of
                100 by cursor, one from the middle, one of a location without and with its total,
                a POST, a PATCH; a planner's list and form in the admin
page            pages of 1 to 500 levels of the largest organization
batch           bulk requests that change 1 to 10,000 levels of it
organizations   an organization of 1,000 levels among 4 to 1,000 organizations

Within a round sizes take turns, but for the number of organizations, which only grows, and which
SQLite leaves out. PostgreSQL has just vacuumed when a round begins; when it has not, after the
round's writes, totals are asked for once more. Printed are medians of the rounds' medians in
milliseconds, and their ratio to the smallest size's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.downloads import Server, fill_sqlite, serving  # isort: skip  # sets Django up

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client

from benchmarks import many_levels
from benchmarks.list_cases import LEVELS, Case, level_pages
from inventory_levels.models import InventoryLevel
from organizations.models import ApiKey, Membership, Organization
from organizations.tenancy import organization_scope

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PAGES = (1, 10, 50, 100, 250, 500)
BATCHES = (1, 10, 100, 1_000, 10_000)
ORGANIZATIONS = (4, 10, 100, 1_000)
ADMIN = "/admin/inventory_levels/inventorylevel/"
TOTAL = "same with its total"
# Requests that make a median; of the slow ones fewer.
SAMPLES, FEW = 40, 7

# Milliseconds: by what grows, what is asked, and how large it is, one for each round.
Times = dict[tuple[str, str, int], list[float]]


class Asker:
    """Asks as one organization: as its ERP, and as its planner in the admin."""

    def __init__(self, server: Server, organization: Organization) -> None:
        self.organization, self.random, self.turn = organization, Random(8), count(1)
        _, key = ApiKey.objects.issue(organization=organization, name="bench", scopes=["*"])
        self.api = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        planner = User.objects.create_user(organization.name, is_staff=True)
        Membership.objects.create(user=planner, organization=organization, role="editor")
        browser = Client()
        browser.force_login(planner)
        self.browser = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        with organization_scope(organization):
            names = ("pk", "public_id", "product__public_id", "location__public_id")
            levels = InventoryLevel.objects.order_by("public_id")
            step = max(levels.count() // 10_000, 1)  # from everywhere, not the oldest
            sample = levels.alias(rest=F("pk") % step).filter(rest=0)
            self.levels = list(sample.values_list(*names)[:10_000])
        self.middle = self._cursor()

    def _cursor(self) -> str:
        """Where the second half of the levels begins."""
        pages = level_pages(Case(LEVELS, {}))
        with organization_scope(self.organization):
            rows = pages._sorted(InventoryLevel.objects.all()).values_list(*pages.keys)
            return pages._cursor(rows[rows.count() // 2])

    def ask(self, path: str, method: str = "GET", body: str | None = None, who: Any = None) -> None:
        self.http.request(method, path, body, who or self.api)
        answer = self.http.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path}: {answer.status} {content[:500]!r}")

    def any(self) -> tuple[int, str, str, str]:
        return self.random.choice(self.levels)

    def get(self) -> None:
        self.ask(f"{LEVELS}/{self.any()[1]}")

    def patch(self) -> None:
        body = json.dumps({"forecastQuantity": next(self.turn)})
        self.ask(f"{LEVELS}/{self.any()[1]}", "PATCH", body)

    def post(self) -> None:
        self.ask(LEVELS, "POST", json.dumps(self._item(self.any())))

    def _item(self, level: tuple[int, str, str, str]) -> dict[str, Any]:
        _, _, product, location = level
        quantities = {"minQuantity": next(self.turn), "reorderQuantity": None, "maxQuantity": None}
        return {"productMasterId": product, "locationId": location, **quantities}

    def page(self, limit: int = 100, cursor: str = "") -> None:
        self.ask(f"{LEVELS}?limit={limit}&cursor={cursor}")

    def deep_page(self) -> None:
        self.page(cursor=self.middle)

    def page_of_location(self) -> None:
        self.ask(f"{LEVELS}?limit=100&cursor=&locationId=loc_1")

    def page_with_total(self) -> None:
        self.ask(f"{LEVELS}?limit=100&page=1&locationId=loc_1")

    def bulk_body(self, size: int) -> str:
        return json.dumps({"items": [self._item(level) for level in self.levels[:size]]})

    def bulk(self, bodies: Iterator[str]) -> None:
        self.ask(f"{LEVELS}/bulk", "POST", next(bodies))

    def admin_list(self) -> None:
        self.ask(ADMIN, who=self.browser)

    def admin_form(self) -> None:
        self.ask(f"{ADMIN}{self.any()[0]}/change/", who=self.browser)


REQUESTS: dict[str, Callable[[Asker], None]] = {
    "GET of one": Asker.get,
    "page of 100": Asker.page,
    "deep page of 100": Asker.deep_page,
    "page of a location": Asker.page_of_location,
    TOTAL: Asker.page_with_total,
    "POST": Asker.post,
    "PATCH": Asker.patch,
    "admin list": Asker.admin_list,
    "admin form": Asker.admin_form,
}


def milliseconds(asker: Asker, request: Callable[[Asker], None], samples: int) -> float:
    asker.http.close()  # the server has, if it was left alone for long
    request(asker)
    took = []
    for _ in range(samples):
        start = time.perf_counter()
        request(asker)
        took.append((time.perf_counter() - start) * 1000)
    return median(took)


def one_round(askers: dict[int, Asker], times: Times) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
        connection.close()
    for name, request in REQUESTS.items():
        samples = FEW if name.startswith("admin") else SAMPLES
        for size, asker in askers.items():
            times["levels", name, size].append(milliseconds(asker, request, samples))
    largest = askers[max(askers)]
    for limit in PAGES:
        page = partial(Asker.page, limit=limit)
        times["page", "page", limit].append(milliseconds(largest, page, SAMPLES))
    for size in BATCHES:
        bulk = partial(Asker.bulk, bodies=iter([largest.bulk_body(size) for _ in range(FEW + 1)]))
        times["batch", "bulk", size].append(milliseconds(largest, bulk, FEW))
    for name in ("page of a location", TOTAL):
        took = milliseconds(largest, REQUESTS[name], SAMPLES)
        times["after writes", name, max(askers)].append(took)


def with_organizations(asker: Asker, rounds: int, times: Times) -> None:
    for number in ORGANIZATIONS:
        there = Organization.objects.count()
        many_levels.fill([many_levels.tenant(f"one {n}", 1_000) for n in range(there, number)])
        for _ in range(rounds):
            for name, request in REQUESTS.items():
                samples = FEW if name.startswith("admin") else SAMPLES
                took = milliseconds(asker, request, samples)
                times["organizations", name, number].append(took)


def told(times: Times) -> None:
    took = {key: median(rounds) for key, rounds in times.items()}
    smallest: dict[tuple[str, str], float] = {}
    for (kind, name, size), ms in took.items():
        first = smallest.setdefault((kind, name), ms)
        print(f"{kind:14}{name:20}{size:10,}{ms:10.2f} ms{ms / first:8.2f} ×")
    for kind, name, size in took:
        if name == TOTAL and kind != "organizations":
            ratio = took[kind, TOTAL, size] / took[kind, "page of a location", size]
            print(f"{kind:14}{'total / without':20}{size:10,}{ratio:24.2f} ×")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=lambda t: [int(n) for n in t.split(",")], default=SIZES)
    parser.add_argument("--json", type=Path, help="where to write the times")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if connection.vendor == "postgresql":
        many_levels.fill([many_levels.tenant(f"{size:,}", size) for size in options.sizes])
    else:
        for size in options.sizes:
            fill_sqlite(Organization.objects.create(name=f"{size:,}"), size)
    times: Times = defaultdict(list)
    with serving("") as server:
        for _ in range(40):  # so that every worker has answered some
            server.ask("GET", "/readyz")
        print(f"a worker begins with {max(server.memory().values()):.0f} MiB", file=sys.stderr)
        made = {o.name: o for o in Organization.objects.all()}
        askers = {size: Asker(server, made[f"{size:,}"]) for size in options.sizes}
        connection.close()
        for turn in range(options.rounds):
            one_round(askers, times)
            print(f"round {turn + 1} of {options.rounds}", file=sys.stderr, flush=True)
        if connection.vendor == "postgresql":
            with_organizations(askers[min(askers)], options.rounds, times)
        print(f"a worker holds {max(server.memory().values()):.0f} MiB", file=sys.stderr)
    told(times)
    if options.json:
        plain = [[*key, rounds] for key, rounds in times.items()]
        options.json.write_text(json.dumps(plain))


if __name__ == "__main__":
    main()
