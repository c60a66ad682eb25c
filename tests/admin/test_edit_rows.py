"""Editing levels in the list: together, on top of what was shown, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_levels.models import InventoryLevel, LevelChange
from tests import factories
from tests.admin.browser import LEVELS, errors_in, forms_of, text_of
from tests.conftest import Acme, Api

LIST = "changelist-form"


def rows(acme: Acme, count: int, **settings: Any) -> list[InventoryLevel]:
    """Levels of as many products, in the order of the list."""
    return [
        factories.LevelFactory(
            organization=acme.organization,
            location=acme.location,
            product=factories.ProductFactory(
                organization=acme.organization, global_sku=f"ROW-{number:03}"
            ),
            **{"min_quantity": 5, "reorder_quantity": 10, "max_quantity": 20, **settings},
        )
        for number in range(count)
    ]


def made_by_the_api(api: Api, acme: Acme, count: int) -> list[InventoryLevel]:
    """Levels with their history, as every real one has."""
    levels = rows(acme, count)
    made = []
    for level in levels:
        product = level.product.public_id
        level.delete()
        body = {"productMasterId": product, "locationId": "loc_123"}
        answer = api.post(
            "/inventory-levels",
            body | {"minQuantity": 5, "reorderQuantity": 10, "maxQuantity": 20},
        )
        made.append(InventoryLevel._base_manager.get(public_id=answer.json()["id"]))
    return made


def field(level: InventoryLevel, page: dict[str, Any], name: str) -> str:
    """The name that a quantity of a level has in the list's form."""
    for key, value in page.items():
        if key.endswith("-id") and value == str(level.pk):
            return key.removesuffix("id") + name
    raise AssertionError(f"{level} is not on the page")


def stored(level: InventoryLevel) -> tuple[Any, ...]:
    now = InventoryLevel._base_manager.get(pk=level.pk)
    return (now.min_quantity, now.reorder_quantity, now.max_quantity, now.version)


def last_change(level: InventoryLevel) -> LevelChange:
    changes = LevelChange._base_manager.filter(level_public_id=level.public_id)
    return changes.order_by("-version").first()


def test_three_levels_are_saved_at_once_each_with_its_history(editor, api, acme):
    levels = made_by_the_api(api, acme, 4)
    page = editor.form(LEVELS, LIST)
    typed = {field(level, page, "reorder_quantity"): "12.5" for level in levels[:3]}
    answer = editor.send(LEVELS, page, **typed, _save="Save")

    assert "3 levels are saved." in text_of(answer)
    for level in levels[:3]:
        assert stored(level) == (5, Decimal("12.5"), 20, 2)
        change = last_change(level)
        assert (change.source, change.actor_type, change.actor_name) == ("admin", "user", "edda")
        assert change.changes == {"reorderQuantity": {"old": 10, "new": 12.5}}
    assert stored(levels[3]) == (5, 10, 20, 1)


def test_saving_without_a_change_writes_nothing(editor, api, acme):
    (level,) = made_by_the_api(api, acme, 1)
    answer = editor.edit(LEVELS)
    assert "Nothing was changed." in text_of(answer)
    assert stored(level) == (5, 10, 20, 1)
    assert LevelChange._base_manager.count() == 1


def test_an_emptied_field_unsets_the_quantity_and_a_zero_is_a_quantity(editor, api, acme):
    (level,) = made_by_the_api(api, acme, 1)
    page = editor.form(LEVELS, LIST)
    typed = {field(level, page, "min_quantity"): "0", field(level, page, "max_quantity"): ""}
    editor.send(LEVELS, page, **typed, _save="Save")
    assert stored(level) == (0, 10, None, 2)


def test_a_broken_order_is_told_next_to_the_field_and_nothing_is_saved(editor, api, acme):
    good, bad = made_by_the_api(api, acme, 2)
    page = editor.form(LEVELS, LIST)
    typed = {field(good, page, "max_quantity"): "30", field(bad, page, "reorder_quantity"): "4"}
    answer = editor.send(LEVELS, page, **typed, _save="Save")

    assert "must not be below min (5)" in errors_in(answer)
    assert stored(good) == (5, 10, 20, 1)
    assert stored(bad) == (5, 10, 20, 1)
    assert 'value="30"' in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("abc", "Type a number such as 1200 or 12.5."),
        ("1,200", "Type a number such as 1200 or 12.5."),
        ("12,5", "Type a number such as 1200 or 12.5."),
        ("1e3", "Type a number such as 1200 or 12.5."),
        ("NaN", "Type a number such as 1200 or 12.5."),
        ("-1", "must not be negative"),
        ("1.00001", "must have at most 4 digits after the point"),
        ("123456789012", "must have at most 11 digits before the point"),
    ],
)
def test_what_is_no_quantity_is_refused_next_to_the_field(editor, api, acme, typed, said):
    (level,) = made_by_the_api(api, acme, 1)
    page = editor.form(LEVELS, LIST)
    answer = editor.send(LEVELS, page, **{field(level, page, "max_quantity"): typed}, _save="Save")
    assert said in errors_in(answer)
    assert stored(level) == (5, 10, 20, 1)


def test_a_row_that_moved_on_is_refused_by_name_and_no_other_is_saved(editor, api, acme):
    mine, theirs = made_by_the_api(api, acme, 2)
    page = editor.form(LEVELS, LIST)
    api.patch(f"/inventory-levels/{theirs.public_id}", {"minQuantity": 7, "abcClass": "B"})
    typed = {field(mine, page, "max_quantity"): "30", field(theirs, page, "max_quantity"): "40"}
    answer = editor.send(LEVELS, page, **typed, _save="Save")

    said = errors_in(answer)
    assert "ERP (API key) changed min 5 → 7; ABC class not set → B" in said
    assert stored(mine) == (5, 10, 20, 1)
    assert stored(theirs) == (7, 10, 20, 2)
    assert last_change(theirs).source == "api"


def test_after_a_conflict_the_page_keeps_what_was_typed_and_shows_what_is(editor, api, acme):
    mine, theirs = made_by_the_api(api, acme, 2)
    page = editor.form(LEVELS, LIST)
    api.patch(f"/inventory-levels/{theirs.public_id}", {"minQuantity": 7, "maxQuantity": 25})
    typed = {field(mine, page, "max_quantity"): "30", field(theirs, page, "max_quantity"): "40"}
    answer = editor.send(LEVELS, page, **typed, _save="Save")
    assert "is 25 now" in errors_in(answer)

    again = forms_of(answer)[LIST]
    assert again[field(theirs, again, "min_quantity")] == "7"
    assert again[field(theirs, again, "max_quantity")] == "40"
    editor.send(LEVELS, again, _save="Save")
    assert stored(mine) == (5, 10, 30, 2)
    assert stored(theirs) == (7, 10, 40, 3)
    assert last_change(theirs).changes == {"maxQuantity": {"old": 25, "new": 40}}


def test_what_somebody_else_changed_in_untouched_rows_is_no_conflict(editor, api, acme):
    mine, theirs = made_by_the_api(api, acme, 2)
    page = editor.form(LEVELS, LIST)
    api.patch(f"/inventory-levels/{theirs.public_id}", {"minQuantity": 7})
    editor.send(LEVELS, page, **{field(mine, page, "max_quantity"): "30"}, _save="Save")
    assert stored(mine) == (5, 10, 30, 2)
    assert stored(theirs) == (7, 10, 20, 2)


def test_a_level_that_was_deleted_meanwhile_is_named_and_the_others_are_kept(editor, api, acme):
    mine, gone = made_by_the_api(api, acme, 2)
    page = editor.form(LEVELS, LIST)
    api.delete(f"/inventory-levels/{gone.public_id}")
    typed = {field(mine, page, "max_quantity"): "30", field(gone, page, "max_quantity"): "40"}
    answer = editor.send(LEVELS, page, **typed, _save="Save")

    said = text_of(answer)
    assert "ROW-001 · Product ROW-001 at Main warehouse was deleted by ERP (API key)." in said
    assert stored(mine) == (5, 10, 20, 1)
    editor.send(LEVELS, forms_of(answer)[LIST], _save="Save")
    assert stored(mine) == (5, 10, 30, 2)


def test_a_refused_page_shows_the_rows_that_were_posted_also_where_the_filter_has_changed(
    editor, api, acme
):
    first, second = made_by_the_api(api, acme, 2)
    api.patch(f"/inventory-levels/{first.public_id}", {"minQuantity": None})
    api.patch(f"/inventory-levels/{second.public_id}", {"minQuantity": None})
    filtered = f"{LEVELS}?finding=no-min"
    page = editor.form(filtered, LIST)
    api.patch(f"/inventory-levels/{first.public_id}", {"minQuantity": 3})
    answer = editor.send(filtered, page, **{field(second, page, "max_quantity"): "x"}, _save="Save")
    again = forms_of(answer)[LIST]
    assert again[field(second, again, "max_quantity")] == "x"
    assert again[field(first, again, "max_quantity")] == "20"


def test_a_full_page_with_every_row_chosen_can_be_saved(editor, acme):
    levels = rows(acme, 101)
    page = editor.form(LEVELS, LIST)
    assert sum(name.endswith("-id") for name in page) == 100
    chosen = [str(level.pk) for level in levels[:100]]
    name = field(levels[0], page, "max_quantity")
    answer = editor.send(LEVELS, page, **{name: "21", "_selected_action": chosen}, _save="Save")
    assert "1 level is saved." in text_of(answer)
    assert stored(levels[0])[2] == 21


def test_a_viewer_sees_the_quantities_and_can_change_none(viewer, editor, api, acme):
    (level,) = made_by_the_api(api, acme, 1)
    page = editor.form(LEVELS, LIST)
    assert "<input" not in viewer.get(LEVELS).content.decode().partition('id="result_list"')[2]
    assert " 5 10 20 " in viewer.read(LEVELS)
    typed = {field(level, page, "max_quantity"): "30"}
    assert viewer.send(LEVELS, page, **typed, _save="Save").status_code == 403
    assert stored(level) == (5, 10, 20, 1)


def test_rows_of_another_organization_are_as_good_as_deleted(editor, api, acme):
    (mine,) = made_by_the_api(api, acme, 1)
    foreign = factories.LevelFactory(max_quantity=9)
    page = editor.form(LEVELS, LIST)
    for pk in (foreign.pk, foreign.pk + 1_000):
        forged = {
            name: str(pk) if name == "form-0-id" else value for name, value in page.items()
        } | {"form-0-max_quantity": "99"}
        answer = editor.send(LEVELS, forged, _save="Save")
        assert "A level that you edited is not there any more." in text_of(answer)
        assert "Globex" not in text_of(answer)
    assert stored(foreign)[2] == 9
    assert stored(mine) == (5, 10, 20, 1)


def test_the_rows_that_moved_on_are_named_above_the_list_whatever_else_is_wrong(editor, api, acme):
    wrong, theirs = made_by_the_api(api, acme, 2)
    page = editor.form(LEVELS, LIST)
    api.patch(f"/inventory-levels/{theirs.public_id}", {"minQuantity": 7})
    typed = {field(wrong, page, "max_quantity"): "x", field(theirs, page, "max_quantity"): "40"}
    answer = editor.send(LEVELS, page, **typed, _save="Save")
    above = text_of(answer).partition("Last change")[0]
    named = "Changed since you opened the page: ROW-001 · Product ROW-001 at Main warehouse."
    assert named in above
    assert "ERP (API key) changed min 5 → 7" in errors_in(answer)
    assert "Type a number such as 1200 or 12.5." in errors_in(answer)
    assert (stored(wrong), stored(theirs)) == ((5, 10, 20, 1), (7, 10, 20, 2))


def test_many_rows_that_moved_on_cost_no_more_statements_than_two(editor, api, acme):
    levels = made_by_the_api(api, acme, 12)
    page = editor.form(LEVELS, LIST)
    for level in levels:
        api.patch(f"/inventory-levels/{level.public_id}", {"minQuantity": 7})
    counts = []
    for number in (2, 2, 12):
        typed = {field(level, page, "max_quantity"): "40" for level in levels[:number]}
        with CaptureQueriesContext(connection) as statements:
            answer = editor.send(LEVELS, page, **typed, _save="Save")
        counts.append(len(statements))
        assert errors_in(answer).count("ERP (API key) changed min 5 → 7") == number
    assert counts[1] == counts[2] <= 40
