"""PATCH /api/inventory-levels/{id}: change the fields it names, answer the level."""

import pytest

from tests import factories
from tests.api.answers import (
    NO_LEVEL,
    NO_REFERENCE,
    OUT_OF_ORDER,
    assert_error,
    assert_invalid,
    case,
    history,
    stored,
)
from tests.api.test_create_level import (
    DAYS,
    ID_FIELDS,
    MALFORMED_IDS,
    NOT_A_NUMBER,
    NOT_A_STRING,
    OPTIONAL,
    OTHER_VALUES,
    QUANTITIES,
    RESERVED_IDS,
    more_places,  # noqa: F401
)


@pytest.fixture
def path(level):
    return f"/inventory-levels/{level['id']}"


def test_the_published_example_changes_the_reorder_point_alone(api, level, path):
    response = api.patch(path, b'{"reorderQuantity": 150}')
    assert response.status_code == 200
    answer = response.json()
    assert answer["updatedAt"] > level["updatedAt"]
    assert answer == level | {
        "reorderQuantity": 150,
        "version": 2,
        "updatedAt": answer["updatedAt"],
    }
    assert api.get(path).json() == answer


def test_both_spellings_of_the_path_answer_without_a_redirect(api, path):
    response = api.patch(f"{path}/", {"reorderQuantity": 150})
    assert response.status_code == 200
    assert response.json()["reorderQuantity"] == 150


@pytest.mark.usefixtures("more_places")
@pytest.mark.parametrize("field", OPTIONAL)
def test_a_field_that_is_named_changes_and_the_others_stay(api, level, path, field):
    response = api.patch(path, {field: OTHER_VALUES[field]})
    assert response.status_code == 200
    answer = response.json()
    assert answer == level | {
        field: OTHER_VALUES[field],
        "version": 2,
        "updatedAt": answer["updatedAt"],
    }
    updated = history()[-1]
    assert (updated.action, updated.version) == ("UPDATE", 2)
    assert updated.level_public_id == level["id"]
    assert updated.changes == {field: {"old": level[field], "new": OTHER_VALUES[field]}}
    assert (updated.actor_name, updated.source, updated.reason) == ("ERP", "api", None)


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_clears_a_field_and_the_others_stay(api, level, path, field):
    api.patch(path, {"status": "Formulary"})
    response = api.patch(path, {field: None})
    assert response.status_code == 200
    answer = response.json()
    cleared = "Supported" if field == "status" else None
    expected = level | {"status": "Formulary", field: cleared}
    assert answer == expected | {"version": 3, "updatedAt": answer["updatedAt"]}


def test_each_change_counts_one_version_and_one_entry_of_history(api, level, path):
    versions = [
        api.patch(path, {"minQuantity": quantity}).json()["version"]
        for quantity in (1, 2, 2, 3, 3, 1)
    ]
    assert versions == [2, 3, 3, 4, 4, 5]
    assert [entry.version for entry in history()] == [1, 2, 3, 4, 5]
    assert api.get(path).json()["createdAt"] == level["createdAt"]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"minQuantity": 50}',
        b'{"minQuantity": 50.000}',
        b'{"status": "SUPPORTED", "abcClass": "a"}',
        b'{"status": null}',
        b'{"preferredBinLocationId": "bin_123", "replenishmentLocationId": "loc_456"}',
        b'{"expectedLeadTimeDays": 7e0}',
        b'{"version": 99, "id": "level_other", "product": null}',
    ],
)
def test_a_patch_that_changes_nothing_keeps_version_time_and_history(api, level, path, body):
    before = stored()
    response = api.patch(path, body)
    assert response.status_code == 200
    assert response.json() == level
    assert stored() == before


def test_empty_texts_clear_class_and_comments(api, path):
    answer = api.patch(path, {"abcClass": "", "comments": ""}).json()
    assert (answer["abcClass"], answer["comments"]) == (None, None)


# The keys of a level


@pytest.mark.parametrize(
    "repeated",
    [
        {"productMasterId": "prod_123"},
        {"productId": "prod_123"},
        {"locationId": "loc_123"},
        {"productMasterId": "prod_123", "productId": "prod_123", "locationId": "loc_123"},
    ],
)
def test_product_and_location_may_be_repeated(api, level, path, repeated):
    unchanged = api.patch(path, repeated)
    assert (unchanged.status_code, unchanged.json()) == (200, level)
    changed = api.patch(path, repeated | {"minQuantity": 1})
    assert (changed.status_code, changed.json()["minQuantity"]) == (200, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"productMasterId": "prod_9"}, "productMasterId"),
        ({"productId": "prod_9"}, None),  # under either name of the field
        ({"locationId": "loc_456"}, "locationId"),
        ({"locationId": "bin_123"}, "locationId"),
    ],
)
def test_product_and_location_may_not_be_changed(api, acme, path, change, field):
    factories.ProductFactory(organization=acme.organization, public_id="prod_9")
    before = stored()
    response = api.patch(path, change | {"minQuantity": 1})
    body = assert_error(response, 400, "VALIDATION_ERROR")
    assert len(body["details"]) == 1
    assert set(body["details"]) <= ({field} if field else {"productId", "productMasterId"})
    assert stored() == before


def test_every_key_that_would_change_is_reported_at_once(api, acme, path):
    factories.ProductFactory(organization=acme.organization, public_id="prod_9")
    change = {"productMasterId": "prod_9", "locationId": "loc_456"}
    assert_invalid(api.patch(path, change), "productMasterId", "locationId")


def test_both_names_of_the_product_given_and_different_are_refused(api, path):
    change = {"productMasterId": "prod_123", "productId": "prod_9"}
    body = assert_error(api.patch(path, change), 400, "VALIDATION_ERROR")
    assert set(body["details"]) & {"productId", "productMasterId"}


@pytest.mark.parametrize("field", ["productMasterId", "locationId"])
def test_null_for_a_key_is_refused(api, path, field):
    before = stored()
    assert_invalid(api.patch(path, {field: None}), field)
    assert stored() == before


# Existence


@pytest.mark.parametrize("id", ["level_missing", "x", "prod_123", "loc_123", "." * 3, "x" * 64])
def test_a_level_that_does_not_exist_is_a_404(api, level, id):
    before = stored()
    response = api.patch(f"/inventory-levels/{id}", {"minQuantity": 1})
    assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL, fields=set())
    assert stored() == before


def test_an_id_in_other_letters_is_another_id(api, level):
    shouted = level["id"].upper()
    assert_error(api.patch(f"/inventory-levels/{shouted}", {}), 404, "NOT_FOUND", error=NO_LEVEL)


def test_a_level_of_others_is_indistinguishable_from_none(api, level):
    missing = api.patch("/inventory-levels/level_theirs", {"minQuantity": 1})
    theirs = factories.LevelFactory(public_id="level_theirs", min_quantity=5)
    foreign = api.patch("/inventory-levels/level_theirs", {"minQuantity": 1})
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    theirs.refresh_from_db()
    assert (theirs.min_quantity, theirs.version) == (5, 1)


@pytest.mark.parametrize(
    "field",
    [
        "productMasterId",
        "productId",
        "locationId",
        "preferredBinLocationId",
        "replenishmentLocationId",
    ],
)
def test_missing_and_foreign_references_give_the_same_published_404(api, path, field):
    before = stored()
    missing = api.patch(path, {field: "x_theirs", "minQuantity": 1})
    others = factories.OrganizationFactory()
    factories.ProductFactory(organization=others, public_id="x_theirs")
    factories.LocationFactory(organization=others, public_id="x_theirs")
    foreign = api.patch(path, {field: "x_theirs", "minQuantity": 1})
    for response in (missing, foreign):
        assert_error(response, 404, "NOT_FOUND", error=NO_REFERENCE)
    assert missing.content == foreign.content
    assert b"x_theirs" not in foreign.content
    assert stored() == before


# Bins


def test_a_deep_bin_may_become_the_preferred_one(api, acme, path):
    shelf = factories.LocationFactory(
        organization=acme.organization, parent=acme.bin, type="STORE", public_id="shelf"
    )
    factories.LocationFactory(
        organization=acme.organization, parent=shelf, type="BIN", public_id="box"
    )
    for place in ("shelf", "box"):
        response = api.patch(path, {"preferredBinLocationId": place})
        assert response.status_code == 200
        assert response.json()["preferredBinLocationId"] == place


@pytest.mark.parametrize("place", ["loc_123", "loc_456", "elsewhere"])
def test_a_place_that_is_not_below_may_not_be_preferred(api, acme, path, place):
    factories.LocationFactory(
        organization=acme.organization, parent=acme.supplier, type="BIN", public_id="elsewhere"
    )
    before = stored()
    change = {"preferredBinLocationId": place, "minQuantity": 1}
    assert_invalid(api.patch(path, change), "preferredBinLocationId")
    assert stored() == before


def test_a_location_does_not_replenish_itself(api, path):
    before = stored()
    change = {"replenishmentLocationId": "loc_123"}
    assert_invalid(api.patch(path, change), "replenishmentLocationId")
    assert stored() == before


# Fields and types


@pytest.mark.parametrize("field", QUANTITIES)
def test_a_quantity_is_a_number_and_nothing_else(api, path, field):
    before = stored()
    for value in (*NOT_A_NUMBER, -1, 0.00001, 10**11):
        with case(value):
            assert_invalid(api.patch(path, {field: value}), field)
    assert stored() == before


@pytest.mark.parametrize("field", DAYS)
def test_days_are_a_whole_number_and_nothing_else(api, path, field):
    before = stored()
    for value in (*NOT_A_NUMBER, 7.5, -1, 36501):
        with case(value):
            assert_invalid(api.patch(path, {field: value}), field)
    assert stored() == before


@pytest.mark.parametrize(
    "field",
    [
        "productMasterId",
        "productId",
        "locationId",
        "status",
        "abcClass",
        "preferredBinLocationId",
        "replenishmentLocationId",
        "comments",
    ],
)
def test_a_text_is_a_string_and_nothing_else(api, path, field):
    before = stored()
    for value in NOT_A_STRING:
        with case(value):
            assert_invalid(api.patch(path, {field: value}), field)
    assert stored() == before


@pytest.mark.parametrize("field", ID_FIELDS)
def test_a_malformed_or_reserved_id_is_refused(api, path, field):
    before = stored()
    for id in (*MALFORMED_IDS, *RESERVED_IDS):
        with case(id):
            assert_invalid(api.patch(path, {field: id}), field)
    assert stored() == before


def test_unknown_fields_and_all_bad_ones_are_reported_at_once(api, path):
    before = stored()
    body = {
        "minQuanity": 5,
        "minQuantity": "5",
        "status": "Gone",
        "abcClass": "E",
        "forecastPeriodDays": 0,
        "comments": "x" * 4001,
        "locationId": 5,
    }
    assert_invalid(api.patch(path, body), *body)
    assert stored() == before


def test_an_unknown_query_parameter_is_refused_by_name(api, path):
    before = stored()
    assert_invalid(api.patch(f"{path}?force=1", {"minQuantity": 1}), "force")
    assert stored() == before


# The ordering rule


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ({"minQuantity": 100}, True),
        ({"minQuantity": 100.0001}, False),
        ({"reorderQuantity": 50}, True),
        ({"reorderQuantity": 49.9999}, False),
        ({"reorderQuantity": 500}, True),
        ({"reorderQuantity": 500.0001}, False),
        ({"maxQuantity": 100}, True),
        ({"maxQuantity": 99}, False),
        ({"maxQuantity": 9}, False),  # below 50 and 100 as a number, above them as a text
        ({"minQuantity": 600, "reorderQuantity": 700, "maxQuantity": 800}, True),
        ({"minQuantity": 600, "maxQuantity": 800}, False),
        ({"minQuantity": 500, "reorderQuantity": None}, True),
        ({"minQuantity": 501, "reorderQuantity": None}, False),
        ({"minQuantity": 600, "reorderQuantity": None, "maxQuantity": None}, True),
        ({"reorderQuantity": 1000, "maxQuantity": None}, True),
        ({"reorderQuantity": 0, "minQuantity": None}, True),
        ({"reorderQuantity": 0, "minQuantity": 0}, True),
        ({"maxQuantity": 0}, False),
    ],
)
def test_the_ordering_rule_looks_at_what_would_be_stored(api, level, path, change, accepted):
    before = stored()
    response = api.patch(path, change)
    if accepted:
        assert response.status_code == 200
        answer = response.json()
        assert answer == level | change | {"version": 2, "updatedAt": answer["updatedAt"]}
    else:
        assert_error(response, 400, "INVALID_QUANTITIES", error=OUT_OF_ORDER)
        assert stored() == before
