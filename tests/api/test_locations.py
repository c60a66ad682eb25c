"""``/api/locations``: a tree of places, created and updated by id or by parent and name."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.api.catalog import (
    LONGEST_ID,
    MALFORMED_IDS,
    MALFORMED_IDS_IN_PATHS,
    NOT_TEXT,
    OWN_IDS,
    RESERVED_IDS,
    TIME,
    ids,
    refused,
)
from tests.conftest import Api

TYPES = ["WAREHOUSE", "STORE", "SUPPLIER", "BIN", "OTHER"]


@pytest.fixture
def tree(api) -> Api:
    """Acme's ERP, with a bigger tree beside the published example's.

    ::

        site ── hall ── aisle ── shelf (BIN)      loc_123 ── bin_123      loc_456      yard
                     └─ dock
    """
    for public_id, parent, kind in [
        ("site", None, "WAREHOUSE"),
        ("hall", "site", "WAREHOUSE"),
        ("aisle", "hall", "OTHER"),
        ("shelf", "aisle", "BIN"),
        ("dock", "hall", "OTHER"),
        ("yard", None, "OTHER"),
    ]:
        body = {"id": public_id, "name": public_id.title(), "type": kind, "parentId": parent}
        assert api.post("/locations", body).status_code == 201
    return api


def parent_of(api: Api, public_id: str) -> str | None:
    return api.get(f"/locations/{public_id}").json()["parentId"]


def move(api: Api, public_id: str, parent: str | None):
    return api.patch(f"/locations/{public_id}", {"parentId": parent})


def set_level(api: Api, location: str, **settings):
    body = {"productMasterId": "prod_123", "locationId": location, **settings}
    return api.post("/inventory-levels", body)


def may_prefer(api: Api, location: str, preferred: str) -> bool:
    """Whether a level at a location may prefer that bin: how a client sees who is inside whom."""
    answer = set_level(api, location, preferredBinLocationId=preferred)
    assert answer.status_code in (200, 201, 400), answer.json()
    if answer.status_code == 400:
        assert list(answer.json()["details"]) == ["preferredBinLocationId"]
        return False
    cleared = set_level(api, location, preferredBinLocationId=None)
    assert cleared.json()["preferredBinLocationId"] is None
    return True


# --- creating


def test_a_new_location_is_answered_with_every_field(api):
    answer = api.post("/locations", {"name": "Annex", "type": "STORE", "parentId": "loc_123"})
    location = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"loc_[A-Za-z0-9_.:-]+", location["id"])
    assert TIME.match(location["createdAt"])
    assert location == {
        "id": location["id"],
        "name": "Annex",
        "type": "STORE",
        "parentId": "loc_123",
        "createdAt": location["createdAt"],
        "updatedAt": location["createdAt"],
    }
    assert api.get(f"/locations/{location['id']}").json() == location


def test_the_generated_id_of_a_bin_says_that_it_is_one(api):
    bin_id = api.post("/locations", {"name": "B", "type": "BIN", "parentId": "loc_123"}).json()[
        "id"
    ]
    assert re.fullmatch(r"bin_[A-Za-z0-9_.:-]+", bin_id)


def test_without_type_and_parent_it_is_an_other_place_at_the_top(api):
    location = api.post("/locations", {"name": "Somewhere"}).json()
    assert (location["type"], location["parentId"]) == ("OTHER", None)


@pytest.mark.parametrize("own", OWN_IDS)
def test_an_id_from_elsewhere_is_kept_as_it_is(api, own):
    answer = api.post("/locations", {"id": own, "name": "Annex"})
    assert (answer.status_code, answer.json()["id"]) == (201, own)
    assert api.get(f"/locations/{own}").json() == answer.json()
    inside = api.post("/locations", {"name": "Inside", "parentId": own})
    assert (inside.status_code, inside.json()["parentId"]) == (201, own)


@pytest.mark.parametrize("own", [*MALFORMED_IDS, None, *RESERVED_IDS])
def test_a_malformed_or_reserved_id_is_refused(api, own):
    before = api.get("/locations").json()
    refused(api.post("/locations", {"id": own, "name": "X"}), 400, "VALIDATION_ERROR", "id")
    assert api.get("/locations").json() == before


@pytest.mark.parametrize("parent", MALFORMED_IDS)
def test_a_malformed_parent_is_refused(api, parent):
    before = api.get("/locations").json()
    body = {"name": "X", "parentId": parent}
    refused(api.post("/locations", body), 400, "VALIDATION_ERROR", "parentId")
    refused(move(api, "loc_123", parent), 400, "VALIDATION_ERROR", "parentId")
    assert api.get("/locations").json() == before


@pytest.mark.parametrize("body", [{}, {"type": "STORE"}, {"parentId": "loc_123"}, {"id": "loc_9"}])
def test_a_name_is_required_to_create(api, body):
    before = api.get("/locations").json()
    refused(api.post("/locations", body), 400, "VALIDATION_ERROR", "name")
    assert api.get("/locations").json() == before


# --- updating by POST


def test_a_known_id_updates_and_leaves_what_is_not_named(api):
    before = api.get("/locations/bin_123").json()
    answer = api.post("/locations", {"id": "bin_123", "name": "A-02"})
    after = answer.json()
    assert answer.status_code == 200
    assert after == {**before, "name": "A-02", "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]
    assert api.get("/locations/bin_123").json() == after


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"name": "Main warehouse"}, "loc_123"),
        ({"name": "Main warehouse", "parentId": None}, "loc_123"),
        ({"name": "A-01", "parentId": "loc_123"}, "bin_123"),
        ({"name": "A-01"}, None),  # there is one inside loc_123, but none at the top
        ({"name": "A-01", "parentId": None}, None),
        ({"name": "A-01", "parentId": "loc_456"}, None),
        ({"name": "Main warehouse", "parentId": "loc_456"}, None),
        ({"name": "main warehouse"}, None),
        ({"name": "Main warehouse "}, None),
    ],
)
def test_without_an_id_parent_and_name_find_the_location(api, body, found):
    before = {item["id"]: item for item in api.get("/locations").json()["items"]}
    answer = api.post("/locations", {**body, "type": "STORE"})
    location = answer.json()
    assert (answer.status_code, location["type"]) == (200 if found else 201, "STORE")
    if found:
        assert location["id"] == found
    else:
        assert location["id"] not in before
    after = {item["id"]: item for item in api.get("/locations").json()["items"]}
    assert after == {**before, location["id"]: location}
    assert location["parentId"] == body.get("parentId")


def test_an_id_with_another_name_and_parent_renames_and_moves(tree):
    answer = tree.post("/locations", {"id": "aisle", "name": "Aisle 2", "parentId": "dock"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["parentId"]) == ("Aisle 2", "dock")


@pytest.mark.parametrize(
    "body",
    [
        {"id": "bin_123"},
        {"id": "bin_123", "name": "A-01", "type": "bin", "parentId": "loc_123"},
        {"name": "A-01", "parentId": "loc_123"},
        {"name": "A-01", "parentId": "loc_123", "type": "BIN"},
    ],
)
def test_what_changes_nothing_keeps_the_time_of_the_last_change(api, body):
    before = api.get("/locations/bin_123").json()
    answer = api.post("/locations", body)
    assert (answer.status_code, answer.json()) == (200, before)


def test_an_answer_can_be_sent_back_and_changes_nothing(api):
    for public_id in ("loc_123", "bin_123"):
        location = api.get(f"/locations/{public_id}").json()
        for answer in (
            api.post("/locations", location),
            api.patch(f"/locations/{public_id}", location),
        ):
            assert (answer.status_code, answer.json()) == (200, location)


def test_read_only_fields_are_ignored_whatever_they_hold(api):
    body = {"name": "Annex", "createdAt": None, "updatedAt": ["x"]}
    answer = api.post("/locations", body)
    assert answer.status_code == 201
    assert TIME.match(answer.json()["updatedAt"])


# --- values


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("spell", [str, str.lower, str.title, lambda text: "_".join(text) + " "])
def test_a_type_is_understood_in_any_spelling(api, kind, spell):
    body = {"name": "Annex", "type": spell(kind), "parentId": "loc_123"}
    answer = api.post("/locations", body)
    assert (answer.status_code, answer.json()["type"]) == (201, kind)


@pytest.mark.parametrize("kind", ["SHOP", "", "WAREHOUSES", 1, True, ["BIN"], {}])
def test_an_unknown_type_is_refused_with_the_choices(api, kind):
    refused(
        answer := api.patch("/locations/loc_123", {"type": kind}), 400, "VALIDATION_ERROR", "type"
    )
    if isinstance(kind, str):
        assert all(choice in answer.json()["details"]["type"][0] for choice in TYPES)
    assert api.get("/locations/loc_123").json()["type"] == "WAREHOUSE"


def test_a_null_type_is_the_default_and_a_null_parent_the_top(tree):
    answer = tree.patch("/locations/hall", {"type": None, "parentId": None})
    assert answer.status_code == 200
    assert (answer.json()["type"], answer.json()["parentId"]) == ("OTHER", None)


@pytest.mark.parametrize(
    "name",
    ["n", "n" * 255, "  A-01  ", "two\tlines\r\n", "/12/", "%_\\'\"", "Zürich 😀", "😀" * 255],
)
def test_a_name_is_kept_as_given(api, name):
    answer = api.post("/locations", {"name": name})
    assert (answer.status_code, answer.json()["name"]) == (201, name)
    assert api.get(f"/locations/{answer.json()['id']}").json()["name"] == name
    assert api.post("/locations", {"name": name}).json() == answer.json()


@pytest.mark.parametrize("name", ["", "n" * 256, None, 5, True, ["A"], *NOT_TEXT])
def test_a_name_that_is_none_is_refused_on_create_and_on_change(api, name):
    before = api.get("/locations").json()
    refused(api.post("/locations", {"name": name}), 400, "VALIDATION_ERROR", "name")
    refused(api.patch("/locations/loc_123", {"name": name}), 400, "VALIDATION_ERROR", "name")
    assert api.get("/locations").json() == before


def test_all_bad_fields_are_told_at_once(api):
    body = {"id": "", "name": "", "type": "SHOP", "parentId": 5, "colour": "red"}
    answer = api.post("/locations", body)
    refused(answer, 400, "VALIDATION_ERROR", "id", "name", "type", "parentId", "colour")


@pytest.mark.parametrize(
    "field", ["parent", "path", "Name", "organization", "children", "parentid"]
)
def test_an_unknown_field_is_refused_by_name(api, field):
    refused(api.post("/locations", {"name": "X", field: "x"}), 400, "VALIDATION_ERROR", field)
    refused(api.patch("/locations/loc_123", {field: "x"}), 400, "VALIDATION_ERROR", field)


@pytest.mark.parametrize("body", [[], [{"name": "X"}], "X", 5, True, None])
def test_a_body_that_is_no_object_is_refused(api, body):
    text = json.dumps(body).encode()
    for answer in (api.post("/locations", text), api.patch("/locations/loc_123", text)):
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


# --- PATCH


def test_patch_changes_the_fields_it_names(api):
    before = api.get("/locations/loc_123").json()
    answer = api.patch("/locations/loc_123", {"name": "Old warehouse", "type": "other"})
    after = answer.json()
    assert answer.status_code == 200
    assert after == {
        **before,
        "name": "Old warehouse",
        "type": "OTHER",
        "updatedAt": after["updatedAt"],
    }
    assert after["updatedAt"] > before["updatedAt"]
    assert api.get("/locations/loc_123").json() == after


@pytest.mark.parametrize("body", [{}, {"id": "bin_123"}, {"name": "A-01", "parentId": "loc_123"}])
def test_a_patch_that_changes_nothing_keeps_the_time_of_the_last_change(api, body):
    before = api.get("/locations/bin_123").json()
    answer = api.patch("/locations/bin_123", body)
    assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize("other_id", ["loc_9", "LOC_123", "loc_456"])
def test_patch_may_repeat_the_id_and_not_change_it(api, other_id):
    answer = api.patch("/locations/loc_123", {"id": "loc_123", "name": "B"})
    assert (answer.status_code, answer.json()["name"]) == (200, "B")
    answer = api.patch("/locations/loc_123", {"id": other_id, "name": "C"})
    refused(answer, 400, "VALIDATION_ERROR", "id")
    assert api.get("/locations/loc_123").json()["name"] == "B"


def test_patch_never_creates(api):
    before = api.get("/locations").json()
    refused(api.patch("/locations/loc_9", {"name": "X"}), 404, "NOT_FOUND")
    assert api.get("/locations").json() == before


# --- names are unique among siblings


@pytest.mark.parametrize(
    ("parent", "taken"),
    [(None, "Main warehouse"), ("loc_123", "A-01"), ("hall", "Aisle")],
    ids=["top", "child", "grandchild"],
)
def test_siblings_never_share_a_name(tree, parent, taken):
    made = tree.post("/locations", {"id": "new", "name": "New", "parentId": parent})
    assert made.status_code == 201
    before = tree.get("/locations").json()
    for answer in (
        tree.post("/locations", {"id": "newer", "name": taken, "parentId": parent}),
        tree.post("/locations", {"id": "new", "name": taken}),
        tree.patch("/locations/new", {"name": taken, "type": "STORE"}),
    ):
        refused(answer, 409, "CONFLICT", "name")
    assert tree.get("/locations").json() == before


def test_a_move_among_namesakes_is_a_conflict_unless_renamed_on_the_way(tree):
    tree.post("/locations", {"id": "aisle2", "name": "Aisle", "parentId": "site"})
    refused(move(tree, "aisle2", "hall"), 409, "CONFLICT", "name")
    assert parent_of(tree, "aisle2") == "site"
    answer = tree.patch("/locations/aisle2", {"parentId": "hall", "name": "Aisle 2"})
    assert answer.status_code == 200
    tree.post("/locations", {"id": "aisle3", "name": "Aisle", "parentId": None})
    refused(tree.patch("/locations/aisle", {"parentId": None}), 409, "CONFLICT", "name")


def test_a_top_level_and_a_nested_location_may_share_a_name(api):
    for parent in (None, "loc_456", "bin_123"):
        body = {"name": "A-01", "parentId": parent}
        assert api.post("/locations", body).status_code == 201
    inside_namesake = {"name": "Main warehouse", "parentId": "loc_123"}
    assert api.post("/locations", inside_namesake).status_code == 201


def test_names_that_differ_by_case_or_spaces_are_different(api):
    for name in ("MAIN WAREHOUSE", "Main warehouse ", " Main warehouse", "Main  warehouse"):
        assert api.post("/locations", {"name": name}).status_code == 201


def test_a_name_is_free_again_after_a_rename_a_move_and_a_delete(tree):
    tree.patch("/locations/yard", {"name": "Back yard"})
    assert tree.post("/locations", {"name": "Yard"}).status_code == 201
    move(tree, "dock", "site")
    assert tree.post("/locations", {"name": "Dock", "parentId": "hall"}).status_code == 201
    tree.delete("/locations/dock")
    assert tree.post("/locations", {"name": "Dock", "parentId": "site"}).status_code == 201


# --- the tree


def test_a_bin_needs_a_parent(tree):
    before = tree.get("/locations").json()
    for answer in (
        tree.post("/locations", {"name": "B", "type": "BIN"}),
        tree.post("/locations", {"name": "B", "type": "BIN", "parentId": None}),
        tree.patch("/locations/yard", {"type": "BIN"}),
        tree.post("/locations", {"name": "Yard", "type": "BIN"}),
        tree.patch("/locations/shelf", {"parentId": None}),
        tree.post("/locations", {"id": "shelf", "parentId": None}),
    ):
        refused(answer, 400, "VALIDATION_ERROR", "parentId")
    assert tree.get("/locations").json() == before


def test_a_bin_may_move_to_the_top_while_it_stops_being_one_and_back(tree):
    answer = tree.patch("/locations/shelf", {"parentId": None, "type": "OTHER"})
    assert (answer.status_code, answer.json()["parentId"]) == (200, None)
    answer = tree.patch("/locations/shelf", {"parentId": "yard", "type": "BIN"})
    assert (answer.status_code, answer.json()["parentId"]) == (200, "yard")


def test_a_bin_may_hold_others(api):
    answer = api.post("/locations", {"name": "Box", "type": "BIN", "parentId": "bin_123"})
    assert (answer.status_code, answer.json()["parentId"]) == (201, "bin_123")


@pytest.mark.parametrize(
    ("public_id", "parent"),
    [
        *(("site", parent) for parent in ("site", "hall", "aisle", "shelf", "dock")),
        *(("hall", parent) for parent in ("hall", "aisle", "shelf", "dock")),
        *(("aisle", parent) for parent in ("aisle", "shelf")),
        ("shelf", "shelf"),
        ("yard", "yard"),
    ],
)
def test_a_location_is_never_inside_itself(tree, public_id, parent):
    before = tree.get("/locations").json()
    refused(move(tree, public_id, parent), 400, "VALIDATION_ERROR", "parentId")
    by_post = {"id": public_id, "parentId": parent, "name": "Elsewhere"}
    refused(tree.post("/locations", by_post), 400, "VALIDATION_ERROR", "parentId")
    assert tree.get("/locations").json() == before


def test_what_was_a_cycle_is_none_after_a_move(tree):
    refused(move(tree, "site", "aisle"), 400, "VALIDATION_ERROR", "parentId")
    assert move(tree, "aisle", None).status_code == 200
    assert move(tree, "site", "aisle").status_code == 200
    # ... and the other way round it would now be one, from above and from far below.
    for inside in ("site", "hall", "dock", "shelf"):
        refused(move(tree, "aisle", inside), 400, "VALIDATION_ERROR", "parentId")
    assert move(tree, "site", None).status_code == 200
    assert move(tree, "aisle", "dock").status_code == 200


@pytest.mark.parametrize("parent", ["loc_9", "LOC_123", "prod_123", LONGEST_ID])
def test_a_missing_parent_is_404(api, parent):
    before = api.get("/locations").json()
    refused(api.post("/locations", {"name": "X", "parentId": parent}), 404, "NOT_FOUND", "parentId")
    refused(move(api, "loc_123", parent), 404, "NOT_FOUND", "parentId")
    assert api.get("/locations").json() == before


def test_a_missing_location_comes_before_its_missing_parent(api):
    answer = api.patch("/locations/nowhere", {"parentId": "nowhere-else"})
    refused(answer, 404, "NOT_FOUND")
    assert answer.json()["error"] == "Location not found"


def test_another_organizations_parent_is_like_a_missing_one(api, stranger):
    stranger.post("/locations", {"id": "loc_9", "name": "Theirs"})
    for foreign, missing in [
        (move(api, "loc_123", "loc_9"), move(api, "loc_123", "loc_8")),
        (
            api.post("/locations", {"name": "X", "parentId": "loc_9"}),
            api.post("/locations", {"name": "X", "parentId": "loc_8"}),
        ),
    ]:
        refused(foreign, 404, "NOT_FOUND", "parentId")
        assert foreign.content == missing.content
    assert parent_of(api, "loc_123") is None


def test_a_location_that_does_not_exist_is_told_before_its_new_parent(api):
    answer = move(api, "loc_9", "loc_8")
    refused(answer, 404, "NOT_FOUND", *answer.json().get("details", ()))


# --- preferred bins follow the tree


def test_who_is_inside_whom(tree):
    assert may_prefer(tree, "site", "hall")
    assert may_prefer(tree, "site", "aisle")
    assert may_prefer(tree, "site", "shelf")
    assert may_prefer(tree, "aisle", "shelf")
    assert not may_prefer(tree, "aisle", "aisle")
    assert not may_prefer(tree, "aisle", "dock")
    assert not may_prefer(tree, "shelf", "aisle")
    assert not may_prefer(tree, "yard", "shelf")
    assert not may_prefer(tree, "loc_123", "shelf")


@pytest.mark.parametrize("moved", ["hall", "aisle", "shelf"])
def test_everything_below_a_moved_location_moves_along(tree, moved):
    assert move(tree, moved, "yard").status_code == 200
    below = ["hall", "aisle", "shelf"][["hall", "aisle", "shelf"].index(moved) :]
    for public_id in ("hall", "aisle", "shelf"):
        assert may_prefer(tree, "yard", public_id) is (public_id in below)
        assert may_prefer(tree, "site", public_id) is (public_id not in below)
    if moved != "shelf":
        assert may_prefer(tree, "aisle", "shelf")
    assert may_prefer(tree, "yard", "dock") is (moved == "hall")
    # Twice, so that the rewritten paths are moved too, and back.
    assert move(tree, "yard", "loc_456").status_code == 200
    for public_id in below:
        assert may_prefer(tree, "loc_456", public_id)
        assert may_prefer(tree, "yard", public_id)
    assert move(tree, moved, "dock" if moved != "hall" else "site").status_code == 200
    for public_id in below:
        assert not may_prefer(tree, "loc_456", public_id)
        assert not may_prefer(tree, "yard", public_id)
        assert may_prefer(tree, "site", public_id)


def test_what_is_created_below_a_moved_location_is_where_that_is_now(tree):
    move(tree, "aisle", "yard")
    tree.post("/locations", {"id": "new", "name": "New", "type": "BIN", "parentId": "shelf"})
    assert may_prefer(tree, "yard", "new")
    assert may_prefer(tree, "aisle", "new")
    assert not may_prefer(tree, "site", "new")


def test_a_location_moved_to_the_top_is_inside_nothing(tree):
    assert move(tree, "aisle", None).status_code == 200
    assert may_prefer(tree, "aisle", "shelf")
    assert not may_prefer(tree, "hall", "shelf")
    assert not may_prefer(tree, "site", "aisle")


def test_a_post_moves_too(tree):
    body = {"id": "aisle", "parentId": "yard"}
    assert tree.post("/locations", body).status_code == 200
    assert may_prefer(tree, "yard", "shelf")
    assert not may_prefer(tree, "hall", "shelf")


@pytest.mark.parametrize(
    ("location", "moved", "parent"),
    [
        ("hall", "shelf", "yard"),  # the bin itself
        ("hall", "shelf", "site"),  # above the level's location is outside too
        ("aisle", "shelf", "hall"),
        ("hall", "aisle", "yard"),  # what contains the bin
        ("hall", "aisle", "site"),
        ("hall", "aisle", None),
        ("site", "hall", "yard"),  # what contains that
        ("site", "hall", None),
        ("site", "hall", "loc_123"),
    ],
)
@pytest.mark.parametrize("write", ["patch", "post"])
def test_a_preferred_bin_never_leaves_the_location_of_its_level(
    tree, location, moved, parent, write
):
    level = set_level(tree, location, preferredBinLocationId="shelf").json()
    before = tree.get("/locations").json()
    if write == "patch":
        answer = move(tree, moved, parent)
    else:
        answer = tree.post("/locations", {"id": moved, "parentId": parent})
    refused(answer, 409, "CONFLICT", "levels")
    assert answer.json()["details"] == {"levels": 1}
    assert "the preferred bin of 1 level out" in answer.json()["error"]
    assert tree.get("/locations").json() == before
    assert tree.get(f"/inventory-levels/{level['id']}").json() == level

    cleared = tree.patch(f"/inventory-levels/{level['id']}", {"preferredBinLocationId": None})
    assert cleared.status_code == 200
    assert move(tree, moved, parent).status_code == 200
    assert not may_prefer(tree, location, "shelf")


@pytest.mark.parametrize(
    ("location", "moved", "parent"),
    [
        ("hall", "shelf", "dock"),  # within the level's location
        ("hall", "shelf", "hall"),
        ("hall", "aisle", "dock"),
        ("site", "aisle", "site"),
        ("site", "shelf", "site"),
        ("hall", "hall", "yard"),  # the level's location itself, the bin with it
        ("hall", "hall", None),
        ("hall", "site", "yard"),  # what contains both
        ("aisle", "hall", "yard"),
        ("aisle", "aisle", "loc_456"),
        ("aisle", "dock", "yard"),  # a neighbour
        ("aisle", "yard", "shelf"),  # into the bin
    ],
)
def test_a_move_that_keeps_a_preferred_bin_inside_is_fine(tree, location, moved, parent):
    level = set_level(tree, location, preferredBinLocationId="shelf").json()
    answer = move(tree, moved, parent)
    assert (answer.status_code, answer.json()["parentId"]) == (200, parent)
    assert tree.get(f"/inventory-levels/{level['id']}").json() == level
    # Naming the bin again is still accepted, and changes nothing.
    assert set_level(tree, location, preferredBinLocationId="shelf").json() == level


def test_the_refusal_of_a_move_counts_the_levels_that_would_lose_their_bin(tree):
    for number in range(3):
        sku = {"globalSku": f"SKU-{number}", "productName": "P", "id": f"p{number}"}
        tree.post("/products", sku)
        body = {"productMasterId": f"p{number}", "locationId": "hall"}
        tree.post("/inventory-levels", {**body, "preferredBinLocationId": "shelf"})
    set_level(tree, "aisle", preferredBinLocationId="shelf")  # moves along with the aisle
    set_level(tree, "dock")  # prefers none
    assert move(tree, "aisle", "yard").json()["details"] == {"levels": 3}
    assert move(tree, "shelf", "yard").json()["details"] == {"levels": 4}


def test_a_preferred_location_of_any_type_counts(tree):
    set_level(tree, "site", preferredBinLocationId="aisle")
    refused(move(tree, "aisle", "yard"), 409, "CONFLICT", "levels")
    refused(move(tree, "hall", "yard"), 409, "CONFLICT", "levels")
    assert move(tree, "shelf", "yard").status_code == 200  # inside the preferred one, no matter


def test_a_source_may_move_anywhere(tree):
    assert set_level(tree, "hall", replenishmentLocationId="shelf").status_code == 201
    assert move(tree, "shelf", "yard").status_code == 200
    assert move(tree, "shelf", "hall").status_code == 200


def test_the_rule_is_the_one_after_the_last_move(tree):
    set_level(tree, "site", preferredBinLocationId="shelf")
    assert move(tree, "aisle", "dock").status_code == 200
    assert move(tree, "dock", "site").status_code == 200
    refused(move(tree, "dock", "yard"), 409, "CONFLICT", "levels")
    assert move(tree, "hall", "yard").status_code == 200  # empty by now
    refused(move(tree, "aisle", "hall"), 409, "CONFLICT", "levels")
    assert move(tree, "hall", "site").status_code == 200
    assert move(tree, "aisle", "hall").status_code == 200


def test_a_preferred_bin_may_change_its_name_and_type(tree):
    level = set_level(tree, "hall", preferredBinLocationId="shelf").json()
    answer = tree.patch("/locations/shelf", {"name": "Shelf 2", "type": "OTHER"})
    assert answer.status_code == 200
    assert tree.get(f"/inventory-levels/{level['id']}").json() == level


def test_a_renamed_location_shows_its_new_name_in_its_levels(api, level):
    api.patch("/locations/loc_123", {"name": "Old warehouse"})
    after = api.get(f"/inventory-levels/{level['id']}").json()
    assert after["location"] == {"id": "loc_123", "name": "Old warehouse"}
    assert (after["version"], after["updatedAt"]) == (level["version"], level["updatedAt"])


def test_a_deep_tree_works_to_its_bottom(api):
    deep = [f"d{n}" for n in range(60)]
    for parent, public_id in zip([None, *deep], deep, strict=False):
        body = {"id": public_id, "name": f"D {public_id}", "parentId": parent}
        assert api.post("/locations", body).status_code == 201
    assert may_prefer(api, "d0", "d59")
    assert may_prefer(api, "d58", "d59")
    assert not may_prefer(api, "d59", "d58")
    refused(move(api, "d0", "d59"), 400, "VALIDATION_ERROR", "parentId")
    assert move(api, "d1", "loc_456").status_code == 200
    assert may_prefer(api, "loc_456", "d59")
    assert not may_prefer(api, "d0", "d59")
    level = set_level(api, "d30", preferredBinLocationId="d59").json()
    refused(move(api, "d45", "d29"), 409, "CONFLICT", "levels")
    assert move(api, "d45", "d31").status_code == 200
    assert move(api, "d30", None).status_code == 200
    assert not may_prefer(api, "loc_456", "d59")
    assert api.get(f"/inventory-levels/{level['id']}").json() == level


def test_a_tree_may_be_too_deep_but_that_is_no_server_error(api):
    parent = "loc_123"
    for number in range(300):
        answer = api.post("/locations", {"id": f"d{number}", "name": "D", "parentId": parent})
        if answer.status_code != 201:
            refused(answer, 400, "VALIDATION_ERROR", "parentId")
            break
        parent = f"d{number}"
    assert may_prefer(api, "loc_123", parent)


def test_the_limit_of_depth_counts_what_is_below_a_moved_location(api):
    def chain(letter: str, length: int) -> list[str]:
        made, parent = [], None
        for number in range(length):
            body = {"id": f"{letter}{number}", "name": letter, "parentId": parent}
            if api.post("/locations", body).status_code != 201:
                break
            parent = body["id"]
            made.append(parent)
        return made

    upper = chain("u", 300)
    if len(upper) == 300:
        pytest.skip("there is no limit")
    chain("v", 3)
    refused(move(api, "v0", upper[-1]), 400, "VALIDATION_ERROR", "parentId")
    refused(move(api, "v0", upper[-2]), 400, "VALIDATION_ERROR", "parentId")
    refused(move(api, "v0", upper[-3]), 400, "VALIDATION_ERROR", "parentId")
    assert move(api, "v0", upper[-4]).status_code == 200


# --- DELETE


def test_a_deleted_location_is_gone_and_its_id_and_name_are_free(api):
    answer = api.delete("/locations/loc_456")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Location deleted"}
    refused(api.get("/locations/loc_456"), 404, "NOT_FOUND")
    refused(api.delete("/locations/loc_456"), 404, "NOT_FOUND")
    assert api.post("/locations", {"id": "loc_456", "name": "Supplier"}).status_code == 201


@pytest.mark.parametrize(
    ("location", "settings", "used"),
    [
        ("yard", {}, "yard"),
        ("shelf", {}, "shelf"),
        ("hall", {"preferredBinLocationId": "shelf"}, "shelf"),
        ("hall", {"replenishmentLocationId": "yard"}, "yard"),
        # One level, however many ways it refers to the location.
        ("hall", {"preferredBinLocationId": "shelf", "replenishmentLocationId": "shelf"}, "shelf"),
    ],
    ids=["location", "bin as location", "bin", "source", "bin and source"],
)
def test_a_location_that_a_level_refers_to_stays(tree, location, settings, used):
    level = set_level(tree, location, **settings).json()
    before = tree.get(f"/locations/{used}").json()
    answer = tree.delete(f"/locations/{used}")
    refused(answer, 409, "CONFLICT", "levels")
    assert answer.json()["details"] == {"levels": 1}
    assert tree.get(f"/locations/{used}").json() == before
    tree.delete(f"/inventory-levels/{level['id']}")
    assert tree.delete(f"/locations/{used}").status_code == 200


def test_the_refusal_of_a_delete_counts_levels_of_every_kind(tree):
    set_level(tree, "shelf")
    set_level(tree, "hall", preferredBinLocationId="shelf")
    set_level(tree, "site", preferredBinLocationId="shelf", replenishmentLocationId="shelf")
    set_level(tree, "yard", replenishmentLocationId="shelf")
    set_level(tree, "dock", replenishmentLocationId="yard")
    assert tree.delete("/locations/shelf").json()["details"] == {"levels": 4}
    assert tree.delete("/locations/yard").json()["details"] == {"levels": 2}


@pytest.mark.parametrize("public_id", ["site", "hall", "aisle"])
def test_a_location_with_others_inside_stays(tree, public_id):
    answer = tree.delete(f"/locations/{public_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert answer.json()["details"]["levels"] == 0
    assert tree.get(f"/locations/{public_id}").status_code == 200


def test_a_tree_is_deleted_from_its_leaves(tree):
    for public_id in ("shelf", "aisle", "dock", "hall", "site"):
        assert tree.delete(f"/locations/{public_id}").status_code == 200
    assert set(ids(tree.get("/locations"))) == {"loc_123", "loc_456", "bin_123", "yard"}


# --- reading


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("public_id", ["loc_9", "LOC_123", "prod_123", LONGEST_ID])
def test_a_location_that_does_not_exist_is_404(api, method, public_id):
    body = ({},) if method == "patch" else ()
    refused(getattr(api, method)(f"/locations/{public_id}", *body), 404, "NOT_FOUND")


@pytest.mark.parametrize("public_id", MALFORMED_IDS_IN_PATHS)
def test_a_malformed_id_in_the_path_is_404(api, public_id):
    refused(api.get(f"/locations/{public_id}"), 404, "NOT_FOUND")


def test_every_path_answers_with_and_without_a_trailing_slash(api):
    created = api.post("/locations/", {"id": "loc_9", "name": "Annex"})
    assert created.status_code == 201
    assert api.get("/locations/").json() == api.get("/locations").json()
    assert api.get("/locations/loc_9/").json() == created.json()
    assert api.patch("/locations/loc_9/", {"type": "STORE"}).json()["type"] == "STORE"
    answer = api.delete("/locations/loc_9/")
    assert answer.json() == {"success": True, "message": "Location deleted"}


@pytest.mark.parametrize(
    ("query", "first", "last", "number", "size", "pages"),
    [
        ("", 0, 50, 1, 50, 2),
        ("?page=2", 50, 60, 2, 50, 2),
        ("?page=3", 0, 0, 3, 50, 2),
        ("?page=2&limit=7", 7, 14, 2, 7, 9),
        ("?page=9&limit=7", 56, 60, 9, 7, 9),
        ("?limit=60", 0, 60, 1, 60, 1),
        ("?limit=500", 0, 60, 1, 500, 1),
    ],
)
def test_a_list_comes_in_pages(acme, reader, query, first, last, number, size, pages):
    factories.LocationFactory.create_batch(57, organization=acme.organization)
    everything = ids(reader.get("/locations?limit=500"))
    assert len(set(everything)) == 60
    answer = reader.get(f"/locations{query}")
    assert ids(answer) == everything[first:last]
    pagination = answer.json()["pagination"]
    assert {name: pagination[name] for name in ("page", "pageSize", "total", "totalPages")} == {
        "page": number,
        "pageSize": size,
        "total": 60,
        "totalPages": pages,
    }


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1.0", "page"),
        ("colour=red", "colour"),
        ("Page=1", "Page"),
    ],
)
def test_a_bad_or_unknown_query_parameter_is_refused_by_name(reader, query, name):
    refused(reader.get(f"/locations?{query}"), 400, "VALIDATION_ERROR", name)


def test_list_items_are_the_locations_as_get_answers_them(tree):
    items = tree.get("/locations").json()["items"]
    assert len(items) == 9
    for item in items:
        assert tree.get(f"/locations/{item['id']}").json() == item


def test_a_list_takes_the_same_few_statements_however_long(acme, api):
    with CaptureQueriesContext(connection) as short:
        assert len(ids(api.get("/locations"))) == 3
    factories.LocationFactory.create_batch(30, organization=acme.organization, parent=acme.bin)
    with CaptureQueriesContext(connection) as long:
        assert len(ids(api.get("/locations"))) == 33
    assert len(short) == len(long) <= 6  # BEGIN, COMMIT and a setting among them


# --- who may


WRITES = [
    ("POST", "/locations", {"name": "Annex"}),
    ("PATCH", "/locations/loc_123", {"name": "Annex"}),
    ("DELETE", "/locations/loc_456", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_key_that_only_reads_changes_nothing(reader, method, path, body):
    before = reader.get("/locations").json()
    refused(reader.request(method, path, body), 403, "INSUFFICIENT_SCOPE")
    assert reader.get("/locations").json() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [*WRITES, ("GET", "/locations", None), ("GET", "/locations/loc_123", None)],
)
def test_without_a_key_there_is_nothing(acme, method, path, body):
    refused(Api().request(method, path, body), 401, "MISSING_AUTHORIZATION")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/locations"),
        ("PATCH", "/locations"),
        ("DELETE", "/locations"),
        ("PUT", "/locations/loc_123"),
        ("POST", "/locations/loc_123"),
    ],
)
def test_other_methods_are_not_allowed(api, method, path):
    refused(api.request(method, path, {}), 405, "METHOD_NOT_ALLOWED")


# --- two organizations


def test_two_organizations_with_the_same_ids_and_names_do_not_see_each_other(api, stranger):
    theirs = stranger.get("/locations").json()
    assert ids(api.get("/locations")) == ids(stranger.get("/locations"))

    api.patch("/locations/loc_123", {"name": "Acme's", "parentId": "loc_456"})
    assert stranger.get("/locations").json() == theirs
    # What would be a cycle among ours is none among theirs.
    assert move(stranger, "loc_456", "loc_123").status_code == 200
    refused(move(api, "loc_456", "loc_123"), 400, "VALIDATION_ERROR", "parentId")
    assert parent_of(api, "loc_456") is None

    body = {"id": "loc_9", "name": "Annex"}
    assert api.post("/locations", body).status_code == 201
    assert stranger.post("/locations", body).status_code == 201
    assert stranger.delete("/locations/loc_9").status_code == 200
    assert api.get("/locations/loc_9").status_code == 200


def test_levels_of_another_organization_hold_no_location_of_ours(api, stranger, example):
    assert stranger.post("/inventory-levels", example).status_code == 201
    assert move(api, "bin_123", "loc_456").status_code == 200
    assert move(stranger, "bin_123", "loc_456").status_code == 409
    assert api.delete("/locations/loc_123").status_code == 200
    assert stranger.delete("/locations/loc_456").status_code == 409


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_organizations_location_is_like_none(api, stranger, method):
    stranger.post("/locations", {"id": "loc_9", "name": "Theirs"})
    body = ({"type": "STORE"},) if method == "patch" else ()
    foreign = getattr(api, method)("/locations/loc_9", *body)
    missing = getattr(api, method)("/locations/loc_8", *body)
    refused(foreign, 404, "NOT_FOUND")
    assert foreign.content == missing.content
    assert stranger.get("/locations/loc_9").json()["type"] == "OTHER"
