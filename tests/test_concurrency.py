"""Many clients at once, against several workers: nothing is lost and no rule broken."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection

from inventory_levels import single_level
from tests.conftest import FULL_EXAMPLE, is_postgresql
from tests.live import (
    LEVELS,
    LOCATIONS,
    PRODUCTS,
    Database,
    Race,
    State,
    codes,
    everything,
    new_level,
    new_location,
    new_product,
    together,
)
from tests.replay import history, replay, settings_of

pytestmark = pytest.mark.usefixtures("history_agrees")


# --- one pair, many writers


def test_of_32_first_posts_of_a_pair_one_creates_it_and_the_others_find_it(live_api, live_database):
    new_product(live_api, "same")
    post = partial(live_api.post, "/inventory-levels", {**FULL_EXAMPLE, "productMasterId": "same"})
    answers = together(*[post] * 32)
    assert codes(answers) == {201: 1, 200: 31}
    (level,) = {json.dumps(answer.json()): answer.json() for answer in answers}.values()
    assert level["version"] == 1
    assert [entry[:2] for entry in history(live_database)[level["id"]]] == [(1, "CREATE")]
    assert [item["id"] for item in everything(live_api, "/inventory-levels")].count(
        level["id"]
    ) == 1
    assert len(rows_of_product(live_database, "same")) == 1


def test_32_first_posts_of_a_pair_that_differ_are_all_in_its_history(live_api, live_database):
    new_product(live_api, "differ")
    body = {"productMasterId": "differ", "locationId": "loc_123"}
    answers = together(
        *[
            partial(live_api.post, "/inventory-levels", {**body, "minQuantity": n})
            for n in range(32)
        ]
    )
    assert codes(answers) == {201: 1, 200: 31}
    levels = sorted((answer.json() for answer in answers), key=lambda level: level["version"])
    (public_id,) = {level["id"] for level in levels}
    assert [level["version"] for level in levels] == list(range(1, 33))
    assert sorted(level["minQuantity"] for level in levels) == list(range(32))
    assert len(rows_of_product(live_database, "differ")) == 1

    entries = history(live_database)[public_id]
    assert [action for _, action, _ in entries] == ["CREATE"] + ["UPDATE"] * 31
    assert replay(entries) == [settings_of(level) for level in levels]
    times = [level["updatedAt"] for level in levels]
    assert times == sorted(times)


def rows_of_product(database: Database, product: str) -> list[tuple[Any, ...]]:
    return database.query(
        f"SELECT level.public_id FROM {LEVELS} level JOIN {PRODUCTS} product"
        f" ON product.id = level.product_id WHERE product.public_id = '{product}'"
    )


def test_of_16_posts_that_only_create_one_succeeds(live_api):
    new_product(live_api, "only-create")
    body = {"productMasterId": "only-create", "locationId": "loc_123", "minQuantity": 1}
    only = {"If-None-Match": "*"}
    answers = together(*[partial(live_api.post, "/inventory-levels", body, **only)] * 16)
    assert codes(answers) == {201: 1, (412, "PRECONDITION_FAILED"): 15}


def test_of_8_patches_of_one_version_one_succeeds_in_every_round(live_api):
    new_product(live_api, "one-version")
    path = f"/inventory-levels/{new_level(live_api, 'one-version')['id']}"
    for _ in range(20):
        seen = live_api.get(path)
        answers = together(
            *[
                partial(
                    live_api.patch,
                    path,
                    {"forecastQuantity": seen.json()["version"] * 100 + n},
                    If_Match=seen.headers["ETag"],
                )
                for n in range(8)
            ]
        )
        assert codes(answers) == {200: 1, (412, "PRECONDITION_FAILED"): 7}
        (winner,) = (answer for answer in answers if answer.status_code == 200)
        assert live_api.get(path).json() == winner.json()
        assert winner.json()["version"] == seen.json()["version"] + 1


def test_of_8_deletes_one_succeeds_and_a_pair_made_again_is_another_level(live_api, live_database):
    new_product(live_api, "deleted")
    seen = set()
    for _ in range(10):
        level = new_level(live_api, "deleted", minQuantity=1)
        seen.add(level["id"])
        answers = together(*[partial(live_api.delete, f"/inventory-levels/{level['id']}")] * 8)
        assert codes(answers) == {200: 1, (404, "NOT_FOUND"): 7}
        actions = [action for _, action, _ in history(live_database)[level["id"]]]
        assert actions == ["CREATE", "DELETE"]
    assert len(seen) == 10


def test_posts_and_deletes_of_one_pair_leave_nothing_half_done(live_api):
    new_product(live_api, "on-off")
    body = {"productMasterId": "on-off", "locationId": "loc_123"}

    def switch_on(client: int) -> list[int]:
        values = range(client * 100, client * 100 + 25)
        return [
            live_api.post("/inventory-levels", {**body, "minQuantity": n}).status_code
            for n in values
        ]

    def switch_off() -> list[int]:
        statuses: list[int] = []
        for _ in range(50):
            found = [
                level["id"]
                for level in everything(live_api, "/inventory-levels")
                if level["productMasterId"] == "on-off"
            ]
            assert len(found) < 2
            deletes = [live_api.delete(f"/inventory-levels/{public_id}") for public_id in found]
            statuses += [answer.status_code for answer in deletes]
        return statuses

    *posted, deleted = together(*(partial(switch_on, n) for n in range(3)), switch_off)
    assert {status for statuses in posted for status in statuses} == {200, 201}
    assert set(deleted) <= {200}
    # The level was there once more than it was deleted, or it is gone now.
    created = sum(statuses.count(201) for statuses in posted)
    left = len(
        [
            level
            for level in everything(live_api, "/inventory-levels")
            if level["productMasterId"] == "on-off"
        ]
    )
    assert created - deleted.count(200) == left


# --- the ordering rule


def test_two_patches_each_valid_alone_never_break_the_ordering_rule_together(live_api):
    new_product(live_api, "ordering")
    calm = {"minQuantity": 10, "reorderQuantity": None, "maxQuantity": 100}
    path = f"/inventory-levels/{new_level(live_api, 'ordering', **calm)['id']}"
    pairs = [
        ({"minQuantity": 80}, {"maxQuantity": 50}),
        ({"reorderQuantity": 80}, {"maxQuantity": 50}),
        ({"minQuantity": 60}, {"reorderQuantity": 30}),
    ]
    race = Race()
    for number in range(200):
        one, other = pairs[number % len(pairs)]
        answers = race.run(partial(live_api.patch, path, one), partial(live_api.patch, path, other))
        assert codes(answers) == {200: 1, (400, "INVALID_QUANTITIES"): 1}, number
        assert {answer.json().get("error") for answer in answers} == {
            None,
            "Invalid quantities: min ≤ reorder ≤ max required",
        }
        winner = 0 if answers[0].status_code == 200 else 1
        race.note_winner(winner)
        level = answers[winner].json()
        assert settings_of(level) | (one, other)[winner] == settings_of(level)
        set_ones = [
            level[name] for name in ("minQuantity", "reorderQuantity", "maxQuantity") if level[name]
        ]
        assert set_ones == sorted(set_ones)
        back = live_api.patch(path, calm)
        # The refused one left no trace: what comes next builds on the winner.
        assert (back.status_code, back.json()["version"]) == (200, level["version"] + 1)
    assert race.was_close


# --- lost updates


def test_no_acknowledged_update_is_lost(live_api, live_database):
    """Each client has a field of its own; all of them are written at once, many times."""
    new_product(live_api, "updates")
    for n in range(3):
        new_location(live_api, f"updates-bin-{n}", "loc_123")
        new_location(live_api, f"updates-source-{n}")
    level = new_level(live_api, "updates")
    path = f"/inventory-levels/{level['id']}"
    pair = {"productMasterId": "updates", "locationId": "loc_123"}
    values: dict[str, list[Any]] = {
        "minQuantity": [n + 0.25 for n in range(24)],
        "forecastQuantity": [n + 0.0001 for n in range(24)],
        "expectedLeadTimeDays": list(range(24)),
        "forecastPeriodDays": list(range(1, 25)),
        "abcClass": ["A", "B", None, "C"] * 6,
        "preferredBinLocationId": ["updates-bin-0", "updates-bin-1", None, "updates-bin-2"] * 6,
        "replenishmentLocationId": ["updates-source-0", "updates-source-1", "updates-source-2"] * 8,
        "comments": [f"comment {n}" for n in range(24)],
    }

    def write(field: str) -> list[State]:
        levels = []
        for n, value in enumerate(values[field]):
            if n % 3:
                answer = live_api.patch(path, {field: value})
            else:
                answer = live_api.post("/inventory-levels", {**pair, field: value})
            assert answer.status_code == 200, answer.content
            assert answer.json()[field] == value
            levels.append(answer.json())
        return levels

    answers = together(*[partial(write, field) for field in values])
    acknowledged = sorted((a for of in answers for a in of), key=lambda answer: answer["version"])
    changes = sum(map(len, values.values()))
    assert [answer["version"] for answer in acknowledged] == list(range(2, changes + 2))

    after = live_api.get(path).json()
    assert after["version"] == 1 + changes
    assert {field: after[field] for field in values} == {
        field: written[-1] for field, written in values.items()
    }
    entries = history(live_database)[level["id"]]
    for field, written in values.items():
        told = [changes[field]["new"] for _, _, changes in entries if field in changes]
        assert told == written
    # Every answer showed the level exactly as it was at that version, all other fields included.
    states = replay(entries)
    for answer in acknowledged:
        assert settings_of(answer) == states[answer["version"] - 1], answer["version"]
    times = [answer["updatedAt"] for answer in acknowledged]
    assert times == sorted(times)


# --- products and locations


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/products", {"globalSku": "new sku", "productName": "New"}),
        ("/products", {"id": "new_prod", "globalSku": "other sku", "productName": "New"}),
        ("/locations", {"name": "New at the top"}),
        ("/locations", {"name": "New inside", "parentId": "loc_123"}),
        ("/locations", {"id": "new_loc", "name": "New by id", "parentId": "loc_123"}),
    ],
    ids=["product by sku", "product by id", "top location", "location", "location by id"],
)
def test_of_16_first_posts_of_a_product_or_location_one_creates_it(live_api, path, body):
    before = len(everything(live_api, path))
    answers = together(*[partial(live_api.post, path, body)] * 16)
    assert codes(answers) == {201: 1, 200: 15}
    assert len({answer.content for answer in answers}) == 1
    assert len(everything(live_api, path)) == before + 1


@pytest.mark.parametrize("write", ["post", "patch"])
def test_of_8_that_want_the_same_sku_or_name_one_gets_it(live_api, write):
    products = [new_product(live_api, f"{write}-{n}") for n in range(8)]
    locations = [new_location(live_api, f"{write}-{n}", "loc_123") for n in range(8)]
    for path, public_ids, wanted in [
        ("/products", products, {"globalSku": f"wanted by {write}"}),
        ("/locations", locations, {"name": f"wanted by {write}"}),
    ]:
        if write == "post":
            calls = [partial(live_api.post, path, {"id": i, **wanted}) for i in public_ids]
        else:
            calls = [partial(live_api.patch, f"{path}/{i}", wanted) for i in public_ids]
        assert codes(together(*calls)) == {200: 1, (409, "CONFLICT"): 7}


def parents_of(database: Database) -> dict[str, str | None]:
    """Each location's parent as it is stored, which is quicker than asking the API."""
    return dict(
        database.query(
            f"SELECT location.public_id, parent.public_id FROM {LOCATIONS} location"
            f" LEFT JOIN {LOCATIONS} parent ON parent.id = location.parent_id"
        )
    )


def test_two_moves_never_make_a_cycle_together(live_api, live_database):
    parents: dict[str, str | None] = {"m": None, "m1": "m", "n": None, "n1": "n", "n2": "n1"}
    for public_id, parent in parents.items():
        new_location(live_api, public_id, parent)
    rounds = [
        (("m", "n"), ("n", "m")),
        (("m", "n2"), ("n", "m1")),
        (("m", "n1"), ("n", "m")),
        (("n1", "m1"), ("m", "n2")),
    ]

    def move(public_id: str, parent: str | None) -> Any:
        return live_api.patch(f"/locations/{public_id}", {"parentId": parent})

    race = Race()
    for number in range(200):
        moves = rounds[number % len(rounds)]
        answers = race.run(*(partial(move, *one) for one in moves))
        assert codes(answers) == {200: 1, (400, "VALIDATION_ERROR"): 1}, number
        winner = 0 if answers[0].status_code == 200 else 1
        race.note_winner(winner)
        moved, parent = moves[winner]
        now = parents_of(live_database)
        expected = parents | {moved: parent}
        assert {public_id: now[public_id] for public_id in parents} == expected
        assert move(moved, parents[moved]).status_code == 200
    assert race.was_close


def test_a_bin_never_leaves_while_a_request_makes_it_preferred(live_api, live_database):
    new_product(live_api, "binned")
    for public_id, parent in [
        ("here", None),
        ("here-aisle", "here"),
        ("here-bin", "here-aisle"),
        ("there", None),
    ]:
        new_location(live_api, public_id, parent)
    level = new_level(live_api, "binned", "here")
    path = f"/inventory-levels/{level['id']}"
    prefer = {"preferredBinLocationId": "here-bin"}
    pair = {"productMasterId": "binned", "locationId": "here"}
    moves = [("here-bin", "here-aisle"), ("here-aisle", "here")]
    race = Race()
    for number in range(120):
        moved, home = moves[number % 2]
        if number % 4 < 2:
            write = partial(live_api.patch, path, prefer)
        else:
            write = partial(live_api.post, "/inventory-levels", {**pair, **prefer})
        move = partial(live_api.patch, f"/locations/{moved}", {"parentId": "there"})
        preferred, gone = race.run(write, move)
        outcome = (preferred.status_code, gone.status_code)
        assert outcome in [(200, 409), (400, 200)], (preferred.content, gone.content)
        race.note_winner(0 if outcome[0] < 400 else 1)
        (stored,) = live_database.query(
            f"SELECT bin.public_id FROM {LEVELS} level LEFT JOIN {LOCATIONS} bin"
            " ON bin.id = level.preferred_bin_location_id"
            f" WHERE level.public_id = '{level['id']}'"
        )
        parent = parents_of(live_database)[moved]
        if outcome == (200, 409):
            assert gone.json()["details"] == {"levels": 1}
            assert (*stored, parent) == ("here-bin", home)
            cleared = live_api.patch(path, {"preferredBinLocationId": None})
            assert cleared.status_code == 200
        else:
            assert list(preferred.json()["details"]) == ["preferredBinLocationId"]
            assert (*stored, parent) == (None, "there")
            back = live_api.patch(f"/locations/{moved}", {"parentId": home})
            assert back.status_code == 200
    assert race.was_close


@pytest.mark.parametrize("used_as", ["product", "location", "bin", "source"])
def test_nothing_is_deleted_while_a_request_makes_a_level_for_it(live_api, used_as):
    product, location = f"d-{used_as}", f"d-{used_as}-location"
    new_location(live_api, f"{location}-top")
    ids = {
        "product": ("/products", product),
        "location": ("/locations", location),
        "bin": ("/locations", f"{location}-bin"),
        "source": ("/locations", f"{location}-source"),
    }

    def make(role: str) -> Any:
        path, public_id = ids[role]
        body: State = {"id": public_id}
        if role == "product":
            body |= {"globalSku": public_id, "productName": public_id}
        else:
            body |= {"name": public_id, "parentId": location if role == "bin" else None}
        return live_api.post(path, body)

    for role in ids:
        if used_as != "location" or role != "bin":  # a location with a bin inside stays anyway
            assert make(role).status_code == 201
    body = {"productMasterId": product, "locationId": location}
    if used_as == "bin":
        body["preferredBinLocationId"] = ids["bin"][1]
    if used_as == "source":
        body["replenishmentLocationId"] = ids["source"][1]
    path, public_id = ids[used_as]

    race = Race()
    for _ in range(40):
        created, deleted = race.run(
            partial(live_api.post, "/inventory-levels", body),
            partial(live_api.delete, f"{path}/{public_id}"),
        )
        outcome = (created.status_code, deleted.status_code)
        assert outcome in [(201, 409), (404, 200)], (created.content, deleted.content)
        race.note_winner(0 if outcome[0] < 400 else 1)
        if outcome == (201, 409):
            assert deleted.json()["details"] == {"levels": 1}
            assert live_api.get(f"{path}/{public_id}").status_code == 200
            level = f"/inventory-levels/{created.json()['id']}"
            assert live_api.delete(level).status_code == 200
        else:
            assert created.json()["error"] == "Product or location not found"
            assert make(used_as).status_code == 201
    assert race.was_close


def test_a_location_is_never_deleted_while_another_moves_into_it(live_api):
    new_location(live_api, "guest")
    race = Race()
    for _ in range(40):
        live_api.post("/locations", {"id": "host", "name": "host"})
        moved, deleted = race.run(
            partial(live_api.patch, "/locations/guest", {"parentId": "host"}),
            partial(live_api.delete, "/locations/host"),
        )
        outcome = (moved.status_code, deleted.status_code)
        assert outcome in [(200, 409), (404, 200)], (moved.content, deleted.content)
        race.note_winner(0 if outcome[0] < 400 else 1)
        parent = live_api.get("/locations/guest").json()["parentId"]
        assert parent == ("host" if outcome == (200, 409) else None)
        if parent:
            live_api.patch("/locations/guest", {"parentId": None})
    assert race.was_close


def test_writers_that_meet_in_any_order_never_deadlock(live_api):
    """Levels that refer to each other's places, moves and renames of those, all at once."""
    for n in range(4):
        new_product(live_api, f"meet-{n}")
        new_location(live_api, f"meet-{n}")
        new_location(live_api, f"meet-{n}-bin", f"meet-{n}")

    def write_levels(client: int) -> list[Any]:
        answers = []
        for n in range(16):
            here, there = (client + n) % 4, (client - n + 1) % 4
            body = {
                "productMasterId": f"meet-{there}",
                "locationId": f"meet-{here}",
                "preferredBinLocationId": f"meet-{here}-bin",
                "replenishmentLocationId": f"meet-{there}-bin",
                "minQuantity": client * 100 + n,
            }
            answers.append(live_api.post("/inventory-levels", body))
        return answers

    def write_catalog(client: int) -> list[Any]:
        answers = []
        for n in range(16):
            here, there = (client + n) % 4, (client - n + 1) % 4
            rename = {"name": f"renamed by {client} {n}"}
            answers += [
                live_api.patch(f"/locations/meet-{here}", {"parentId": f"meet-{there}-bin"}),
                live_api.patch(f"/locations/meet-{there}-bin", rename),
                live_api.patch(f"/products/meet-{here}", {"unitCost": n}),
                live_api.patch(f"/locations/meet-{here}", {"parentId": None}),
            ]
        return answers

    writers = [partial(write_levels, n) for n in range(6)]
    writers += [partial(write_catalog, n) for n in range(2)]
    *levels, one, other = together(*writers)
    statuses = codes([answer for answers in levels for answer in answers])
    assert set(statuses) <= {200, 201, (400, "VALIDATION_ERROR")}
    assert set(codes(one + other)) <= {200, (400, "VALIDATION_ERROR"), (409, "CONFLICT")}


@pytest.mark.django_db(transaction=is_postgresql())
@pytest.mark.parametrize("write", ["patch", "post"])
def test_a_bin_that_moves_between_look_and_write_is_not_preferred(api, level, monkeypatch, write):
    """Not either where the level is replenished from it already."""
    api.patch(f"/inventory-levels/{level['id']}", {"preferredBinLocationId": None})
    api.post("/locations", {"id": "bin_away", "name": "Away", "parentId": "loc_123"})
    api.patch(f"/inventory-levels/{level['id']}", {"replenishmentLocationId": "bin_away"})
    looked, answers = single_level.fetch, []

    def move() -> None:
        answers.append(api.patch("/locations/bin_away", {"parentId": "loc_456"}).status_code)

    def move_elsewhere() -> None:
        move()
        connection.close()

    def fetch_late(sql: str, parameters: Any) -> Any:
        if "UPDATE inventory_levels_inventorylevel" in sql:
            mover = threading.Thread(target=move_elsewhere)
            mover.start()
            mover.join()
        return looked(sql, parameters)

    monkeypatch.setattr(single_level, "fetch", fetch_late)
    if not is_postgresql():  # its writers take turns: nobody comes in between
        move()
    body = {"preferredBinLocationId": "bin_away"}
    pair = {"productMasterId": "prod_123", "locationId": "loc_123"}
    if write == "patch":
        answer = api.patch(f"/inventory-levels/{level['id']}", body)
    else:
        answer = api.post("/inventory-levels", pair | body)
    assert answers == [200]
    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["preferredBinLocationId"]
    assert api.get(f"/inventory-levels/{level['id']}").json()["preferredBinLocationId"] is None
