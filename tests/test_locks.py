"""Who waits for whom, and for how long: slow writers and slow readers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.api.files import send, table
from tests.conftest import Api
from tests.live import (
    HISTORY,
    KEYS,
    LEVELS,
    LOCATIONS,
    MIB,
    ORGANIZATIONS,
    PRODUCTS,
    Database,
    InBackground,
    Server,
    codes,
    new_level,
    new_location,
    new_product,
)
from tests.replay import history, replay, settings_of

pytestmark = pytest.mark.usefixtures("history_agrees")


# --- slow writers


@pytest.fixture(scope="module")
def impatient(live_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Acme's ERP against a server that waits one second for a lock."""
    log = tmp_path_factory.mktemp("impatient") / "log"
    server = Server(live_database, log, LOCK_TIMEOUT="1")
    yield server.api(live_database.key)
    assert server.stop() == 0
    assert server.complaints() == []


def snapshot(database: Database) -> list[list[tuple[Any, ...]]]:
    tables = (LEVELS, PRODUCTS, LOCATIONS, HISTORY)
    return [database.query(f"SELECT * FROM {table} ORDER BY id") for table in tables]


@pytest.mark.parametrize(
    ("method", "path", "body", "locked", "status"),
    [
        ("PATCH", "/inventory-levels/{level}", {"minQuantity": 2}, "level", 200),
        ("POST", "/inventory-levels", {"locationId": "loc_123", "minQuantity": 2}, "level", 200),
        ("DELETE", "/inventory-levels/{level}", None, "level", 200),
        ("POST", "/inventory-levels", {"locationId": "loc_456"}, "product", 201),
        ("POST", "/inventory-levels", {"locationId": "{place}"}, "place", 201),
        ("PATCH", "/products/{product}", {"productName": "X"}, "organization", 200),
        ("POST", "/locations", {"name": "late"}, "organization", 201),
        ("DELETE", "/locations/{place}", None, "place", 200),
    ],
)
def test_a_write_that_waits_too_long_for_a_lock_is_told_to_come_back_and_writes_nothing(
    request, impatient, live_api, live_database, method, path, body, locked, status
):
    number = request.node.callspec.indices["status"]
    names = {
        "product": new_product(live_api, f"locked-{number}"),
        "place": new_location(live_api, f"locked-{number}"),
    }
    names["level"] = new_level(live_api, names["product"], minQuantity=1)["id"]
    rows = {
        "level": f"{LEVELS} WHERE public_id = '{names['level']}'",
        "product": f"{PRODUCTS} WHERE public_id = '{names['product']}'",
        "place": f"{LOCATIONS} WHERE public_id = '{names['place']}'",
        "organization": ORGANIZATIONS,
    }
    if path == "/inventory-levels":
        body = {"productMasterId": names["product"], **body}
    if body:
        body = json.loads(json.dumps(body).replace("{place}", names["place"]))
    write = partial(impatient.request, method, path.format(**names), body)

    before = snapshot(live_database)
    reads: list[Any] = []
    with live_database.locked(rows[locked]):
        writer = InBackground(write)
        while writer.is_alive():
            # This server would wait ten seconds, if a read had to wait.
            reads.append(live_api.get(f"/inventory-levels/{names['level']}"))
            reads.append(live_api.get("/inventory-levels"))
            time.sleep(0.02)
        answer = writer.result()
    assert codes([answer]) == {(503, "UNAVAILABLE"): 1}
    assert int(answer.headers["Retry-After"]) >= 1
    assert 0.9 < answer.seconds < 8
    assert {read.status_code for read in reads} == {200}
    assert max(read.seconds for read in reads) < 5
    assert snapshot(live_database) == before
    assert write().status_code == status, "the lock is gone, and the same request succeeds"


@pytest.mark.parametrize(
    ("path", "header", "good"),
    [
        ("/products", ["id", "globalSku", "productName"], ["unlocked", "unlocked", "X"]),
        ("/locations", ["id", "parentId", "name"], ["loc_456", "loc_123", "X"]),
    ],
)
def test_a_file_is_checked_before_the_first_lock(impatient, live_database, path, header, good):
    before = snapshot(live_database)
    with live_database.locked(ORGANIZATIONS):
        dry = send(impatient, table(header, good), path, dryRun="true")
        refused = send(impatient, table(header, good, ["nothing", "", ""]), path)
        waited = send(impatient, table(header, good), path)
    assert codes([dry, refused]) == {200: 1, (400, "VALIDATION_ERROR"): 1}
    assert dry.json()["failed"] == 0
    assert codes([waited]) == {(503, "UNAVAILABLE"): 1}
    assert snapshot(live_database) == before


def test_a_write_waits_for_a_lock_and_then_succeeds(live_api, live_database):
    new_product(live_api, "patient")
    level = new_level(live_api, "patient", minQuantity=1)
    live_database.execute(f"UPDATE {KEYS} SET last_used_at = NULL")
    path = f"/inventory-levels/{level['id']}"
    with live_database.locked_row(LEVELS, level["id"]):
        patch = InBackground(partial(live_api.patch, path, {"minQuantity": 2}))
        time.sleep(0.5)
        assert patch.is_alive()
    assert (patch.result().status_code, patch.result().json()["minQuantity"]) == (200, 2)


@pytest.mark.parametrize("write", ["patch", "post"])
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("preferredBinLocationId", ["waited-bin-0", "waited-bin-1", "waited-bin-2", None]),
        ("replenishmentLocationId", ["waited-0", "waited-1", "waited-2", None]),
        ("minQuantity", [0, 1, 2, None]),
    ],
)
def test_a_write_that_waited_builds_on_what_the_others_wrote_meanwhile(
    live_api, live_database, write, field, values
):
    for number in (0, 1, 2):
        for public_id, parent in [(f"waited-bin-{number}", "loc_123"), (f"waited-{number}", None)]:
            live_api.post("/locations", {"id": public_id, "name": public_id, "parentId": parent})
    product = new_product(live_api, f"waited-{write}-{field}")
    level = new_level(live_api, product, **{field: values[0]})
    path = f"/inventory-levels/{level['id']}"
    bodies = [{field: value} for value in [*values[1:], values[1]]]
    bodies.insert(2, {"forecastQuantity": 7})
    with live_database.locked_row(LEVELS, level["id"]):
        writers = []
        for body in bodies:
            if write == "patch":
                call = partial(live_api.patch, path, body)
            else:
                pair = {"productMasterId": product, "locationId": "loc_123"}
                call = partial(live_api.post, "/inventory-levels", {**pair, **body})
            writers.append(InBackground(call))
            time.sleep(0.1)
        assert all(writer.is_alive() for writer in writers)
    answers = [writer.result() for writer in writers]
    assert codes(answers) == {200: len(bodies)}
    states = replay(history(live_database)[level["id"]])
    for answer, body in zip(answers, bodies, strict=True):
        told = answer.json()
        assert settings_of(told) | body == settings_of(told)
        assert settings_of(told) == states[told["version"] - 1], "as it was at that version"
    assert settings_of(live_api.get(path).json()) == states[-1]


# --- the catalog, while levels are written


@pytest.mark.parametrize(
    ("path", "items"),
    [
        ("/products", [{"globalSku": "held-1", "unitCost": 3}, {"id": "held-2", "unitCost": 3}]),
        ("/locations", [{"id": "held-1", "name": "New"}, {"name": "held-2", "type": "STORE"}]),
    ],
)
def test_what_level_writers_hold_may_be_changed_meanwhile(live_api, live_database, path, items):
    """All but the SKU, by which others may refer to a product."""
    make = new_product if path == "/products" else new_location
    for public_id in ("held-1", "held-2"):
        make(live_api, public_id)
    table = PRODUCTS if path == "/products" else LOCATIONS
    with live_database.referred_to(f"{table} WHERE public_id IN ('held-1', 'held-2')"):
        answer = live_api.post(f"{path}/bulk", {"items": items})
        assert (answer.status_code, answer.json()["updated"]) == (200, 2)
        assert answer.seconds < 5


def test_a_new_sku_waits_for_level_writers_and_no_longer(live_api, live_database):
    new_product(live_api, "renamed")
    rename = partial(live_api.patch, "/products/renamed", {"globalSku": "a new sku"})
    with live_database.locked_row(PRODUCTS, "renamed"):
        patch = InBackground(rename)
        time.sleep(0.5)
        assert patch.is_alive()
    assert (patch.result().status_code, patch.result().json()["globalSku"]) == (200, "a new sku")


@pytest.mark.parametrize(
    ("table", "path", "values", "last_values"),
    [
        (PRODUCTS, "/products/bulk", {"globalSku": "turned"}, {"globalSku": "turned too"}),
        (LOCATIONS, "/locations/bulk", {"parentId": "loc_456"}, {"parentId": None}),
    ],
)
def test_new_skus_and_moves_take_their_turn_in_the_order_in_which_writers_hold(
    live_api, live_database, table, path, values, last_values
):
    """Whatever the order of the request, or the two would wait for each other."""
    make = new_product if table == PRODUCTS else new_location
    first, last = make(live_api, "turned-1"), make(live_api, "turned-2")
    items = [{"id": last, **values}, {"id": first, **last_values}]
    if table == LOCATIONS:
        live_api.patch(f"/locations/{first}", {"parentId": "loc_123"})
    with live_database.referred_to(f"{table} WHERE public_id = '{first}'") as writer:
        bulk = InBackground(partial(live_api.post, path, {"items": items}))
        time.sleep(0.5)
        assert bulk.is_alive() is live_database.is_postgresql
        if live_database.is_postgresql:
            held = f"SELECT 1 FROM {table} WHERE public_id = '{last}' FOR KEY SHARE NOWAIT"
            assert writer.execute(held).fetchall() == [(1,)]
    assert bulk.result().json()["updated"] == 2


# --- the note that a key was used


PATHS = ["/inventory-levels", "/products/prod_123", "/locations"]


def used_keys(database: Database) -> int:
    (count,) = database.query(f"SELECT count(*) FROM {KEYS} WHERE last_used_at IS NOT NULL")
    return count[0]


@pytest.fixture
def unused(live_database: Database) -> Database:
    """The database, where no key was ever used: the next read is to note that it was."""
    live_database.execute(f"UPDATE {KEYS} SET last_used_at = NULL")
    return live_database


def test_a_read_notes_that_its_key_was_used(live_api, unused):
    assert live_api.get("/products").status_code == 200
    assert used_keys(unused) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_read_never_waits_for_the_note_while_a_writer_has_the_key(live_api, unused, path):
    with unused.locked(f"{KEYS} WHERE last_used_at IS NULL"):
        answer = live_api.get(path)
    assert answer.status_code == 200
    assert answer.seconds < 5
    assert used_keys(unused) == 0


def test_a_read_never_waits_for_the_note_while_all_keys_are_locked(live_api, unused):
    """As while an index on them is built."""
    with unused.connect() as upkeep:
        if unused.is_postgresql:
            upkeep.execute("BEGIN")
            upkeep.execute(f"LOCK TABLE {KEYS} IN SHARE MODE")
        else:
            upkeep.execute("BEGIN EXCLUSIVE")
        answer = live_api.get("/products")
        upkeep.execute("ROLLBACK")
    assert answer.status_code == 200, answer.content
    assert answer.seconds < 5


def test_a_read_never_fails_when_the_note_can_not_be_written(live_api, unused):
    """As where the disk is full, or the database takes no writes while it is being moved."""
    if unused.is_postgresql:
        begin = [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space left'; END $$",
            f"CREATE TRIGGER full_disk BEFORE UPDATE ON {KEYS}"
            " FOR EACH ROW EXECUTE FUNCTION refuse()",
        ]
        end = [f"DROP TRIGGER full_disk ON {KEYS}", "DROP FUNCTION refuse()"]
    else:
        begin = [
            f"CREATE TRIGGER full_disk BEFORE UPDATE ON {KEYS}"
            " BEGIN SELECT RAISE(ABORT, 'no space left'); END"
        ]
        end = ["DROP TRIGGER full_disk"]
    for statement in begin:
        unused.execute(statement)
    try:
        answers = [live_api.get(path) for path in PATHS]
    finally:
        for statement in end:
            unused.execute(statement)
    assert codes(answers) == {200: len(PATHS)}


# --- slow readers


def test_a_read_transaction_held_open_does_not_hold_up_a_write(live_api, live_database):
    new_product(live_api, "read")
    level = new_level(live_api, "read", minQuantity=1)
    count = f"SELECT version FROM {LEVELS} WHERE public_id = '{level['id']}'"
    with live_database.connect() as reader:
        mode = " ISOLATION LEVEL REPEATABLE READ" if live_database.is_postgresql else ""
        reader.execute(f"BEGIN{mode}")
        cursor = reader.execute(f"SELECT * FROM {LEVELS}")
        assert cursor.fetchone()
        for n in range(2, 5):
            answer = live_api.patch(f"/inventory-levels/{level['id']}", {"minQuantity": n})
            assert (answer.status_code, answer.json()["version"]) == (200, n)
            assert answer.seconds < 5
        created = live_api.post(
            "/inventory-levels", {"productMasterId": "read", "locationId": "loc_456"}
        )
        assert created.status_code == 201
        assert reader.execute(count).fetchall() == [(1,)]  # it was open all the time
        reader.execute("ROLLBACK")


ARCHIVE = """
import django; django.setup()
from inventory_levels.models import InventoryLevel
from tests import factories
from tests.conftest import issue_key
ours = factories.OrganizationFactory(name="Archive")
place = factories.LocationFactory(organization=ours, public_id="loc_1")
products = factories.ProductFactory.create_batch(500, organization=ours)
InventoryLevel._base_manager.bulk_create(
    InventoryLevel(organization=ours, product=product, location=place, comments="€" * 4000)
    for product in products
)
print(issue_key(ours))
"""


def test_a_client_that_reads_a_list_slowly_does_not_hold_up_a_write(
    server, live_api, live_database
):
    """The list is longer than what the sockets on both sides hold, so the server is still
    sending it while the others write, in this organization and in another."""
    key = live_database.run(ARCHIVE).strip()
    archive = server.api(key)
    slow = [slow_reader(server, key) for _ in range(3)]
    try:
        started = [one.recv(15) for one in slow]
        assert started == [b"HTTP/1.1 200 OK"] * 3
        one_more = {"globalSku": "one more", "productName": "One more"}
        product = archive.post("/products", one_more).json()["id"]
        for api, body in [
            (archive, {"productMasterId": product, "locationId": "loc_1"}),
            (live_api, {"productMasterId": "prod_123", "locationId": "loc_456"}),
        ]:
            answer = api.post("/inventory-levels", body)
            assert answer.status_code == 201
            assert answer.seconds < 5
        waiting = 0
        for one in slow:
            rest = b"".join(iter(partial(one.recv, MIB), b""))
            waiting += len(rest)
            assert rest.endswith(b"}")
        assert waiting > 3 * 500 * 12_000
    finally:
        for one in slow:
            one.close()


def slow_reader(server: Server, key: str) -> socket.socket:
    """A client that has asked for a long list, and takes little of it at a time."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect(("127.0.0.1", server.port))
    client.sendall(
        b"GET /api/inventory-levels?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Connection: close\r\nAuthorization: Bearer " + key.encode() + b"\r\n\r\n"
    )
    return client
