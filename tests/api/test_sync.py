"""The loop of updatedSince and changedUntil: a client that follows it misses nothing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction

from inventory_levels import services
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.services import LevelRow, Origin
from organizations.actors import Actor
from organizations.models import Organization
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.answers import TIME
from tests.conftest import Api, is_postgresql

PATH = "/inventory-levels"
HISTORY = f"{PATH}/history"
LONG_AGO = "2020-01-01T00:00:00Z"


def get(api: Api, path: str, **query: Any) -> dict[str, Any]:
    response = api.get(f"{path}?{urlencode(query)}")
    assert response.status_code == 200, response.content
    return response.json()


class Mirror:
    """A client's copy of the levels, kept by the documented loop.

    ``between`` is called between any two requests.
    """

    def __init__(self, api: Api, between: Callable[[], None] = lambda: None) -> None:
        self.api, self.between = api, between
        self.query: dict[str, str] = {}
        self.since = LONG_AGO
        self.levels: dict[str, dict[str, Any]] = {}

    def sync(self) -> None:
        changed, until = self.walk(PATH, **self.query)
        self.levels |= {level["id"]: level for level in changed}
        entries, _ = self.walk(HISTORY)
        for entry in entries:
            if entry["action"] == "DELETE":
                self.levels.pop(entry["levelId"], None)
        self.since = until

    def walk(self, path: str, **query: Any) -> tuple[list[dict[str, Any]], str]:
        items, marks, cursor = [], [], ""
        while cursor is not None:
            body = get(self.api, path, updatedSince=self.since, cursor=cursor, limit=3, **query)
            items += body["items"]
            marks.append(body["changedUntil"])
            cursor = body["pagination"]["nextCursor"]
            self.between()
        assert set(marks) == {marks[0]}, "the mark of a walk is that of its first page"
        return items, marks[0]


def on_the_server(api: Api) -> dict[str, dict[str, Any]]:
    return {level["id"]: level for level in get(api, PATH, limit=500)["items"]}


class Others:
    """What other clients do, at random."""

    def __init__(self, api: Api, chance: random.Random) -> None:
        self.api, self.chance = api, chance
        self.number = 0

    def pair(self) -> dict[str, str]:
        chance = self.chance
        return {
            "productMasterId": f"item-{chance.randrange(5)}",
            "locationId": chance.choice(["loc_123", "loc_456", "bin_123"]),
        }

    def act(self) -> None:
        self.number += 1
        value = {"minQuantity": self.chance.choice([self.number, 0, None])}
        known = list(on_the_server(self.api))
        kind = self.chance.choice(["post", "post", "patch", "delete", "delete", "bulk", "again"])
        if kind == "post" or not known:
            self.api.post(PATH, self.pair() | value)
        elif kind == "patch":
            self.api.patch(f"{PATH}/{self.chance.choice(known)}", value)
        elif kind == "delete":
            self.api.delete(f"{PATH}/{self.chance.choice(known)}")
        elif kind == "bulk":
            pairs = {tuple(self.pair().items()) for _ in range(4)}
            self.api.post(f"{PATH}/bulk", {"items": [dict(pair) | value for pair in pairs]})
        else:
            pair = self.pair()
            self.api.post(PATH, pair | value)
            self.api.delete(f"{PATH}/{self.api.post(PATH, pair).json()['id']}")
            self.api.post(PATH, pair | value)


@pytest.fixture
def items(acme):
    return [
        factories.ProductFactory(organization=acme.organization, public_id=f"item-{n}")
        for n in range(6)
    ]


# --- random interleavings


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("items")
def test_a_client_ends_with_exactly_the_servers_levels(api, stranger, seed):
    chance = random.Random(seed)
    others = Others(api, chance)

    def between() -> None:
        while chance.random() < 0.5:
            others.act()

    mirror = Mirror(api, between)
    for _ in range(6):
        mirror.query = chance.choice([{}, {"ordering": "updatedAt"}, {"ordering": "-updatedAt"}])
        for _ in range(chance.randrange(1, 4)):
            others.act()
        mirror.sync()
    mirror.between = lambda: None
    mirror.sync()
    assert mirror.levels == on_the_server(api)
    assert others.number > 15
    assert get(stranger, PATH)["items"] == []


@pytest.mark.usefixtures("items")
def test_each_sync_brings_only_what_is_new(api):
    """Or the very last change once more."""
    for number in range(5):
        api.post(PATH, {"productMasterId": f"item-{number}", "locationId": "loc_123"})
    mirror = Mirror(api)
    assert len(mirror.walk(PATH)[0]) == 5
    mirror.sync()
    assert len(mirror.walk(PATH)[0]) <= 1
    assert len(mirror.walk(HISTORY)[0]) <= 1
    level = api.post(PATH, {"productMasterId": "item-2", "locationId": "loc_456"}).json()
    assert level in mirror.walk(PATH)[0]
    assert len(mirror.walk(PATH)[0]) <= 2


# --- the mark


@pytest.mark.parametrize("path", [PATH, HISTORY, "/products/prod_123/inventory-levels"])
def test_an_answer_to_updated_since_says_where_to_go_on(api, level, path):
    start = datetime.now(UTC)
    level = api.patch(f"{PATH}/{level['id']}", {"minQuantity": 1}).json()
    for query in (
        {},
        {"cursor": ""},
        {"page": 1, "limit": 1},
        {"updatedBefore": "2999-01-01T00:00Z"},
    ):
        body = get(api, path, updatedSince=LONG_AGO, **query)
        assert body.keys() == {"items", "pagination", "changedUntil"}
        assert TIME.fullmatch(body["changedUntil"])
        until = datetime.fromisoformat(body["changedUntil"])
        assert datetime.fromisoformat(level["updatedAt"]) <= until <= datetime.now(UTC)
        assert until >= start


@pytest.mark.parametrize("path", [PATH, HISTORY, "/products/prod_123/inventory-levels"])
def test_without_updated_since_there_is_no_mark(api, level, path):
    for query in ({}, {"cursor": ""}, {"updatedBefore": "2999-01-01T00:00:00Z"}):
        assert "changedUntil" not in get(api, path, **query)
    if path != HISTORY:
        assert "changedUntil" not in get(api, path, ordering="updatedAt")


@pytest.mark.usefixtures("items")
def test_the_mark_of_a_walk_is_that_of_its_first_page(api):
    for number in range(5):
        api.post(PATH, {"productMasterId": f"item-{number}", "locationId": "loc_123"})
    first = get(api, PATH, updatedSince=LONG_AGO, cursor="", limit=1)
    cursor, pages = first["pagination"]["nextCursor"], 1
    while cursor:
        api.post(PATH, {"productMasterId": "item-0", "locationId": "loc_123", "minQuantity": pages})
        body = get(api, PATH, updatedSince=LONG_AGO, cursor=cursor, limit=1)
        assert body["changedUntil"] == first["changedUntil"]
        cursor, pages = body["pagination"]["nextCursor"], pages + 1
    assert pages == 5
    changed = get(api, PATH, updatedSince=first["changedUntil"])["items"]
    assert "item-0" in {level["productMasterId"] for level in changed}
    # Also of a walk that a page began.
    page = get(api, PATH, updatedSince=LONG_AGO, page=1, limit=2)
    api.post(PATH, {"productMasterId": "item-0", "locationId": "loc_123", "minQuantity": 99})
    cursor = page["pagination"]["nextCursor"]
    body = get(api, PATH, updatedSince=LONG_AGO, cursor=cursor)
    assert body["changedUntil"] == page["changedUntil"]


SINCE = [LONG_AGO, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2999-12-31T23:59:59Z"]


@pytest.mark.parametrize("since", SINCE)
@pytest.mark.parametrize("path", [PATH, HISTORY])
def test_a_client_may_begin_with_an_empty_organization(api, path, since):
    body = get(api, path, updatedSince=since)
    assert body["items"] == []
    assert TIME.fullmatch(body["changedUntil"])
    level = api.post(PATH, {"productMasterId": "prod_123", "locationId": "loc_123"}).json()
    found = get(api, path, updatedSince=body["changedUntil"])["items"]
    assert [item.get("levelId", item["id"] if path == PATH else None) for item in found] == [
        level["id"]
    ]


@pytest.mark.parametrize("since", SINCE)
def test_a_mark_is_never_later_than_now(api, level, since):
    for path in (PATH, HISTORY):
        until = get(api, path, updatedSince=since)["changedUntil"]
        assert TIME.fullmatch(until)
        assert datetime.fromisoformat(until) <= datetime.now(UTC)


def test_another_organizations_changes_do_not_move_the_mark_past_ours(api, stranger, example):
    stranger.post(PATH, example)
    until = get(api, PATH, updatedSince=LONG_AGO)["changedUntil"]
    level = api.post(PATH, example).json()
    stranger.patch(f"{PATH}/{get(stranger, PATH)['items'][0]['id']}", {"minQuantity": 1})
    assert get(api, PATH, updatedSince=until)["items"] == [level]


# --- transactions that are open meanwhile

ORIGIN = Origin(Actor.of_command("slow"), LevelChange.Source.COMMAND)


class OpenTransaction(threading.Thread):
    """A writer that does one step after the other when it is told, on its own connection."""

    def __init__(self, organization: Organization, steps: list[Callable[[], None]]) -> None:
        super().__init__(daemon=True)
        self.organization, self.steps = organization, steps
        self.told, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.error: Exception | None = None
        self.rolls_back = False

    def run(self) -> None:
        try:
            with organization_scope(self.organization), transaction.atomic():
                for step in self.steps:
                    self.told.acquire()
                    step()
                    self.done.release()
                self.told.acquire()
                transaction.set_rollback(self.rolls_back)
        except Exception as error:  # noqa: BLE001  # the test's own thread raises it
            self.error = error
        finally:
            connection.close()
            self.done.release()

    def go_on(self) -> None:
        """One more step, or after the last the commit."""
        self.told.release()
        assert self.done.acquire(timeout=20)
        if self.error:
            raise self.error


@contextmanager
def opened(organization: Organization, *steps: Callable[[], None]) -> Iterator[OpenTransaction]:
    writer = OpenTransaction(organization, list(steps))
    writer.start()
    try:
        yield writer
    finally:
        writer.told.release(len(steps) + 1)
        writer.join(20)


def save(product: str, quantity: int, location: str = "loc_123") -> None:
    row = LevelRow({"min_quantity": quantity}, product=product, location=location)
    services.save_level(row, origin=ORIGIN)


def delete(product: str) -> None:
    level = InventoryLevel.objects.get(product__public_id=product, location__public_id="loc_123")
    services.delete_level(level.public_id, origin=ORIGIN)


def save_many() -> None:
    rows = [
        LevelRow({"min_quantity": 7}, product=f"item-{n}", location=place)
        for n in range(5)
        for place in ("loc_123", "loc_456", "bin_123")
    ]
    services.save_levels(rows, origin=ORIGIN)


def read() -> None:
    list(InventoryLevel.objects.all())


STEPS: dict[str, list[Callable[[], None]]] = {
    "creates": [lambda: save("item-4", 1)],
    "updates": [lambda: save("item-0", 5)],
    "deletes": [lambda: delete("item-0")],
    "writes many": [save_many],
    "writes twice": [lambda: save("item-0", 5), lambda: save("item-3", 5)],
    "first reads": [read, lambda: save("item-0", 5), lambda: delete("item-1")],
    "deletes and makes again": [lambda: delete("item-0"), lambda: save("item-0", 8)],
}


@pytest.mark.parametrize("rolls_back", [False, True], ids=["commits", "rolls back"])
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.usefixtures("committed", "items")
def test_a_transaction_that_is_open_meanwhile_loses_nothing(acme, api, steps, rolls_back):
    for number in range(4):
        api.post(PATH, {"productMasterId": f"item-{number}", "locationId": "loc_123"})
    mirror = Mirror(api)
    with opened(acme.organization, *STEPS[steps]) as writer:
        writer.rolls_back = rolls_back
        mirror.sync()
        for number, _ in enumerate(STEPS[steps]):
            writer.go_on()
            mirror.sync()
            if is_postgresql():  # on SQLite they take turns
                other = {"productMasterId": "item-5", "locationId": "loc_123"}
                answer = api.post(PATH, other | {"minQuantity": number})
                assert answer.status_code in (200, 201)
                mirror.sync()
            assert mirror.levels == on_the_server(api)
        before = dict(mirror.levels)
        writer.go_on()
    assert (on_the_server(api) == before) is rolls_back
    mirror.sync()
    assert mirror.levels == on_the_server(api)


@pytest.mark.usefixtures("committed", "items")
def test_a_writer_that_waits_for_another_loses_nothing(acme, api):
    """It began before the sync, and what it waits for commits after it."""
    api.post(PATH, {"productMasterId": "item-0", "locationId": "loc_123"})
    mirror = Mirror(api)
    with opened(acme.organization, lambda: save("item-0", 1)) as first:
        first.go_on()
        with opened(acme.organization, lambda: save("item-0", 2)) as second:
            second.told.release()
            wait_until_somebody_waits()
            mirror.sync()
            first.go_on()
            assert second.done.acquire(timeout=20)
            mirror.sync()
            second.go_on()
    mirror.sync()
    (level,) = mirror.levels.values()
    assert (level["minQuantity"], level["version"]) == (2, 3)
    assert mirror.levels == on_the_server(api)


def wait_until_somebody_waits() -> None:
    if not is_postgresql():  # whoever waits is at its BEGIN, where nobody can see it
        return
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        waiting = 0
        while not waiting and time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()
    assert waiting


@pytest.mark.usefixtures("committed", "items")
def test_the_mark_stays_before_an_open_transaction_and_then_moves_on(acme, api):
    with opened(acme.organization, lambda: save("item-0", 1)) as writer:
        writer.go_on()
        while_open = get(api, PATH, updatedSince=LONG_AGO)
        assert while_open["items"] == []
        writer.go_on()
    (level,) = get(api, PATH, updatedSince=while_open["changedUntil"])["items"]
    assert while_open["changedUntil"] <= level["updatedAt"]
    assert get(api, PATH, updatedSince=LONG_AGO)["changedUntil"] >= level["updatedAt"]


@pytest.mark.usefixtures("committed", "items")
def test_a_sync_among_three_that_write_all_the_time_loses_nothing(acme, api):
    """Three writers at once, each with its own connection, while a client syncs."""
    stop = threading.Event()
    errors: list[Exception] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with organization_scope(acme.organization):
                while not stop.is_set():
                    product = f"item-{chance.randrange(5)}"
                    with transaction.atomic():
                        save(product, chance.randrange(100), f"place-{seed}")
                        if chance.random() < 0.5:
                            save(f"item-{chance.randrange(5)}", 3, f"place-{seed}")
                        if chance.random() < 0.2:
                            level = InventoryLevel.objects.get(
                                product__public_id=product, location__public_id=f"place-{seed}"
                            )
                            services.delete_level(level.public_id, origin=ORIGIN)
                    stop.wait(0.003)
        except Exception as error:  # noqa: BLE001  # the test's own thread raises it
            errors.append(error)
        finally:
            connection.close()

    for seed in range(3):
        factories.LocationFactory(organization=acme.organization, public_id=f"place-{seed}")
    threads = [threading.Thread(target=write, args=[seed], daemon=True) for seed in range(3)]
    for thread in threads:
        thread.start()
    mirror = Mirror(api)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and LevelChange._base_manager.count() < 120:
        mirror.sync()
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    mirror.sync()
    assert mirror.levels == on_the_server(api)
    assert LevelChange._base_manager.count() >= 120
