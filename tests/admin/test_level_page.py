"""The page of one level: what may be typed, what is said next to it, and who was quicker."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_levels.admin.forms import LevelForm
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.refusals import PreconditionFailed
from tests import factories
from tests.admin.browser import LEVELS, errors_in, forms_of, text_of
from tests.conftest import Acme

FORM = "inventorylevel_form"


def page_of(level: InventoryLevel) -> str:
    return f"{LEVELS}{level.pk}/change/"


def now(level: InventoryLevel) -> InventoryLevel:
    return InventoryLevel._base_manager.get(pk=level.pk)


def new(acme: Acme, **fields: Any) -> dict[str, Any]:
    """What a person fills in on the page of a new level."""
    product = factories.ProductFactory(organization=acme.organization, global_sku="NEW-1")
    return {"product": product.pk, "location": acme.location.pk, **fields}


def test_a_change_is_saved_with_who_and_from_what_to_what(editor, widget):
    answer = editor.edit(page_of(widget), reorder_quantity="150", comments="Two\r\nlines")
    assert "SKU-123 · Widget at Main warehouse is saved." in text_of(answer)
    assert (now(widget).reorder_quantity, now(widget).version) == (150, 2)
    change = LevelChange._base_manager.get(level_public_id=widget.public_id, version=2)
    assert (change.source, change.actor_name, change.product_public_id) == (
        "admin",
        "edda",
        "prod_123",
    )
    assert change.changes == {
        "reorderQuantity": {"old": 100, "new": 150},
        "comments": {"old": "High priority item", "new": "Two\nlines"},
    }


def test_saving_what_is_there_writes_no_history(editor, widget):
    editor.edit(page_of(widget))
    assert now(widget).version == 1


def test_fields_can_be_emptied(editor, widget):
    editor.edit(
        page_of(widget),
        min_quantity="",
        abc_class="",
        forecast_period_days="",
        preferred_bin_location="",
        comments="",
    )
    level = now(widget)
    assert (level.min_quantity, level.abc_class, level.forecast_period_days) == (None, None, None)
    assert (level.preferred_bin_location_id, level.comments) == (None, None)


def test_the_broken_order_is_said_next_to_the_quantity(editor, widget):
    answer = editor.edit(page_of(widget), reorder_quantity="20")
    assert "must not be below min (50)" in errors_in(answer)
    assert now(widget).version == 1
    assert forms_of(answer)[FORM]["reorder_quantity"] == "20"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("max_quantity", "5OO", "Type a number such as 1200 or 12.5."),
        ("forecast_quantity", "-1", "must not be negative"),
        ("expected_lead_time_days", "1.5", "Type a whole number such as 14."),
        ("expected_lead_time_days", "36501", "must be at most 36500"),
        ("forecast_period_days", "0", "must be at least 1"),
        ("status", "Gone", "Select a valid choice."),
        ("comments", "x" * 4_001, "at most 4000 characters"),
        ("comments", "a\x0bb", "must not hold control characters"),
        ("preferred_bin_location", "999999", "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_said_next_to_the_field(editor, widget, field, typed, said):
    answer = editor.edit(page_of(widget), **{field: typed})
    assert said in errors_in(answer)
    assert now(widget).version == 1


def test_a_bin_outside_the_location_is_refused_next_to_the_field(editor, widget, acme):
    elsewhere = factories.LocationFactory(organization=acme.organization)
    answer = editor.edit(page_of(widget), preferred_bin_location=elsewhere.pk)
    assert "must be inside the level's location" in errors_in(answer)
    answer = editor.edit(page_of(widget), replenishment_location=acme.location.pk)
    assert "must not be the level's own location" in errors_in(answer)
    assert now(widget).version == 1


def test_the_second_of_two_people_is_told_and_overwrites_nothing(editor, api, widget):
    fields = editor.form(page_of(widget), FORM)
    api.patch(f"/inventory-levels/{widget.public_id}", {"minQuantity": 60, "maxQuantity": 600})
    answer = editor.send(page_of(widget), fields, max_quantity="700", _save="Save")

    said = errors_in(answer)
    assert "Nothing was saved, as it changed since you opened the page." in said
    assert "ERP (API key) changed min 50 → 60; max 500 → 600" in said
    assert "is 600 now" in said
    assert (now(widget).min_quantity, now(widget).max_quantity) == (60, 600)

    again = forms_of(answer)[FORM]
    assert (again["min_quantity"], again["max_quantity"]) == ("60", "700")
    editor.send(page_of(widget), again, _save="Save")
    assert (now(widget).min_quantity, now(widget).max_quantity) == (60, 700)
    change = LevelChange._base_manager.get(version=3)
    assert change.changes == {"maxQuantity": {"old": 600, "new": 700}}


def test_a_level_that_moved_on_is_told_even_where_it_meets_no_field_that_was_typed(
    editor, api, widget
):
    fields = editor.form(page_of(widget), FORM)
    api.patch(f"/inventory-levels/{widget.public_id}", {"abcClass": "C"})
    answer = editor.send(page_of(widget), fields, max_quantity="700", _save="Save")
    assert "ABC class A → C" in errors_in(answer)
    assert now(widget).max_quantity == 500


def test_a_level_that_was_deleted_meanwhile_is_as_good_as_none(editor, api, widget):
    fields = editor.form(page_of(widget), FORM)
    api.delete(f"/inventory-levels/{widget.public_id}")
    answer = editor.send(page_of(widget), fields, max_quantity="700", _save="Save")
    assert "Perhaps it was deleted?" in text_of(answer)
    assert not InventoryLevel._base_manager.exists()


def test_a_new_level_is_made_with_what_was_filled_in(editor, acme):
    fields = editor.form(f"{LEVELS}add/", FORM)
    answer = editor.send(
        f"{LEVELS}add/",
        fields,
        **new(acme, max_quantity="9.5", preferred_bin_location=acme.bin.pk),
        _save="Save",
    )
    assert "NEW-1 · Product NEW-1 at Main warehouse is saved." in text_of(answer)
    level = InventoryLevel._base_manager.get()
    assert level.public_id.startswith("level_")
    assert (level.status, level.preferred_bin_location_id) == ("Supported", acme.bin.pk)
    change = LevelChange._base_manager.get()
    assert change.action == "CREATE"
    assert change.changes["maxQuantity"] == {"old": None, "new": 9.5}


def test_adding_never_overwrites_a_level_that_is_there(editor, widget, acme):
    fields = editor.form(f"{LEVELS}add/", FORM)
    pair = {"product": acme.product.pk, "location": acme.location.pk}
    answer = editor.send(f"{LEVELS}add/", fields, **pair, max_quantity="7", _save="Save")
    assert "has a level of this product already: open it" in errors_in(answer)
    assert f'href="{page_of(widget)}"' in answer.content.decode()
    assert now(widget).version == 1


def test_what_was_made_between_the_check_and_the_write_is_not_overwritten(
    editor, acme, monkeypatch
):

    check, checked = LevelForm.rehearse, []

    def somebody_is_quicker(form: Any) -> Any:
        refusal = check(form)
        if not checked:
            checked.append(refusal)
            factories.LevelFactory(
                organization=acme.organization,
                product=form.cleaned_data["product"],
                location=acme.location,
                max_quantity=1,
            )
        return refusal

    monkeypatch.setattr(LevelForm, "rehearse", somebody_is_quicker)
    fields = editor.form(f"{LEVELS}add/", FORM)
    editor.send(f"{LEVELS}add/", fields, **new(acme, max_quantity="7"), _save="Save")
    assert checked == [None]
    # The test's transaction is the page's, so the quicker one is undone with the failed try.
    assert LevelChange._base_manager.count() == InventoryLevel._base_manager.count() == 1


def test_a_product_of_another_organization_is_no_choice(editor, acme):
    foreign = factories.ProductFactory()
    fields = editor.form(f"{LEVELS}add/", FORM)
    pair = {"product": foreign.pk, "location": acme.location.pk}
    answer = editor.send(f"{LEVELS}add/", fields, **pair, _save="Save")
    missing = editor.send(f"{LEVELS}add/", fields, **(pair | {"product": 10**9}), _save="Save")
    assert "Select a valid choice." in errors_in(answer)
    assert errors_in(answer) == errors_in(missing)
    assert not InventoryLevel._base_manager.exists()


def test_the_bins_offered_are_those_inside_the_location(editor, widget, acme):
    shelf = factories.LocationFactory(
        organization=acme.organization, name="A-01-2", type="BIN", parent=acme.bin
    )
    factories.LocationFactory(organization=acme.organization, name="A-02 elsewhere")
    asked = {"app_label": "inventory_levels", "model_name": "inventorylevel", "term": "a-"}
    bins = editor.get(
        "/admin/autocomplete/",
        **asked,
        field_name="preferred_bin_location",
        location=widget.location_id,
    ).json()
    assert [one["text"] for one in bins["results"]] == ["A-01", "A-01-2"]
    inside = editor.get(
        "/admin/autocomplete/", **asked, field_name="preferred_bin_location", location=acme.bin.pk
    ).json()
    assert [one["id"] for one in inside["results"]] == [str(shelf.pk)]
    for location in ("", "x", "999999"):
        nothing = editor.get(
            "/admin/autocomplete/", **asked, field_name="preferred_bin_location", location=location
        ).json()
        assert nothing["results"] == []


def test_a_level_is_deleted_after_a_question_and_its_history_stays(editor, widget):
    address = f"{LEVELS}{widget.pk}/delete/"
    assert "Delete SKU-123 · Widget at Main warehouse ?" in editor.read(address)
    editor.send(address, editor.form(address, "delete-form"))
    assert not InventoryLevel._base_manager.exists()
    change = LevelChange._base_manager.get(action="DELETE")
    assert (change.source, change.actor_name, change.version) == ("admin", "edda", 2)


def test_a_level_that_changed_since_the_question_is_not_deleted(editor, api, widget):
    address = f"{LEVELS}{widget.pk}/delete/"
    fields = editor.form(address, "delete-form")
    api.patch(f"/inventory-levels/{widget.public_id}", {"minQuantity": 60})
    answer = editor.send(address, fields)
    assert "Nothing was deleted, as it changed meanwhile." in text_of(answer)
    assert "min 50 → 60" in text_of(answer)
    assert now(widget).version == 2


def test_a_viewer_reads_everything_and_changes_nothing(viewer, editor, widget):
    text = viewer.read(page_of(widget))
    assert "Save" not in text.partition("Quantities")[2]
    fields = editor.form(page_of(widget), FORM)
    assert viewer.send(page_of(widget), fields, min_quantity="1").status_code == 403
    assert viewer.get(f"{LEVELS}add/").status_code == 403
    assert viewer.get(f"{LEVELS}{widget.pk}/delete/").status_code == 403
    assert now(widget).version == 1


def test_the_quantities_of_a_viewer_are_plain_numbers(viewer, api, widget):
    api.patch(f"/inventory-levels/{widget.public_id}", {"minQuantity": 12.5})
    text = viewer.read(page_of(widget))
    assert "12.5 " in text
    assert "12.5000" not in text


def test_the_picture_is_drawn_of_the_stored_settings_and_of_those_typed(editor, viewer, widget):
    page = editor.get(page_of(widget)).content.decode()
    typed = {"min_quantity": "50", "reorder_quantity": "100", "max_quantity": "500"}
    typed |= {"forecast_quantity": "200", "forecast_period_days": "30"}
    typed |= {"expected_lead_time_days": "7"}
    address = f"{LEVELS}picture/"
    drawn = editor.get(address, **typed).content.decode()
    assert drawn in page
    assert "Stock falls to about 53.3, not below the minimum of 50." in drawn
    moved = viewer.get(address, **(typed | {"reorder_quantity": "60"})).content.decode()
    assert "below the minimum of 50: order at 97 or more." in moved
    assert "out of order" in viewer.get(address, **(typed | {"max_quantity": "9"})).content.decode()
    used = typed | {"min_quantity": "15", "reorder_quantity": "61", "max_quantity": "155"}
    drawn = viewer.get(address, **used).content.decode()
    assert "Stock falls to about 14.3, just about the minimum of 15." in drawn
    for junk in ("x", "1e400", "-1", "9" * 50):
        assert editor.get(address, **(typed | {"max_quantity": junk})).status_code == 200


def test_the_page_takes_at_most_twelve_statements(editor, widget, django_assert_max_num_queries):
    editor.get(page_of(widget))
    with django_assert_max_num_queries(12):
        editor.get(page_of(widget))
    with django_assert_max_num_queries(12):
        editor.get(f"{LEVELS}add/")


def test_a_level_in_the_way_that_is_deleted_just_then_is_told(editor, acme, monkeypatch):
    monkeypatch.setattr(LevelForm, "rehearse", lambda form: PreconditionFailed(""))
    answer = editor.edit(f"{LEVELS}add/", product=acme.product.pk, location=acme.location.pk)
    assert "had a level of this product until just now: save again" in errors_in(answer)
