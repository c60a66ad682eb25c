"""Finding levels: searching, filtering, sorting, paging, and what it costs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_levels.models import InventoryLevel
from organizations.admin import base
from tests import factories
from tests.admin.browser import LEVELS, Browser, text_of
from tests.conftest import Acme


def skus(browser: Browser, **query: Any) -> list[str]:
    """The SKUs that the list shows, in its order."""
    response = browser.get(LEVELS, **query)
    assert response.status_code == 200, (response.status_code, query)
    return re.findall(r'class="two-lines"><b>(.*?)</b>', response.content.decode())


def level(acme: Acme, sku: str, name: str = "", location: Any = None, **settings: Any) -> Any:
    product = factories.ProductFactory(
        organization=acme.organization, global_sku=sku, product_name=name or f"Product {sku}"
    )
    return factories.LevelFactory(
        organization=acme.organization,
        product=product,
        location=location or acme.location,
        **settings,
    )


@pytest.fixture
def shop(acme):
    return factories.LocationFactory(organization=acme.organization, name="Östra butiken")


@pytest.fixture
def three(acme, shop):
    """C-3 before A-1 before B-2 as they were made."""
    return [
        level(acme, "C-3", "Gauze swabs", status="Inactive", abc_class="C", min_quantity=1),
        level(acme, "A-1", "Nitrile gloves", location=shop, abc_class="A", reorder_quantity=2),
        level(acme, "B-2", "Latex gloves", status="Stock", max_quantity=3),
    ]


def test_levels_come_by_sku_with_what_a_planner_needs(viewer, api, acme):
    api.post(
        "/inventory-levels",
        {
            "productMasterId": "prod_123",
            "locationId": "loc_123",
            "minQuantity": 0,
            "maxQuantity": 12.5,
            "abcClass": "B",
        },
    )
    text = viewer.read(LEVELS)
    row = text.partition("Last change")[2]
    assert "SKU-123 Widget Main warehouse 0 – 12.5 Supported B" in row
    assert "ERP (API key)" in row


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["A-1", "B-2", "C-3"]),
        ("gloves", ["A-1", "B-2"]),
        ("GLOVES", ["A-1", "B-2"]),
        ("b-2", ["B-2"]),
        ("butiken", ["A-1"]),
        ("gloves warehouse", ["B-2"]),
        ("gloves main", ["B-2"]),
        ("nitrile warehouse", []),
        ("none such", []),
        ("%", []),
        ("_", []),
    ],
)
def test_each_word_is_looked_for_in_sku_name_and_location(viewer, three, typed, found):
    assert skus(viewer, q=typed) == found


def test_the_filters_narrow_the_list_and_combine(viewer, three, shop):
    assert skus(viewer, location=shop.pk) == ["A-1"]
    assert skus(viewer, status="Stock") == ["B-2"]
    assert skus(viewer, abc_class="C") == ["C-3"]
    assert skus(viewer, abc_class="none") == ["B-2"]
    assert skus(viewer, finding="no-reorder-point") == ["B-2"]  # C-3 is switched off
    assert skus(viewer, finding="no-max") == ["A-1"]
    assert skus(viewer, finding="no-max", abc_class="C") == []
    assert skus(viewer, q="gloves", location=shop.pk) == ["A-1"]


def test_changed_since_is_answered_by_the_history(viewer, api, acme):
    body = {"productMasterId": "prod_123", "locationId": "loc_123"}
    api.post("/inventory-levels", body)
    assert skus(viewer, since="2020-01-01") == ["SKU-123"]
    assert skus(viewer, since="2999-01-01") == []


def test_columns_sort_both_ways_in_the_orders_that_have_an_index(viewer, three):
    by_product, by_location = 0, 1
    assert skus(viewer, o=f"-{by_product}") == ["C-3", "B-2", "A-1"]
    assert skus(viewer, o=by_location) == ["C-3", "B-2", "A-1"]
    assert skus(viewer, o=f"-{by_location}")[0] == "A-1"
    for other in ("2", "99", "x", "-", "2.1", "-9" * 99):
        assert skus(viewer, o=other) == ["A-1", "B-2", "C-3"]


def test_the_last_change_sorts_too(viewer, api, acme):
    for number in (1, 2):
        product = factories.ProductFactory(organization=acme.organization, global_sku=f"S-{number}")
        body = {"productMasterId": product.public_id, "locationId": "loc_123"}
        api.post("/inventory-levels", body)
    header = viewer.get(LEVELS).content.decode()
    column = re.search(r'href="\?o=(\d+)\.0"[^>]*>\s*Last change', header)[1]
    assert skus(viewer, o=column) == ["S-1", "S-2"]
    assert skus(viewer, o=f"-{column}") == ["S-2", "S-1"]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "Gone"},
        {"abc_class": "D"},
        {"finding": "x"},
        {"since": "yesterday"},
        {"since": "2026-13-01"},
        {"location": "x"},
        {"location": "9" * 99},
        {"p": "99"},
        {"p": "9" * 99},
    ],
)
def test_what_no_filter_knows_leads_back_to_the_whole_list(viewer, three, query):
    answer = viewer.client.get(LEVELS, query, follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain in ([(f"{LEVELS}?e=1", 302)], [])


@pytest.mark.parametrize(
    "query",
    [
        {"min_quantity__gte": "1e999999"},
        {"organization__name": "Acme"},
        {"product__global_sku": "A-1"},
        {"comments__regex": "(a+)+"},
    ],
)
def test_no_other_column_can_be_asked_by_address(viewer, three, query):
    assert viewer.get(LEVELS, **query).status_code == 400


def test_hostile_searches_are_harmless(viewer, three):
    for typed in ("\x00", "\ud800".encode("utf-8", "surrogatepass"), "a" * 10_000, "' OR 1=1 --"):
        assert viewer.get(LEVELS, q=typed).status_code == 200


def test_a_page_has_a_hundred_rows_and_the_next_one_goes_on(viewer, acme):
    for number in range(103):
        level(acme, f"N-{number:03}")
    assert skus(viewer) == [f"N-{number:03}" for number in range(100)]
    assert skus(viewer, p=2) == ["N-100", "N-101", "N-102"]
    assert "103 inventory levels" in viewer.read(LEVELS)


def test_a_long_list_is_not_counted_to_its_end(viewer, acme, monkeypatch):
    for number in range(13):
        level(acme, f"N-{number:03}")
    monkeypatch.setattr(base, "MAX_ROWS", 10)
    monkeypatch.setattr(base.WorkspaceAdmin, "list_per_page", 5)
    with CaptureQueriesContext(connection) as queries:
        text = viewer.read(LEVELS)
    (counting,) = [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
    assert "10,000+ inventory levels" in text
    assert skus(viewer, p=2) == [f"N-{number:03}" for number in range(5, 10)]
    assert viewer.get(LEVELS, p=3).status_code == 302
    assert "LIMIT 11" in counting


def statements(browser: Browser, **query: Any) -> int:
    browser.get(LEVELS, **query)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(LEVELS, **query).status_code == 200
    return len(queries)


def test_the_list_takes_at_most_twelve_statements_however_many_rows(editor, acme, shop):
    level(acme, "N-000", preferred_bin_location=acme.bin)
    few = statements(editor)
    for number in range(1, 40):
        level(acme, f"N-{number:03}", location=shop, replenishment_location=acme.supplier)
    assert statements(editor) == few <= 12
    everything = {"q": "n- product butiken", "location": shop.pk, "status": "Supported"}
    everything |= {"abc_class": "none", "finding": "no-max"}
    assert statements(editor, **everything) <= 12


def test_levels_of_other_organizations_are_nowhere(viewer, three, acme):
    foreign = factories.LevelFactory()
    assert foreign.product.global_sku not in skus(viewer)
    assert skus(viewer, location=foreign.location_id) == skus(viewer, location=999_999) == []
    assert InventoryLevel._base_manager.count() == 4


def test_an_empty_list_says_so(viewer, acme):
    assert "No results found" in text_of(viewer.get(LEVELS))
