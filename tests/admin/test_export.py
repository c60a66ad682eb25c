"""Downloading a list as it is filtered, searched and sorted, for a spreadsheet."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_levels.files import exporting, workbook
from inventory_levels.models import InventoryLevel
from tests import factories
from tests.admin.browser import LEVELS, LOCATIONS, PRODUCTS, Browser, browser, text_of
from tests.admin.uploads import upload
from tests.api.files import XLSX, downloaded, records
from tests.conftest import Acme, make_acme

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def levels(widget: InventoryLevel, acme: Acme) -> list[InventoryLevel]:
    """The published example's level at the main warehouse, and three at the supplier."""
    return [
        widget,
        *(
            factories.LevelFactory(
                organization=acme.organization,
                product__global_sku=f"B-{number}",
                product__product_name=f"Bandage {number}",
                location=acme.supplier,
                abc_class="B",
                max_quantity=number,
                comments="=1+1" if number else "null",
            )
            for number in range(3)
        ),
    ]


def csv(browser: Browser, path: str = LEVELS, **query: str) -> list[dict[str, str]]:
    content = downloaded(browser.get(f"{path}export.csv", **query))
    assert content.startswith(BOM)
    return records(content.removeprefix(BOM))


def skus(browser: Browser, **query: str) -> list[str]:
    return [row["SKU"] for row in csv(browser, **query)]


def test_a_viewer_downloads_all_levels_with_friendly_headers(
    viewer: Browser, levels: list[InventoryLevel]
) -> None:
    rows = csv(viewer)
    assert [row["SKU"] for row in rows] == ["B-0", "B-1", "B-2", "SKU-123"]
    assert (rows[3]["Location name"], rows[3]["Reorder point"]) == ("Main warehouse", "100")
    assert (rows[3]["Lead time (days)"], rows[3]["Preferred bin ID"]) == ("7", "bin_123")
    assert (rows[0]["Comments"], rows[1]["Comments"]) == ("'null", "'=1+1")


def test_the_list_is_downloaded_as_it_is_filtered_searched_and_sorted(
    viewer: Browser, levels: list[InventoryLevel], acme: Acme
) -> None:
    assert skus(viewer, q="bandage supplier") == ["B-0", "B-1", "B-2"]
    assert skus(viewer, q="bandage", o="-0") == ["B-2", "B-1", "B-0"]
    assert skus(viewer, abc_class="A") == ["SKU-123"]
    assert skus(viewer, location=str(acme.location.pk)) == ["SKU-123"]
    assert skus(viewer, since="2020-01-01") == ["SKU-123"]  # the others have no history
    assert skus(viewer, o="1")[0] == "SKU-123"
    assert skus(viewer, q="nothing like this") == []


def test_the_list_offers_what_it_shows(viewer: Browser, levels: list[InventoryLevel]) -> None:
    page = viewer.get(LEVELS, q="bandage", o="-0").content.decode()
    for format_ in ("csv", "xlsx"):
        assert f'href="{LEVELS}export.{format_}?o=-0&amp;q=bandage"' in page or (
            f'href="{LEVELS}export.{format_}?q=bandage&amp;o=-0"' in page
        )


def test_a_list_of_many_pages_is_downloaded_whole(
    viewer: Browser, levels: list[InventoryLevel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 2)
    monkeypatch.setattr("inventory_levels.files.copying.CSV_CHUNK", 2)
    monkeypatch.setattr("organizations.admin.base.MAX_ROWS", 1)
    assert skus(viewer) == ["B-0", "B-1", "B-2", "SKU-123"]
    assert skus(viewer, o="-0") == ["SKU-123", "B-2", "B-1", "B-0"]


def test_excel_gets_a_workbook(viewer: Browser, levels: list[InventoryLevel]) -> None:
    answer = viewer.get(f"{LEVELS}export.xlsx", q="bandage")
    assert answer["Content-Type"] == XLSX
    assert answer["Content-Disposition"].startswith('attachment; filename="inventory-levels-')
    rows: Any = openpyxl.load_workbook(io.BytesIO(downloaded(answer))).active.values
    header, *others = rows
    assert header[:3] == ("Product ID", "Location ID", "Minimum")
    assert [row[header.index("SKU")] for row in others] == ["B-0", "B-1", "B-2"]


def test_what_is_too_much_for_a_workbook_says_so(
    viewer: Browser, levels: list[InventoryLevel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    page = viewer.client.get(f"{LEVELS}export.xlsx", follow=True)
    assert "CSV" in text_of(page).partition("Search")[0]


def test_a_filter_that_is_not_understood_exports_nothing(viewer: Browser, acme: Acme) -> None:
    page = viewer.client.get(f"{LEVELS}export.csv", {"location": "x"}, follow=True)
    assert "Nothing was exported: the filter is not understood." in text_of(page)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
@pytest.mark.parametrize("path", [LEVELS, PRODUCTS, LOCATIONS])
def test_what_was_exported_is_imported_unchanged(
    path: str, format_: str, editor: Browser, levels: list[InventoryLevel]
) -> None:
    content = downloaded(editor.get(f"{path}export.{format_}"))
    said = text_of(upload(editor, content, path, name=f"all.{format_}"))
    assert "Every row is stored like this already: there is nothing to import." in said
    assert "to be created 0 to be changed 0" in said
    assert "refused 0" in said


def test_products_and_locations_are_downloaded_as_they_are_searched(
    viewer: Browser, acme: Acme
) -> None:
    factories.ProductFactory(organization=acme.organization, global_sku="SKU-9")
    assert [row["SKU"] for row in csv(viewer, PRODUCTS, q="widget")] == ["SKU-123"]
    assert len(csv(viewer, PRODUCTS)) == 2
    assert [row["Location name"] for row in csv(viewer, LOCATIONS, type="BIN")] == ["A-01"]
    names = [row["Location name"] for row in csv(viewer, LOCATIONS)]
    assert names.index("Main warehouse") < names.index("A-01")  # as an import needs them


def test_nothing_of_another_organization_is_in_it(levels: list[InventoryLevel]) -> None:
    other = make_acme()
    factories.LevelFactory(
        organization=other.organization, product=other.product, location=other.supplier
    )
    stranger = browser(other.organization, "viewer")
    (row,) = csv(stranger)
    assert (row["SKU"], row["Location name"], row["Maximum"]) == ("SKU-123", "Supplier", "")
    assert len(csv(stranger, PRODUCTS)) == 1
    assert len(csv(stranger, LOCATIONS)) == 3


def test_an_export_costs_the_same_number_of_statements_for_any_number_of_rows(
    viewer: Browser, acme: Acme
) -> None:
    counted = []
    for number in (5, 50):
        factories.LevelFactory.create_batch(
            number, organization=acme.organization, location=acme.location
        )
        with CaptureQueriesContext(connection) as queries:
            csv(viewer)
        counted.append(len(queries))
    assert counted[0] == counted[1]
