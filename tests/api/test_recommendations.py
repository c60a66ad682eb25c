"""Recommended levels: of one level, of many, and written for all that match."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory_levels.models import InventoryLevel, PlanningSettings
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.answers import NO_LEVEL, assert_error, assert_invalid, history, stored
from tests.api.population import Population
from tests.api.test_statement_counts import Statements
from tests.conftest import Acme, Api, signed_in
from tests.inventory_levels.planned import PLANNED, add_level, quantities

LEVELS = "/inventory-levels"
PATH = "/inventory-levels/recommendations"

Item = dict[str, Any]


def recommendation(api: Api, public_id: str) -> Item:
    response = api.get(f"{LEVELS}/{public_id}/recommendation")
    assert response.status_code == 200, response.content
    return response.json()


def recommend(api: Api, **query: Any) -> tuple[list[Item], Item]:
    """The items and the pagination."""
    response = api.post(PATH, query)
    assert response.status_code == 200, response.content
    body = response.json()
    assert body.keys() == {"items", "pagination"}
    return body["items"], body["pagination"]


def apply(api: Api, **query: Any) -> Item:
    """The counts."""
    response = api.post(PATH, {"apply": True} | query)
    assert response.status_code == 200, response.content
    body = response.json()
    assert (body.pop("created"), body.pop("dryRun")) == (0, False)
    return body


# --- of one level


def test_a_recommendation_stands_beside_what_is_chosen_with_its_arithmetic(api, level):
    assert recommendation(api, level["id"]) == {
        "levelId": level["id"],
        "current": {"minQuantity": 50, "reorderQuantity": 100, "maxQuantity": 500},
        "recommendation": {"minQuantity": 15, "reorderQuantity": 61, "maxQuantity": 155},
        "reason": None,
        "inputs": {
            "demandPerDay": 6.6667,
            "expectedLeadTimeDays": 7,
            "replenishmentPeriodDays": 14,
            "serviceLevel": 0.98,
            "z": 2.0537,
            "safetyStock": 14.0298,
        },
        "explanation": [
            "Minimum: the safety stock, z 2.0537 (98 %) × √(6.667 a day × 7 days) = 14.03, "
            "rounded up to 15.",
            "Reorder point: 6.667 a day × 7 days lead time = 46.67, + 14.03 safety stock (98 %) "
            "= 60.70, rounded up to 61.",
            "Maximum: 60.70, + 6.667 a day × 14 days replenishment period = 154.03, "
            "rounded up to 155.",
        ],
        "remarks": [],
    }


@pytest.mark.parametrize(
    ("abc_class", "service_level", "z", "recommended"),
    [
        ("A", 0.98, 2.0537, [15, 61, 155]),
        ("B", 0.95, 1.6449, [12, 58, 152]),
        ("C", 0.9, 1.2816, [9, 56, 149]),
        (None, 0.95, 1.6449, [12, 58, 152]),
    ],
)
def test_the_service_level_goes_by_class(api, level, abc_class, service_level, z, recommended):
    api.patch(f"{LEVELS}/{level['id']}", {"abcClass": abc_class})
    found = recommendation(api, level["id"])
    assert list(found["recommendation"].values()) == recommended
    assert (found["inputs"]["serviceLevel"], found["inputs"]["z"]) == (service_level, z)


@pytest.mark.parametrize(
    ("cleared", "named"),
    [
        (["forecastQuantity"], "forecastQuantity"),
        (["expectedLeadTimeDays"], "expectedLeadTimeDays"),
        (["replenishmentPeriodDays"], "replenishmentPeriodDays"),
        (
            ["replenishmentPeriodDays", "forecastQuantity", "expectedLeadTimeDays"],
            "forecastQuantity, expectedLeadTimeDays, replenishmentPeriodDays",
        ),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_invented(api, level, cleared, named):
    api.patch(f"{LEVELS}/{level['id']}", dict.fromkeys(cleared))
    found = recommendation(api, level["id"])
    assert (found["recommendation"], found["reason"]) == (None, f"insufficient data: {named}")
    assert found["explanation"] == []
    assert found["current"] == {"minQuantity": 50, "reorderQuantity": 100, "maxQuantity": 500}
    for name in ("expectedLeadTimeDays", "replenishmentPeriodDays"):
        assert (found["inputs"][name] is None) == (name in cleared)
    assert (found["inputs"]["demandPerDay"] is None) == ("forecastQuantity" in cleared)


def test_without_a_forecast_period_it_is_30_days_and_says_so(api, level):
    api.patch(f"{LEVELS}/{level['id']}", {"forecastPeriodDays": None})
    found = recommendation(api, level["id"])
    assert found["recommendation"] == {"minQuantity": 15, "reorderQuantity": 61, "maxQuantity": 155}
    assert found["remarks"] == [
        "No forecast period is set: the forecast is taken to be over 30 days."
    ]


def test_more_than_11_digits_are_refused_with_a_reason(api, level):
    huge = {"forecastQuantity": 99999999999, "forecastPeriodDays": 1}
    api.patch(f"{LEVELS}/{level['id']}", huge)
    found = recommendation(api, level["id"])
    assert found["recommendation"] is None
    assert found["reason"] == "the result has more than 11 digits"


def test_planning_settings_of_the_organization_are_used_and_no_others(api, acme, stranger, level):
    with organization_scope(acme.organization):
        PlanningSettings.objects.create(
            organization=acme.organization, service_level_a=Decimal("99.9"), decimals=4
        )
    found = recommendation(api, level["id"])
    assert (found["inputs"]["serviceLevel"], found["inputs"]["z"]) == (0.999, 3.0902)
    assert found["recommendation"] == {
        "minQuantity": 21.1104,
        "reorderQuantity": 67.777,
        "maxQuantity": 161.1104,
    }
    theirs = stranger.post(LEVELS, {**level, "abcClass": "A"}).json()
    assert recommendation(stranger, theirs["id"])["inputs"]["serviceLevel"] == 0.98


def test_a_level_that_is_not_there_is_a_404(api, stranger, level):
    for client, public_id in ((api, "level_none"), (stranger, level["id"])):
        response = client.get(f"{LEVELS}/{public_id}/recommendation")
        assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL)


def test_its_etag_is_good_for_the_write_that_follows(api, level):
    path = f"{LEVELS}/{level['id']}"
    response = api.get(f"{path}/recommendation")
    tag, wanted = response.headers["ETag"], response.json()["recommendation"]
    api.patch(path, {"comments": "Somebody else was here"})
    assert_error(api.patch(path, wanted, If_Match=tag), 412, "PRECONDITION_FAILED")
    tag = api.get(f"{path}/recommendation").headers["ETag"]
    assert api.patch(path, wanted, If_Match=tag).json()["reorderQuantity"] == 61


def test_what_the_client_holds_is_not_sent_again_until_it_changes(api, acme, level):
    path = f"{LEVELS}/{level['id']}/recommendation"
    tag = api.get(path).headers["ETag"]
    known = api.get(path, If_None_Match=tag)
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    with organization_scope(acme.organization):
        PlanningSettings.objects.create(organization=acme.organization, service_level_a=99)
    assert api.get(path, If_None_Match=tag).status_code == 200
    api.patch(f"{LEVELS}/{level['id']}", {"forecastQuantity": 300})
    assert api.get(path, If_None_Match=tag).status_code == 200


def test_one_takes_three_statements(api, level):
    asked = Statements(200, api.get, f"{LEVELS}/{level['id']}/recommendation")
    assert asked.short == [
        "SELECT organizations_apikey",
        "SELECT inventorylevel",
        "SELECT planningsettings",
    ]


# --- of many


def test_many_come_in_pages_with_totals_and_a_cursor(api, population: Population):
    items, first = recommend(api, limit=7)
    total = len(population.levels)
    assert first.pop("nextCursor")
    assert first == {"page": 1, "pageSize": 7, "total": total, "totalPages": -(-total // 7)}
    assert items == [recommendation(api, item["levelId"]) for item in items]


def test_a_walk_with_cursors_meets_every_level_once(api, population: Population):
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        items, pagination = recommend(api, limit=13, cursor=cursor)
        assert pagination.keys() == {"pageSize", "nextCursor"}
        seen += [item["levelId"] for item in items]
        cursor = pagination["nextCursor"]
    assert len(seen) == len(set(seen)) == len(population.levels)


def test_a_cursor_is_good_for_the_same_filters_only_however_they_are_written(
    api, population: Population
):
    _, pagination = recommend(api, limit=1, status="Supported,Stock")
    cursor = pagination["nextCursor"]
    assert recommend(api, limit=1, status=["Supported", "Stock"], cursor=cursor)[0]
    for query in ({}, {"status": "Stock"}, {"status": "Supported,Stock", "ordering": "-sku"}):
        assert_invalid(api.post(PATH, query | {"cursor": cursor}), "cursor")
    assert_invalid(api.get(f"{LEVELS}?status=Supported,Stock&cursor={cursor}"), "cursor")


QUERIES = [
    {"status": "stock"},
    {"status": ["Stock", "not supported"], "abcClass": "a,B"},
    {"abcClass": ["c"]},
    {"sku": "SKU-1"},
    {"search": "widget"},
    {"missing": "maxQuantity"},
    {"updatedSince": "2026-03-01T13:00:00Z", "updatedBefore": "2026-04-01T00:00:00Z"},
    {"ordering": "-sku"},
    {"ordering": "updatedAt"},
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_filters_choose_as_they_do_in_the_list(api, population: Population, query):
    parameters = {
        name: ",".join(value) if isinstance(value, list) else value for name, value in query.items()
    }
    listed = api.client.get(
        f"/api{LEVELS}", parameters | {"limit": 500}, headers={"Authorization": f"Bearer {api.key}"}
    ).json()
    response = api.post(PATH, query | {"limit": 500}).json()
    assert [item["levelId"] for item in response["items"]] == [
        level["id"] for level in listed["items"]
    ]
    assert response["pagination"] == listed["pagination"]
    assert ("changedUntil" in response) == ("updatedSince" in query)


def test_ids_choose_as_they_do_in_the_list(api, population: Population):
    chosen = population.levels[5]
    for query in (
        {"productMasterId": chosen.product.public_id},
        {"productId": [chosen.product.public_id, "prod_none"]},
    ):
        items, _ = recommend(api, **query, locationId=[chosen.location.public_id], limit=500)
        assert [item["levelId"] for item in items] == [chosen.public_id]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"page": 2}, "page"),
        ({"status": "sold"}, "status"),
        ({"status": 5}, "status"),
        ({"status": None}, "status"),
        ({"status": ""}, "status"),
        ({"status": []}, "status"),
        ({"status": ["Stock", 5]}, "status"),
        ({"locationId": ["loc_123", ""]}, "locationId"),
        ({"locationId": ["a b"]}, "locationId"),
        ({"locationId": {"id": "loc_123"}}, "locationId"),
        ({"sku": ["SKU-123"]}, "sku"),
        ({"sku": 123}, "sku"),
        ({"sku": "a\0b"}, "sku"),
        ({"missing": "status"}, "missing"),
        ({"updatedSince": "yesterday"}, "updatedSince"),
        ({"ordering": "price"}, "ordering"),
        ({"limit": "5"}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": None}, "limit"),
        ({"cursor": None}, "cursor"),
        ({"cursor": "made-up"}, "cursor"),
        ({"apply": "true"}, "apply"),
        ({"apply": 1}, "apply"),
        ({"apply": None}, "apply"),
        ({"apply": True, "limit": 5}, "limit"),
        ({"apply": True, "cursor": ""}, "cursor"),
        ({"apply": True, "ordering": "sku"}, "ordering"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_nothing_is_written(api, level, query, field):
    before = stored()
    assert_invalid(api.post(PATH, query), field)
    assert stored() == before


@pytest.mark.parametrize("body", [b"[]", b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(api, body):
    assert_error(
        api.post(PATH, body), 400, "VALIDATION_ERROR", error="The body must be a JSON object."
    )


def test_parameters_belong_in_the_body(api, level):
    before = stored()
    assert_invalid(api.post(f"{PATH}?status=Stock", {"apply": True}), "status")
    assert stored() == before


def test_a_page_takes_as_many_statements_however_long_it_is(api, population: Population):
    short, long = (Statements(200, api.post, PATH, {"limit": limit}) for limit in (1, 60))
    assert short.short == long.short
    assert len(long) <= 5  # the key, how many there are, the page's keys, its levels, the settings


# --- written for all that match


def test_apply_writes_all_that_match_and_counts(api, acme: Acme, level):
    unclassed = add_level(acme.organization, **PLANNED)
    lacking = add_level(acme.organization, forecast_quantity=7, min_quantity=2)
    already = add_level(
        acme.organization, **PLANNED, min_quantity=12, reorder_quantity=58, max_quantity=152
    )
    assert apply(api) == {
        "updated": 2,
        "unchanged": 1,
        "failed": 0,
        "insufficientData": 1,
        "results": [],
    }
    changed = api.get(f"{LEVELS}/{level['id']}").json()
    assert changed == level | {
        "minQuantity": 15,
        "reorderQuantity": 61,
        "maxQuantity": 155,
        "version": 2,
        "updatedAt": changed["updatedAt"],
    }
    assert quantities(unclassed) == (12, 58, 152)
    assert quantities(lacking) == (2, None, None)
    assert quantities(already) == (12, 58, 152)
    assert apply(api)["updated"] == 0


def test_only_what_matches_is_written(api, acme: Acme, level):
    other = add_level(acme.organization, **PLANNED)
    assert apply(api, productMasterId=["prod_123"], abcClass="A")["updated"] == 1
    assert quantities(other) == (None, None, None)
    assert apply(api, status="Inactive")["updated"] == 0


def test_a_filter_that_its_own_writes_change_still_means_all_that_matched(api, acme: Acme):
    levels = [add_level(acme.organization, **PLANNED) for _ in range(3)]
    assert apply(api, missing="reorderQuantity")["updated"] == 3
    assert {quantities(level) for level in levels} == {(12, 58, 152)}
    assert apply(api, missing="reorderQuantity")["unchanged"] == 0


def test_the_history_names_the_caller_and_the_reason(api, level):
    apply(api)
    change = history()[-1]
    assert (change.action, change.version, change.source) == ("UPDATE", 2, "api")
    assert (change.actor_type, change.actor_name) == ("apiKey", "ERP")
    assert change.reason == "recommended: 98 % service level"
    assert change.changes == {
        "minQuantity": {"old": 50, "new": 15},
        "reorderQuantity": {"old": 100, "new": 61},
        "maxQuantity": {"old": 500, "new": 155},
    }


def test_what_is_too_large_fails_and_the_others_are_written(api, acme: Acme, level):
    huge = {"forecast_quantity": 99999999999, "forecast_period_days": 1}
    failing = add_level(acme.organization, **PLANNED | huge)
    counts = apply(api)
    assert (counts["updated"], counts["failed"]) == (1, 1)
    assert counts["results"] == [
        {
            "index": 1,
            "outcome": "failed",
            "id": failing.public_id,
            "error": "the result has more than 11 digits",
            "code": "VALIDATION_ERROR",
            "details": None,
        }
    ]


def test_whoever_only_reads_may_look_and_not_apply(reader, acme: Acme, level):
    before = stored()
    viewer = signed_in(acme.organization, "viewer")
    for client, code in ((reader, "INSUFFICIENT_SCOPE"), (viewer, "INSUFFICIENT_ROLE")):
        assert recommend(client)[0][0]["levelId"] == level["id"]
        assert client.post(PATH, {"apply": False}).status_code == 200
        for body in ({"apply": True}, {"apply": True, "colour": "red"}, {"apply": 1}):
            assert_error(client.post(PATH, body), 403, code)
    assert stored() == before
    assert apply(signed_in(acme.organization, "editor"))["updated"] == 1


def test_another_organizations_levels_are_neither_told_nor_written(stranger, level):
    before = stored()
    assert recommend(stranger)[0] == []
    assert apply(stranger)["updated"] == 0
    assert stored() == before


def test_applying_takes_a_few_statements_for_a_thousand(api, acme: Acme):
    add_level(acme.organization, acme.product, **PLANNED)
    few = Statements(200, api.post, PATH, {"apply": True})
    add_many(acme, 999)
    assert len(Statements(200, api.post, PATH, {"apply": True})) == len(few)
    add_many(acme, 1_000)
    assert len(Statements(200, api.post, PATH, {"apply": True})) <= 2 * len(few)


def add_many(acme: Acme, number: int) -> None:
    products = factories.ProductFactory.build_batch(number, organization=acme.organization)
    type(products[0])._base_manager.bulk_create(products)
    InventoryLevel._base_manager.bulk_create(
        InventoryLevel(
            organization=acme.organization, product=product, location=acme.location, **PLANNED
        )
        for product in products
    )
