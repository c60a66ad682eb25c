"""Products and locations in the admin: the rules of their one writer, and nobody overwritten."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_levels.admin import catalog
from inventory_levels.models import Location, ProductMaster
from tests import factories
from tests.admin.browser import LOCATIONS, PRODUCTS, errors_in, forms_of, text_of

PRODUCT, LOCATION = "productmaster_form", "location_form"


def now(record: Any) -> Any:
    return type(record)._base_manager.get(pk=record.pk)


def test_a_product_is_made_and_changed(editor, acme):
    answer = editor.edit(
        f"{PRODUCTS}add/", global_sku="NEW-1", product_name="New one", unit_cost="2.5"
    )
    assert "NEW-1" in text_of(answer)
    product = ProductMaster._base_manager.get(global_sku="NEW-1")
    assert (product.public_id[:5], product.status, product.unit_cost) == ("prod_", "Active", 2.5)
    editor.edit(f"{PRODUCTS}{product.pk}/change/", product_name="Renamed", unit_cost="")
    assert (now(product).product_name, now(product).unit_cost) == ("Renamed", None)
    assert now(product).folded == "new-1\x1frenamed"


def test_adding_never_changes_a_product_that_is_there(editor, acme):
    answer = editor.edit(f"{PRODUCTS}add/", global_sku="SKU-123", product_name="Other")
    assert "Another product has this SKU" in errors_in(answer)
    assert now(acme.product).product_name == "Widget"


def test_a_sku_that_is_taken_is_refused_next_to_the_field(editor, acme):
    other = factories.ProductFactory(organization=acme.organization)
    answer = editor.edit(f"{PRODUCTS}{other.pk}/change/", global_sku="SKU-123")
    assert "is taken" in errors_in(answer)
    assert now(other).global_sku != "SKU-123"


def test_a_product_that_changed_meanwhile_is_not_overwritten(editor, api, acme):
    address = f"{PRODUCTS}{acme.product.pk}/change/"
    fields = editor.form(address, PRODUCT)
    api.patch("/products/prod_123", {"productName": "Gadget", "unitCost": 3})
    answer = editor.send(address, fields, product_name="Gizmo", _save="Save")
    said = errors_in(answer)
    assert "Nothing was saved, as it changed since you opened the page." in said
    assert "Name was Widget, is Gadget" in said
    assert "Unit cost was not set, is 3" in said
    assert now(acme.product).product_name == "Gadget"
    again = forms_of(answer)[PRODUCT]
    assert (again["product_name"], again["unit_cost"]) == ("Gizmo", "3")
    editor.send(address, again, _save="Save")
    assert (now(acme.product).product_name, now(acme.product).unit_cost) == ("Gizmo", 3)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("global_sku", "", "This field is required."),
        ("global_sku", "x" * 65, "at most 64 characters"),
        ("product_name", "a\x1bb", "must not hold control characters"),
        ("unit_cost", "free", "Type a number such as 1200 or 12.5."),
        ("status", "Gone", "Select a valid choice."),
    ],
)
def test_what_no_product_has_is_said_next_to_the_field(editor, acme, field, typed, said):
    answer = editor.edit(f"{PRODUCTS}{acme.product.pk}/change/", **{field: typed})
    assert said in errors_in(answer)
    assert now(acme.product).product_name == "Widget"


def test_a_product_with_levels_is_not_deleted_and_its_levels_are_counted(editor, acme, level):
    address = f"{PRODUCTS}{acme.product.pk}/delete/"
    assert "can't be deleted while it is used by 1 inventory level." in editor.read(address)
    editor.send(address, {"post": "yes"})
    assert now(acme.product)
    unused = factories.ProductFactory(organization=acme.organization)
    address = f"{PRODUCTS}{unused.pk}/delete/"
    editor.send(address, editor.form(address, "delete-form"))
    assert not ProductMaster._base_manager.filter(pk=unused.pk).exists()


def test_a_level_made_after_the_question_keeps_its_product(editor, acme, monkeypatch):
    factories.LevelFactory(
        organization=acme.organization, product=acme.product, location=acme.location
    )
    monkeypatch.setattr(catalog.ProductAdmin, "users_of", lambda page, record: [])
    shown = {"post": "yes", "shown": catalog.stamp_of(now(acme.product))}
    answer = editor.send(f"{PRODUCTS}{acme.product.pk}/delete/", shown)
    assert "Nothing was deleted. In use by 1 level." in text_of(answer)
    assert now(acme.product)


def test_a_location_is_made_moved_and_renamed(editor, acme):
    answer = editor.edit(f"{LOCATIONS}add/", name="B-01", type="BIN", parent=acme.location.pk)
    assert "B-01" in text_of(answer)
    bin = Location._base_manager.get(name="B-01")
    assert (bin.public_id[:4], bin.path) == ("bin_", f"/{acme.location.pk}/")
    editor.edit(f"{LOCATIONS}{bin.pk}/change/", parent=acme.supplier.pk, name="B-02")
    assert (now(bin).name, now(bin).path) == ("B-02", f"/{acme.supplier.pk}/")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "Supplier"}, "is taken"),
        ({"type": "BIN"}, "bin"),
    ],
)
def test_the_rules_of_the_tree_are_said_next_to_the_field(editor, acme, changed, said):
    answer = editor.edit(f"{LOCATIONS}{acme.location.pk}/change/", **changed)
    assert said in errors_in(answer)
    assert now(acme.location).name == "Main warehouse"


def test_a_location_is_not_put_inside_itself(editor, acme):
    answer = editor.edit(f"{LOCATIONS}{acme.location.pk}/change/", parent=acme.bin.pk)
    assert errors_in(answer)
    assert now(acme.location).parent_id is None


def test_adding_never_changes_a_location_that_is_there(editor, acme):
    answer = editor.edit(f"{LOCATIONS}add/", name="Main warehouse", type="STORE")
    assert "A location next to it has this name" in errors_in(answer)
    assert now(acme.location).type == "WAREHOUSE"


def test_a_location_in_use_is_not_deleted_and_what_uses_it_is_counted(editor, acme, level):
    assert "used by 1 inventory level and 1 location inside it" in editor.read(
        f"{LOCATIONS}{acme.location.pk}/delete/"
    )
    assert "used by 1 inventory level" in editor.read(f"{LOCATIONS}{acme.supplier.pk}/delete/")
    editor.send(f"{LOCATIONS}{acme.supplier.pk}/delete/", {"post": "yes"})
    assert now(acme.supplier)


def test_lists_are_searched_and_filtered(viewer, acme):
    factories.ProductFactory(
        organization=acme.organization, global_sku="OLD-1", product_name="Ärmel", status="Inactive"
    )
    assert "OLD-1" in viewer.read(PRODUCTS, q="ÄRMEL")
    assert "SKU-123" not in viewer.read(PRODUCTS, status="Inactive")
    assert "Supplier" not in viewer.read(LOCATIONS, q="a-01").partition("Inside")[2]
    assert "Supplier" not in viewer.read(LOCATIONS, type="BIN").partition("Inside")[2]


def test_viewers_change_neither(viewer, acme):
    for path in (f"{PRODUCTS}add/", f"{LOCATIONS}add/", f"{PRODUCTS}{acme.product.pk}/delete/"):
        assert viewer.get(path).status_code == 403
    sent = viewer.send(f"{PRODUCTS}{acme.product.pk}/change/", {"product_name": "x"})
    assert sent.status_code == 403
    assert "Widget" in viewer.read(f"{PRODUCTS}{acme.product.pk}/change/")


def test_lists_and_pages_take_at_most_twelve_statements(
    editor, acme, django_assert_max_num_queries
):
    for path in (PRODUCTS, LOCATIONS, f"{PRODUCTS}{acme.product.pk}/change/"):
        editor.get(path)
        with django_assert_max_num_queries(12):
            editor.get(path)


def test_the_history_of_a_record_tells_from_what_to_what_and_what_it_leaves_out(editor, acme):
    address = f"{PRODUCTS}{acme.product.pk}/"
    assert "Nothing was changed on these pages yet." in editor.read(f"{address}history/")
    editor.edit(f"{address}change/", unit_cost="2.50", status="Inactive")
    editor.edit(f"{address}change/")
    said = editor.read(f"{address}history/")
    assert "Unit cost not set → 2.5; Status Active → Inactive" in said
    assert said.count("by edda") == 1
    assert "Changes by the API, imports and commands are not listed here." in said
    assert "Back to SKU-123" in said


def test_the_history_of_a_location_names_where_it_was(editor, acme):
    address = f"{LOCATIONS}{acme.bin.pk}/"
    other = factories.LocationFactory(organization=acme.organization, name="Annex")
    editor.edit(f"{address}change/", parent=str(other.pk))
    assert "Parent Main warehouse → Annex" in editor.read(f"{address}history/")


@pytest.mark.parametrize("kind", [PRODUCTS, LOCATIONS])
def test_what_changed_since_it_was_shown_is_not_deleted_unseen(editor, api, acme, kind):
    record = {
        PRODUCTS: lambda: factories.ProductFactory(organization=acme.organization),
        LOCATIONS: lambda: factories.LocationFactory(organization=acme.organization),
    }[kind]()
    address = f"{kind}{record.pk}/delete/"
    fields = editor.form(address, "delete-form")
    path, name = {
        PRODUCTS: ("/products", "productName"),
        LOCATIONS: ("/locations", "name"),
    }[kind]
    assert api.patch(f"{path}/{record.public_id}", {name: "Important"}).status_code == 200
    answer = editor.send(address, fields)
    assert "Nothing was deleted, as it changed since you opened the page." in text_of(answer)
    assert "Important" in text_of(answer)
    editor.send(address, forms_of(answer)["delete-form"])
    assert not type(record)._base_manager.filter(pk=record.pk).exists()
