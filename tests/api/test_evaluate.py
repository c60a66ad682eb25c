"""POST /api/inventory-levels/evaluate: the states of stocks, as an ERP asks for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory_levels.models import InventoryLevel
from tests import factories
from tests.api.answers import assert_error, assert_invalid, stored
from tests.api.test_statement_counts import Statements
from tests.conftest import Api, signed_in

PATH = "/inventory-levels/evaluate"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
ITEM = PAIR | {"quantityOnHand": 60}


def evaluate(api: Api, *items: Any) -> list[dict[str, Any]]:
    response = api.post(PATH, {"items": [*items]})
    assert response.status_code == 200, response.content
    body = response.json()
    assert body.keys() == {"items"}
    assert len(body["items"]) == len(items)
    return body["items"]


def test_a_stock_is_told_its_state_the_reason_and_what_to_order(api, level):
    (answer,) = evaluate(api, ITEM | {"quantityOnOrder": 40, "quantityReserved": 10})
    assert answer == {
        "productMasterId": "prod_123",
        "locationId": "loc_123",
        "levelId": level["id"],
        "state": "reorder",
        "reason": "The position of 90 (60 on hand + 40 on order - 10 reserved) is not above the "
        "reorder point of 100: order 410 to fill up to 500.",
        "suggestedQuantity": 410,
        "replenishmentLocationId": "loc_456",
        "daysOfCover": 9,
    }


@pytest.mark.parametrize(
    ("on_hand", "state", "suggested"),
    [
        (0, "outOfStock", 500),
        (-2.5, "outOfStock", 502.5),
        (50, "belowMinimum", 450),
        (50.0001, "reorder", 449.9999),
        (100, "reorder", 400),
        (101, "ok", 0),
        (500, "ok", 0),
        (501, "overstock", 0),
    ],
)
def test_states_by_what_is_on_hand(api, level, on_hand, state, suggested):
    (answer,) = evaluate(api, PAIR | {"quantityOnHand": on_hand})
    assert (answer["state"], answer["suggestedQuantity"]) == (state, suggested)
    assert answer["reason"]


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        ({"productMasterId": "prod_123", "locationId": "loc_456"}, "a pair without a level"),
        ({"productMasterId": "prod_none", "locationId": "loc_123"}, "an unknown product"),
        ({"productMasterId": "prod_123", "locationId": "loc_none"}, "an unknown location"),
    ],
)
def test_where_there_is_no_level_nobody_can_say(api, level, pair, why):
    (answer,) = evaluate(api, pair | {"quantityOnHand": 5})
    assert answer == pair | {
        "levelId": None,
        "state": "noLevel",
        "reason": "This product has no level at this location.",
        "suggestedQuantity": None,
        "replenishmentLocationId": None,
        "daysOfCover": None,
    }, why


@pytest.mark.parametrize("status", ["NotSupported", "SupportedNonInventory", "Inactive"])
def test_a_level_that_is_not_reordered_is_not_managed(api, level, status):
    api.patch(f"/inventory-levels/{level['id']}", {"status": status})
    (answer,) = evaluate(api, ITEM)
    assert (answer["state"], answer["suggestedQuantity"]) == ("notManaged", None)
    assert answer["reason"] == f"The level's status is {status}: it is not reordered."
    assert (answer["levelId"], answer["daysOfCover"]) == (level["id"], 9)


def test_an_order_without_a_maximum_has_no_size_and_a_reason(api, level):
    api.patch(f"/inventory-levels/{level['id']}", {"maxQuantity": None})
    (due,) = evaluate(api, ITEM)
    assert (due["state"], due["suggestedQuantity"]) == ("reorder", None)
    assert due["reason"].endswith("no maximum says how far to fill up.")
    (not_due,) = evaluate(api, PAIR | {"quantityOnHand": 101})
    assert (not_due["state"], not_due["suggestedQuantity"]) == ("ok", 0)


def test_answers_come_in_the_order_of_the_request_and_a_pair_may_repeat(api, level):
    other = {"productMasterId": "prod_123", "locationId": "bin_123"}
    api.post("/inventory-levels", other | {"reorderQuantity": 5, "maxQuantity": 8})
    answers = evaluate(
        api,
        other | {"quantityOnHand": 2},
        ITEM,
        other | {"quantityOnHand": 6},
        {"productMasterId": "prod_123", "locationId": "loc_456", "quantityOnHand": 0},
        ITEM | {"quantityOnHand": 700},
    )
    told = [(one["locationId"], one["state"], one["suggestedQuantity"]) for one in answers]
    assert told == [
        ("bin_123", "reorder", 6),
        ("loc_123", "reorder", 440),
        ("bin_123", "ok", 0),
        ("loc_456", "noLevel", None),
        ("loc_123", "overstock", 0),
    ]


def test_what_is_left_out_or_null_is_0(api, level):
    plain, explicit = evaluate(
        api, ITEM, ITEM | {"quantityOnOrder": None, "quantityReserved": None}
    )
    assert plain == explicit
    assert "60 on hand" not in plain["reason"]


def test_the_deprecated_product_id_is_understood(api, level):
    item = {"productId": "prod_123", "locationId": "loc_123", "quantityOnHand": 60}
    (answer,) = evaluate(api, item)
    assert (answer["productMasterId"], answer["state"]) == ("prod_123", "reorder")
    assert "productId" not in answer
    both = item | {"productMasterId": "prod_124"}
    assert_invalid(api.post(PATH, {"items": [both]}), "items[0].productId")


def test_days_of_cover_are_rounded_half_up_to_4_decimals(api, level):
    def days(on_hand: float, **settings: Any) -> Any:
        api.patch(f"/inventory-levels/{level['id']}", settings)
        return evaluate(api, PAIR | {"quantityOnHand": on_hand})[0]["daysOfCover"]

    assert days(1, forecastQuantity=3, forecastPeriodDays=1) == 0.3333
    assert days(0.0001, forecastQuantity=2, forecastPeriodDays=1) == 0.0001
    assert days(-5) == 0
    assert days(5, forecastQuantity=0) is None
    assert days(5, forecastQuantity=None) is None


def test_no_item_is_no_answer(api):
    assert evaluate(api) == []


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        ({}, ["productMasterId", "locationId", "quantityOnHand"]),
        (PAIR, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": "60"}, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": True}, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": None}, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": 1.00001}, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": -1.00001}, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": 10**11}, ["quantityOnHand"]),
        (ITEM | {"quantityOnHand": -(10**11)}, ["quantityOnHand"]),
        (ITEM | {"quantityOnOrder": -1}, ["quantityOnOrder"]),
        (ITEM | {"quantityReserved": -0.5}, ["quantityReserved"]),
        (ITEM | {"quantityOnhand": 5}, ["quantityOnhand"]),
        (ITEM | {"productMasterId": 123}, ["productMasterId"]),
        (ITEM | {"productMasterId": None}, ["productMasterId"]),
        (ITEM | {"locationId": "a b"}, ["locationId"]),
        (ITEM | {"locationId": ""}, ["locationId"]),
    ],
)
def test_every_bad_field_is_named_with_its_item(api, level, item, fields):
    bad = [f"items[{index}].{field}" for index in (1, 3) for field in fields]
    body = assert_invalid(api.post(PATH, {"items": [ITEM, item, ITEM, item]}), *bad)
    assert body["error"].startswith(f"{next(iter(body['details']))}: ")


@pytest.mark.parametrize("item", [None, 5, "prod_123", [], True])
def test_an_item_that_is_no_object_is_refused_by_its_number(api, item):
    assert_invalid(api.post(PATH, {"items": [ITEM, item]}), "items[1]")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["items"]),
        ({"items": None}, ["items"]),
        ({"items": {"0": ITEM}}, ["items"]),
        ({"items": [], "dryRun": True}, ["dryRun"]),
        ({"item": []}, ["item", "items"]),
        ({"items": [ITEM] * 10_001}, ["items"]),
    ],
)
def test_a_bad_envelope_is_refused_by_name(api, body, fields):
    assert_invalid(api.post(PATH, body), *fields)


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"items"'])
def test_a_body_that_is_no_object_is_refused(api, body):
    assert_error(
        api.post(PATH, body), 400, "VALIDATION_ERROR", error="The body must be a JSON object."
    )


@pytest.mark.parametrize("number", ["-0", "0e5", "-0.0000", "0"])
def test_minus_nothing_is_nothing(api, level, number):
    body = json.dumps({"items": [PAIR]}).replace("}]", f', "quantityOnHand": {number}}}]')
    (answer,) = api.post(PATH, body.encode()).json()["items"]
    assert answer["reason"].startswith("0 on hand")


def test_the_largest_quantities_come_out_exact(api, level):
    api.patch(f"/inventory-levels/{level['id']}", {"maxQuantity": 99999999999.9999})
    (answer,) = evaluate(
        api,
        PAIR | {"quantityOnHand": -99999999999.9999, "quantityReserved": 99999999999.9999},
    )
    assert answer["suggestedQuantity"] == 299999999999.9997
    assert "order 299999999999.9997 to fill up to 99999999999.9999" in answer["reason"]


def test_it_only_reads(level, reader, acme):
    before = stored()
    assert evaluate(reader, ITEM)[0]["state"] == "reorder"
    assert evaluate(signed_in(acme.organization, "viewer"), ITEM)[0]["state"] == "reorder"
    assert stored() == before
    assert_error(reader.get(PATH), 405, "METHOD_NOT_ALLOWED")
    assert_error(Api().post(PATH, {"items": []}), 401, "MISSING_AUTHORIZATION")


def test_unknown_parameters_are_refused(api):
    assert_invalid(api.post(f"{PATH}?limit=5", {"items": []}), "limit")


def test_the_body_may_be_as_large_as_a_bulk_request(api, settings):
    settings.MAX_BODY, settings.MAX_BULK_BODY = 100, 1_000
    assert api.post(PATH, b'{"items": []}' + b" " * 500).status_code == 200
    assert_error(api.post(PATH, b'{"items": []}' + b" " * 1_000), 413, "PAYLOAD_TOO_LARGE")


def test_another_organizations_levels_are_not_seen(stranger, level):
    assert evaluate(stranger, ITEM)[0]["state"] == "noLevel"


def test_a_thousand_pairs_take_three_statements_and_ten_thousand_thirty(api, acme):
    places = [factories.LocationFactory(organization=acme.organization) for _ in range(100)]
    products = factories.ProductFactory.build_batch(100, organization=acme.organization)
    type(products[0])._base_manager.bulk_create(products)
    InventoryLevel._base_manager.bulk_create(
        InventoryLevel(
            organization=acme.organization, product=product, location=place, reorder_quantity=n
        )
        for n, product in enumerate(products)
        for place in places[:50]
    )
    items = [
        {"productMasterId": product.public_id, "locationId": place.public_id, "quantityOnHand": 50}
        for place in places
        for product in products
    ]
    for number, statements in ((1, 3), (1_000, 3), (10_000, 30)):
        asked = Statements(200, api.post, PATH, {"items": items[:number]})
        assert len(asked) == 1 + statements, number  # and the key
        answers = asked.response.json()["items"]
        assert [one["productMasterId"] for one in answers] == [
            one["productMasterId"] for one in items[:number]
        ]
    states = [answer["state"] for answer in answers]
    assert {state: states.count(state) for state in set(states)} == {
        "ok": 2_500,
        "reorder": 2_500,
        "noLevel": 5_000,
    }
    repeated = Statements(200, api.post, PATH, {"items": items[:10] * 1_000})
    assert len(repeated) == 1 + 3
