"""A planner's day in a real browser, and what those see who may do less."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.admin.browser import CHANGES, LEVELS, LOCATIONS, PRODUCTS
from tests.admin.chromium import engine, open_as, signed_in, site
from tests.api.files import XLSX, workbook

__all__ = ["engine", "open_as", "signed_in", "site"]

OpenAs = Callable[..., Page]


def find(page: Page, words: str) -> None:
    page.goto(LEVELS)
    page.get_by_role("searchbox").fill(words)
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile(r"\?q="))


def quantity(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=label, exact=True)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def sheet(most: int) -> bytes:
    """Two good rows, and two bad ones: a quantity out of order, a product that isn't there."""
    return workbook(
        ["SKU", "Location name", "Minimum", "Reorder point", "Maximum"],
        ["BND-01", "Central warehouse", None, None, most],
        ["BND-01", "East warehouse", 4, 8, most],
        ["BND-02", "Central warehouse", None, 3, None],
        ["BND-99", "Central warehouse", 1, 2, 3],
    )


def choose_file(page: Page, content: bytes) -> None:
    file = {"name": "levels.xlsx", "mimeType": XLSX, "buffer": content}
    page.get_by_label("File", exact=True).set_input_files(files=[file])
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url(re.compile(r"import/[\w-]+/"))


def drawn(page: Page) -> Any:
    return page.locator("#picture polyline").get_attribute("points")


def test_a_planners_day(open_as: OpenAs) -> None:
    page = open_as("edda")
    expect(page.get_by_role("heading", name="Needs a look")).to_be_visible()

    # Find a level, and break the order of its quantities.
    find(page, "nitrile m central")
    page.get_by_role("link", name="SKU-123").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("SKU-123")
    quantity(page, "Reorder point").fill("20")
    expect(page.locator("#picture")).to_contain_text("out of order")
    save(page)
    expect(page.get_by_role("alert")).to_have_text("Please correct the error below.")
    expect(page.get_by_text("must not be below min (50)")).to_be_visible()
    expect(quantity(page, "Reorder point")).to_have_value("20")

    # Mend it, and see the picture move as the numbers are typed.
    quantity(page, "Reorder point").fill("120")
    expect(page.locator("#picture")).to_contain_text("Stock falls to about 73.3")
    before = drawn(page)
    quantity(page, "Max").fill("800")
    expect(page.locator("#picture")).to_contain_text("Max 800")
    assert drawn(page) != before
    save(page)
    expect(
        page.get_by_text(re.compile("SKU-123 .* at Central warehouse is saved."))
    ).to_be_visible()

    # The bin is looked for inside the location.
    page.goto(LEVELS)
    find(page, "sku-123 central")
    page.get_by_role("link", name="SKU-123").click()
    page.locator("#select2-id_preferred_bin_location-container").click()
    expect(page.get_by_role("option", name="A-01-2")).to_be_visible()
    expect(page.get_by_role("option", name="E-01-1")).to_have_count(0)

    # Edit three in the list.
    find(page, "bnd central")
    maxima = page.get_by_label(re.compile("^max, "))
    for number in range(3):
        maxima.nth(number).fill(str(400 + number))
    save(page)
    expect(page.get_by_role("status")).to_have_text("3 levels are saved.")
    assert [maxima.nth(number).input_value() for number in range(3)] == ["400", "401", "402"]

    # Change two at once, looking before leaping.
    for number in range(2):
        page.locator("input.action-select").nth(number).check()
    page.get_by_label("Select action to run").select_option("status")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Status").select_option("Inactive")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status")).to_contain_text("2 will change")
    page.get_by_role("button", name="Change 2 levels").click()
    expect(page.get_by_text("Set status: 2 levels are changed.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=bnd\+central"))

    # Read back what happened.
    find(page, "sku-123 central")
    page.get_by_role("link", name="SKU-123").click()
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.locator(".history li").first).to_contain_text("by edda, Admin")
    expect(page.locator(".history li").first).to_contain_text("reorder point 100 → 120")
    page.goto(CHANGES)
    expect(page.locator("#result_list tbody tr").first).to_contain_text("edda")


def test_a_planner_imports_a_spreadsheet_and_takes_the_list_along(open_as: OpenAs) -> None:
    page = open_as("edda")
    find(page, "bnd-01")
    page.get_by_role("link", name="Import", exact=True).click()
    choose_file(page, sheet(160))
    expect(page.get_by_role("status")).to_contain_text("refused 2")

    # The two bad rows are named as the spreadsheet counts them, with the column.
    refused = page.get_by_role("region", name="Refused").locator("tbody tr")
    expect(refused.nth(0)).to_contain_text(re.compile(r"4\s+BND-02 at Central warehouse"))
    expect(refused.nth(0)).to_contain_text("Reorder point must not be below min (16)")
    expect(refused.nth(1)).to_contain_text("5")
    expect(refused.nth(1)).to_contain_text("SKU not found")
    changed = page.get_by_role("region", name="To be changed")
    expect(changed).to_contain_text(re.compile(r"max\s+\d+\s+→\s+160"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the refused rows").click()
    assert Path(download.value.path()).read_text("utf-8-sig").splitlines()[1].startswith("4,BND-02")

    # The good ones are imported, once.
    page.get_by_role("button", name="Import the other 2 rows").click()
    expect(page.get_by_text("levels.xlsx is imported, but for the refused rows.")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("changed 1")
    page.get_by_role("link", name="What was changed").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    find(page, "bnd-01 central")
    page.get_by_role("link", name="BND-01").click()
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.locator(".history li").first).to_contain_text("by edda, Import")

    # What the filter finds goes into a file, and that file changes nothing.
    find(page, "bnd-01")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel (.xlsx)").click()
    content = Path(download.value.path()).read_bytes()
    rows = openpyxl.load_workbook(BytesIO(content)).active.values
    assert {row[14] for row in rows} == {"SKU", "BND-01"}
    page.goto(f"{LEVELS}import/")
    choose_file(page, content)
    expect(page.get_by_text("there is nothing to import")).to_be_visible()

    # Others see nothing of it.
    drafted = page.url
    for name, status in (("stranger", 404), ("vera", 403)):
        page = open_as(name)
        answer = page.goto(drafted)
        assert answer is not None
        assert answer.status == status
    page.goto(LEVELS)
    expect(page.get_by_role("link", name="Import", exact=True)).to_have_count(0)
    expect(page.get_by_text("Export", exact=True)).to_be_visible()


def test_the_second_of_two_planners_is_told_what_the_first_one_did(open_as: OpenAs) -> None:
    edda, emil = open_as("edda"), open_as("emil")
    for page in (edda, emil):
        find(page, "gwn-01 central")
        page.get_by_role("link", name="GWN-01").click()
        expect(quantity(page, "Max")).to_be_visible()
    quantity(edda, "Max").fill("901")
    save(edda)
    expect(edda.get_by_text("is saved.")).to_be_visible()
    quantity(emil, "Max").fill("902")
    save(emil)
    expect(emil.get_by_text("Nothing was saved, as it changed since")).to_be_visible()
    expect(emil.get_by_text("Is 901 now")).to_be_visible()
    expect(quantity(emil, "Max")).to_have_value("902")
    save(emil)
    expect(emil.get_by_text("is saved.")).to_be_visible()


def test_a_viewer_reads_and_finds_nothing_to_press(open_as: OpenAs) -> None:
    page = open_as("vera")
    find(page, "sku-123 central")
    expect(page.locator("#result_list input")).to_have_count(0)
    page.get_by_role("link", name="SKU-123").click()
    expect(page.locator("#picture svg")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    answer = page.goto(f"{LEVELS}add/")
    assert answer is not None
    assert answer.status == 403


def test_the_editor_of_another_organization_finds_nothing(open_as: OpenAs) -> None:
    page = open_as("edda")
    find(page, "sku-123 central")
    address = page.get_by_role("link", name="SKU-123").get_attribute("href")
    stranger = open_as("stranger")
    stranger.goto(LEVELS)
    expect(stranger.get_by_text("No results found")).to_be_visible()
    stranger.goto(str(address))
    expect(stranger.get_by_text("Perhaps it was deleted?")).to_be_visible()


def test_a_manager_makes_a_key_sees_it_once_and_revokes_it(open_as: OpenAs) -> None:
    page = open_as("mona", permissions=["clipboard-read", "clipboard-write"])
    page.goto("/admin/organizations/apikey/add/")
    page.get_by_label("Name").fill("Till")
    save(page)
    text = page.locator("#key-text").inner_text()
    assert re.fullmatch(r"ilk_\w{8}_[\w-]{43}", text)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.get_by_role("link", name="I have it: go on").click()
    assert text not in page.content()
    page.get_by_role("link", name="Till").click()
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Till is revoked")).to_be_visible()


def test_the_keyboard_is_enough_to_edit_the_list(open_as: OpenAs) -> None:
    page = open_as("edda")
    find(page, "ecg east")
    page.get_by_label(re.compile("^min, ")).first.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 level is saved.")).to_be_visible()


PAGES = {
    "start": "/admin/",
    "levels": LEVELS,
    "new level": f"{LEVELS}add/",
    "import": f"{LEVELS}import/",
    "changes": CHANGES,
    "recommendations": f"{LEVELS}recommended/",
    "abc classes": f"{LEVELS}abc/",
    "planning settings": "/admin/inventory_levels/planningsettings/",
    "products": PRODUCTS,
    "new product": f"{PRODUCTS}add/",
    "locations": LOCATIONS,
    "members": "/admin/organizations/membership/",
    "new invitation": "/admin/organizations/invitation/add/",
    "keys": "/admin/organizations/apikey/",
    "new key": "/admin/organizations/apikey/add/",
    "password": "/admin/password_change/",
}


SUPERUSERS = {"organization": "organizations/organization", "user": "auth/user"}


# Callbacks run in order, so what scripts wait for jQuery with is done when ours comes.
SCRIPTS_ARE_DONE = "() => new Promise((done) => (window.django?.jQuery ?? setTimeout)(done))"


# A hundred rows of a list cost axe seconds, though most are like others. Rows are alike where their
# elements have the same looks, attributes and gaps, whatever the texts, numbers and choices are.
# Three of each kind are looked at; the others stay on the page, so that nothing moves.
LEAVE_OUT_ROWS_LIKE_OTHERS = """() => {
    const LOOKS = ["class", "style", "type", "role"];
    const describe = (element) => [
        element.tagName,
        Boolean(element.textContent.trim()),
        ...element.getAttributeNames().filter((name) => name !== "value").map((name) => {
            const value = element.getAttribute(name);
            return `${name}=${LOOKS.includes(name) ? value : Boolean(value.trim())}`;
        }),
    ];
    const seen = {};
    for (const row of document.querySelectorAll("tbody tr")) {
        const kind = JSON.stringify([row, ...row.querySelectorAll(":not(option)")].map(describe));
        seen[kind] = (seen[kind] ?? 0) + 1;
        row.toggleAttribute("data-left-out", seen[kind] > 3);
    }
}"""


def serious(page: Page) -> list[str]:
    page.wait_for_load_state()
    page.evaluate(SCRIPTS_ARE_DONE)  # they have named what they make
    page.evaluate(LEAVE_OUT_ROWS_LIKE_OTHERS)
    looked_at = {"exclude": [["[data-left-out]"]]}
    violations = Axe().run(page, looked_at).response["violations"]
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:300]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_serious(open_as: OpenAs, scheme: str, width: int) -> None:
    page = open_as("mona", color_scheme=scheme, viewport={"width": width, "height": 900})
    found = {}
    for name, address in PAGES.items():
        page.goto(address)
        found[name] = serious(page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} scrolls sideways at {width}"
    find(page, "gln-01 central")
    page.get_by_role("link", name="GLN-01").click()
    expect(page.locator("#picture svg")).to_be_visible()
    found["level"] = serious(page)
    quantity(page, "Reorder point").fill("0")
    save(page)
    expect(page.get_by_text("must not be below min")).to_be_visible()
    found["refused level"] = serious(page)
    page.goto(page.url.replace("change", "history"))
    found["history"] = serious(page)
    page.goto(page.url.replace("history", "delete"))
    found["delete"] = serious(page)
    find(page, "gln central")  # a few: axe has seen the long list above
    page.locator("input.action-select").first.check()
    page.get_by_label("Select action to run").select_option("scale")
    found["chosen"] = serious(page)
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Factor").fill("1.5")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status")).to_be_visible()
    found["preview"] = serious(page)
    page.goto(f"{LEVELS}import/")
    choose_file(page, sheet(width))
    found["import's preview"] = serious(page)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"the preview of an import scrolls sideways at {width}"
    page.get_by_role("button", name=re.compile("Import the other")).click()
    expect(page.get_by_text("is imported, but for the refused rows")).to_be_visible()
    found["import's end"] = serious(page)
    find(page, "gln central")
    page.locator(".files summary").click()
    found["export's menu"] = serious(page)
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_serious_on_the_pages_of_superusers(
    open_as: OpenAs, scheme: str, width: int
) -> None:
    page = open_as("root", color_scheme=scheme, viewport={"width": width, "height": 900})
    found = {}
    for name, link in {"organization": "Meridian", "user": "edda"}.items():
        page.goto(f"/admin/{SUPERUSERS[name]}/")
        found[f"{name}s"] = serious(page)
        page.get_by_role("link", name=link, exact=True).click()
        expect(page.get_by_label("Role").first).to_be_visible()
        found[name] = serious(page)
    assert {name: what for name, what in found.items() if what} == {}


def test_the_first_tab_leads_past_the_menu(open_as: OpenAs) -> None:
    page = open_as("edda")
    page.goto(LEVELS)
    expect(page.get_by_role("main")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_axe_finds_nothing_serious_before_signing_in(engine: Any, site: str) -> None:
    for scheme in ("light", "dark"):
        page = engine.new_page(base_url=site, color_scheme=scheme)
        page.goto("/admin/login/")
        assert serious(page) == []
        page.get_by_label("Username").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("Please enter the correct username")).to_be_visible()
        assert serious(page) == []
        page.close()
