"""What the pages call things, and that they say the same everywhere."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from organizations.models import ApiKey
from tests.admin.browser import CHANGES, LEVELS, PRODUCTS, errors_in, text_of

ORGANIZATIONS = "/admin/organizations/"


def test_the_menu_calls_each_page_by_its_title(root, acme):
    content = root.get("/admin/").content.decode()
    for path, name in (
        (f"{ORGANIZATIONS}membership/", "Memberships"),
        ("/admin/auth/user/", "Users"),
    ):
        assert re.search(rf'href="{path}"[^>]*>.*?{name}', content, re.DOTALL)
        title = re.search(r"<h1>(.*?)</h1>", root.get(path).content.decode())[1]
        assert title == name


def test_a_list_without_filters_has_no_toolbar(manager, acme):
    for page in ("apikey", "membership", "invitation"):
        assert "changelist-search" not in manager.get(f"{ORGANIZATIONS}{page}/").content.decode()
    assert "changelist-search" in manager.get(PRODUCTS).content.decode()


def test_an_empty_list_says_why_it_is(viewer, acme):
    assert "There are no inventory levels yet." in viewer.read(LEVELS)
    said = viewer.read(LEVELS, q="nothing")
    assert "Show all inventory levels" in said
    assert "Create" not in said


def test_a_wrong_password_is_no_matter_of_staff(acme):
    answer = Client().post("/admin/login/", {"username": "nobody", "password": "wrong"})
    assert "Please enter the correct username and password." in text_of(answer)
    assert "staff" not in text_of(answer)


def test_dates_read_alike_on_all_pages(manager, widget):
    ApiKey.objects.update(last_used_at="2026-11-23T15:53:00Z")
    assert "2026-11-23 15:53 UTC" in manager.read(f"{ORGANIZATIONS}apikey/")
    assert f"{widget.updated_at:%Y-%m-%d %H:%M}" in manager.read(LEVELS)


def test_the_histories_lead_back_to_the_level(viewer, widget):
    link = f'href="{LEVELS}{widget.pk}/change/"'
    assert link in viewer.get(f"{LEVELS}{widget.pk}/history/").content.decode()
    assert link in viewer.get(CHANGES, level=widget.public_id).content.decode()
    assert "Open the level" not in viewer.read(CHANGES, level="level_none")


def test_a_refused_name_is_not_the_title(editor, acme):
    answer = editor.edit(f"{PRODUCTS}{acme.product.pk}/change/", product_name="New", unit_cost="x")
    title = re.search(r"<h1>(.*?)</h1>", answer.content.decode())[1]
    assert title == "SKU-123 · Widget"


@pytest.mark.parametrize("factor", ["1,5", "half"])
def test_what_is_no_factor_reads_as_what_is_no_quantity(editor, widget, factor):
    shown = f"{widget.public_id}@{widget.version}"
    asked = {"shown": shown, "factor": factor, "quantities": "max_quantity"}
    answer = editor.send(f"{LEVELS}bulk/scale/", asked)
    assert "Type a number such as 1.1 or 0.5." in errors_in(answer)
