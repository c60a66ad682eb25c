"""What happened, in words: one level's history, the organization's changes, the start page."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_levels.admin import start
from tests import factories
from tests.admin.browser import CHANGES, LEVELS, browser, text_of
from tests.conftest import FULL_EXAMPLE, Api, issue_key, make_acme


def test_a_levels_history_tells_who_did_what_by_which_way(viewer, editor, widget):
    editor.edit(f"{LEVELS}{widget.pk}/change/", reorder_quantity="150.5", abc_class="")
    text = viewer.read(f"{LEVELS}{widget.pk}/history/")
    assert "SKU-123 · Widget at Main warehouse" in text
    assert (
        "Changed by edda , Admin · version 2 reorder point 100 → 150.5 ABC class A → not set"
        in text
    )
    created = text.partition("Created by ERP (API key) , API · version 1")[2]
    assert "min 50 reorder point 100 max 500 status Supported ABC class A" in created
    assert "preferred bin A-01 replenished from Supplier" in created


def test_a_long_history_has_pages(viewer, api, widget):
    for quantity in range(1, 51):
        api.patch(f"/inventory-levels/{widget.public_id}", {"minQuantity": quantity})
    assert "version 50" in viewer.read(f"{LEVELS}{widget.pk}/history/")
    assert "version 1 " not in viewer.read(f"{LEVELS}{widget.pk}/history/")
    assert "version 1 " in viewer.read(f"{LEVELS}{widget.pk}/history/", p=2)


def test_the_organizations_changes_tell_of_deletions_too(viewer, api, widget):
    api.patch(f"/inventory-levels/{widget.public_id}", {"status": "Stock"})
    api.delete(f"/inventory-levels/{widget.public_id}")
    text = viewer.read(CHANGES)
    deleted, changed, created = (
        text.index(f"Main warehouse {word}") for word in ("Deleted", "Changed", "Created")
    )
    assert deleted < changed < created
    assert (
        "ERP (API key) API SKU-123 Widget Main warehouse Changed status Supported → Stock" in text
    )
    assert "Changed" not in viewer.read(CHANGES, action="DELETE").partition("Settings")[2]
    assert "Widget" not in viewer.read(CHANGES, source="admin")
    assert "Widget" not in viewer.read(CHANGES, since="2999-01-01")
    assert "Widget" in viewer.read(CHANGES, level=widget.public_id)
    assert "Widget" not in viewer.read(CHANGES, level="level_none")


def test_what_is_gone_keeps_its_id_in_the_changes(viewer, api, widget):
    api.delete(f"/inventory-levels/{widget.public_id}")
    api.delete("/products/prod_123")
    assert "prod_123 Main warehouse Deleted" in viewer.read(CHANGES)


def test_changes_are_read_only_and_have_no_pages_of_their_own(root, widget):
    for what in ("add", "1/delete", "1/change", "1/history"):
        answer = root.client.get(f"{CHANGES}{what}/", follow=True)
        assert answer.status_code == 403 or "Perhaps it was deleted?" in text_of(answer)


def test_changes_take_at_most_twelve_statements(viewer, api, widget):
    for quantity in range(1, 30):
        api.patch(f"/inventory-levels/{widget.public_id}", {"minQuantity": quantity})
    for path in (CHANGES, f"{LEVELS}{widget.pk}/history/", "/admin/"):
        viewer.get(path)
        with CaptureQueriesContext(connection) as queries:
            viewer.get(path)
        assert len(queries) <= 12, path


def test_the_start_page_counts_levels_by_class_and_status_with_links(viewer, api, acme, example):
    api.post("/inventory-levels", example)
    api.post("/inventory-levels", {"productMasterId": "prod_123", "locationId": "loc_456"})
    response = viewer.get("/admin/")
    page, text = response.content.decode(), text_of(response)
    assert "2 Levels 1 Class A 0 Class B 0 Class C 1 No class" in text
    assert "Supported 1 – – 1 2" in text
    assert f'href="{LEVELS}?status=Supported&amp;abc_class=A"' in page
    assert "by ERP (API key)" in text


def test_each_finding_leads_to_the_levels_it_counts(viewer, api, acme, example):
    api.post("/inventory-levels", example)
    api.post("/inventory-levels", {"productMasterId": "prod_123", "locationId": "loc_456"})
    body = {"productMasterId": "prod_123", "locationId": "bin_123", "status": "Inactive"}
    api.post("/inventory-levels", body)
    page = viewer.get("/admin/").content.decode()
    found = re.findall(r'href="([^"]*\?finding=[^"]*)"><span>(.*?)</span> <b>(\d+)</b>', page)
    assert [(label, count) for _, label, count in found] == [
        ("No reorder point", "1"),
        ("No minimum", "1"),
        ("No maximum", "1"),
        ("No lead time", "1"),
        ("No replenishment period", "1"),
        ("No forecast", "1"),
        ("No ABC class", "1"),
    ]
    for address, _, _ in found:
        listed = viewer.client.get(address).content.decode()
        assert listed.count('class="two-lines"><b>SKU-123</b>') == 1
        assert "Supplier" in listed


@pytest.mark.parametrize("path", ["/admin/", CHANGES])
def test_nothing_of_another_organization_is_told(viewer, acme, path):
    other = make_acme().organization
    Api(issue_key(other)).post("/inventory-levels", FULL_EXAMPLE)
    text = viewer.read(path)
    assert "Widget" not in text
    assert "ERP" not in text
    assert factories.LevelFactory._meta.model._base_manager.count() == 1


def test_the_history_of_another_organizations_level_is_as_good_as_none(viewer, acme):
    foreign = factories.LevelFactory()
    answers = [
        viewer.client.get(f"{LEVELS}{pk}/history/", follow=True) for pk in (foreign.pk, 999_999)
    ]
    said = [text_of(answer).replace(f"“{foreign.pk}”", "“999999”") for answer in answers]
    assert said[0] == said[1]
    assert "Perhaps it was deleted?" in said[0]


def test_a_large_organization_is_counted_once_a_minute_and_told_so(viewer, acme, monkeypatch):
    factories.LevelFactory(organization=acme.organization, product=acme.product)
    assert "Counted at" not in viewer.read("/admin/")
    monkeypatch.setattr(start, "MANY", 0)
    assert "Counted at" in viewer.read("/admin/")
    factories.LevelFactory(organization=acme.organization, product=acme.product)
    assert "1 Levels" in viewer.read("/admin/")
    other = browser(factories.OrganizationFactory())
    assert "0 Levels" in other.read("/admin/")
    cache.clear()
    assert "2 Levels" in viewer.read("/admin/")
