"""POST /api/inventory-levels/bulk: what is particular to levels."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_levels.models import LevelChange, Location, ProductMaster
from tests import factories
from tests.api.answers import OUT_OF_ORDER, history
from tests.api.bulk import assert_aborted, assert_answer, everything
from tests.api.test_statement_counts import Statements
from tests.conftest import FULL_EXAMPLE

LEVELS = "/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}

Item = dict[str, Any]


def test_the_same_pair_twice_fails_both_rows(api, level):
    other = {"productMasterId": "prod_123", "locationId": "loc_456"}
    items = [
        PAIR | {"minQuantity": 1},
        other,
        {"productId": "prod_123", "locationId": "loc_123", "minQuantity": 1},
        {"productMasterId": "prod_123", "locationId": "bin_123"},
        FULL_EXAMPLE,
    ]
    before = everything()
    results = assert_aborted(api.post(f"{LEVELS}/bulk", {"items": items}), 0, 2, 4)
    assert {result["code"] for result in results} == {"VALIDATION_ERROR"}
    assert everything() == before
    response = api.post(f"{LEVELS}/bulk", {"items": items, "onError": "skip"})
    results = assert_answer(response, created=2, failed=3)
    assert [result["outcome"] for result in results] == [
        *("failed", "created", "failed", "created", "failed")
    ]
    assert api.get(f"{LEVELS}/{level['id']}").json() == level


@pytest.mark.parametrize("bad", [{"minQuantity": "1"}, {"minQuanity": 1}, {"abcClass": "D"}])
def test_the_same_pair_twice_fails_both_rows_also_where_one_is_malformed(api, level, bad):
    """Nobody can tell which of the two was meant."""
    items = [PAIR | bad, PAIR | {"minQuantity": 1}]
    assert_aborted(api.post(f"{LEVELS}/bulk", {"items": items}), 0, 1)
    assert_answer(api.post(f"{LEVELS}/bulk", {"items": items, "onError": "skip"}), failed=2)
    assert api.get(f"{LEVELS}/{level['id']}").json() == level


@pytest.mark.parametrize("others", [0, 120])  # few are written one way, many another
def test_a_malformed_row_of_few_or_of_many_says_what_is_wrong_with_it(api, acme, others):
    for number in range(others):
        factories.ProductFactory(organization=acme.organization, public_id=f"p-{number}")
    items: list[Any] = [
        PAIR | {"minQuantity": "x", "colour": 1},
        PAIR,
        5,
        {"locationId": "loc_123"},
        {"productMasterId": "prod_123", "locationId": "a b"},
        *(PAIR | {"productMasterId": f"p-{number}"} for number in range(others)),
    ]
    body = {"items": items, "onError": "skip"}
    results = assert_answer(api.post(f"{LEVELS}/bulk", body), created=others, failed=5)
    told = [(one["error"], one["details"] and set(one["details"])) for one in results[:5]]
    assert told == [
        ("minQuantity: must be a number", {"minQuantity", "colour"}),
        ("The same product and location comes more than once", None),
        ("Each item must be a JSON object.", None),
        ("productMasterId: is required", {"productMasterId"}),
        ("locationId: must be 1 to 64 characters out of A-Z a-z 0-9 _ . : -", {"locationId"}),
    ]


LOOK_ALIKES: dict[str, dict[str, Any]] = {
    "minQuantity": {"1": 1, "1.0": 1, "1.5": 1.5, "1.50": 1.5, "0": 0, "-0.0": 0},
    "expectedLeadTimeDays": {"1": 1, "1.0": 1, "0": 0},
    "status": {'"Supported"': "Supported", '"supported"': "Supported"},
}
REFUSED = ["true", '"1"', "[]", "[1]", "{}", '{"1": 1}', "false", "1.00001", "-1"]


@pytest.mark.parametrize("field", LOOK_ALIKES)
def test_a_row_is_read_by_itself_whatever_others_had(api, acme, field):
    """1 and true and 1.0 are equal to Python, but not the same."""
    taken = [*LOOK_ALIKES[field].items()]
    values = [value for good in taken for value in (good, *((bad, None) for bad in REFUSED))] * 2
    for number, _ in enumerate(values):
        factories.ProductFactory(organization=acme.organization, public_id=f"p-{number}")
    items = ", ".join(
        f'{{"productMasterId": "p-{number}", "locationId": "loc_123", "{field}": {text}}}'
        for number, (text, _) in enumerate(values)
    )
    body = f'{{"onError": "skip", "items": [{items}]}}'.encode()
    results = api.request("POST", f"{LEVELS}/bulk", body).json()["results"]
    for (text, expected), result in zip(values, results, strict=True):
        assert (result["outcome"] == "failed") == (expected is None), (text, result)
        if expected is not None:
            assert api.get(f"{LEVELS}/{result['id']}").json()[field] == expected
        else:
            assert result["details"].keys() == {field}


def test_every_change_is_in_the_history_as_bulk(api, level):
    items = [PAIR | {"minQuantity": 60}, {"productMasterId": "prod_123", "locationId": "loc_456"}]
    results = assert_answer(
        api.post(f"{LEVELS}/bulk", {"items": [*items, {}], "onError": "skip"}),
        created=1,
        updated=1,
        failed=1,
    )
    _, *entries = history()
    assert {
        (entry.level_public_id, entry.action, entry.version, entry.source) for entry in entries
    } == {
        (level["id"], "UPDATE", 2, "bulk"),
        (results[1]["id"], "CREATE", 1, "bulk"),
    }
    assert {entry.actor_name for entry in entries} == {"ERP"}


def test_a_row_is_merged_over_what_is_stored_as_a_post_is(api, level):
    items = [PAIR | {"reorderQuantity": None, "minQuantity": 400, "status": None, "abcClass": "b"}]
    assert_answer(api.post(f"{LEVELS}/bulk", {"items": items}), updated=1)
    changed = api.get(f"{LEVELS}/{level['id']}").json()
    assert changed == level | {
        "reorderQuantity": None,
        "minQuantity": 400,
        "abcClass": "B",
        "version": 2,
        "updatedAt": changed["updatedAt"],
    }
    (result,) = assert_aborted(
        api.post(f"{LEVELS}/bulk", {"items": [PAIR | {"maxQuantity": 399}]}), 0
    )
    assert (result["error"], result["code"]) == (OUT_OF_ORDER, "INVALID_QUANTITIES")


def test_an_answered_level_can_be_sent_back(api, level):
    assert_answer(api.post(f"{LEVELS}/bulk", {"items": [level]}), unchanged=1)
    (result,) = assert_answer(
        api.post(f"{LEVELS}/bulk", {"items": [level | {"minQuantity": 1}]}), updated=1
    )
    assert result["id"] == level["id"]


def grid(acme: Any, products: int, locations: int) -> list[Item]:
    """A row for each pair of so many new products and locations."""
    organization = acme.organization
    made = [
        factories.ProductFactory.build(organization=organization, public_id=f"item-{n}")
        for n in range(products)
    ]
    ProductMaster._base_manager.bulk_create(made)
    places = [
        factories.LocationFactory.build(organization=organization, public_id=f"place-{n}")
        for n in range(locations)
    ]
    Location._base_manager.bulk_create(places)
    return [
        {"productMasterId": product.public_id, "locationId": place.public_id, "minQuantity": 1}
        for product in made
        for place in places
    ]


def test_10_000_levels_go_in_one_request(api, acme):
    items = grid(acme, 100, 100)
    assert (
        len(assert_answer(api.post(f"{LEVELS}/bulk", {"items": items}), created=10_000)) == 10_000
    )
    for number in range(0, 10_000, 4):
        items[number] = items[number] | {"minQuantity": 2.5}
    response = api.post(f"{LEVELS}/bulk", {"items": items})
    assert_answer(response, updated=2_500, unchanged=7_500)
    assert LevelChange._base_manager.filter(source="bulk", action="CREATE").count() == 10_000
    assert LevelChange._base_manager.filter(source="bulk", action="UPDATE").count() == 2_500
    items[9_999] = items[9_999] | {"minQuantity": -1}
    items[0] = items[0] | {"minQuantity": 7}
    assert_aborted(api.post(f"{LEVELS}/bulk", {"items": items}), 9_999)
    assert LevelChange._base_manager.count() == 12_500


def test_the_statements_do_not_grow_with_the_rows(api, acme):
    items = grid(acme, 10, 7)
    few, many = (
        Statements(200, api.post, f"{LEVELS}/bulk", {"items": part})
        for part in (items[:2], items[2:60])
    )
    assert many.short == few.short
    assert len(many) == 6
    changed = [item | {"minQuantity": 2} for item in items[:60]]
    statements = Statements(200, api.post, f"{LEVELS}/bulk", {"items": changed})
    assert statements.short == few.short
