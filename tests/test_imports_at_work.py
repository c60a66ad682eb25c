"""Imports in processes of their own: killed halfway, and at work while others write."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.conftest import Api
from tests.live import (
    HISTORY,
    LEVELS,
    PRODUCTS,
    ROOT,
    Database,
    InBackground,
    codes,
    new_level,
    new_product,
)
from tests.replay import assert_history_agrees

pytestmark = pytest.mark.usefixtures("history_agrees")

PRODUCTS_OF_EACH = 40
CHUNK = 10

# Imports a level for each product of a prefix at each of two places. It waits for a line on
# standard input to begin and, with "step", after each chunk to go on.
IMPORT = """
import json, sys
import django; django.setup()
from decimal import Decimal
from inventory_levels import imports
from inventory_levels.imports import FileRow, import_levels
from inventory_levels.models import LevelChange, ProductMaster
from inventory_levels.services import Origin
from organizations.actors import Actor
from organizations.models import Organization
from organizations.tenancy import organization_scope

prefix, on_error, value, order, step, chunk = json.loads(sys.argv[1])
imports.CHUNK = chunk

def wait(done, total):
    print("chunk", done, total, flush=True)
    if step:
        sys.stdin.readline()

with organization_scope(Organization.objects.get(name="Acme")):
    products = ProductMaster.objects.filter(public_id__startswith=prefix).order_by("pk")
    ids = list(products.values_list("public_id", flat=True))
    pairs = [(product, place) for product in ids for place in ("loc_123", "loc_456")]
    rows = [
        FileRow(number, {"forecast_quantity": Decimal(value)}, product=product, location=place)
        for number, (product, place) in enumerate(pairs[::order])
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    origin = Origin(Actor.of_command("import_levels"), LevelChange.Source.IMPORT)
    counts = import_levels(rows, origin=origin, on_error=on_error, on_progress=wait)
    print(json.dumps([counts.created, counts.updated, counts.unchanged, counts.failed]))
"""


class Import:
    """An import about to begin; ``step``: it waits after each chunk until it is told to go on."""

    def __init__(
        self,
        database: Database,
        prefix: str,
        on_error: str,
        *,
        value: int = 1,
        order: int = 1,
        step: bool = False,
        chunk: int = CHUNK,
    ) -> None:
        options = json.dumps([prefix, on_error, value, order, step, chunk])
        self.process = subprocess.Popen(
            [sys.executable, "-c", IMPORT, options],
            cwd=ROOT,
            env=database.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready\n"

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return line

    def chunk(self) -> int:
        """Wait until a chunk is written; answers how many rows are."""
        line = self._line().split()
        assert line[0] == "chunk"
        return int(line[1])

    def go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def counts(self) -> tuple[int, ...]:
        """Created, updated, unchanged, failed, once it is over."""
        out, err = self.process.communicate("\n" * 1000, timeout=120)
        assert self.process.returncode == 0, err
        return tuple(json.loads(out.splitlines()[-1]))


@contextmanager
def running(*imports: Import) -> Iterator[None]:
    try:
        yield
    finally:
        for one in imports:
            one.kill()


def levels_of(database: Database, prefix: str) -> list[tuple[int, int]]:
    """Version and entries in the history of each level of these products."""
    return database.query(
        f"SELECT level.version, (SELECT count(*) FROM {HISTORY} entry"
        "   WHERE entry.level_public_id = level.public_id)"
        f" FROM {LEVELS} level JOIN {PRODUCTS} product ON product.id = level.product_id"
        f" WHERE product.public_id LIKE '{prefix}%'"
    )


def new_products(api: Api, prefix: str) -> str:
    items = [
        {"globalSku": f"{prefix}{n}", "id": f"{prefix}{n}", "productName": prefix}
        for n in range(PRODUCTS_OF_EACH)
    ]
    answer = api.post("/products/bulk", {"items": items})
    assert (answer.status_code, answer.json()["created"]) == (200, PRODUCTS_OF_EACH)
    return prefix


ALL = 2 * PRODUCTS_OF_EACH


def test_an_abort_killed_halfway_leaves_nothing(live_api, live_database):
    prefix = new_products(live_api, "killed-abort-")
    halfway = Import(live_database, prefix, "abort", step=True)
    with running(halfway):
        halfway.go_on()
        assert halfway.chunk() == CHUNK
        halfway.go_on()
        assert halfway.chunk() == 2 * CHUNK
    assert levels_of(live_database, prefix) == []
    assert Import(live_database, prefix, "abort").counts() == (ALL, 0, 0, 0)


def test_a_skip_killed_halfway_leaves_whole_chunks_with_history_and_is_finished_by_another_run(
    live_api, live_database
):
    prefix = new_products(live_api, "killed-skip-")
    halfway = Import(live_database, prefix, "skip", step=True)
    with running(halfway):
        for turn in (1, 2, 3):
            halfway.go_on()
            assert halfway.chunk() == turn * CHUNK
    assert levels_of(live_database, prefix) == [(1, 1)] * 3 * CHUNK
    again = Import(live_database, prefix, "skip").counts()
    assert again == (ALL - 3 * CHUNK, 0, 3 * CHUNK, 0)
    assert levels_of(live_database, prefix) == [(1, 1)] * ALL


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_kill_at_any_moment_leaves_whole_chunks_or_nothing(live_api, live_database, on_error):
    prefix = new_products(live_api, f"any-moment-{on_error}-")
    seen = set()
    for turn in range(8):
        before = len(levels_of(live_database, prefix))
        killed = Import(live_database, prefix, on_error, chunk=2)
        with running(killed):
            killed.go_on()
            if turn % 2:
                killed.chunk()
            time.sleep(0.01 * turn)
        done = len(levels_of(live_database, prefix))
        seen.add(done)
        assert done % 2 == 0 if on_error == "skip" else done in (0, ALL)
        assert done >= before
    assert seen
    counts = Import(live_database, prefix, on_error).counts()
    assert sum(counts) == ALL
    assert levels_of(live_database, prefix) == [(1, 1)] * ALL


@pytest.mark.parametrize("modes", [("abort", "abort"), ("skip", "skip"), ("skip", "abort")])
@pytest.mark.parametrize("there_already", [False, True])
def test_two_imports_of_the_same_levels_in_opposite_orders_never_deadlock(
    live_api, live_database, modes, there_already
):
    prefix = new_products(live_api, f"opposite-{'-'.join(modes)}-{there_already}-")
    if there_already:
        Import(live_database, prefix, "abort").counts()
    # Chunks that end at different rows, so that neither order of the chunks fits the other's.
    one = Import(live_database, prefix, modes[0], value=2, order=1, chunk=7)
    other = Import(live_database, prefix, modes[1], value=3, order=-1, chunk=9)
    with running(one, other):
        one.go_on()
        other.go_on()
        counts = [one.counts(), other.counts()]
    assert [sum(count) for count in counts] == [ALL, ALL]
    assert [count[3] for count in counts] == [0, 0]
    assert sum(count[0] for count in counts) == (0 if there_already else ALL)
    first = 1 if there_already else 0
    assert set(levels_of(live_database, prefix)) <= {(first + n, first + n) for n in (1, 2)}


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_an_import_finds_what_another_one_has_written_between_its_chunks(
    live_api, live_database, on_error
):
    prefix = new_products(live_api, f"between-{on_error}-")
    slow = Import(live_database, prefix, "skip", value=2, step=True)
    with running(slow):
        slow.go_on()
        slow.chunk()
        assert Import(live_database, prefix, on_error, value=3).counts() == (
            *(ALL - CHUNK, CHUNK, 0, 0),
        )
        assert slow.counts() == (CHUNK, ALL - CHUNK, 0, 0)
    assert levels_of(live_database, prefix) == [(2, 2)] * ALL


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_patch_meanwhile_waits_briefly_or_goes_first_and_is_never_lost(
    live_api, live_database, on_error
):
    prefix = new_products(live_api, f"patched-{on_error}-")
    places = ("loc_123", "loc_456")
    levels = [
        new_level(live_api, f"{prefix}{n}", place, minQuantity=0)["id"]
        for n in range(PRODUCTS_OF_EACH)
        for place in places
    ]
    slow = Import(live_database, prefix, on_error, step=True)
    with running(slow):
        slow.go_on()
        slow.chunk()
        patches = [
            InBackground(
                partial(live_api.patch, f"/inventory-levels/{level}", {"minQuantity": 1 + n})
            )
            for n, level in enumerate((levels[0], levels[-1], levels[len(levels) // 2]))
        ]
        time.sleep(0.3)
        counts = slow.counts()
    assert counts == (0, ALL, 0, 0)
    answers = [patch.result() for patch in patches]
    assert codes(answers) == {200: 3}
    for number, answer in enumerate(answers):
        level = live_api.get(f"/inventory-levels/{answer.json()['id']}").json()
        assert (level["minQuantity"], level["forecastQuantity"]) == (1 + number, 1)
        assert level["version"] == 3
    assert sorted(levels_of(live_database, prefix)) == [(2, 2)] * (ALL - 3) + [(3, 3)] * 3


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_what_others_write_while_a_chunk_waits_for_its_first_lock_counts(
    live_api, live_database, on_error
):
    """One level is changed, one deleted, one deleted and made again, and one is made."""
    prefix = new_products(live_api, f"first-lock-{on_error}-")
    changed, deleted, remade, first = (
        new_level(live_api, f"{prefix}{n}", forecastQuantity=0, comments="old")["id"]
        for n in (5, 6, 7, 0)
    )
    late = Import(live_database, prefix, on_error, chunk=ALL)
    path = "/inventory-levels"
    with running(late):
        with live_database.locked_row(LEVELS, first):
            late.go_on()
            time.sleep(0.5)
            if live_database.is_postgresql:
                assert live_api.patch(f"{path}/{changed}", {"minQuantity": 3}).status_code == 200
                for level in (deleted, remade):
                    assert live_api.delete(f"{path}/{level}").status_code == 200
                again = new_level(live_api, f"{prefix}7", minQuantity=4)["id"]
                new_level(live_api, f"{prefix}8", minQuantity=5)
        counts = late.counts()
    assert counts == (ALL - 4, 4, 0, 0)
    assert sorted(levels_of(live_database, prefix)) == [(1, 1)] * (ALL - 4) + sorted(
        [(2, 2), (2, 2), (2, 2), (3, 3)] if live_database.is_postgresql else [(2, 2)] * 4
    )
    assert_history_agrees(live_api, live_database)
    if not live_database.is_postgresql:
        return
    found = [
        live_api.get(f"/products/{prefix}{n}/inventory-levels?locationId=loc_123").json()["items"]
        for n in (5, 6, 7, 8)
    ]
    told = [
        (level["minQuantity"], level["forecastQuantity"], level["comments"], level["version"])
        for (level,) in found
    ]
    assert told == [(3, 1, "old", 3), (None, 1, None, 1), (4, 1, None, 2), (5, 1, None, 2)]
    assert found[1][0]["id"] != deleted
    assert found[2][0]["id"] == again


def test_a_product_may_be_made_and_renamed_while_an_import_writes(live_api, live_database):
    """Nobody but who deletes, moves or renames what the import holds waits for it."""
    prefix = new_products(live_api, "unheld-")
    slow = Import(live_database, prefix, "skip", step=True)
    with running(slow):
        slow.go_on()
        slow.chunk()
        name = {"productName": "Another name"}
        answers = [live_api.patch(f"/products/{prefix}{n}", name) for n in (0, 39)]
        new_product(live_api, "unheld-by-anybody")
        assert slow.counts() == (ALL, 0, 0, 0)
    assert codes(answers) == {200: 2}
    assert_history_agrees(live_api, live_database)
