"""Importing a spreadsheet: previewed, then done as it was previewed, or refused by name."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory_levels.admin import import_reports
from inventory_levels.models import (
    ImportDraft,
    InventoryLevel,
    LevelChange,
    Location,
    ProductMaster,
)
from inventory_levels.models.drafts import ImportDraftPiece
from tests import factories
from tests.admin.browser import (
    CHANGES,
    LEVELS,
    LOCATIONS,
    PRODUCTS,
    Browser,
    browser,
    errors_in,
    forms_of,
    text_of,
)
from tests.admin.uploads import IMPORT, address_of, levels_file, say_yes, upload
from tests.api.files import downloaded, records, table, workbook
from tests.conftest import Acme, Api, make_acme

GONE = f"{LEVELS}import/there-is-none/"


def now(level: InventoryLevel) -> InventoryLevel:
    return InventoryLevel._base_manager.get(pk=level.pk)


@pytest.fixture
def gadget(acme: Acme) -> Any:
    return factories.ProductFactory(
        organization=acme.organization, global_sku="SKU-9", product_name="Gadget"
    )


@pytest.fixture
def mixed(widget: InventoryLevel, gadget: Any, acme: Acme) -> str:
    """Changes one level, creates one, leaves one as it is; and two rows are bad."""
    factories.LevelFactory(
        organization=acme.organization, product=gadget, location=acme.supplier, max_quantity=7
    )
    return levels_file(
        ["SKU-123", "Main warehouse", "", 120, 600],
        ["SKU-9", "Main warehouse", 5, 6, 7.5],
        ["SKU-9", "Supplier", "", "", 7],
        ["SKU-123", "Supplier", 30, 20, ""],
        ["SKU-8", "Main warehouse", 1, 2, "3,5"],
    )


def test_the_preview_says_what_would_become_of_each_row_and_nothing_is_written(
    editor: Browser, widget: InventoryLevel, mixed: str
) -> None:
    page = upload(editor, mixed)
    said = text_of(page)
    for figure in ("to be created 1", "to be changed 1", "stays as it is 1", "refused 2"):
        assert figure in said
    assert "Row What From → to 2 SKU-123 at Main warehouse Widget reorder point 100 → 120" in said
    assert "max 500 → 600" in said
    assert "3 SKU-9 at Main warehouse Gadget min 5 reorder point 6 max 7.5" in said
    assert "5 SKU-123 at Supplier Reorder point must not be below min (30)" in said
    assert "6 SKU-8 at Main warehouse Maximum must be a number with a decimal point" in said
    assert now(widget).version == 1
    assert InventoryLevel._base_manager.count() == 2
    assert LevelChange._base_manager.count() == 1


def test_nothing_is_imported_while_rows_are_refused_unless_the_others_were_asked_for(
    editor: Browser, widget: InventoryLevel, mixed: str
) -> None:
    page = upload(editor, mixed)
    assert "As you asked, nothing is imported while rows are refused." in text_of(page)
    refused = text_of(say_yes(editor, page, "abort"))
    assert "Nothing was imported, as rows are refused." in refused
    assert now(widget).version == 1
    done = text_of(say_yes(editor, page, "skip"))
    assert "levels.csv is imported, but for the refused rows" in done
    assert now(widget).version == 2


def test_the_good_rows_are_imported_and_the_history_says_how_and_by_whom(
    editor: Browser, widget: InventoryLevel, mixed: str
) -> None:
    page = upload(editor, mixed, on_error="skip")
    assert "Import the 2 good rows" in text_of(page)
    done = text_of(say_yes(editor, page, "skip"))
    for figure in ("created 1", "changed 1", "stayed as it was 1", "refused 2"):
        assert figure in done
    assert "5 SKU-123 at Supplier Reorder point must not be below min (30)" in done
    assert (now(widget).reorder_quantity, now(widget).max_quantity) == (120, 600)
    assert now(widget).min_quantity == 50
    made = InventoryLevel._base_manager.get(
        product__global_sku="SKU-9", location__name__startswith="M"
    )
    assert (made.min_quantity, made.max_quantity) == (5, 7.5)
    change = LevelChange._base_manager.get(level_public_id=widget.public_id, version=2)
    assert (change.source, change.actor_type, change.actor_name) == ("import", "user", "edda")
    assert change.changes == {
        "reorderQuantity": {"old": 100, "new": 120},
        "maxQuantity": {"old": 500, "new": 600},
    }
    assert "by edda , Import" in editor.read(f"{LEVELS}{widget.pk}/history/")
    link = re.search(rf'href="({CHANGES}\?source=import[^"]*)"', say_again(editor, page))
    assert link
    assert "SKU-9" in editor.read(link[1].replace("&amp;", "&"))


def say_again(editor: Browser, page: Any) -> str:
    content: str = editor.get(address_of(page)).content.decode()
    return content


def test_saying_yes_twice_imports_once_and_says_so(
    editor: Browser, api: Api, widget: InventoryLevel
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    say_yes(editor, page)
    api.patch(f"/inventory-levels/{widget.public_id}", {"maxQuantity": 700})
    again = text_of(say_yes(editor, page))
    assert "This file is imported already; nothing was done again." in again
    assert "changed 1" in again
    assert (now(widget).version, now(widget).max_quantity) == (3, 700)


def test_a_file_without_rows_says_so(editor: Browser, widget: InventoryLevel) -> None:
    page = upload(editor, b"SKU,Location name,Maximum\n")
    assert "The file has no rows below its header." in text_of(page)
    assert "stored like this" not in text_of(page)


def test_a_file_that_changes_nothing_has_nothing_to_say_yes_to(
    editor: Browser, widget: InventoryLevel
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", 50, 100, 500]))
    assert "stays as it is 1" in text_of(page)
    assert "Every row is stored like this already: there is nothing to import." in text_of(page)
    assert b'name="apply"' not in page.content


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_row_that_moved_on_since_the_preview_is_refused_by_name(
    on_error: str, editor: Browser, api: Api, widget: InventoryLevel, gadget: Any
) -> None:
    rows = [["SKU-123", "Main warehouse", "", "", 600], ["SKU-9", "Main warehouse", "", "", 9]]
    page = upload(editor, levels_file(*rows), on_error=on_error)
    api.patch(f"/inventory-levels/{widget.public_id}", {"maxQuantity": 550})
    answer = say_yes(editor, page, on_error)
    said = text_of(answer)
    assert "ERP (API key) changed max 500 → 550" in said
    made = InventoryLevel._base_manager.filter(product=gadget)
    assert now(widget).max_quantity == 550
    if on_error == "skip":
        assert "created 1 changed 0 stayed as they were 0 refused 1" in said.replace("  ", " ")
        assert made.get().max_quantity == 9
        return
    assert "Nothing was imported. Since you looked, somebody else was quicker." in said
    assert "Row 2, SKU-123 at Main warehouse: ERP (API key) changed" in said
    assert not made.exists()
    assert "max 550 → 600" in said  # worked out anew, on top of that
    done = editor.send(address_of(page), forms_of(answer)[IMPORT], apply="abort")
    assert "is imported" in text_of(done)
    assert now(widget).max_quantity == 600


def test_a_level_that_was_left_as_it_is_counts_as_shown_too(
    editor: Browser, api: Api, widget: InventoryLevel, gadget: Any
) -> None:
    rows = [["SKU-123", "Main warehouse", "", "", 500], ["SKU-9", "Main warehouse", "", "", 9]]
    page = upload(editor, levels_file(*rows), on_error="skip")
    api.patch(f"/inventory-levels/{widget.public_id}", {"maxQuantity": 550})
    assert "changed max 500 → 550" in text_of(say_yes(editor, page, "skip"))
    assert now(widget).max_quantity == 550


def test_a_level_deleted_and_made_again_is_not_the_one_that_was_shown(
    editor: Browser, api: Api, widget: InventoryLevel, example: dict[str, Any]
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    api.delete(f"/inventory-levels/{widget.public_id}")
    made = api.post("/inventory-levels", example).json()
    assert made["version"] == widget.version
    said = text_of(say_yes(editor, page))
    assert "Row 2, SKU-123 at Main warehouse: ERP (API key) deleted it" in said
    assert api.get(f"/inventory-levels/{made['id']}").json()["maxQuantity"] == 500


def test_a_level_that_somebody_made_meanwhile_is_not_changed(
    editor: Browser, api: Api, acme: Acme, example: dict[str, Any]
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    made = api.post("/inventory-levels", example).json()
    said = text_of(say_yes(editor, page))
    assert "Row 2, SKU-123 at Main warehouse: somebody else has made it since the preview" in said
    assert api.get(f"/inventory-levels/{made['id']}").json()["maxQuantity"] == 500


def test_a_row_that_was_refused_in_the_preview_is_not_written_unseen(
    editor: Browser, acme: Acme, widget: InventoryLevel
) -> None:
    rows = [["SKU-123", "Main warehouse", "", "", 600], ["SKU-9", "Main warehouse", "", "", 9]]
    page = upload(editor, levels_file(*rows), on_error="skip")
    factories.ProductFactory(organization=acme.organization, global_sku="SKU-9")
    done = text_of(say_yes(editor, page, "skip"))
    assert "created 0" in done
    assert "3 SKU-9 at Main warehouse SKU not found" in done
    assert InventoryLevel._base_manager.count() == 1


def test_yes_is_said_to_what_was_shown_last(
    editor: Browser, widget: InventoryLevel, api: Api
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    api.patch(f"/inventory-levels/{widget.public_id}", {"maxQuantity": 550})
    editor.send(address_of(page), forms_of(page)[IMPORT], again="1")  # in another window
    said = text_of(say_yes(editor, page))
    assert "Nothing was imported: this is what it would do now." in said
    assert "max 550 → 600" in said
    assert now(widget).max_quantity == 550


def test_an_import_that_was_interrupted_can_be_looked_at_again(
    editor: Browser, widget: InventoryLevel
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    ImportDraft._base_manager.update(state="begun", begun_at=timezone.now())
    assert "has not ended yet" in text_of(say_yes(editor, page))
    assert now(widget).version == 1
    begun = editor.get(address_of(page))
    again = editor.send(address_of(page), forms_of(begun)[IMPORT], again="1")
    assert "max 500 → 600" in text_of(again)
    done = editor.send(address_of(page), forms_of(again)[IMPORT], apply="abort")
    assert "is imported" in text_of(done)


def test_a_busy_database_is_told_and_what_is_left_can_be_looked_at(
    editor: Browser, widget: InventoryLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: Any, **options: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    with monkeypatch.context() as patched:
        patched.setattr("inventory_levels.admin.import_kinds.import_levels", busy)
        said = text_of(say_yes(editor, page))
    assert "The database was busy, and the import stopped." in said
    begun = editor.get(address_of(page))
    again = editor.send(address_of(page), forms_of(begun)[IMPORT], again="1")
    assert "max 500 → 600" in text_of(again)


def test_excel_is_read_and_every_column_that_is_refused_is_told(
    editor: Browser, widget: InventoryLevel
) -> None:
    content = workbook(
        ["Product ID", "Location ID", "Maximum", "Lead time (days)", "Preferred bin ID"],
        ["prod_123", "loc_123", 600, 9, None],
        ["prod_123", "loc_456", -1, "soon", None],
        ["prod_123", "loc_456", None, None, "bin_123"],
    )
    said = text_of(upload(editor, content, name="levels.xlsx", on_error="skip"))
    assert "max 500 → 600 lead time 7 → 9" in said.replace("lead time (days)", "lead time")
    assert "3 prod_123 at loc_456 Maximum must" in said
    assert "Lead time (days) must be a number" in said


def test_places_are_told_by_name(editor: Browser, widget: InventoryLevel, acme: Acme) -> None:
    factories.LocationFactory(organization=acme.organization, public_id="loc_9", name="Depot")
    content = table(
        ["sku", "locationName", "Replenished from ID"], ["SKU-123", "Main warehouse", "loc_9"]
    )
    said = text_of(upload(editor, content))
    assert re.search(r"replenish\w* (location|from) Supplier → Depot", said)


def test_all_refused_rows_can_be_downloaded_for_a_spreadsheet(
    editor: Browser, acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_reports, "LISTED", 3)
    rows = [[f"=SKU{number}", "Main warehouse", "", "", number] for number in range(10)]
    page = upload(editor, levels_file(*rows))
    assert "The first 3 rows are listed, 7 more are not." in text_of(page)
    assert "=SKU3" not in text_of(page)
    content = downloaded(editor.get(f"{address_of(page)}refused.csv"))
    assert content.startswith(b"\xef\xbb\xbf")
    told = records(content.removeprefix(b"\xef\xbb\xbf"))
    assert [row["Row"] for row in told] == [str(number) for number in range(2, 12)]
    assert told[9] == {
        "Row": "11",
        "What": "'=SKU9 at Main warehouse",
        "Column": "SKU",
        "Reason": "not found",
    }


def test_hostile_cells_are_refused_like_any_others(editor: Browser, acme: Acme) -> None:
    name = "<script>alert(1)</script>"
    rows = [[name, "Main warehouse", 1, 2, 3], ["SKU-123", "a\x01b", 1, 2, 3]]
    page = upload(editor, levels_file(*rows), name=f"{name}.csv")
    assert "refused 2" in text_of(page)
    assert b"<script>alert(1)" not in page.content
    assert "<script>alert(1)</script> at Main warehouse" in text_of(page)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "file is empty"),
        ("SKU,Location name,Colour\nA,B,red\n", "Colour: unknown column"),
        ("SKU,Location name,Colour,Size\nA,B,red,1\n", "Size: unknown column"),
        ("Minimum,Maximum\n1,2\n", "needs a column Product ID or SKU"),
        (b"PK\x03\x04 no workbook", "Excel"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_next_to_the_field(
    content: Any, said: str, editor: Browser, acme: Acme
) -> None:
    page = upload(editor, content)
    assert page.redirect_chain == []
    assert said.casefold() in errors_in(page).casefold()
    assert not ImportDraft._base_manager.exists()


def test_a_file_must_be_chosen(editor: Browser, acme: Acme) -> None:
    address = f"{LEVELS}import/"
    page = editor.send(address, forms_of(editor.get(address))[IMPORT])
    assert "Choose a file." in errors_in(page)


def test_a_file_that_is_too_large_is_refused_with_what_takes_it(
    editor: Browser, acme: Acme, settings: Any
) -> None:
    settings.MAX_BULK_BODY = 1024 * 1024
    page = upload(editor, b"SKU,Location name\n" + b"A,B\n" * 300_000)
    assert page.status_code == 413
    assert "larger than 1 MiB. The command import_levels takes files of any size." in text_of(page)
    assert "This field is required" not in text_of(page)
    assert re.search(r'value="abort"[^>]* checked', page.content.decode())
    assert not ImportDraft._base_manager.exists()


def test_an_upload_without_the_forms_token_is_refused(acme: Acme) -> None:
    client = Client(enforce_csrf_checks=True)
    member = factories.MembershipFactory(organization=acme.organization, role="editor")
    client.force_login(member.user)
    assert client.get(f"{LEVELS}import/").status_code == 200
    answer = client.post(f"{LEVELS}import/", {"on_error": "abort"})
    assert answer.status_code == 403
    client.cookies.pop("csrftoken")
    assert client.post(f"{LEVELS}import/", {"on_error": "abort"}).status_code == 403


def test_products_are_created_and_changed(editor: Browser, acme: Acme) -> None:
    content = table(
        ["SKU", "Product name", "Unit cost", "Status"],
        ["SKU-123", "Widget, large", "2.5", "inactive"],
        ["SKU-9", "Gadget", "", ""],
        ["SKU-8", "", "", ""],
    )
    page = upload(editor, content, PRODUCTS, on_error="skip")
    said = text_of(page)
    assert "name Widget → Widget, large unit cost not set → 2.5 status Active → Inactive" in said
    assert "3 SKU-9 Gadget SKU SKU-9 name Gadget" in said
    assert "4 SKU-8 Product name is required" in said
    assert ProductMaster._base_manager.get(public_id="prod_123").product_name == "Widget"
    assert "is imported" in text_of(say_yes(editor, page, "skip"))
    assert ProductMaster._base_manager.get(public_id="prod_123").product_name == "Widget, large"
    assert ProductMaster._base_manager.filter(global_sku="SKU-9").exists()


def test_locations_are_created_with_what_is_inside_them(editor: Browser, acme: Acme) -> None:
    content = table(
        ["Location ID", "Location name", "Type", "Inside location ID"],
        ["hall", "Hall", "warehouse", ""],
        ["shelf", "Shelf 1", "bin", "hall"],
        ["loc_456", "Supplier", "store", ""],
    )
    page = upload(editor, content, LOCATIONS)
    said = text_of(page)
    assert "3 Shelf 1 name Shelf 1 type Bin parent Hall" in said
    assert "type Supplier → Store" in said
    say_yes(editor, page)
    shelf = Location._base_manager.get(public_id="shelf")
    assert (shelf.parent and shelf.parent.public_id, shelf.type) == ("hall", "BIN")


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_product_that_moved_on_since_the_preview_is_refused_by_name(
    on_error: str, editor: Browser, api: Api
) -> None:
    content = table(["SKU", "Product name"], ["SKU-123", "Widget, large"], ["SKU-9", "Gadget"])
    page = upload(editor, content, PRODUCTS, on_error=on_error)
    api.patch("/products/prod_123", {"productName": "Widget, small"})
    said = text_of(say_yes(editor, page, on_error))
    assert "has changed since the preview" in said
    names = set(ProductMaster._base_manager.values_list("product_name", flat=True))
    assert names == {"Widget, small"} | ({"Gadget"} if on_error == "skip" else set())


def test_a_product_that_somebody_made_meanwhile_is_not_changed(editor: Browser, api: Api) -> None:
    page = upload(editor, table(["SKU", "Product name"], ["SKU-9", "Gadget"]), PRODUCTS)
    api.post("/products", {"globalSku": "SKU-9", "productName": "Theirs"})
    said = text_of(say_yes(editor, page))
    assert "Row 2, SKU-9: somebody else has made it since the preview" in said
    assert ProductMaster._base_manager.get(global_sku="SKU-9").product_name == "Theirs"


def test_a_draft_is_its_uploaders_alone(
    editor: Browser, manager: Browser, root: Browser, viewer: Browser, widget: InventoryLevel
) -> None:
    page = upload(editor, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    theirs = browser(make_acme().organization, "manager")
    fields = forms_of(page)[IMPORT]
    for who, status in ((manager, 404), (root, 404), (theirs, 404), (viewer, 403)):
        for end in ("", "refused.csv"):
            answers = [who.get(address + end) for address in (address_of(page), GONE)]
            assert [answer.status_code for answer in answers] == [status, status]
            said = [text_of(answer).replace(address_of(page), GONE) for answer in answers]
            assert said[0] == said[1]
        answer = who.client.post(address_of(page), fields | {"apply": "abort"})
        assert answer.status_code == (404 if "_organization" not in fields else answer.status_code)
        assert now(widget).version == 1
    assert editor.get(address_of(page).replace(LEVELS, PRODUCTS)).status_code == 404


def test_a_draft_is_not_there_from_another_of_ones_organizations(
    acme: Acme, widget: InventoryLevel
) -> None:
    other = make_acme()
    member = factories.MembershipFactory(organization=acme.organization, role="editor")
    factories.MembershipFactory(user=member.user, organization=other.organization, role="editor")
    client = Client()
    client.force_login(member.user)
    both = Browser(client)
    both.send("/admin/workspace/", {"organization": acme.organization.public_id})
    page = upload(both, levels_file(["SKU-123", "Main warehouse", "", "", 600]))
    both.send("/admin/workspace/", {"organization": other.organization.public_id})
    assert both.get(address_of(page)).status_code == 404
    answer = say_yes(both, page)
    assert "Nothing was saved: meanwhile you switched to Acme" in text_of(answer)
    assert InventoryLevel._base_manager.get().version == 1


def test_a_viewer_finds_no_import_and_is_refused(viewer: Browser, acme: Acme) -> None:
    for path in (LEVELS, PRODUCTS, LOCATIONS):
        assert f'href="{path}import/"' not in viewer.get(path).content.decode()
        assert viewer.get(f"{path}import/").status_code == 403
        assert viewer.client.post(f"{path}import/", {"on_error": "abort"}).status_code == 403


def test_every_list_leads_an_editor_to_its_import(editor: Browser, acme: Acme) -> None:
    for path in (LEVELS, PRODUCTS, LOCATIONS):
        assert f'href="{path}import/"' in editor.get(path).content.decode()
        assert "Nothing is changed before you have seen" in editor.read(f"{path}import/")


def test_drafts_go_after_a_day_and_a_person_has_few_of_them(
    editor: Browser, widget: InventoryLevel
) -> None:
    file = levels_file(["SKU-123", "Main warehouse", "", "", 600])
    first = upload(editor, file)
    ImportDraft._base_manager.update(made_at=timezone.now() - timedelta(days=1, minutes=1))
    assert editor.get(address_of(first)).status_code == 404
    pages = [upload(editor, file) for _ in range(6)]
    assert ImportDraft._base_manager.count() == 5
    statuses = [editor.get(address_of(page)).status_code for page in pages]
    assert statuses == [404, 200, 200, 200, 200, 200]
    say_yes(editor, pages[5])
    kept = ImportDraftPiece._base_manager.filter(draft__token=address_of(pages[5]).split("/")[-2])
    assert list(kept.values_list("part", flat=True)) == ["refused"]  # the file has served


def test_a_preview_costs_the_same_number_of_statements_for_any_number_of_rows(
    editor: Browser, acme: Acme
) -> None:
    products = factories.ProductFactory.create_batch(120, organization=acme.organization)
    counted = []
    for number in (10, 120):
        rows = [[one.global_sku, "Main warehouse", 1, 2, 3] for one in products[:number]]
        bad = [[one.global_sku, "Nowhere", 1, 2, 3] for one in products[:number]]
        with CaptureQueriesContext(connection) as queries:
            page = upload(editor, levels_file(*rows, *bad))
        assert f"to be created {number}" in text_of(page)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_many_rows_are_previewed_and_imported_piece_by_piece(
    editor: Browser, acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory_levels.models.drafts.IN_MEMORY", 1_000)
    products = [
        factories.ProductFactory.build(organization=acme.organization, public_id=f"p{number}")
        for number in range(1_500)
    ]
    ProductMaster._base_manager.bulk_create(products)
    rows = [[one.global_sku, "Main warehouse", 1, 2, 3] for one in products]
    page = upload(editor, levels_file(*rows), on_error="skip")
    assert "to be created 1,500" in text_of(page)
    assert ImportDraftPiece._base_manager.filter(part="file").count() > 3
    assert "created 1,500" in text_of(say_yes(editor, page, "skip"))
    assert InventoryLevel._base_manager.filter(max_quantity=3).count() == 1_500
