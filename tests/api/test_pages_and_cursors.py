"""Pages with totals to a depth of 10,000, and cursors through any number of items."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from itertools import islice, product
from typing import Any
from urllib.parse import urlencode

import pytest

from tests import factories
from tests.api.answers import assert_invalid
from tests.api.oracle import ORDERINGS, VALUES
from tests.api.population import populate
from tests.api.test_statement_counts import KEY, KEY_AND_LEVEL, LEVEL, Statements
from tests.conftest import Api, issue_key

PATH = "/inventory-levels"
HISTORY, PRODUCT, LOCATION = "SELECT levelchange", "SELECT productmaster", "SELECT location"
LISTS = [PATH, f"{PATH}/history", "/products", "/locations", "/products/prod_1/inventory-levels"]
Query = dict[str, Any]


def get(api: Api, path: str, **query: Any) -> dict[str, Any]:
    given = {name: value for name, value in query.items() if value is not None}
    response = api.get(f"{path}?{urlencode(given)}")
    assert response.status_code == 200, response.content
    return response.json()


def walk(api: Api, path: str, cursor: str = "", **query: Any) -> Iterator[list[Any]]:
    """The items of one page after the other, fetched when they are asked for."""
    following: str | None = cursor
    while following is not None:
        body = get(api, path, cursor=following, **query)
        assert len(body["items"]) <= body["pagination"]["pageSize"]
        following = body["pagination"]["nextCursor"]
        assert body["items"] or following is None, "an empty page in the middle"
        yield body["items"]


def walked(api: Api, path: str, cursor: str = "", **query: Any) -> list[Any]:
    return [item for page in walk(api, path, cursor, **query) for item in page]


# --- pages


@pytest.mark.parametrize("path", LISTS)
def test_a_page_has_totals_and_tells_where_to_go_on(reader, population, path):
    total = len(get(reader, path, limit=500)["items"])
    assert 8 <= total < 500
    for page, limit in [(1, 5), (2, 5), (1, total - 1), (2, total - 1), (1, total), (3, total)]:
        body = get(reader, path, page=page, limit=limit)
        following = body["pagination"].pop("nextCursor")
        assert body["pagination"] == {
            "page": page,
            "pageSize": limit,
            "total": total,
            "totalPages": -(-total // limit),
        }
        assert body.keys() == {"items", "pagination"}
        is_last = page * limit >= total
        assert following is None if is_last else re.fullmatch(r"[A-Za-z0-9_:.~-]+", following)


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_goes_on_where_a_page_ended(reader, population, path):
    whole = get(reader, path, limit=500)["items"]
    body = get(reader, path, page=2, limit=3)
    assert body["items"] == whole[3:6]
    assert walked(reader, path, body["pagination"]["nextCursor"], limit=50) == whole[6:]


def test_an_empty_list_has_one_shape_with_pages_and_another_with_a_cursor(reader):
    assert get(reader, PATH) == {
        "items": [],
        "pagination": {"page": 1, "pageSize": 50, "total": 0, "totalPages": 0, "nextCursor": None},
    }
    assert get(reader, PATH, cursor="") == {
        "items": [],
        "pagination": {"pageSize": 50, "nextCursor": None},
    }


@pytest.mark.parametrize("path", LISTS)
def test_pages_reach_10_000_items_deep(reader, population, path):
    for page, limit in [(10_000, 1), (200, 50), (20, 500), (1_666, 6), (1, 500)]:
        assert get(reader, path, page=page, limit=limit)["pagination"]["page"] == page
    for page, limit in [(10_001, 1), (201, 50), (21, 500), (1_667, 6), (999_999_999, 500)]:
        body = assert_invalid(reader.get(f"{path}?page={page}&limit={limit}"), "page")
        assert "cursor" in body["error"]
        assert re.search("10[, ]?000", body["error"])
    assert_invalid(reader.get(f"{path}?page=201"), "page")


# --- walks


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_cursor_starts_a_walk_without_totals(reader, population, path):
    whole = get(reader, path, limit=500)["items"]
    for limit in (1, 7, len(whole) - 1, len(whole), len(whole) + 1):
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            body = get(reader, path, cursor=cursor, limit=limit)
            assert body.keys() == {"items", "pagination"}
            assert body["pagination"].keys() == {"pageSize", "nextCursor"}
            assert body["pagination"]["pageSize"] == limit
            found += body["items"]
            cursor = body["pagination"]["nextCursor"]
            assert len(body["items"]) == limit or cursor is None
        assert found == whole
        if limit == 1 and len(whole) > 20:
            break


FEWER = [{}, {"status": "Supported,Stock,Formulary"}, {"updatedSince": "2026-03-01T00:00Z"}]


def test_a_walk_in_any_order_is_the_whole_sorted_list(reader, population):
    for ordering, filters in product(ORDERINGS, FEWER):
        query = {"ordering": ordering} | filters
        whole = get(reader, PATH, limit=500, **query)["items"]
        assert len(whole) > 40
        assert walked(reader, PATH, limit=25, **query) == whole, query


def test_a_page_of_a_walk_may_have_another_size_than_the_last(reader, population):
    whole = get(reader, PATH, limit=500)["items"]
    found, cursor = [], ""
    for limit in (1, 50, None, 3, 500):
        body = get(reader, PATH, cursor=cursor, limit=limit)
        found += body["items"]
        cursor = body["pagination"]["nextCursor"]
    assert (found, cursor) == (whole, None)


def test_a_cursor_can_be_used_again(reader, population):
    """A client that lost the answer asks once more."""
    first = get(reader, PATH, cursor="", limit=10)["pagination"]["nextCursor"]
    assert get(reader, PATH, cursor=first, limit=10) == get(reader, PATH, cursor=first, limit=10)


# --- the same while somebody writes


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_a_walk_goes_on_when_rows_go_and_come(api, population, ordering):
    """Among them the rows at the end of each page, to which its cursor points."""
    query = {"ordering": ordering, "limit": 20}
    before = {level.public_id for level in population.levels}
    pages = walk(api, PATH, **query)
    found, gone, number = [], set(), 0
    for page in pages:
        found += [item["id"] for item in page]
        # The last of this page, and one that is still to come or, on the last, has been.
        ahead = sorted(before - set(found) - gone)
        doomed = {page[-1]["id"], *ahead[:1]}
        for id_ in doomed:
            assert api.delete(f"{PATH}/{id_}").status_code == 200
        gone |= doomed
        number += 1
        body = {"globalSku": f"M{number}", "productName": "New"}
        item = api.post("/products", body).json()["id"]
        for place in ("loc_0", "bin_3"):
            level = {"productMasterId": item, "locationId": place}
            assert api.post(PATH, level).status_code == 201
    assert number >= 7
    assert len(found) == len(set(found))
    assert before - gone <= set(found)
    assert len(gone) >= 14


def test_a_walk_ends_when_everything_is_gone(api, population):
    cursor = get(api, PATH, cursor="", limit=10)["pagination"]["nextCursor"]
    for level in population.levels:
        level.delete()
    assert get(api, PATH, cursor=cursor)["items"] == []
    assert get(api, PATH, cursor=cursor)["pagination"]["nextCursor"] is None


@pytest.mark.parametrize("ordering", ["location", "-location", "sku", "-sku"])
def test_a_walk_sees_what_kept_its_name_while_others_are_renamed(api, population, ordering):
    pages = walk(api, PATH, ordering=ordering, limit=10)
    found = [item["id"] for page in islice(pages, 4) for item in page]
    for number, name in ((1, "zzz"), (4, "!"), (6, "m")):
        api.patch(f"/locations/loc_{number}", {"name": name})
        api.patch(f"/products/prod_{number}", {"globalSku": name})
    found += [item["id"] for page in pages for item in page]
    touched = {"location": "location", "sku": "product"}[ordering.lstrip("-")]
    untouched = [
        level.public_id
        for level in population.levels
        if getattr(level, touched).public_id[-2:] not in ("_1", "_4", "_6")
        or getattr(level, touched).public_id.startswith("bin")
    ]
    assert len(untouched) > 80
    assert sorted(id_ for id_ in found if id_ in untouched) == sorted(untouched)


# --- cursors that are refused


def assert_foreign(response: Any) -> None:
    """Refused because it was made for something else, which the message says."""
    body = assert_invalid(response, "cursor")
    assert re.search("other|another", body["error"])


def test_a_cursor_is_good_for_its_filters_and_order_alone(reader, population):
    for name, (one, other, _) in (VALUES | {"ordering": ["sku", "-sku", None]}).items():
        cursors = [
            get(reader, PATH, cursor="", limit=1, **filters)["pagination"]["nextCursor"]
            for filters in ({name: one}, {})
        ]
        more = {"abcClass": "A"} if name == "status" else {"status": "Stock"}
        for cursor, query in [
            (cursors[0], {name: other}),
            (cursors[0], {}),
            (cursors[0], {name: one} | more),
            (cursors[1], {name: one}),
        ]:
            assert_foreign(reader.get(f"{PATH}?{urlencode({'cursor': cursor} | query)}"))
        assert get(reader, PATH, cursor=cursors[0], **{name: one})["items"]
        assert get(reader, PATH, cursor=cursors[1])["items"]


def test_the_order_of_parameters_and_a_trailing_slash_do_not_matter(reader, population):
    cursor = get(reader, PATH, cursor="", limit=5, status="Stock", ordering="sku")
    cursor = cursor["pagination"]["nextCursor"]
    one = get(reader, PATH, cursor=cursor, status="Stock", ordering="sku")
    assert get(reader, f"{PATH}/", ordering="sku", status="Stock", cursor=cursor) == one


@pytest.mark.parametrize("made_by", LISTS)
def test_a_cursor_is_good_for_its_list_alone(reader, population, made_by):
    cursor = get(reader, made_by, cursor="", limit=1)["pagination"]["nextCursor"]
    others = [*LISTS, "/products/prod_2/inventory-levels", f"{PATH}/level_003/history"]
    for path in others:
        if path != made_by:
            assert_foreign(reader.get(f"{path}?cursor={cursor}"))


def test_a_cursor_is_good_for_its_organization_alone(reader, population):
    other = factories.OrganizationFactory()
    populate(other, 40, called="other_")
    stranger = Api(issue_key(other, "inventory:read"))
    cursor = get(reader, PATH, cursor="", limit=1)["pagination"]["nextCursor"]
    assert_foreign(stranger.get(f"{PATH}?cursor={cursor}"))


def test_another_key_of_the_organization_may_go_on(reader, api, population):
    cursor = get(reader, PATH, cursor="", limit=1)["pagination"]["nextCursor"]
    assert get(api, PATH, cursor=cursor) == get(reader, PATH, cursor=cursor)


MALFORMED = ["x", "null", "0", ":", "::", "a:b:c", "é", "\x00", " ", "%", "😀", "\ud7ff"]
MALFORMED += ["x" * 5_000, "A:" * 500, "." * 100, "..", "-", "eyJ9:1:1", "'; DROP TABLE x; --"]
MALFORMED += [urlsafe_b64encode(json.dumps({"pk": 5}).encode()).decode()]


@pytest.mark.parametrize("cursor", MALFORMED)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/history", "/products"])
def test_what_is_no_cursor_is_refused(reader, path, cursor):
    assert_invalid(reader.get(f"{path}?{urlencode({'cursor': cursor})}"), "cursor")


@pytest.mark.parametrize("path", [PATH, f"{PATH}/history", "/products"])
def test_a_cursor_of_another_secret_is_refused(reader, population, settings, path):
    cursor = get(reader, path, cursor="", limit=1)["pagination"]["nextCursor"]
    assert get(reader, path, cursor=cursor, limit=1)["items"]
    settings.SECRET_KEY = "another secret"
    assert_invalid(reader.get(f"{path}?{urlencode({'cursor': cursor})}"), "cursor")


def test_a_cursor_shows_nothing_of_what_it_holds(reader, population):
    """Primary keys count what all organizations do."""
    first = get(reader, PATH, cursor="", limit=1)["pagination"]["nextCursor"]
    second = get(reader, PATH, cursor=first, limit=1)["pagination"]["nextCursor"]
    held = [urlsafe_b64decode(f"{cursor}==") for cursor in (first, second)]
    # They differ in a key or two, and yet agree in few more bytes than chance would have it.
    assert sum(map(int.__eq__, *held)) < len(held[0]) / 5


def test_a_cursor_that_was_changed_anywhere_is_refused(reader, population):
    cursor = get(reader, PATH, cursor="", limit=1)["pagination"]["nextCursor"]
    changed = [
        cursor[:place] + ("A" if char != "A" else "B") + cursor[place + 1 :]
        for place, char in enumerate(cursor)
    ]
    changed += [cursor[:-1], cursor[1:], cursor + "A", cursor.swapcase(), f".{cursor}", cursor * 2]
    for text in changed:
        # The last character of a base64 text has bits that mean nothing.
        if text[:-1] != cursor[:-1]:
            assert_invalid(reader.get(f"{PATH}?{urlencode({'cursor': text})}"), "cursor")


@pytest.mark.parametrize("cursor", ["", "real"])
def test_a_cursor_and_a_page_together_are_refused(reader, population, cursor):
    if cursor:
        cursor = get(reader, PATH, cursor="", limit=1)["pagination"]["nextCursor"]
    assert_invalid(reader.get(f"{PATH}?cursor={cursor}&page=1"), "page")
    assert_invalid(reader.get(f"{PATH}?page=2&cursor={cursor}&limit=5"), "page")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", ""])
def test_a_walk_has_the_limits_of_pages(reader, limit):
    assert_invalid(reader.get(f"{PATH}?cursor=&limit={limit}"), "limit")


# --- how many statements

# What each list reads, and what it asks for first: whether there is such a product or level.
TABLES = {
    PATH: (LEVEL, []),
    f"{PATH}/history": (HISTORY, []),
    f"{PATH}/level_003/history": (HISTORY, [HISTORY]),
    "/products": (PRODUCT, []),
    "/locations": (LOCATION, []),
    "/products/prod_1/inventory-levels": (LEVEL, [PRODUCT]),
}


def test_a_page_takes_the_key_a_count_and_the_rows(reader, population):
    for path, (table, first) in TABLES.items():
        for query in ("limit=1", "limit=500", "limit=1&page=2"):
            statements = Statements(200, reader.get, f"{path}?{query}")
            assert statements.short == [KEY, *first, table, table]


def test_a_page_of_a_walk_takes_no_count(reader, population):
    for path, (table, first) in TABLES.items():
        for limit in (1, 3, 500):
            start = Statements(200, reader.get, f"{path}?cursor=&limit={limit}")
            assert start.short == [KEY, *first, table]
            if cursor := start.response.json()["pagination"]["nextCursor"]:
                following = Statements(200, reader.get, f"{path}?cursor={cursor}&limit={limit}")
                assert following.short == start.short


def test_the_order_costs_no_statement(reader, population):
    """But the order by location one: whether the walk goes on within the same location."""
    for ordering in ORDERINGS:
        for limit in (1, 10, 100):
            query = {"cursor": "", "limit": limit} | ({"ordering": ordering} if ordering else {})
            start = Statements(200, reader.get, f"{PATH}?{urlencode(query)}")
            assert start.short == [KEY, LEVEL]
            query["cursor"] = start.response.json()["pagination"]["nextCursor"]
            following = Statements(200, reader.get, f"{PATH}?{urlencode(query)}")
            by_location = ordering in ("location", "-location")
            assert following.short == [KEY, LEVEL, *([LEVEL] if by_location else [])]


def test_filters_take_at_most_two_statements_each(reader, population):
    for name, values in VALUES.items():
        for text in values:
            few, more = (
                len(
                    Statements(200, reader.get, f"{PATH}?{urlencode({name: text, 'limit': limit})}")
                )
                for limit in (1, 3)
            )
            assert few == more <= 3 + 2, name


def test_a_detail_takes_two_statements_and_a_level_one(reader, population):
    answer = Statements(200, reader.get, f"{PATH}/{population.levels[0].public_id}")
    assert answer.short == [KEY_AND_LEVEL]
    assert Statements(200, reader.get, "/products/prod_1").short == [KEY, PRODUCT]
    assert Statements(200, reader.get, "/locations/bin_1").short == [KEY, LOCATION]
