"""Changing many levels at once: chosen, previewed, and done as it was previewed, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_levels.admin import bulk, bulk_preview, verbs
from inventory_levels.models import InventoryLevel, LevelChange
from tests import factories
from tests.admin.browser import LEVELS, Browser, forms_of, text_of
from tests.conftest import Acme, Api

BULK = "bulk-form"


@pytest.fixture
def levels(api, acme) -> list[InventoryLevel]:
    """Two levels, of B-0 and B-1: 10, 20, 30."""
    return made_by_the_api(api, acme, 2)


def made_by_the_api(api: Api, acme: Acme, count: int, first: int = 0) -> list[InventoryLevel]:
    made = []
    for number in range(first, first + count):
        product = factories.ProductFactory(organization=acme.organization, global_sku=f"B-{number}")
        body = {"productMasterId": product.public_id, "locationId": "loc_123"}
        body |= {"minQuantity": 10, "reorderQuantity": 20, "maxQuantity": 30}
        body |= {"preferredBinLocationId": "bin_123", "replenishmentLocationId": "loc_456"}
        answer = api.post("/inventory-levels", body)
        made.append(InventoryLevel._base_manager.get(public_id=answer.json()["id"]))
    return made


def now(level: InventoryLevel) -> InventoryLevel:
    return InventoryLevel._base_manager.get(pk=level.pk)


def choose(editor: Browser, verb: str, chosen: list[InventoryLevel], **query: Any) -> Any:
    """Tick levels in the list and run an action on them."""
    fields = {"action": verb, "index": "0", "select_across": "0"}
    fields["_selected_action"] = [level.pk for level in chosen]
    address = LEVELS + "?" + "&".join(f"{name}={value}" for name, value in query.items())
    return editor.send(address, fields)


def ask(editor: Browser, verb: str, page: Any, **asked: Any) -> Any:
    """Fill in what the verb needs, and look at the preview."""
    return editor.send(f"{LEVELS}bulk/{verb}/", forms_of(page)[BULK] | asked, preview="")


def apply(editor: Browser, verb: str, page: Any, **asked: Any) -> Any:
    return editor.send(f"{LEVELS}bulk/{verb}/", forms_of(page)[BULK] | asked, apply="1")


def test_the_status_is_set_after_a_preview(editor, levels):
    page = choose(editor, "status", levels, q="b-")
    assert "2 levels chosen." in text_of(page)
    page = ask(editor, "status", page, status="Inactive")
    assert "2 will change" in text_of(page)
    assert "status Supported → Inactive" in text_of(page)
    assert [now(level).status for level in levels] == ["Supported"] * 2

    answer = apply(editor, "status", page)
    assert "Set status: 2 levels are changed." in text_of(answer)
    assert answer.redirect_chain == [(f"{LEVELS}?q=b-", 302)]
    assert [now(level).status for level in levels] == ["Inactive"] * 2
    change = LevelChange._base_manager.filter(level_public_id=levels[0].public_id).last()
    assert (change.source, change.actor_name) == ("admin", "edda")
    assert change.changes == {"status": {"old": "Supported", "new": "Inactive"}}


def test_the_class_is_set_and_what_has_it_already_is_left_alone(editor, api, levels):
    api.patch(f"/inventory-levels/{levels[0].public_id}", {"abcClass": "A"})
    page = ask(editor, "class", choose(editor, "class", levels), abc_class="A")
    assert "1 will change, 1 stay as they are" in text_of(page)
    apply(editor, "class", page)
    assert [now(level).abc_class for level in levels] == ["A", "A"]
    assert [now(level).version for level in levels] == [2, 2]


def test_a_class_can_be_taken_away(editor, api, levels):
    api.patch(f"/inventory-levels/{levels[0].public_id}", {"abcClass": "A"})
    page = ask(editor, "class", choose(editor, "class", levels[:1]), abc_class="")
    apply(editor, "class", page)
    assert now(levels[0]).abc_class is None


def test_quantities_are_scaled_exactly_and_rounding_is_told(editor, levels):
    chosen = choose(editor, "scale", levels[:1])
    page = ask(editor, "scale", chosen, factor="1.000055")
    assert "min 10 → 10.0006" in text_of(page)
    assert "1 of them are rounded to 4 decimals." in text_of(page)
    apply(editor, "scale", page)
    level = now(levels[0])
    assert (level.min_quantity, level.reorder_quantity, level.max_quantity) == (
        Decimal("10.0006"),  # 10.00055, half up
        Decimal("20.0011"),
        Decimal("30.0017"),  # 30.00165, half up
    )


@pytest.mark.parametrize(
    ("value", "factor", "result"),
    [
        ("10", "0.1", (Decimal(1), False)),
        ("0.0001", "0.5", (Decimal("0.0001"), True)),
        ("0.0001", "0.4999999999", (Decimal(0), True)),
        ("99999999999.9999", "1", (Decimal("99999999999.9999"), False)),
        ("3", "0.3333333333", (Decimal("1.0000"), True)),
        ("0", "7", (Decimal(0), False)),
    ],
)
def test_scaling_rounds_half_up_to_four_decimals(value, factor, result):
    assert verbs.scaled(Decimal(value), Decimal(factor)) == result


def test_a_scaled_quantity_that_breaks_a_rule_is_refused_by_name_and_the_others_change(
    editor, api, levels
):
    api.patch(f"/inventory-levels/{levels[1].public_id}", {"reorderQuantity": 10})
    chosen = choose(editor, "scale", levels)
    page = ask(editor, "scale", chosen, factor="1.5", quantities=["min_quantity"])
    said = text_of(page)
    assert "1 will change, 1 can't be changed and stay as they are" in said
    assert "B-1 · Product B-1 at Main warehouse reorder point must not be below min (15)" in said
    apply(editor, "scale", page)
    assert [now(level).min_quantity for level in levels] == [15, 10]


def test_a_scaled_quantity_with_too_many_digits_is_refused_by_name(editor, levels):
    page = ask(editor, "scale", choose(editor, "scale", levels[:1]), factor="1000000")
    page = ask(editor, "scale", page, factor="1000000")
    assert "1 will change" in text_of(page)
    apply(editor, "scale", page)
    page = ask(editor, "scale", choose(editor, "scale", levels[:1]), factor="1000000")
    assert "must have at most 11 digits before the point" in text_of(page)


@pytest.mark.parametrize("factor", ["", "x", "-1", "1e9", "NaN", "Infinity", "1.00000000001"])
def test_what_is_no_factor_is_refused_next_to_the_field(editor, levels, factor):
    page = ask(editor, "scale", choose(editor, "scale", levels), factor=factor)
    assert "text-red-600" in page.content.decode()
    assert "will change" not in text_of(page)


def test_a_level_that_moved_on_since_it_was_chosen_stops_them_all(editor, api, levels):
    page = ask(editor, "status", choose(editor, "status", levels), status="Stock")
    api.patch(f"/inventory-levels/{levels[1].public_id}", {"minQuantity": 11})
    page = apply(editor, "status", page)
    said = text_of(page)
    assert "Nothing was saved." in said
    assert "B-1 · Product B-1 at Main warehouse: ERP (API key) changed min 10 → 11" in said
    assert [now(level).status for level in levels] == ["Supported"] * 2

    apply(editor, "status", page)  # having seen it
    assert [now(level).status for level in levels] == ["Stock"] * 2
    assert now(levels[1]).min_quantity == 11


def test_a_level_that_was_deleted_since_it_was_chosen_stops_them_all(editor, api, levels):
    page = ask(editor, "status", choose(editor, "status", levels), status="Stock")
    api.delete(f"/inventory-levels/{levels[1].public_id}")
    page = apply(editor, "status", page)
    assert "B-1 · Product B-1 at Main warehouse: ERP (API key) deleted it" in text_of(page)
    assert now(levels[0]).status == "Supported"


def test_what_was_not_previewed_is_not_done(editor, levels):
    page = choose(editor, "status", levels)
    page = apply(editor, "status", page, status="Stock")
    assert "2 will change" in text_of(page)
    assert [now(level).status for level in levels] == ["Supported"] * 2
    page = apply(editor, "status", page, status="Inactive")
    assert "status Supported → Inactive" in text_of(page)
    assert [now(level).status for level in levels] == ["Supported"] * 2


def test_levels_are_copied_with_what_makes_sense_at_the_target(editor, levels, acme):
    page = ask(editor, "copy", choose(editor, "copy", levels), target=acme.supplier.pk)
    said = text_of(page)
    assert "2 will change" in said
    assert "2 preferred bins are not inside Supplier and left out." in said
    assert "2 are replenished from Supplier itself: left out." in said
    apply(editor, "copy", page)
    copies = InventoryLevel._base_manager.filter(location=acme.supplier)
    assert [(one.min_quantity, one.max_quantity, one.version) for one in copies] == [
        (10, 30, 1)
    ] * 2
    assert {one.preferred_bin_location for one in copies} == {None}
    assert {one.replenishment_location for one in copies} == {None}


def at_the_supplier(api: Api, level: InventoryLevel, **settings: Any) -> str:
    body = {"productMasterId": level.product.public_id, "locationId": "loc_456", **settings}
    return api.post("/inventory-levels", body).json()["id"]


def test_a_copy_replaces_nothing_unless_it_is_asked_to(editor, api, levels, acme):
    there = at_the_supplier(api, levels[0], minQuantity=1)
    page = ask(editor, "copy", choose(editor, "copy", levels), target=acme.supplier.pk)
    assert "The location has a level of this product already." in text_of(page)
    apply(editor, "copy", page)
    assert InventoryLevel._base_manager.get(public_id=there).min_quantity == 1
    assert InventoryLevel._base_manager.filter(location=acme.supplier).count() == 2

    chosen = choose(editor, "copy", levels[:1])
    page = ask(editor, "copy", chosen, target=acme.supplier.pk, overwrite="on")
    assert "min 1 → 10" in text_of(page)
    apply(editor, "copy", page)
    assert InventoryLevel._base_manager.get(public_id=there).min_quantity == 10


def test_a_copy_does_not_replace_what_changed_since_the_preview(editor, api, levels, acme):
    there = at_the_supplier(api, levels[0], minQuantity=1)
    chosen = choose(editor, "copy", levels[:1])
    page = ask(editor, "copy", chosen, target=acme.supplier.pk, overwrite="on")
    api.patch(f"/inventory-levels/{there}", {"minQuantity": 2})
    page = apply(editor, "copy", page)
    assert "Nothing was saved." in text_of(page)
    assert "min 1 → 2" in text_of(page)
    assert InventoryLevel._base_manager.get(public_id=there).min_quantity == 2


def test_the_same_product_twice_is_not_copied_to_one_place(editor, api, levels, acme):
    there = at_the_supplier(api, levels[0])
    target = factories.LocationFactory(organization=acme.organization)
    both = [levels[0], InventoryLevel._base_manager.get(public_id=there)]
    page = ask(editor, "copy", choose(editor, "copy", both), target=target.pk)
    assert "comes more than once" in text_of(page)


def test_levels_are_deleted_after_a_preview(editor, levels):
    page = choose(editor, "delete", levels)
    assert "2 will be deleted" in text_of(page)
    assert InventoryLevel._base_manager.count() == 2
    answer = apply(editor, "delete", page)
    assert "Delete: 2 levels are deleted." in text_of(answer)
    assert not InventoryLevel._base_manager.exists()
    assert LevelChange._base_manager.filter(action="DELETE", source="admin").count() == 2


def test_a_level_that_changed_is_not_deleted_unseen(editor, api, levels):
    page = choose(editor, "delete", levels)
    api.patch(f"/inventory-levels/{levels[0].public_id}", {"minQuantity": 9})
    assert "Nothing was saved." in text_of(apply(editor, "delete", page))
    assert InventoryLevel._base_manager.count() == 2


def test_all_that_a_filter_finds_can_be_chosen_up_to_a_limit(editor, levels, monkeypatch):
    fields = {"action": "status", "index": "0", "select_across": "1"}
    fields["_selected_action"] = [str(levels[0].pk)]
    assert "2 levels chosen." in text_of(editor.send(LEVELS, fields))
    assert "1 level chosen." in text_of(editor.send(f"{LEVELS}?q=b-1", fields))
    monkeypatch.setattr(verbs.SetStatus, "most", 1)
    assert "at most 1 levels at once" in text_of(editor.send(LEVELS, fields))


def test_levels_of_other_organizations_are_as_good_as_deleted(editor, levels, acme):
    foreign = factories.LevelFactory()
    said = []
    for public_id in (foreign.public_id, "level_none"):
        page = editor.send(
            f"{LEVELS}bulk/status/",
            {"shown": f"{levels[0].public_id}@1,{public_id}@1", "status": "Stock", "back": ""},
        )
        said.append(text_of(page))
    assert "One of the levels is not there any more." in said[0]
    assert said[0] == said[1]
    target = foreign.location_id
    page = ask(editor, "copy", choose(editor, "copy", levels), target=target)
    assert "Select a valid choice." in text_of(page)


def test_a_viewer_has_no_actions(viewer, editor, levels):
    page = choose(editor, "status", levels)
    assert "Set status" not in viewer.read(LEVELS)
    sent = viewer.send(f"{LEVELS}bulk/status/", forms_of(page)[BULK] | {"status": "Stock"})
    assert sent.status_code == 403
    assert "chosen." not in text_of(choose(viewer, "status", levels))


def test_garbled_requests_are_refused(editor, levels):
    address = f"{LEVELS}bulk/status/"
    assert editor.get(address).status_code == 405
    assert editor.send(f"{LEVELS}bulk/none/", {}).status_code == 404
    for shown in ("x", "level_1@x", "@", "level_1@1@x", "@@@"):
        assert editor.send(address, {"shown": shown, "status": "Stock"}).status_code == 404
    assert "Choose some levels first." in text_of(editor.send(address, {"status": "Stock"}))


def test_the_way_back_never_leaves_the_list(editor, levels):
    page = ask(editor, "status", choose(editor, "status", levels), status="Stock")
    answer = apply(editor, "status", page, back="//evil.example/?x")
    assert answer.redirect_chain[0][0].startswith(f"{LEVELS}?")


def test_a_copy_names_the_level_that_it_changes_and_remarks_on_what_it_writes(
    editor, api, levels, acme
):
    at_the_supplier(api, levels[0], minQuantity=1)
    page = ask(editor, "copy", choose(editor, "copy", levels), target=acme.supplier.pk)
    said = text_of(page)
    assert "1 preferred bins are not inside Supplier and left out." in said
    assert "B-0 · Product B-0 at Supplier The location has a level of this product" in said
    assert "B-1 · Product B-1 at Supplier min not set → 10" in said
    assert "at Main warehouse" not in said


@pytest.mark.parametrize("verb", ["status", "class", "scale", "copy", "recommend", "delete"])
def test_every_page_of_a_change_of_many_has_a_way_back(editor, levels, verb):
    page = choose(editor, verb, levels, q="b-")
    assert f'<a class="button" href="{LEVELS}?q=b-">Cancel</a>' in page.content.decode()


def test_a_level_that_is_chosen_twice_is_changed_once(editor, levels):
    shown = f"{levels[0].public_id}@1"
    sent = {"shown": [shown, shown], "previewed": "", "apply": "1"}
    assert "Delete: 1 level is deleted." in text_of(editor.send(f"{LEVELS}bulk/delete/", sent))


def test_many_levels_that_moved_on_cost_no_more_statements_than_two(
    editor, api, levels, acme, monkeypatch
):
    levels = [*levels, *made_by_the_api(api, acme, 8, first=2)]
    for level in levels:
        api.patch(f"/inventory-levels/{level.public_id}", {"minQuantity": 11})
    counts = []
    for number in (2, 2, 10):
        shown = ",".join(f"{level.public_id}@1" for level in levels[:number])
        with CaptureQueriesContext(connection) as statements:
            page = editor.send(f"{LEVELS}bulk/status/", {"shown": shown, "status": "Stock"})
        counts.append(len(statements))
        assert text_of(page).count("ERP (API key) changed min 10 → 11") == number
    assert counts[1] == counts[2]
    for module in (bulk, bulk_preview):
        monkeypatch.setattr(module, "LISTED", 1)
    page = editor.send(f"{LEVELS}bulk/status/", {"shown": shown, "status": "Stock"})
    assert "The first 1 of 10 are listed." in text_of(page)
