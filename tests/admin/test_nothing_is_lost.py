"""What was typed is not lost by signing in again, nor by a click elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.admin.browser import CHANGES, LEVELS
from tests.admin.chromium import engine, open_as, sign_in, signed_in, site
from tests.admin.test_planners_day import find, quantity, save, serious

__all__ = ["engine", "open_as", "signed_in", "site"]

OpenAs = Callable[..., Page]


def open_level(page: Page, words: str) -> None:
    find(page, words)
    page.locator("#result_list tbody a").first.click()
    expect(page.locator("#picture")).to_be_visible()


def sign_in_again(page: Page, name: str) -> None:
    """In another tab of the same window."""
    tab = page.context.new_page()
    tab.goto("/admin/")
    with tab.expect_navigation():
        tab.evaluate("document.getElementById('logout-form').submit()")
    tab.goto("/admin/")
    sign_in(tab, name)
    tab.close()


def test_signing_in_again_elsewhere_costs_nothing(open_as: OpenAs) -> None:
    page = open_as("edda")
    open_level(page, "gln-01 central")
    quantity(page, "Max").fill("901")
    sign_in_again(page, "edda")
    save(page)
    expect(page.get_by_text("is saved.")).to_be_visible()


def test_nothing_is_saved_in_the_name_of_another_who_signed_in(open_as: OpenAs) -> None:
    page = open_as("edda")
    open_level(page, "gln-01 central")
    quantity(page, "Max").fill("902")
    sign_in_again(page, "emil")
    save(page)
    expect(page.get_by_role("heading", name="Nothing was saved")).to_be_visible()


def test_who_was_signed_out_reads_that_nothing_was_saved(open_as: OpenAs) -> None:
    page = open_as("edda")
    open_level(page, "gln-01 central")
    quantity(page, "Max").fill("903")
    page.context.clear_cookies(name="sessionid")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.get_by_label("Password")).to_be_visible()
    assert serious(page) == []


@pytest.fixture
def asked(open_as: OpenAs) -> tuple[Page, list[str]]:
    """Edda's page, on which every question is answered with: stay."""
    page = open_as("edda")
    questions: list[str] = []

    def stay(dialog: Any) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return page, questions


def leave(page: Page) -> None:
    page.get_by_role("link", name="Changes", exact=True).click()
    page.wait_for_timeout(500)


def test_leaving_the_list_with_numbers_typed_asks_first(asked: tuple[Page, list[str]]) -> None:
    page, questions = asked
    find(page, "gln-02 central")
    page.locator("input.action-select").first.check()
    leave(page)
    assert page.url.endswith(CHANGES)
    find(page, "gln-02 central")
    page.get_by_label(re.compile("^max, ")).first.fill("904")
    leave(page)
    assert questions == ["beforeunload"]
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_timeout(500)
    assert questions == ["beforeunload"] * 2
    save(page)
    expect(page.get_by_text("1 level is saved.")).to_be_visible()
    leave(page)
    assert len(questions) == 2


def test_leaving_a_level_with_something_typed_asks_first(asked: tuple[Page, list[str]]) -> None:
    page, questions = asked
    open_level(page, "gln-03 central")
    page.get_by_label("Status").select_option("Inactive")
    leave(page)
    assert questions == ["beforeunload"]
    page.get_by_label("Status").select_option("Supported")
    quantity(page, "Reorder point").fill("0")
    save(page)  # refused, and still not saved
    expect(page.get_by_text("must not be below min")).to_be_visible()
    assert len(questions) == 1
    leave(page)
    assert len(questions) == 2
    assert page.url.startswith(page.url.partition("/admin/")[0] + LEVELS)


def test_all_are_chosen_where_there_is_one(open_as: OpenAs) -> None:
    page = open_as("edda")
    page.set_content(
        '<form><input type="checkbox" data-chooses="shown"><input type="checkbox" name="shown">'
        "</form>"
    )
    page.evaluate("chooseAll(document.querySelector('[data-chooses]'))")
    page.locator("[data-chooses]").check()
    expect(page.locator("[name=shown]")).to_be_checked()
