"""POST .../bulk of levels, products and locations: what holds for all three."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests import factories
from tests.api.answers import assert_error, assert_invalid
from tests.api.bulk import assert_aborted, assert_answer, everything
from tests.conftest import FULL_EXAMPLE, Api

LEVELS, PRODUCTS, LOCATIONS = "/inventory-levels", "/products", "/locations"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
MIB = 1024 * 1024

Item = dict[str, Any]


def at(location: str) -> Item:
    return {"productMasterId": "prod_123", "locationId": location}


@dataclass(frozen=True)
class Bulk:
    """One of the three lists, with items of which each outcome can be told."""

    path: str
    new: list[Item]
    changed: Item
    same: Item
    # Items that fail, with the code and the fields in the details that a single POST answers.
    bad: list[tuple[Item, str, set[str]]] = field(default_factory=list)

    def post(self, api: Api, items: list[Any], **options: Any) -> Any:
        return api.post(f"{self.path}/bulk", {"items": items, **options})


BULKS = [
    Bulk(
        LEVELS,
        new=[
            at("loc_456"),
            {"productId": "prod_123", "locationId": "bin_123", "minQuantity": 0.5},
        ],
        changed=PAIR | {"minQuantity": 60},
        same=FULL_EXAMPLE,
        bad=[
            (at("place-0") | {"minQuantity": "5"}, "VALIDATION_ERROR", {"minQuantity"}),
            (
                {"locationId": "place-1", "minQuanity": 5},
                "VALIDATION_ERROR",
                {"productMasterId", "minQuanity"},
            ),
            ({}, "VALIDATION_ERROR", {"productMasterId", "locationId"}),
            (
                at("place-2") | {"minQuantity": 2, "reorderQuantity": 1},
                "INVALID_QUANTITIES",
                {"reorderQuantity"},
            ),
            (at("place-3") | {"productMasterId": "nothing"}, "NOT_FOUND", {"productMasterId"}),
            (
                {"productMasterId": "nothing", "locationId": "nowhere"},
                "NOT_FOUND",
                {"productMasterId", "locationId"},
            ),
            (
                at("place-4") | {"preferredBinLocationId": "bin_123"},
                "VALIDATION_ERROR",
                {"preferredBinLocationId"},
            ),
        ],
    ),
    Bulk(
        PRODUCTS,
        new=[
            {"globalSku": "N-1", "productName": "New"},
            {"id": "prod_new", "globalSku": "N-2", "productName": "New", "unitCost": 0.5},
        ],
        changed={"id": "prod_123", "productName": "Gadget"},
        same={"globalSku": "SKU-123", "productName": "Widget"},
        bad=[
            ({"globalSku": "B-1", "productName": 5}, "VALIDATION_ERROR", {"productName"}),
            ({"globalSku": "B-2"}, "VALIDATION_ERROR", {"productName"}),
            ({}, "VALIDATION_ERROR", {"globalSku", "productName"}),
            ({"id": "bulk", "globalSku": "", "x": 1}, "VALIDATION_ERROR", {"id", "globalSku", "x"}),
            (
                {"id": "b-5", "globalSku": "SKU-123", "productName": "B"},
                "CONFLICT",
                {"globalSku"},
            ),
        ],
    ),
    Bulk(
        LOCATIONS,
        new=[
            {"name": "New", "type": "STORE"},
            {"id": "bin_new", "name": "A-02", "type": "BIN", "parentId": "loc_123"},
        ],
        changed={"id": "loc_456", "name": "Renamed"},
        same={"name": "Main warehouse", "type": "warehouse"},
        bad=[
            ({"name": "B-1", "type": "CAR"}, "VALIDATION_ERROR", {"type"}),
            ({"id": "b-2"}, "VALIDATION_ERROR", {"name"}),
            ({"name": "B-3", "type": "BIN"}, "VALIDATION_ERROR", {"parentId"}),
            ({"name": "B-4", "parentId": "nowhere"}, "NOT_FOUND", {"parentId"}),
            ({"id": "loc_123", "parentId": "bin_123"}, "VALIDATION_ERROR", {"parentId"}),
            ({"id": "b-6", "name": "Main warehouse"}, "CONFLICT", {"name"}),
        ],
    ),
]


@pytest.fixture
def cast(acme, level):
    """A level that the items change, and places that only bad items name."""
    for number in range(5):
        factories.LocationFactory(organization=acme.organization, public_id=f"place-{number}")


ALL = pytest.mark.parametrize("bulk", BULKS, ids=lambda bulk: bulk.path)


# --- good rows


@ALL
def test_rows_are_created_updated_and_left_unchanged_in_one_request(api, cast, bulk):
    items = [bulk.new[0], bulk.changed, bulk.new[1]]
    results = assert_answer(bulk.post(api, items), created=2, updated=1)
    assert [result["outcome"] for result in results] == ["created", "updated", "created"]
    for result, item in zip(results, items, strict=True):
        assert (result["error"], result["code"], result["details"]) == (None, None, None)
        stored_now = api.get(f"{bulk.path}/{result['id']}").json()
        assert {name: stored_now[name] for name in item if name != "productId"} == {
            name: value for name, value in item.items() if name != "productId"
        }
    before = everything()
    again = assert_answer(bulk.post(api, items), unchanged=3)
    assert [result["id"] for result in again] == [result["id"] for result in results]
    assert everything() == before


@ALL
def test_what_changes_nothing_writes_nothing(api, cast, bulk):
    before = everything()
    for options in ({}, {"onError": "skip"}, {"dryRun": True}):
        (result,) = assert_answer(
            bulk.post(api, [bulk.same], **options), unchanged=1, dryRun="dryRun" in options
        )
        assert api.get(f"{bulk.path}/{result['id']}").status_code == 200
    assert everything() == before


@ALL
@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_dry_run_tells_what_would_be_and_writes_nothing(api, cast, bulk, on_error):
    before = everything()
    items = [*bulk.new, bulk.changed]
    response = bulk.post(api, items, dryRun=True, onError=on_error)
    results = assert_answer(response, created=2, updated=1, dryRun=True)
    assert [result["id"] for result in results[:2]] == [None, None]
    assert api.get(f"{bulk.path}/{results[2]['id']}").status_code == 200
    assert everything() == before
    done = assert_answer(bulk.post(api, items, onError=on_error), created=2, updated=1)
    assert [result["outcome"] for result in done] == [result["outcome"] for result in results]


# --- bad rows


@ALL
def test_every_bad_row_is_told_as_a_single_request_would_be(api, cast, bulk):
    bad = [item for item, _, _ in bulk.bad]
    results = assert_aborted(bulk.post(api, bad), *range(len(bad)))
    for result, (item, code, fields) in zip(results, bulk.bad, strict=True):
        assert (result["code"], set(result["details"])) == (code, fields), item
        single = api.post(bulk.path, item).json()
        assert (result["code"], result["details"]) == (single["code"], single["details"])


@ALL
def test_abort_writes_nothing_where_one_row_is_bad(api, cast, bulk):
    before = everything()
    for item, code, fields in bulk.bad:
        for place in range(3):
            items = [*bulk.new[:1], bulk.changed]
            items.insert(place, item)
            for options in ({}, {"onError": "abort"}):
                (result,) = assert_aborted(bulk.post(api, items, **options), place)
                assert (result["code"], set(result["details"])) == (code, fields)
    assert everything() == before


@ALL
def test_skip_writes_the_good_rows_beside_the_bad_ones(api, cast, bulk):
    (first, code, _), *_, (last, last_code, _) = bulk.bad
    items = [last, bulk.new[0], bulk.changed, first, bulk.new[1]]
    response = bulk.post(api, items, onError="skip")
    results = assert_answer(response, created=2, updated=1, failed=2)
    outcomes = [result["outcome"] for result in results]
    assert outcomes == ["failed", "created", "updated", "failed", "created"]
    assert results[0]["id"] is results[3]["id"] is None
    assert (results[0]["code"], results[3]["code"]) == (last_code, code)
    assert api.get(f"{bulk.path}/{results[4]['id']}").status_code == 200


@ALL
def test_skip_answers_200_even_where_all_rows_are_bad(api, cast, bulk):
    before = everything()
    bad = [item for item, _, _ in bulk.bad]
    results = assert_answer(bulk.post(api, bad, onError="skip"), failed=len(bad))
    assert all(result["details"] for result in results)
    assert everything() == before


@ALL
@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_dry_run_answers_as_the_real_one_would_where_rows_are_bad(api, cast, bulk, on_error):
    before = everything()
    items = [bulk.new[0], *(item for item, _, _ in bulk.bad), bulk.changed]
    dry = bulk.post(api, items, onError=on_error, dryRun=True)
    assert everything() == before
    real = bulk.post(api, items, onError=on_error)
    assert dry.status_code == real.status_code == (400 if on_error == "abort" else 200)
    one, other = dry.json(), real.json()
    assert one.pop("dryRun") is True
    assert other.pop("dryRun") is False
    if on_error == "skip":
        assert one["results"][0].pop("id") is None
        assert other["results"][0].pop("id")
    assert one == other


@ALL
def test_an_item_that_is_no_object_fails_alone(api, cast, bulk):
    odd = [None, 5, "text", True, [], [bulk.new[0]], 1.5]
    results = assert_aborted(bulk.post(api, [*odd, bulk.new[0]]), *range(len(odd)))
    assert {result["code"] for result in results} == {"VALIDATION_ERROR"}
    response = bulk.post(api, [*odd, bulk.new[0]], onError="skip")
    assert assert_answer(response, created=1, failed=len(odd))[-1]["outcome"] == "created"


@ALL
def test_others_rows_are_like_none(api, stranger, cast, bulk):
    """The stranger has the same ids, and the same items are new to it."""
    before = api.get(bulk.path).json()
    response = bulk.post(stranger, [*bulk.new, bulk.changed], onError="skip")
    assert response.json()["created"] == (3 if bulk.path == LEVELS else 2)
    assert api.get(bulk.path).json() == before


# --- the envelope

ENVELOPES: list[tuple[Item, set[str]]] = [
    ({}, {"items"}),
    ({"items": []}, {"items"}),
    ({"items": None}, {"items"}),
    ({"items": {}}, {"items"}),
    ({"items": {"0": {}}}, {"items"}),
    ({"items": "[]"}, {"items"}),
    ({"items": 5}, {"items"}),
    ({"items": [{}] * 10_001}, {"items"}),
    ({"item": [{}]}, {"items", "item"}),
    ({"items": [{}], "onError": "stop"}, {"onError"}),
    ({"items": [{}], "onError": "Abort"}, {"onError"}),
    ({"items": [{}], "onError": ""}, {"onError"}),
    ({"items": [{}], "onError": None}, {"onError"}),
    ({"items": [{}], "onError": ["skip"]}, {"onError"}),
    ({"items": [{}], "onError": {}}, {"onError"}),
    ({"items": [{}], "onError": True}, {"onError"}),
    ({"items": [{}], "dryRun": "true"}, {"dryRun"}),
    ({"items": [{}], "dryRun": 1}, {"dryRun"}),
    ({"items": [{}], "dryRun": 0}, {"dryRun"}),
    ({"items": [{}], "dryRun": None}, {"dryRun"}),
    ({"items": [{}], "dryrun": True}, {"dryrun"}),
    ({"items": [{}], "on_error": "skip", "productMasterId": "x"}, {"on_error", "productMasterId"}),
    ({"items": 5, "onError": 5, "dryRun": 5, "x": 5}, {"items", "onError", "dryRun", "x"}),
]


@ALL
def test_a_wrong_envelope_is_refused_by_name(api, cast, bulk):
    before = everything()
    for body, fields in ENVELOPES:
        assert_invalid(api.post(f"{bulk.path}/bulk", body), *fields)
    for body in (b"[]", b"5", b"null", json.dumps([bulk.new[0]]).encode(), b'"items"'):
        assert_error(api.post(f"{bulk.path}/bulk", body), 400, "VALIDATION_ERROR", fields=set())
    assert everything() == before


@ALL
def test_options_are_no_query_parameters(api, cast, bulk):
    before = everything()
    response = api.post(f"{bulk.path}/bulk?dryRun=true&onError=skip", {"items": bulk.new})
    assert_invalid(response, "dryRun", "onError")
    assert everything() == before


@ALL
def test_a_bulk_is_posted_with_or_without_a_trailing_slash(api, cast, bulk):
    response = api.post(f"{bulk.path}/bulk/", {"items": bulk.new})
    assert_answer(response, created=2)
    for method in ("GET", "PATCH", "DELETE"):
        body = None if method == "GET" else {}
        response = api.request(method, f"{bulk.path}/bulk", body)
        assert_error(response, 405, "METHOD_NOT_ALLOWED")


@ALL
def test_a_body_may_have_32_mebibytes(api, cast, bulk):
    body = json.dumps({"items": bulk.new}).encode()
    for size, outcome in [(MIB + 1, "created"), (32 * MIB, "unchanged")]:
        padded = body[:-1] + b" " * (size - len(body)) + body[-1:]
        assert len(padded) == size
        assert_answer(api.post(f"{bulk.path}/bulk", padded), **{outcome: 2})
    before = everything()
    assert_error(api.post(f"{bulk.path}/bulk", padded + b" "), 413, "PAYLOAD_TOO_LARGE")
    assert everything() == before
