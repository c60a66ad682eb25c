"""Recommendations and ABC classes in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.admin.browser import LEVELS
from tests.admin.chromium import engine, open_as, signed_in, site

__all__ = ["engine", "open_as", "signed_in", "site"]

OpenAs = Callable[..., Page]


def open_level(page: Page, words: str) -> None:
    page.goto(f"{LEVELS}?q={words}")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("#picture svg")).to_be_visible()


def field(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=label, exact=True)


def test_the_recommendation_is_used_saved_and_told_in_the_history(open_as: OpenAs) -> None:
    page = open_as("edda")
    open_level(page, "SKU-123+central")
    advice, use = page.locator("#recommendation"), page.get_by_role("button", name="Use these")
    expect(advice).to_contain_text("100 → 61")

    # It follows what is typed, and says what is missing.
    page.get_by_role("textbox", name="Lead time").fill("")
    expect(advice).to_contain_text("Enter a lead time to get a recommendation.")
    expect(use).to_be_hidden()
    page.get_by_role("textbox", name="Lead time").fill("14")
    expect(advice).to_contain_text("100 → 114")
    page.get_by_label("ABC class").select_option("C")
    expect(advice).to_contain_text("100 → 106")

    use.click()
    expect(field(page, "Min")).to_be_focused()
    for label, quantity in (("Min", "13"), ("Reorder point", "106"), ("Max", "200")):
        expect(field(page, label)).to_have_value(quantity)
    expect(page.locator("#picture")).to_contain_text("Reorder 106")
    expect(advice).to_contain_text("The quantities are as recommended.")
    expect(use).to_be_hidden()

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    open_level(page, "SKU-123+central")
    page.get_by_role("link", name="History", exact=True).click()
    newest = page.locator(".history li").first
    expect(newest).to_contain_text("by edda, Admin")
    expect(newest).to_contain_text("reorder point 100 → 106")


def test_recommendations_are_applied_from_the_report_and_classes_given(open_as: OpenAs) -> None:
    page = open_as("edda")
    page.get_by_role("link", name="Recommendations").click()
    page.get_by_role("checkbox", name="Choose all").check()
    expect(page.locator("td input[name=shown]:checked")).to_have_count(50)
    page.get_by_role("checkbox", name="Choose all").uncheck()
    page.get_by_role("combobox", name="How far").select_option("low")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile("side=low"))
    first = page.locator("#result_list tbody tr").first
    name = first.locator("th b").inner_text()
    first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Apply recommendations…").click()
    expect(page.get_by_role("status")).to_contain_text("1 will change")
    page.get_by_role("button", name="Change 1 level").click()
    expect(page.get_by_text("Apply recommendations: 1 level is changed.")).to_be_visible()
    expect(page).to_have_url(re.compile("recommended/.*side=low"))
    expect(page.locator("#result_list tbody tr").first).not_to_contain_text(f"{name} ")

    page.get_by_role("link", name="ABC classes").click()
    page.get_by_role("button", name=re.compile("Give .* the class by value")).click()
    expect(page.get_by_text("have a new class.")).to_be_visible()
    expect(page.get_by_text("All ranked levels have the class")).to_be_visible()
