"""ETag, If-Match and If-None-Match on levels (RFC 9110, section 13)."""

import re

import pytest

from inventory_levels.models import Location, ProductMaster
from tests.api.answers import NO_LEVEL, assert_error, history, stored

PATH = "/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}


@pytest.fixture
def path(level):
    return f"{PATH}/{level['id']}"


@pytest.fixture
def tag(api, path):
    return api.get(path).headers["ETag"]


def rename_product():
    ProductMaster._base_manager.filter(public_id="prod_123").update(product_name="Gadget")


def rename_sku():
    ProductMaster._base_manager.filter(public_id="prod_123").update(global_sku="G-1")


def rename_location():
    Location._base_manager.filter(public_id="loc_123").update(name="Elsewhere")


RENAMES = [rename_product, rename_sku, rename_location]


# What the tag is


def test_every_answer_with_a_level_carries_the_same_strong_tag(api, example):
    created = api.post(PATH, example)
    path = f"{PATH}/{created.json()['id']}"
    tags = [
        response.headers["ETag"]
        for response in (
            created,
            api.get(path),
            api.request("HEAD", path),
            api.post(PATH, example),
            api.patch(path, {}),
        )
    ]
    assert len(set(tags)) == 1
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', tags[0])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_change_changes_the_tag(api, path, tag, method):
    if method == "POST":
        changed = api.post(PATH, PAIR | {"minQuantity": 1})
    else:
        changed = api.patch(path, {"minQuantity": 1})
    assert changed.headers["ETag"] != tag
    assert api.get(path).headers["ETag"] == changed.headers["ETag"]


def test_a_change_and_its_undoing_give_a_new_tag(api, path, tag):
    api.patch(path, {"minQuantity": 1})
    assert api.patch(path, {"minQuantity": 50}).headers["ETag"] != tag


def test_two_levels_have_different_tags(api, tag):
    other = api.post(PATH, PAIR | {"locationId": "loc_456"})
    assert other.headers["ETag"] != tag


@pytest.mark.parametrize("rename", RENAMES)
def test_another_name_of_product_or_location_changes_the_tag(api, path, tag, rename):
    rename()
    assert api.get(path).headers["ETag"] != tag


@pytest.mark.parametrize(
    ("before", "after"), [(("A", "B\nC"), ("A\nB", "C")), (("A", "BC"), ("AB", "C"))]
)
def test_no_two_namings_of_a_product_share_a_tag(api, path, before, after):
    tags = set()
    for sku, name in (before, after):
        ProductMaster._base_manager.update(global_sku=sku, product_name=name)
        tags.add(api.get(path).headers["ETag"])
    assert len(tags) == 2


# Reading: If-None-Match

KNOWN = ["{tag}", "W/{tag}", '"other", {tag}', '{tag},"other"', 'W/"a,b" , W/{tag}', "*", " * "]
UNKNOWN = ['"other"', 'W/"other"', '"*"', '"{id}"', '"{id}.1"', '""', '"a", "b"']
MALFORMED = ["", "{bare}", "W/", '"', '{bare}"', "null", "\x7f", "é", "x" * 10_000, '"' * 9_999]


def filled(template, tag, level):
    return template.format(tag=tag, id=level["id"], bare=tag.strip('"'))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("template", KNOWN)
def test_what_the_client_has_already_is_a_304_with_its_tag(
    reader, level, path, tag, template, method
):
    header = filled(template, tag, level)
    response = reader.request(method, path, If_None_Match=header)
    assert (response.status_code, response.content) == (304, b"")
    assert not {"Content-Length", "Content-Type"} & {*response.headers}
    assert response.headers["ETag"] == tag
    assert response.headers["X-Request-Id"]


@pytest.mark.parametrize("template", [*UNKNOWN, *MALFORMED])
def test_what_the_client_does_not_have_is_answered_whole(reader, level, path, tag, template):
    response = reader.get(path, If_None_Match=filled(template, tag, level))
    assert (response.status_code, response.json()) == (200, level)
    assert response.headers["ETag"] == tag


def test_a_changed_level_is_answered_whole(api, path, tag):
    changed = api.patch(path, {"minQuantity": 1}).json()
    response = api.get(path, If_None_Match=tag)
    assert (response.status_code, response.json()) == (200, changed)


@pytest.mark.parametrize("rename", RENAMES)
def test_no_304_shows_a_stale_name(api, path, tag, rename):
    rename()
    response = api.get(path, If_None_Match=tag)
    assert response.status_code == 200
    assert api.get(path, If_None_Match=response.headers["ETag"]).status_code == 304


def test_a_level_that_does_not_exist_is_a_404_whatever_the_client_has(reader, tag):
    for header in ("*", tag):
        response = reader.get(f"{PATH}/level_missing", If_None_Match=header)
        assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL)


# Writing: If-Match

HOLDS = ["{tag}", '"other", {tag}', '{tag},"other"', '"a,b", {tag}', ' {tag} , W/"x"', "*"]
FAILS = ["W/{tag}", '"other"', '"other", W/{tag}', '"*"', '"{id}"', '"{id}.1"', '"{id}.2.x"', '""']


def write(api, method, path, **headers):
    """A write that changes the level, the same one by each method."""
    if method == "POST":
        return api.post(PATH, PAIR | {"minQuantity": 7}, **headers)
    if method == "PATCH":
        return api.patch(path, {"minQuantity": 7}, **headers)
    return api.delete(path, **headers)


WRITES = pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])


@WRITES
@pytest.mark.parametrize("template", HOLDS)
def test_a_write_happens_while_the_level_is_as_expected(api, level, path, tag, method, template):
    response = write(api, method, path, If_Match=filled(template, tag, level))
    assert response.status_code == 200
    if method == "DELETE":
        assert api.get(path).status_code == 404
    else:
        assert api.get(path).json()["minQuantity"] == 7


@WRITES
@pytest.mark.parametrize("template", FAILS)
def test_a_write_for_another_state_is_a_412_and_leaves_things_unwritten(
    api, level, path, tag, method, template
):
    before = stored()
    response = write(api, method, path, If_Match=filled(template, tag, level))
    assert_error(response, 412, "PRECONDITION_FAILED", fields=set())
    assert stored() == before


@WRITES
@pytest.mark.parametrize("template", MALFORMED)
def test_a_write_with_a_malformed_if_match_never_happens(api, level, path, tag, method, template):
    before = stored()
    response = write(api, method, path, If_Match=filled(template, tag, level))
    assert response.status_code in (400, 412)
    assert stored() == before


@WRITES
def test_a_write_fails_once_the_level_has_moved_on(api, path, tag, method):
    moved_on = api.patch(path, {"comments": "meanwhile"}).headers["ETag"]
    before = stored()
    response = write(api, method, path, If_Match=tag)
    assert_error(response, 412, "PRECONDITION_FAILED")
    assert stored() == before
    assert write(api, method, path, If_Match=f"{tag}, {moved_on}").status_code == 200


@WRITES
@pytest.mark.parametrize("rename", RENAMES)
def test_another_name_of_product_or_location_is_no_conflict(api, path, tag, method, rename):
    rename()
    assert write(api, method, path, If_Match=tag).status_code == 200


@WRITES
def test_the_tag_of_another_level_does_not_do(api, path, method):
    other = api.post(PATH, PAIR | {"locationId": "loc_456"}).headers["ETag"]
    assert_error(write(api, method, path, If_Match=other), 412, "PRECONDITION_FAILED")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_that_would_change_nothing_is_held_to_its_condition_too(
    api, level, path, tag, method
):
    api.patch(path, {"comments": "meanwhile"})
    if method == "POST":
        response = api.post(PATH, PAIR, If_Match=tag)
    else:
        response = api.patch(path, {}, If_Match=tag)
    assert_error(response, 412, "PRECONDITION_FAILED")


@pytest.mark.parametrize("header", ["*", '"level_x.1.abc"', 'W/"x"'])
def test_if_match_on_a_post_fails_when_there_is_no_level(api, header):
    response = api.post(PATH, PAIR, If_Match=header)
    assert_error(response, 412, "PRECONDITION_FAILED")
    assert history() == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("header", ["*", '"x"'])
def test_a_level_that_does_not_exist_is_a_404_and_no_412(api, acme, method, header):
    response = write(api, method, f"{PATH}/level_missing", If_Match=header)
    assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL)


def test_the_tag_of_a_deleted_level_does_not_fit_the_one_made_again(api, level, path, tag, example):
    api.delete(path)
    again = api.post(PATH, example)
    assert again.json()["version"] == level["version"]
    assert again.json()["id"] != level["id"]
    before = stored()
    assert_error(api.post(PATH, example, If_Match=tag), 412, "PRECONDITION_FAILED")
    new_path = f"{PATH}/{again.json()['id']}"
    for method in ("PATCH", "DELETE"):
        assert_error(write(api, method, new_path, If_Match=tag), 412, "PRECONDITION_FAILED")
    assert api.get(new_path, If_None_Match=tag).status_code == 200
    assert stored() == before


# Writing: If-None-Match


def test_create_only_creates_what_is_not_there(api, example):
    response = api.post(PATH, example, If_None_Match="*")
    assert response.status_code == 201
    assert response.json()["minQuantity"] == 50


def test_create_only_leaves_what_is_there_as_it_is(api, level):
    before = stored()
    response = api.post(PATH, PAIR | {"minQuantity": 7}, If_None_Match="*")
    assert_error(response, 412, "PRECONDITION_FAILED", fields=set())
    assert stored() == before


def test_create_only_is_a_412_even_when_nothing_would_change(api, level, example):
    assert_error(api.post(PATH, example, If_None_Match="*"), 412, "PRECONDITION_FAILED")


def test_create_only_works_again_after_a_deletion(api, path, example):
    api.delete(path)
    assert api.post(PATH, example, If_None_Match="*").status_code == 201


def test_a_tag_in_if_none_match_refuses_that_state_alone(api, tag):
    before = stored()
    for header in (tag, f"W/{tag}", f'"other", {tag}'):
        response = api.post(PATH, PAIR | {"minQuantity": 7}, If_None_Match=header)
        assert_error(response, 412, "PRECONDITION_FAILED")
    assert stored() == before
    response = api.post(PATH, PAIR | {"minQuantity": 7}, If_None_Match='"other"')
    assert (response.status_code, response.json()["minQuantity"]) == (200, 7)


def test_both_conditions_must_hold(api, tag):
    before = stored()
    for match, none_match in [(tag, "*"), ('"other"', '"other"'), ("*", tag)]:
        response = api.post(
            PATH, PAIR | {"minQuantity": 7}, If_Match=match, If_None_Match=none_match
        )
        assert_error(response, 412, "PRECONDITION_FAILED")
    assert stored() == before
    response = api.post(PATH, PAIR | {"minQuantity": 7}, If_Match=tag, If_None_Match='"other"')
    assert response.status_code == 200


def test_caches_keep_no_answer_for_others_nor_without_asking_again(api, level):
    for path in (f"/inventory-levels/{level['id']}", "/inventory-levels", "/products/none"):
        assert api.get(path).headers["Cache-Control"] == "private, no-cache"
