"""POST /api/products/bulk and /api/locations/bulk: what is particular to each."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_levels.models import Location
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.bulk import assert_aborted, assert_answer, everything
from tests.api.files import assert_imported, send, table
from tests.api.test_statement_counts import Statements
from tests.conftest import Api, issue_key

LEVELS, PRODUCTS, LOCATIONS = "/inventory-levels", "/products", "/locations"


@pytest.mark.parametrize(
    ("path", "items"),
    [
        (PRODUCTS, [{"id": "p", "globalSku": "X", "productName": "1"}] * 2),
        (PRODUCTS, [{"id": "prod_123", "productName": name} for name in "ab"]),
        (PRODUCTS, [{"globalSku": "X", "productName": name} for name in "ab"]),
        (LOCATIONS, [{"id": "l", "name": "X"}] * 2),
        (LOCATIONS, [{"id": "loc_456", "name": name} for name in "ab"]),
        (LOCATIONS, [{"name": "X", "type": type_} for type_ in ("STORE", "OTHER")]),
        (LOCATIONS, [{"name": "X", "parentId": "loc_123"}] * 2),
    ],
)
def test_the_same_product_or_location_twice_fails_both_rows(api, acme, path, items):
    before = everything()
    assert_aborted(api.post(f"{path}/bulk", {"items": items}), 0, 1)
    assert everything() == before
    assert_answer(api.post(f"{path}/bulk", {"items": items, "onError": "skip"}), failed=2)
    assert everything() == before


S, N = "globalSku", "productName"
UNREADABLE = {"unitCost": "bad"}
# Two rows about one product or location, however each names it and whatever else is wrong.
TWICE: list[tuple[str, list[dict[str, Any]]]] = [
    (PRODUCTS, [{"id": "p", S: "A", N: "a"} | UNREADABLE, {"id": "p", S: "B", N: "b"}]),
    (PRODUCTS, [{"id": "p", S: "A", N: "a"}, {S: "A", N: "b"}]),
    (PRODUCTS, [{S: "A", N: "b"}, {"id": "p", S: "A", N: "a"}]),
    (PRODUCTS, [{"id": "p", S: "A", N: "a"} | UNREADABLE, {S: "A", N: "b"}]),
    (PRODUCTS, [{"id": "p", S: "A", N: "a"}, {S: "A", N: "b"} | UNREADABLE]),
    (PRODUCTS, [{"id": "prod_123"} | UNREADABLE, {S: "SKU-123", N: "b"}]),
    (PRODUCTS, [{"id": "prod_123", S: "A"}, {S: "A", N: "b"}]),
    (PRODUCTS, [{S: "A", N: "b"}, {"id": "prod_123", S: "A"}]),
    (LOCATIONS, [{"id": "l", "name": "X"}, {"name": "X"}]),
    (LOCATIONS, [{"id": "l", "name": "X", "type": "CAR"}, {"name": "X"}]),
    (LOCATIONS, [{"id": "loc_456", "type": "CAR"}, {"name": "Supplier", "type": "STORE"}]),
    (LOCATIONS, [{"id": "bin_123", "name": "X"}, {"name": "X", "parentId": "loc_123"}]),
    (LOCATIONS, [{"id": "l", "name": 5}, {"id": "l", "name": "X"}]),
]


@pytest.mark.parametrize(("path", "items"), TWICE)
def test_one_record_named_in_two_ways_or_unreadable_once_fails_both_rows(api, acme, path, items):
    before = everything()
    assert_aborted(api.post(f"{path}/bulk", {"items": items}), 0, 1)
    assert_answer(api.post(f"{path}/bulk", {"items": items, "onError": "skip"}), failed=2)
    # A file says the same with its columns.
    header = sorted({name for item in items for name in item})
    rows = [[item.get(name, "") for name in header] for item in items]
    if items[0].get("name") != 5:  # which a file takes for a text
        assert_imported(send(api, table(header, *rows), path, onError="skip"), failed=2)
    assert everything() == before


def test_unreadable_rows_that_name_nothing_are_about_nothing(api, acme):
    items = [{"unitCost": "bad"}, {"productName": "b"}, {S: "A", N: "a"}, 5, {S: 5, N: "c"}]
    answer = api.post(f"{PRODUCTS}/bulk", {"items": items, "onError": "skip"})
    results = assert_answer(answer, created=1, failed=4)
    details = [result["details"] and set(result["details"]) for result in results]
    assert details == [{"unitCost"}, {S}, None, None, {S}]
    # Where the parent can't be read, it is not the one at the top that is meant.
    items = [{"name": "X", "parentId": 5}, {"name": "X"}]
    body = {"items": items, "onError": "skip"}
    assert_answer(api.post(f"{LOCATIONS}/bulk", body), created=1, failed=1)


TREE = [
    {"id": "hall", "name": "Hall", "type": "WAREHOUSE"},
    {"id": "rack", "name": "Rack", "parentId": "hall"},
    {"id": "shelf", "name": "Shelf", "type": "BIN", "parentId": "rack"},
    {"name": "Box", "type": "BIN", "parentId": "shelf"},
]


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_parent_may_be_created_by_an_earlier_row(api, acme, on_error):
    before = everything()
    body = {"items": TREE, "onError": on_error}
    assert_answer(api.post(f"{LOCATIONS}/bulk", body | {"dryRun": True}), created=4, dryRun=True)
    assert everything() == before
    results = assert_answer(api.post(f"{LOCATIONS}/bulk", body), created=4)
    assert [result["id"] for result in results[:3]] == ["hall", "rack", "shelf"]
    assert api.get(f"{LOCATIONS}/{results[3]['id']}").json()["parentId"] == "shelf"
    assert_answer(api.post(f"{LOCATIONS}/bulk", body), unchanged=4)
    # The tree is whole: what is four deep can be preferred at the top.
    level = {"productMasterId": "prod_123", "locationId": "hall"}
    answer = api.post(LEVELS, level | {"preferredBinLocationId": results[3]["id"]})
    assert answer.status_code == 201


def test_a_parent_of_a_row_that_failed_is_not_there(api, acme):
    before = everything()
    items = [TREE[0] | {"type": "CAR"}, TREE[1], TREE[2], {"name": "Other"}]
    results = assert_aborted(api.post(f"{LOCATIONS}/bulk", {"items": items}), 0, 1, 2)
    assert [result["code"] for result in results] == ["VALIDATION_ERROR", "NOT_FOUND", "NOT_FOUND"]
    assert everything() == before
    body = {"items": items, "onError": "skip"}
    assert_answer(api.post(f"{LOCATIONS}/bulk", body), created=1, failed=3)


def test_rows_that_would_make_a_cycle_together_are_refused(api, acme):
    assert_answer(api.post(f"{LOCATIONS}/bulk", {"items": TREE}), created=4)
    before = everything()
    moves = [{"id": "rack", "parentId": "loc_123"}, {"id": "loc_123", "parentId": "shelf"}]
    (result,) = assert_aborted(api.post(f"{LOCATIONS}/bulk", {"items": moves}), 1)
    assert set(result["details"]) == {"parentId"}
    assert everything() == before


PLACES = [f"place-{n}" for n in range(7)]
ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(PLACES)},
        optional={
            "name": st.sampled_from("abc"),
            "type": st.sampled_from(["STORE", "BIN"]),
            "parentId": st.none() | st.sampled_from(PLACES),
        },
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda row: row["id"],
)


def whereabouts(api: Api, organization: Any) -> Any:
    """The locations and, as the stored paths have it, who is inside whom."""
    told = {
        one["id"]: (one["name"], one["type"], one["parentId"])
        for one in api.get(f"{LOCATIONS}?limit=500").json()["items"]
    }
    with organization_scope(organization):
        places = {place.pk: place for place in Location.objects.all()}
    inside = {
        place.public_id: [places[int(key)].public_id for key in place.path.split("/")[1:-1]]
        for place in places.values()
    }
    for place, (_, _, parent) in told.items():
        assert inside[place] == ([*inside[parent], parent] if parent else [])
    return told


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=ROWS, preferred=st.lists(st.tuples(*[st.sampled_from(PLACES)] * 2)), rows=ROWS)
def test_many_at_once_are_what_one_after_the_other_would_be(db, before, preferred, rows):
    """Creations, renames and moves of whole subtrees, among levels that prefer what moves."""
    with transaction.atomic():
        outcomes = []
        for at_once in (False, True):
            organization = factories.OrganizationFactory()
            product = factories.ProductFactory(organization=organization).public_id
            api = Api(issue_key(organization))
            for row in before:
                api.post(LOCATIONS, row)
            for place, bin_ in preferred:
                level = {"productMasterId": product, "locationId": place}
                api.post(LEVELS, level | {"preferredBinLocationId": bin_})
            if at_once:
                body = {"items": rows, "onError": "skip"}
                results = api.post(f"{LOCATIONS}/bulk", body).json()["results"]
                codes = [result["code"] for result in results]
            else:
                codes = [api.post(LOCATIONS, row).json().get("code") for row in rows]
            outcomes.append((codes, whereabouts(api, organization)))
        assert outcomes[0] == outcomes[1]
        transaction.set_rollback(True)


def test_thousands_move_at_once_with_what_is_inside_them(api, acme):
    def rows(**values: Any) -> dict[str, Any]:
        return {"items": [{"id": f"rack-{n}", **values} for n in range(1_500)]}

    racks = rows(parentId="loc_123")
    racks["items"] = [rack | {"name": rack["id"]} for rack in racks["items"]]
    assert_answer(api.post(f"{LOCATIONS}/bulk", racks), created=1_500)
    shelf = {"id": "shelf", "name": "Shelf", "parentId": "rack-1499"}
    assert api.post(LOCATIONS, shelf).status_code == 201
    moves = rows(parentId="loc_456")
    assert_answer(api.post(f"{LOCATIONS}/bulk", moves), updated=1_500)
    level = {"productMasterId": "prod_123", "preferredBinLocationId": "shelf"}
    assert api.post(LEVELS, level | {"locationId": "loc_123"}).status_code == 400
    assert api.post(LEVELS, level | {"locationId": "loc_456"}).status_code == 201
    (result,) = assert_aborted(api.post(f"{LOCATIONS}/bulk", racks), 1499)
    assert (result["code"], result["details"]) == ("CONFLICT", {"levels": 1})


# --- rows that are about each other's ids, SKUs and names


@pytest.mark.parametrize(
    ("path", "items"),
    [
        (PRODUCTS, [{"id": id_, "globalSku": "X", "productName": "X"} for id_ in "ab"]),
        (LOCATIONS, [{"id": id_, "name": "X"} for id_ in "ab"]),
        (LOCATIONS, [{"id": id_, "name": "X", "parentId": "loc_123"} for id_ in "ab"]),
        (
            PRODUCTS,
            [
                {"id": "a", "globalSku": "X", "productName": "X"},
                {"id": "prod_123", "globalSku": "X"},
            ],
        ),
        (LOCATIONS, [{"id": "a", "name": "X"}, {"id": "loc_456", "name": "X"}]),
        (
            LOCATIONS,
            [{"id": "a", "name": "X", "parentId": "loc_123"}, {"id": "bin_123", "name": "X"}],
        ),
    ],
)
def test_two_that_want_the_same_sku_or_name_do_not_both_get_it(api, acme, path, items):
    before = everything()
    response = api.post(f"{path}/bulk", {"items": items})
    assert response.status_code == 400
    codes = {result["code"] for result in response.json()["results"]}
    assert codes <= {"CONFLICT", "VALIDATION_ERROR"}
    assert everything() == before
    body = api.post(f"{path}/bulk", {"items": items, "onError": "skip"}).json()
    assert body["failed"] >= 1
    assert [result["outcome"] for result in body["results"]][1] == "failed"


def test_one_product_by_its_id_and_by_its_sku_is_the_same_twice(api, acme):
    items = [
        {"id": "prod_123", "productName": "one"},
        {"globalSku": "SKU-123", "productName": "other"},
    ]
    assert_aborted(api.post(f"{PRODUCTS}/bulk", {"items": items}), 0, 1)


def test_one_location_by_its_id_and_by_its_name_is_the_same_twice(api, acme):
    items = [{"id": "loc_456", "type": "STORE"}, {"name": "Supplier", "type": "OTHER"}]
    assert_aborted(api.post(f"{LOCATIONS}/bulk", {"items": items}), 0, 1)


def test_a_sku_or_name_that_an_earlier_row_gave_up_is_free(api, acme):
    items: list[dict[str, Any]] = [
        {"id": "prod_123", "globalSku": "OLD"},
        {"id": "prod_9", "globalSku": "SKU-123", "productName": "New"},
    ]
    assert_answer(api.post(f"{PRODUCTS}/bulk", {"items": items}), updated=1, created=1)
    items = [{"id": "loc_456", "name": "Old"}, {"id": "loc_9", "name": "Supplier"}]
    assert_answer(api.post(f"{LOCATIONS}/bulk", {"items": items}), updated=1, created=1)


@pytest.mark.parametrize("path", [PRODUCTS, LOCATIONS])
def test_the_statements_do_not_grow_with_the_rows(api, acme, path):
    """Of rows that are created, updated and left unchanged."""

    def items(numbers: range, suffix: str = "") -> list[dict[str, Any]]:
        if path == PRODUCTS:
            return [
                {"id": f"p-{n}", "globalSku": f"S-{n}", "productName": f"P-{n}{suffix}"}
                for n in numbers
            ]
        return [{"id": f"l-{n}", "name": f"L-{n}{suffix}", "parentId": "loc_123"} for n in numbers]

    def statements(rows: list[dict[str, Any]]) -> int:
        return len(Statements(200, api.post, f"{path}/bulk", {"items": rows}))

    few, many = range(3), range(3, 63)
    for suffix in ("", "", "x"):
        assert statements(items(many, suffix)) == statements(items(few, suffix)) <= 12
