"""GET /api/inventory-levels?page=&limit=: a page of levels, with totals."""

from itertools import groupby

import pytest

from tests import factories
from tests.api.answers import assert_invalid

PATH = "/inventory-levels"


@pytest.fixture
def levels(acme):
    """Three products in four places, made so that no product's levels are neighbours."""
    places = [acme.location, acme.supplier, acme.bin]
    places.append(factories.LocationFactory(organization=acme.organization, public_id="loc_0"))
    products = [acme.product]
    products += [
        factories.ProductFactory(organization=acme.organization, public_id=f"prod_{n}")
        for n in (1, 0)
    ]
    return [
        factories.LevelFactory(organization=acme.organization, product=product, location=place)
        for place in reversed(places)
        for product in products
    ]


def ids(response):
    assert response.status_code == 200, response.content
    return [level["id"] for level in response.json()["items"]]


def test_no_levels_are_an_empty_list(reader):
    body = reader.get(PATH).json()
    assert body["items"] == []
    assert body["pagination"]["total"] == 0
    assert body["pagination"]["page"] == 1


def test_items_are_what_get_answers(reader, api, level):
    api.post(PATH, {"productMasterId": "prod_123", "locationId": "loc_456"})
    body = reader.get(PATH).json()
    assert set(body) == {"items", "pagination"}
    assert level in body["items"]
    assert body["items"] == [reader.get(f"{PATH}/{item['id']}").json() for item in body["items"]]


def test_the_first_fifty_come_unless_asked_otherwise(reader, acme):
    for _ in range(51):
        factories.LevelFactory(organization=acme.organization, location=acme.location)
    body = reader.get(PATH).json()
    assert len(body["items"]) == 50
    expected = {"page": 1, "pageSize": 50, "total": 51, "totalPages": 2}
    assert expected.items() <= body["pagination"].items()
    assert len(reader.get(f"{PATH}?page=2").json()["items"]) == 1


@pytest.mark.parametrize(
    ("query", "page", "size", "pages", "count"),
    [
        ("", 1, 50, 1, 12),
        ("?limit=1", 1, 1, 12, 1),
        ("?limit=5", 1, 5, 3, 5),
        ("?limit=5&page=2", 2, 5, 3, 5),
        ("?limit=5&page=3", 3, 5, 3, 2),
        ("?limit=5&page=4", 4, 5, 3, 0),
        ("?limit=12", 1, 12, 1, 12),
        ("?limit=12&page=2", 2, 12, 1, 0),
        ("?limit=6&page=2", 2, 6, 2, 6),
        ("?limit=500", 1, 500, 1, 12),
        ("?page=200", 200, 50, 1, 0),
        ("?limit=1&page=10000", 10000, 1, 12, 0),
    ],
)
@pytest.mark.usefixtures("levels")
def test_pages_have_totals_and_one_past_the_end_is_empty(reader, query, page, size, pages, count):
    body = reader.get(PATH + query).json()
    assert len(body["items"]) == count
    expected = {"page": page, "pageSize": size, "total": 12, "totalPages": pages}
    assert expected.items() <= body["pagination"].items()


@pytest.mark.parametrize("limit", [1, 4, 5, 7, 11, 12, 13])
def test_pages_put_together_are_the_whole_list(reader, levels, limit):
    whole = ids(reader.get(PATH))
    assert sorted(whole) == sorted(level.public_id for level in levels)
    pages = [ids(reader.get(f"{PATH}?limit={limit}&page={page}")) for page in range(1, 13)]
    assert [id for page in pages for id in page] == whole


@pytest.mark.usefixtures("levels")
def test_one_products_levels_are_together_and_the_order_is_fixed(api, reader):
    first = reader.get(PATH)
    products = [level["productMasterId"] for level in first.json()["items"]]
    runs = [(product, len(list(run))) for product, run in groupby(products)]
    assert sorted(runs) == [("prod_0", 4), ("prod_1", 4), ("prod_123", 4)]
    places = [level["locationId"] for level in first.json()["items"]]
    assert places[:4] == places[4:8] == places[8:]
    # A level that changes stays where it is.
    for id in ids(first)[::3]:
        api.patch(f"{PATH}/{id}", {"comments": "changed"})
    assert ids(reader.get(PATH)) == ids(first)


def test_levels_of_others_are_neither_listed_nor_counted(reader, levels):
    for _ in range(3):
        factories.LevelFactory()
    body = reader.get(PATH).json()
    assert body["pagination"]["total"] == 12
    assert {level["id"] for level in body["items"]} == {level.public_id for level in levels}


NO_NUMBERS = ["0", "-1", "-0", "", " ", "abc", "1.0", "1.5", "1e1", "+5", " 5", "5 ", "1_0", "0x5"]
NO_NUMBERS += ["%D9%A3", "%C2%B2", "%EF%BC%95", "null", "true", "NaN", "5,6", "%0A5", "5%0A", "%00"]


@pytest.mark.parametrize("text", [*NO_NUMBERS, "501", "10000", "9" * 30, "9" * 5000])
def test_a_limit_outside_1_to_500_is_refused(reader, text):
    assert_invalid(reader.get(f"{PATH}?limit={text.replace('+', '%2B')}"), "limit")


@pytest.mark.parametrize("text", [*NO_NUMBERS, "9" * 30, "9" * 5000])
def test_a_page_that_is_no_whole_number_from_1_is_refused(reader, text):
    assert_invalid(reader.get(f"{PATH}?page={text.replace('+', '%2B')}"), "page")


@pytest.mark.parametrize("name", ["pageSize", "Page", "LIMIT", "offset", "format", "minQuanity"])
def test_an_unknown_query_parameter_is_refused_by_name(reader, name):
    assert_invalid(reader.get(f"{PATH}?limit=5&{name}=5"), name)


def test_every_unknown_query_parameter_is_named(reader):
    assert_invalid(reader.get(f"{PATH}?one=1&page=1&two="), "one", "two")


def test_both_spellings_of_the_path_answer(reader, levels):
    assert ids(reader.get(f"{PATH}/?limit=5&page=2")) == ids(reader.get(f"{PATH}?limit=5&page=2"))
