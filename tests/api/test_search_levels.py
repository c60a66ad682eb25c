"""?search= of GET /api/inventory-levels: parts of SKU, product name and comments, no case."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from inventory_levels.api import filters
from tests import factories
from tests.api.population import add_levels

PATH = "/inventory-levels"


def search(api, text: str, path: str = PATH) -> list[str]:
    """The comments of what is found."""
    response = api.get(f"{path}?{urlencode({'search': text})}")
    assert response.status_code == 200, response.content
    return [level["comments"] for level in response.json()["items"]]


WHERE = ["sku", "name", "comments"]


def found_in(api, acme, stored: str, text: str) -> list[str]:
    """Where a search for the text finds what is stored in the SKU, the name or the comments."""
    for where in WHERE:
        product = factories.ProductFactory(
            organization=acme.organization,
            public_id=where,
            global_sku=stored if where == "sku" else f"-{where}-",
            product_name=stored if where == "name" else f"-{where}-",
        )
        factories.LevelFactory(
            organization=acme.organization,
            product=product,
            location=acme.location,
            comments=stored if where == "comments" else None,
        )
    response = api.get(f"{PATH}?{urlencode({'search': text})}")
    assert response.status_code == 200, response.content
    return [level["productMasterId"] for level in response.json()["items"]]


# Each pair differs in nothing but case, as Unicode folds it.
SAME = [
    ("Grüße", "GRÜẞE"),
    ("äöü", "ÄÖÜ"),
    ("ÄÖÜ", "äöü"),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ("οδυσσευς", "ΟΔΥΣΣΕΥΣ"),
    ("οδυσσευς", "οδυσσευσ"),
    ("İzmir", "i̇zmir"),
    ("i̇zmi̇r", "İZMİR"),
    ("ёлка", "ЁЛКА"),
    ("ЩЁТКА", "щётка"),
    ("ÅÇÑ", "åçñ"),
    ("ﬁlter", "FILTER"),
    ("ǅ", "ǆ"),
    ("Ⅷ", "ⅷ"),
    ("𐐀", "𐐨"),
    ("ქართული", "ᲥᲐᲠᲗᲣᲚᲘ"),
]


@pytest.mark.parametrize(("stored", "text"), SAME)
def test_case_is_ignored_for_all_letters(reader, acme, stored, text):
    assert found_in(reader, acme, f"<{stored}>", text) == WHERE


# Where it finds, and where it must not.
LITERAL = [
    ("100% sure", "0% s", True),
    ("100 sure", "0% s", False),
    ("100%", "%", True),
    ("100", "%", False),
    ("a_b", "A_B", True),
    ("acb", "a_b", False),
    ("a_b", "_", True),
    ("ab", "_", False),
    ("a\\b", "\\", True),
    ("a\\b", "A\\B", True),
    ("ab", "\\", False),
    ("a\\%b", "\\%", True),
    ("a%b", "\\%", False),
    ("a\\_b", "\\_", True),
    ("a_b", "\\_", False),
    ("it's", "'S", True),
    ('5"', '"', True),
    ("a*b", "*", True),
    ("ab", "*", False),
    ("ab", "a?", False),
    ("[ab]", "[AB]", True),
    ("ab", "[ab]", False),
    ("a b", "a b", True),
    ("ab", " ", False),
    ("a  b", "a b", False),
    ("a,b", "a,b", True),
    ("ab", "a,b", False),
    ("a\nb", "a\nb", True),
    ("naïve", "naive", False),
    ("Zürich", "zurich", False),
    ("😀", "😀", True),
    ("😁", "😀", False),
]


@pytest.mark.parametrize(("stored", "text", "found"), LITERAL)
def test_every_character_means_itself(reader, acme, stored, text, found):
    assert found_in(reader, acme, stored, text) == (WHERE if found else [])


@pytest.mark.parametrize("text", ["b", "Bol", "lze", "ZEN", "bolzen", "1", "n1"])
def test_any_part_is_found(reader, acme, text):
    assert found_in(reader, acme, "Bolzen1", text) == WHERE


def test_a_search_looks_at_nothing_else(api, level):
    api.patch(f"{PATH}/{level['id']}", {"comments": "Zzz"})
    assert search(api, "zz") == ["Zzz"]
    for text in ("prod_123", "loc_123", "Main warehouse", level["id"], "Supported", "Acme"):
        assert search(api, text) == []


@pytest.mark.parametrize("text", ["3\nW", "3W", "3 W", "tH", "t\nH"])
def test_a_text_that_runs_from_one_field_into_the_next_is_not_found(api, level, text):
    """SKU-123, Widget, High priority item."""
    assert search(api, text) == []


def test_a_renamed_product_is_found_by_its_new_name_only(api, level):
    assert search(api, "widget") == search(api, "sku-123") == [level["comments"]]
    api.patch("/products/prod_123", {"productName": "Gerät Ω"})
    assert search(api, "GERÄT ω") == search(api, "sku-123") == [level["comments"]]
    assert search(api, "widget") == []
    api.post("/products", {"id": "prod_123", "globalSku": "Neu"})
    assert search(api, "gerät") == search(api, "NEU") == [level["comments"]]
    assert search(api, "sku-123") == []
    item = {"id": "prod_123", "productName": "Bulk"}
    assert api.post("/products/bulk", {"items": [item]}).json()["updated"] == 1
    assert search(api, "bulk") == [level["comments"]]
    assert search(api, "gerät") == []


def test_changed_comments_are_found_by_the_new_ones_only(api, level):
    api.patch(f"{PATH}/{level['id']}", {"comments": "ÄNDERUNG"})
    assert search(api, "änderung") == ["ÄNDERUNG"]
    assert search(api, "priority") == []
    item = {"productMasterId": "prod_123", "locationId": "loc_123", "comments": "BÜLK"}
    api.post(f"{PATH}/bulk", {"items": [item]})
    assert search(api, "bülk") == ["BÜLK"]
    api.patch(f"{PATH}/{level['id']}", {"comments": None})
    assert search(api, "bülk") == []
    assert search(api, "none") == search(api, "null") == []


@pytest.mark.parametrize("few", [1_000, 5_000], ids=["walks", "looks up"])
def test_a_search_that_fits_very_many_finds_them_all(reader, acme, monkeypatch, few):
    """Of products and of comments, more than a thousand each: none is left out."""
    monkeypatch.setattr(filters, "FEW", few)
    products = factories.ProductFactory.build_batch(
        1_100, organization=acme.organization, product_name="Schraube M5"
    )
    type(products[0])._base_manager.bulk_create(products)
    others = factories.ProductFactory.build_batch(1_150, organization=acme.organization)
    type(products[0])._base_manager.bulk_create(others)
    comments = [None] * 1_100 + ["für schraube"] * 1_100 + [None] * 50
    add_levels(
        [
            factories.LevelFactory.build(
                organization=acme.organization,
                product=product,
                location=acme.location,
                comments=text,
            )
            for product, text in zip([*products, *others], comments, strict=True)
        ]
    )

    def total(text: str, **filters: str) -> int:
        response = reader.get(f"{PATH}?{urlencode({'search': text, 'limit': 1} | filters)}")
        return response.json()["pagination"]["total"]

    assert total("SCHRAUBE") == 2_200
    assert total("schraube m5") == 1_100
    assert total("FÜR SCHRAUBE") == 1_100
    assert total("schraube", missing="comments") == 1_100
    assert total("schraube", productId=products[3].public_id) == 1
    assert total("schraube", productId=others[-1].public_id) == 0
    assert total("für", sku=others[0].global_sku) == 1


def test_another_organizations_texts_are_not_found(reader, acme, level, stranger):
    stranger.post(PATH, {"productMasterId": "prod_123", "locationId": "loc_456", "comments": "Qq"})
    stranger.patch("/products/prod_123", {"productName": "Xylo"})
    assert search(reader, "qq") == search(reader, "xylo") == []
    assert search(reader, "widget") == [level["comments"]]
    assert search(stranger, "widget") == []
