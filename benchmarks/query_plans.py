#!/usr/bin/env python3
"""Does an index answer every documented filter and ordering? PostgreSQL's plans say so.

    script/postgres .venv/bin/python benchmarks/query_plans.py [--levels 1000000] [--only search]

Loads a throwaway database (many_levels.py), then asks the API, with a key, as an organization with
90 % of the levels and as one with 0.1 %: every filter alone, some in pairs, each in every order; of
each the first page with its total, and a page from a cursor in the middle of what matches. Every
statement that the API ran is run again under EXPLAIN (ANALYZE, BUFFERS) with the settings that it
had, and a line is printed for each: ``rows`` is what it answered, ``read`` the most rows of one
table that it went through, ``ms`` planning and execution.

Exit code 1 if there is an offender, that is a plan which
- reads levels, their history, products or locations by a sequential scan, or an index of theirs
  without a condition, where that table has more than 5,000 rows (smaller ones PostgreSQL rightly
  reads whole), or
- reads more rows than the organization has, or for a page or a look-up that found something more
  than 100,000, or
- takes longer than --timeout (10 s).

With --loaded it uses what an earlier run put into DATABASE_URL. Times are of a warm cache; take
them as ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, connection, reset_queries, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from list_cases import LEVELS, Case, cases, level_pages  # noqa: E402
from many_levels import load  # noqa: E402

from inventory_levels.api.filters import LevelFilter  # noqa: E402
from inventory_levels.models import InventoryLevel, LevelChange  # noqa: E402
from inventory_project.postgresql.base import PreparedCursor  # noqa: E402
from organizations.models import ApiKey, Organization  # noqa: E402
from organizations.tenancy import organization_scope  # noqa: E402

TABLES = [
    f"inventory_levels_{name}"
    for name in ("inventorylevel", "levelchange", "productmaster", "location")
]
FEW_ROWS, MANY_ROWS = 5_000, 100_000


@dataclass(slots=True)
class Plan:
    organization: str
    case: Case
    statement: str
    sql: str
    indexes: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    rows: int = 0
    read: int = 0
    ms: float = 0

    def __str__(self) -> str:
        return (
            f"{self.organization:5} {str(self.case)[:62]:62} {self.case.ordering or '':10} "
            f"{self.statement:15} {self.rows:7} {self.read:8} {self.ms:8.1f}  "
            f"{', '.join(sorted(self.indexes))}{' <-- ' if self.problems else ''}"
            f"{'; '.join(self.problems)}"
        )


HEADER = (
    f"{'org':5} {'list and filter':62} {'ordering':10} {'statement':15} {'rows':>7} {'read':>8} "
    f"{'ms':>8}  indexes"
)


class Caller:
    """One organization's client, that keeps the plan of every SELECT it caused."""

    def __init__(self, organization: Organization, timeout: int) -> None:
        self.organization, self.timeout = organization, timeout
        _, key = ApiKey.objects.issue(
            organization=organization, name="query plans", scopes=["inventory:read"]
        )
        self.client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {key}"})
        self.client.raise_request_exception = False
        with organization_scope(organization):  # the planner counts a few rows more or less
            self.own = max(model.objects.count() for model in (InventoryLevel, LevelChange)) * 1.1
        self.plans: dict[tuple[str, ...], Plan] = {}
        self._middles: dict[str | None, Any] = {}
        self._prepared: dict[str, tuple[str, str]] = {}

    def look(self, case: Case) -> None:
        body = self._ask(case, {"page": "1"}, "first page")
        total = body.get("pagination", {}).get("total", 0)
        if total > 10_000 and not case.filters:
            self._ask(case, {"page": "200"}, "deep page")
        self._ask(case, {"cursor": ""}, "start of a walk")
        if total > 50 and (cursor := self._cursor(case, total)):
            self._ask(case, {"cursor": cursor}, "cursor page")

    def _ask(self, case: Case, more: dict[str, str], page: str) -> Any:
        reset_queries()  # the log holds 9,000, and then no more
        with CaptureQueriesContext(connection) as queries, connection.execute_wrapper(self._note):
            answer = self.client.get(case.path, case.parameters | more)
        if answer.status_code != 200:
            raise SystemExit(f"{case} answered {answer.status_code}: {answer.content[:300]!r}")
        self._keep(case, page, [query["sql"] for query in queries])
        return answer.json()

    def _note(self, execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        """What is prepared is explained as such: with one plan for any parameters."""
        if isinstance(context["cursor"].cursor, PreparedCursor):
            numbers = (f"${number}" for number, _ in enumerate(parameters, 1))
            values = ", ".join(["%s"] * len(parameters))
            self._prepared[connection.ops.compose_sql(sql, parameters)] = (
                re.sub("%s", lambda _: next(numbers), sql),
                connection.ops.compose_sql(values, parameters),
            )
        return execute(sql, parameters, many, context)

    def _keep(self, case: Case, page: str, statements: list[str]) -> None:
        settings: list[str] = []  # those that the API made for the transaction
        for sql in statements:
            if sql.startswith("SET LOCAL"):
                settings.append(sql)
            elif sql == "COMMIT":
                settings = []
            elif re.match("SELECT|WITH", sql) and "inventory_levels_" in sql:
                if (sql, *settings) in self.plans:
                    continue
                plan = Plan(self.organization.name, case, _kind(sql, page), sql)
                self.plans[sql, *settings] = plan
                self._explain(plan, settings)
                print(plan, flush=True)

    def _explain(self, plan: Plan, settings: list[str]) -> None:
        run = plan.sql
        if prepared := self._prepared.get(plan.sql):
            settings = [*settings, f"PREPARE looked_at AS {prepared[0]}"]
            run = f"EXECUTE looked_at ({prepared[1]})"
        try:
            answer = self._run(
                f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {run}", settings
            )
        except DatabaseError:
            plan.problems.append(f"took longer than {self.timeout} s")
            plan.ms = self.timeout * 1_000
            answer = self._run(f"EXPLAIN (FORMAT JSON) {run}", settings)
        (explained,) = json.loads(answer) if isinstance(answer, str) else answer
        plan.ms = plan.ms or explained["Planning Time"] + explained["Execution Time"]
        plan.rows = explained["Plan"].get("Actual Rows", 0)
        for node in _nodes(explained["Plan"]):
            self._judge(node, plan)
        is_page = plan.rows > 0 and plan.statement != "count"
        if plan.read > (min(self.own, MANY_ROWS) if is_page else self.own):
            plan.problems.append("reads too much")

    def _run(self, explain: str, settings: list[str]) -> Any:
        with transaction.atomic(), connection.cursor() as cursor:
            for setting in [*settings, f"SET LOCAL statement_timeout = '{self.timeout}s'"]:
                cursor.execute(setting)
            cursor.execute(explain)
            ((answer,),) = cursor.fetchall()
            if "EXECUTE" in explain:
                cursor.execute("DEALLOCATE looked_at")
            return answer

    def _judge(self, node: dict[str, Any], plan: Plan) -> None:
        loops = node.get("Actual Loops", 0)
        removed = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
        table = node.get("Relation Name")
        if table:
            plan.read = max(plan.read, int(loops * (node.get("Actual Rows", 0) + removed)))
        index = node.get("Index Name")
        if index:
            plan.indexes.add(index.removeprefix("inventory_levels_"))
        if table in TABLES and _size(table) > FEW_ROWS:
            name = table.removeprefix("inventory_levels_")
            if index and "Index Cond" not in node:
                plan.problems.append(f"reads {index} of all organizations")
            elif node["Node Type"] == "Seq Scan":
                plan.problems.append(f"seq scan of {name}")

    def _cursor(self, case: Case, total: int) -> str | None:
        """A cursor in the middle of the rows, or where they are many of the ordering's rows."""
        if case.path != LEVELS:
            page = max(min(total // 2, 9_950) // 50, 1)
            with_page = case.parameters | {"page": str(page)}
            answer = self.client.get(case.path, with_page).json()
            return answer.get("pagination", {}).get("nextCursor")
        pages = level_pages(case)
        with organization_scope(self.organization):
            levels = InventoryLevel.objects.all()
            if total <= 60_000:
                chosen = LevelFilter(case.parameters, levels).qs
                return pages._cursor(pages._sorted(chosen).values_list(*pages.keys)[total // 2])
            if case.ordering not in self._middles:
                rows = pages._sorted(levels).values_list(*pages.keys)
                self._middles[case.ordering] = rows[levels.count() // 2]
            return pages._cursor(self._middles[case.ordering])


def _kind(sql: str, page: str) -> str:
    if sql.upper().startswith("SELECT COUNT("):
        return "count"
    return page if re.search(r"LIMIT 51\b", sql) else "look-up"


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


_sizes: dict[str, int] = {}


def _size(table: str) -> int:
    if not _sizes:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s)", [TABLES]
            )
            _sizes.update(cursor.fetchall())
    return _sizes[table]


def report(plans: list[Plan], slowest: int) -> int:
    print(f"\nThe {slowest} slowest:\n{HEADER}")
    for plan in sorted(plans, key=lambda plan: -plan.ms)[:slowest]:
        print(plan)
    offenders = [plan for plan in plans if plan.problems]
    print(f"\n{len(plans)} plans, {len(offenders)} offenders")
    for plan in offenders:
        print(plan)
    return 1 if offenders else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--levels", type=int, default=1_000_000)
    parser.add_argument("--loaded", action="store_true", help="an earlier run loaded the database")
    parser.add_argument("--only", default="", help="cases whose line contains this text")
    parser.add_argument("--timeout", type=int, default=10, help="seconds a statement may take")
    options = parser.parse_args()
    if connection.vendor != "postgresql":
        parser.error("DATABASE_URL must be a PostgreSQL: run it under script/postgres")
    if not options.loaded:
        call_command("migrate", verbosity=0)
        load(options.levels)
    plans: list[Plan] = []
    print(HEADER)
    for organization in Organization.objects.filter(name__in=["big", "small"]):
        caller = Caller(organization, options.timeout)
        with organization_scope(organization):
            some = InventoryLevel.objects.select_related("product").order_by("product_id")[7]
        for case in cases(some.product.global_sku, some.public_id):
            if options.only in str(case):
                caller.look(case)
        plans += caller.plans.values()
    return report(plans, 20)


if __name__ == "__main__":
    sys.exit(main())
