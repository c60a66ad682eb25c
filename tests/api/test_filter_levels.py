"""The filters of GET /api/inventory-levels, against plain Python over the same levels."""

from __future__ import annotations

from datetime import datetime
from itertools import cycle, product
from typing import Any
from urllib.parse import urlencode

import pytest

from inventory_levels.api import filters
from inventory_levels.models import InventoryLevel, LevelStatus
from tests import factories
from tests.api.answers import assert_error, assert_invalid
from tests.api.oracle import FITS, NULLABLE, ORDERINGS, SORTED, VALUES
from tests.api.population import MICROSECOND, PRODUCTS, START, populate
from tests.conftest import Api

PATH = "/inventory-levels"


# --- against the oracle


def everything(api: Api, query: dict[str, Any], path: str = PATH) -> list[dict[str, Any]]:
    given = {name: value for name, value in query.items() if value is not None}
    response = api.get(f"{path}?{urlencode(given | {'limit': 500})}")
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["pagination"]["total"] == len(body["items"])
    return body["items"]


def assert_right(
    api: Api, levels: list[InventoryLevel], query: dict[str, Any], path: str = PATH
) -> int:
    """The levels that fit, each once, in the order asked for; answers how many."""
    filters = [(name, text) for name, text in query.items() if name in FITS]
    by_id = {
        level.public_id: level
        for level in levels
        if all(FITS[name](level, text) for name, text in filters)
    }
    ids = [item["id"] for item in everything(api, query, path)]
    assert sorted(ids) == sorted(by_id), query
    if ordering := query.get("ordering"):
        keys = [SORTED[ordering.lstrip("-")](by_id[id_]) for id_ in ids]
        assert keys == sorted(keys, reverse=ordering.startswith("-")), query
    else:
        products = [by_id[id_].product.pk for id_ in ids]
        runs = [
            one for one, before in zip(products, [None, *products], strict=False) if one != before
        ]
        assert len(runs) == len(set(runs)), "one product's levels are not together"
    return len(ids)


def test_the_oracle_knows_every_filter_and_each_value_parts_the_levels(population):
    assert FITS.keys() == VALUES.keys()
    for name, values in VALUES.items():
        counts = [sum(FITS[name](level, text) for level in population.levels) for text in values]
        assert all(0 < count < len(population.levels) for count in counts), (name, counts)
        assert len(values) == 3


def test_all_levels_come_in_every_order(reader, population):
    for ordering in ORDERINGS:
        assert assert_right(reader, population.levels, {"ordering": ordering}) == 150


@pytest.mark.parametrize("few", [0, filters.FEW], ids=["walks", "looks up"])
@pytest.mark.parametrize("name", FITS)
def test_a_filter_alone_in_every_order(reader, population, monkeypatch, name, few):
    monkeypatch.setattr(filters, "FEW", few)
    for text, ordering in zip(cycle(VALUES[name]), ORDERINGS, strict=False):
        assert assert_right(reader, population.levels, {name: text, "ordering": ordering}) > 0


@pytest.mark.parametrize("one", [*FITS][:-1])
def test_two_filters_in_every_order(reader, population, one):
    """Each two values of each two filters, and each two filters in each order."""
    for other in [*FITS][[*FITS].index(one) + 1 :]:
        found = 0
        for turn, (text, other_text) in enumerate(product(VALUES[one], VALUES[other])):
            query = {one: text, other: other_text, "ordering": ORDERINGS[turn]}
            found += assert_right(reader, population.levels, query)
        assert found > 0, (one, other)


def test_all_filters_at_once(reader, population):
    """As one level would have them all."""
    level = next(
        level
        for level in population.levels
        if level.abc_class and level.preferred_bin_location and level.replenishment_location
        if level.comments and level.max_quantity is None
    )
    query = {
        "productMasterId": level.product.public_id,
        "productId": level.product.public_id,
        "locationId": level.location.public_id,
        "status": level.status,
        "abcClass": level.abc_class,
        "preferredBinLocationId": level.preferred_bin_location.public_id,
        "replenishmentLocationId": level.replenishment_location.public_id,
        "sku": level.product.global_sku,
        "search": level.comments.upper(),
        "updatedSince": level.updated_at.isoformat(),
        "updatedBefore": (level.updated_at + MICROSECOND).isoformat(),
        "missing": "maxQuantity",
    }
    assert query.keys() == FITS.keys()
    for ordering in ORDERINGS:
        assert assert_right(reader, population.levels, query | {"ordering": ordering}) == 1


# --- single filters


def test_missing_finds_the_levels_that_lack_a_field(reader, population):
    for field in NULLABLE:
        assert 0 < assert_right(reader, population.levels, {"missing": field}) < 150
        items = everything(reader, {"missing": field})
        assert {item[field] for item in items} == {None}


def test_zero_is_not_missing(api, level):
    api.patch(f"{PATH}/{level['id']}", {"minQuantity": 0, "expectedLeadTimeDays": 0})
    assert everything(api, {"missing": "minQuantity"}) == []
    assert everything(api, {"missing": "expectedLeadTimeDays"}) == []
    api.patch(f"{PATH}/{level['id']}", {"minQuantity": None})
    assert len(everything(api, {"missing": "minQuantity"})) == 1


def test_a_status_or_class_is_understood_in_any_spelling(reader, population):
    exact = everything(reader, {"status": "NotSupported"})
    assert exact
    for text in (
        "notsupported",
        "NOT_SUPPORTED",
        "not supported",
        "Not-Supported",
        "n_o t-supportED",
    ):
        assert everything(reader, {"status": text}) == exact
    exact = everything(reader, {"abcClass": "A"})
    assert exact
    assert everything(reader, {"abcClass": "a"}) == exact


def test_a_sku_compares_exactly(reader, population):
    for sku, name in PRODUCTS:
        items = everything(reader, {"sku": sku})
        assert {item["product"]["sku"] for item in items} == {sku}
        assert {item["product"]["name"] for item in items} == {name}
    for other in ("SKU-", "sku", "SKU-1 ", "ZEBRA", "%", "_KU-1", "a", "ÄPFEL", "A\u0308pfel"):
        assert everything(reader, {"sku": other}) == []


NAMES_BY_CODE_POINT = ["%", "A-01", "North", "north", "zone", "Ärmel", "Åland", "～", "😀"]


def test_names_and_skus_sort_by_code_point(reader, population):
    items = everything(reader, {"ordering": "location"})
    names = list(dict.fromkeys(item["location"]["name"] for item in items))
    assert names == NAMES_BY_CODE_POINT
    items = everything(reader, {"ordering": "-sku"})
    skus = list(dict.fromkeys(item["product"]["sku"] for item in items))
    assert skus == [
        *("😀", "～", "äpfel", "Äpfel", "sku-1", "a,b", "Zebra", "SKU_10", "SKU-10", "SKU-1"),
        *("100%", " SKU-1"),
    ]


def test_ties_come_in_a_fixed_order(reader, population):
    """The same with a filter as without."""
    for ordering in ORDERINGS:
        ids, some = (
            [item["id"] for item in everything(reader, {"ordering": ordering} | filters)]
            for filters in ({}, {"status": "Supported,Stock,Inactive"})
        )
        assert [item["id"] for item in everything(reader, {"ordering": ordering})] == ids
        assert 0 < len(some) < len(ids)
        assert [id_ for id_ in ids if id_ in some] == some


def test_updated_since_is_inclusive_and_updated_before_exclusive(api, level):
    level = api.patch(f"{PATH}/{level['id']}", {"minQuantity": 1}).json()
    moment = datetime.fromisoformat(level["updatedAt"])

    def found(name: str, offset: int) -> bool:
        return bool(everything(api, {name: (moment + offset * MICROSECOND).isoformat()}))

    assert [found("updatedSince", offset) for offset in (-1, 0, 1)] == [True, True, False]
    assert [found("updatedBefore", offset) for offset in (-1, 0, 1)] == [False, False, True]
    assert everything(api, {"updatedSince": level["updatedAt"]}) == [level]
    # The time of a level is that of its last change: of its creation nothing is left.
    assert everything(api, {"updatedBefore": level["updatedAt"]}) == []


SAME_TIME = ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z", "2026-03-01T13:00:00+01:00"]
SAME_TIME += ["2026-03-01T04:30:00-07:30", "2026-03-02T02:00:00.0+14:00"]


def test_a_time_may_be_written_in_any_zone(reader, population):
    expected = everything(reader, {"updatedSince": START.isoformat()})
    assert 0 < len(expected) < 150
    for text in SAME_TIME:
        assert everything(reader, {"updatedSince": text}) == expected


@pytest.mark.parametrize("name", ["productMasterId", "locationId", "preferredBinLocationId"])
@pytest.mark.usefixtures("population")
def test_an_id_that_nobody_has_or_only_others_have_finds_nothing(reader, stranger, name):
    """The stranger's prod_123, loc_123 and bin_123 are Acme's too, which has no level there."""
    stranger.post(PATH, {"productMasterId": "prod_123", "locationId": "bin_123"})
    for text in ("nobody", "prod_123", "bin_123", "loc_123"):
        assert everything(reader, {name: text}) == []


def test_a_filter_may_list_100_values(reader, population):
    ids = [f"prod_{n}" for n in range(100)]
    assert len(everything(reader, {"productId": ",".join(ids)})) == 150
    answer = reader.get(f"{PATH}?{urlencode({'productId': ','.join([*ids, 'prod_100'])})}")
    assert_invalid(answer, "productId")


# --- the levels of one product


@pytest.mark.parametrize("name", FITS)
def test_the_levels_of_one_product_take_the_same_filters(reader, population, name):
    ours = [level for level in population.levels if level.product.public_id == "prod_1"]
    path = "/products/prod_1/inventory-levels"
    assert assert_right(reader, ours, {}, path) > 5
    for text, ordering in product(VALUES[name], ["-location", "updatedAt"]):
        assert_right(reader, ours, {name: text, "ordering": ordering}, path)


@pytest.mark.parametrize("path", [PATH, "/products/prod_1/inventory-levels"])
@pytest.mark.parametrize(
    "chosen", [{}, {"productMasterId": "prod_1"}, {"productMasterId": "prod_2"}]
)
@pytest.mark.parametrize("place", [{}, {"locationId": "loc_1"}, {"locationId": "loc_nowhere"}])
def test_a_walk_along_an_index_meets_every_level_once_in_order(
    reader, population, path, chosen, place
):
    """By cursor, two levels a page; a filter that is no index of its own asks for the same."""
    query, items = {**chosen, **place}, []
    following: str | None = ""
    while following is not None:
        body = reader.get(f"{path}?{urlencode({**query, 'limit': 2, 'cursor': following})}").json()
        items += body["items"]
        following = body["pagination"]["nextCursor"]
    every = {"status": ",".join(LevelStatus.values)}
    assert items == everything(reader, query, path) == everything(reader, query | every, path)


def test_the_levels_of_one_product_have_the_lists_shape(reader, population):
    one = reader.get("/products/prod_1/inventory-levels?limit=3&page=2").json()
    other = reader.get(f"{PATH}?productMasterId=prod_1&limit=3&page=2").json()
    assert one["items"] == other["items"] != []
    assert one["pagination"].keys() == other["pagination"].keys()
    assert one["pagination"]["total"] == other["pagination"]["total"]
    assert reader.get("/products/prod_1/inventory-levels/?limit=3&page=2").json() == one


def test_a_product_without_levels_has_an_empty_list(reader):
    answer = reader.get("/products/prod_123/inventory-levels").json()
    assert answer["items"] == []
    assert answer["pagination"]["total"] == 0


def test_the_levels_of_a_product_that_does_not_exist_or_is_foreign_are_a_404(reader, population):
    missing = reader.get("/products/prod_nobody/inventory-levels")
    assert_error(missing, 404, "NOT_FOUND", error="Product not found", fields=set())
    theirs = populate(factories.OrganizationFactory(), 40, called="others_").products[0]
    theirs.public_id = "prod_foreign"
    theirs.save()
    foreign = reader.get("/products/prod_foreign/inventory-levels")
    assert (foreign.status_code, foreign.content) == (404, missing.content)


def test_the_levels_of_a_product_refuse_what_the_list_refuses(reader, population):
    path = "/products/prod_1/inventory-levels"
    assert_invalid(reader.get(f"{path}?colour=red"), "colour")
    assert_invalid(reader.get(f"{path}?status=Gone"), "status")
    # Values come before existence, as everywhere.
    assert_invalid(reader.get("/products/prod_nobody/inventory-levels?colour=red"), "colour")
