"""What people read where a page can't be shown: in words, with a way on, and nothing scripted."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from tests.admin.browser import LEVELS, browser, text_of


def assert_is_plain(page, status: int, *sentences: str) -> None:
    assert page.status_code == status
    said = text_of(page)
    for sentence in sentences:
        assert sentence in said
    assert "Django" not in said
    assert "DEBUG" not in said
    content = page.content.decode()
    assert "<script" not in content
    assert "/static/" not in content  # which may be what is wrong
    assert 'href="/admin/"' in content


@pytest.mark.parametrize("debug", [False, True])
def test_a_form_with_an_old_token_is_told_that_nothing_was_saved(db, acme, settings, debug):
    settings.DEBUG = debug
    client = Client(enforce_csrf_checks=True)
    page = client.post(f"{LEVELS}add/", {"csrfmiddlewaretoken": "x" * 64})
    assert_is_plain(page, 403, "Nothing was saved", "somebody signed in again", "Go back")


def test_what_a_role_may_not_do_says_so(acme):
    viewer = browser(acme.organization, "viewer")
    assert_is_plain(viewer.get(f"{LEVELS}add/"), 403, "Your role in this organization")


def test_an_address_where_nothing_is_says_so(acme):
    viewer = browser(acme.organization, "viewer")
    for path in ("/admin/nowhere/", "/nowhere"):
        assert_is_plain(viewer.get(path), 404, "There is nothing here")


def test_a_damaged_request_and_our_own_mistakes_have_a_page_too(acme, monkeypatch):
    viewer = browser(acme.organization, "viewer")
    monkeypatch.setattr(admin.site, "each_context", lambda request: 1 / 0)
    viewer.client.raise_request_exception = False
    assert_is_plain(viewer.get("/admin/"), 500, "Something went wrong on our side")
    page = viewer.client.get("/admin/", headers={"host": "elsewhere.example"})
    assert_is_plain(page, 400, "This request makes no sense")
