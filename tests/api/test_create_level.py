"""POST /api/inventory-levels: create or update the level of one product at one location."""

import json

import pytest

from tests import factories
from tests.api.answers import (
    NO_REFERENCE,
    OUT_OF_ORDER,
    TIME,
    assert_error,
    assert_invalid,
    case,
    history,
    stored,
)
from tests.conftest import FULL_EXAMPLE

PATH = "/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
QUANTITIES = ("minQuantity", "reorderQuantity", "maxQuantity", "forecastQuantity")
DAYS = ("expectedLeadTimeDays", "replenishmentPeriodDays", "forecastPeriodDays")
OPTIONAL = [name for name in FULL_EXAMPLE if name not in PAIR]

# Other values that each optional field may have.
OTHER_VALUES = {
    "minQuantity": 40,
    "reorderQuantity": 110.25,
    "maxQuantity": 600,
    "status": "Inactive",
    "abcClass": "C",
    "expectedLeadTimeDays": 0,
    "replenishmentPeriodDays": 36500,
    "forecastPeriodDays": 1,
    "forecastQuantity": 0,
    "preferredBinLocationId": "bin_9",
    "replenishmentLocationId": "loc_9",
    "comments": "Ask Kim",
}


@pytest.fixture
def more_places(acme):
    factories.LocationFactory(organization=acme.organization, public_id="loc_9", name="Nine")
    factories.LocationFactory(
        organization=acme.organization, public_id="bin_9", type="BIN", parent=acme.location
    )


def test_the_published_example_works_verbatim(api):
    body = (
        '{"productMasterId": "prod_123", "locationId": "loc_123", "minQuantity": 50, '
        '"reorderQuantity": 100,\n'
        ' "maxQuantity": 500, "status": "Supported", "abcClass": "A", "expectedLeadTimeDays": 7,\n'
        ' "replenishmentPeriodDays": 14, "forecastPeriodDays": 30, "forecastQuantity": 200,\n'
        ' "preferredBinLocationId": "bin_123", "replenishmentLocationId": "loc_456", '
        '"comments": "High priority item"}'
    )
    response = api.post(PATH, body.encode())
    assert response.status_code == 201
    answer = response.json()
    assert {name: answer[name] for name in FULL_EXAMPLE} == json.loads(body)


def test_the_answer_holds_every_published_field_and_no_other(api, example):
    answer = api.post(PATH, example).json()
    assert set(answer) == {
        *FULL_EXAMPLE,
        "id",
        "createdAt",
        "updatedAt",
        "version",
        "product",
        "productMaster",
        "location",
    }
    assert answer["product"] == {"id": "prod_123", "sku": "SKU-123", "name": "Widget"}
    assert answer["productMaster"] == {
        "id": "prod_123",
        "globalSku": "SKU-123",
        "productName": "Widget",
    }
    assert answer["location"] == {"id": "loc_123", "name": "Main warehouse"}
    assert answer["id"].startswith("level_")
    assert answer["version"] == 1
    assert TIME.fullmatch(answer["createdAt"])
    assert answer["updatedAt"] == answer["createdAt"]


def test_the_least_body_creates_a_level_with_everything_else_unset(api):
    response = api.post(PATH, PAIR)
    assert response.status_code == 201
    answer = response.json()
    unset = dict.fromkeys(OPTIONAL) | {"status": "Supported"}
    assert {name: answer[name] for name in FULL_EXAMPLE} == PAIR | unset


def test_both_spellings_of_the_path_answer_without_a_redirect(api, example):
    assert api.post(f"{PATH}/", example).status_code == 201
    assert api.post(PATH, example).status_code == 200


# Updating what exists


def test_a_second_post_updates_the_same_level(api, level):
    response = api.post(PATH, PAIR | {"maxQuantity": 700})
    assert response.status_code == 200
    answer = response.json()
    assert answer["updatedAt"] > level["updatedAt"]
    assert answer == level | {
        "maxQuantity": 700,
        "version": 2,
        "updatedAt": answer["updatedAt"],
    }
    assert api.get(f"{PATH}/{level['id']}").json() == answer


@pytest.mark.parametrize("field", OPTIONAL)
def test_a_field_that_is_named_changes_and_the_others_stay(api, level, more_places, field):
    response = api.post(PATH, PAIR | {field: OTHER_VALUES[field]})
    assert response.status_code == 200
    answer = response.json()
    assert answer == level | {
        field: OTHER_VALUES[field],
        "version": 2,
        "updatedAt": answer["updatedAt"],
    }
    assert history()[-1].changes == {field: {"old": level[field], "new": OTHER_VALUES[field]}}


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_clears_a_field_and_the_others_stay(api, level, field):
    api.post(PATH, PAIR | {"status": "Inactive"})
    response = api.post(PATH, PAIR | {field: None})
    assert response.status_code == 200
    answer = response.json()
    cleared = "Supported" if field == "status" else None
    expected = level | {"status": "Inactive", field: cleared}
    assert answer == expected | {"version": 3, "updatedAt": answer["updatedAt"]}
    assert api.get(f"{PATH}/{level['id']}").json() == answer


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_on_creation_leaves_a_field_unset(api, example, field):
    response = api.post(PATH, example | {field: None})
    assert response.status_code == 201
    assert response.json()[field] == ("Supported" if field == "status" else None)


def test_a_retry_changes_nothing_and_writes_no_history(api, example):
    first = api.post(PATH, example)
    before = stored()
    again = api.post(PATH, example)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert stored() == before


@pytest.mark.parametrize(
    "same",
    [
        b'{"minQuantity": 50.0}',
        b'{"minQuantity": 5e1}',
        b'{"status": "SUPPORTED"}',
        b'{"status": null}',
        b'{"abcClass": "a"}',
        b'{"expectedLeadTimeDays": 7.0}',
        b"{}",
    ],
)
def test_another_spelling_of_what_is_stored_is_no_change(api, level, same):
    before = stored()
    response = api.post(PATH, PAIR | json.loads(same))
    assert response.status_code == 200
    assert response.json() == level
    assert stored() == before


def test_clearing_what_is_unset_is_no_change(api):
    created = api.post(PATH, PAIR).json()
    response = api.post(PATH, PAIR | dict.fromkeys(OPTIONAL) | {"abcClass": "", "comments": ""})
    assert response.status_code == 200
    assert response.json() == created
    assert len(history()) == 1


def test_creation_is_in_the_history_with_the_values_that_were_set(api, acme):
    answer = api.post(PATH, PAIR | {"minQuantity": 12.5, "preferredBinLocationId": "bin_123"})
    (entry,) = history()
    level = answer.json()
    assert entry.action == "CREATE"
    assert entry.organization_id == acme.organization.pk
    assert (entry.level_public_id, entry.version) == (level["id"], 1)
    assert (entry.product_public_id, entry.location_public_id) == ("prod_123", "loc_123")
    assert entry.changes == {
        "minQuantity": {"old": None, "new": 12.5},
        "status": {"old": None, "new": "Supported"},
        "preferredBinLocationId": {"old": None, "new": "bin_123"},
    }
    assert (entry.actor_type, entry.actor_name) == ("apiKey", "ERP")
    assert entry.actor_id.startswith("key_")
    assert (entry.source, entry.reason) == ("api", None)
    assert entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == level["createdAt"]


def test_an_update_is_in_the_history_with_old_and_new_values(api, level):
    answer = api.post(PATH, PAIR | {"minQuantity": 0, "comments": None}).json()
    created, entry = history()
    assert created.action == "CREATE"
    assert (entry.action, entry.version, entry.source) == ("UPDATE", 2, "api")
    assert entry.changes == {
        "minQuantity": {"old": 50, "new": 0},
        "comments": {"old": "High priority item", "new": None},
    }
    assert entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == answer["updatedAt"]


def test_each_product_and_each_location_has_its_own_level(api, acme, level):
    factories.ProductFactory(organization=acme.organization, public_id="prod_9")
    other_product = api.post(PATH, PAIR | {"productMasterId": "prod_9"})
    other_location = api.post(PATH, PAIR | {"locationId": "loc_456"})
    assert [other_product.status_code, other_location.status_code] == [201, 201]
    assert len({level["id"], other_product.json()["id"], other_location.json()["id"]}) == 3


# Which product


def test_product_id_is_understood_and_not_echoed(api):
    response = api.post(PATH, {"productId": "prod_123", "locationId": "loc_123"})
    assert response.status_code == 201
    assert response.json()["productMasterId"] == "prod_123"
    assert "productId" not in response.json()


def test_both_names_of_the_product_may_be_given_when_they_agree(api, level):
    response = api.post(PATH, PAIR | {"productId": "prod_123"})
    assert response.status_code == 200
    assert response.json() == level


def test_both_names_of_the_product_given_and_different_are_refused(api, acme):
    factories.ProductFactory(organization=acme.organization, public_id="prod_9")
    body = assert_error(api.post(PATH, PAIR | {"productId": "prod_9"}), 400, "VALIDATION_ERROR")
    assert set(body["details"]) & {"productId", "productMasterId"}
    assert history() == []


def test_no_product_is_refused_by_the_name_of_the_newer_field(api):
    assert_invalid(api.post(PATH, {"locationId": "loc_123"}), "productMasterId")


def test_no_location_is_refused(api):
    assert_invalid(api.post(PATH, {"productMasterId": "prod_123"}), "locationId")


def test_an_empty_object_names_all_that_is_required(api):
    assert_invalid(api.post(PATH, {}), "productMasterId", "locationId")


@pytest.mark.parametrize("field", ["productMasterId", "locationId"])
def test_null_for_what_is_required_is_refused(api, field):
    assert_invalid(api.post(PATH, PAIR | {field: None}), field)


# Words


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Supported", "Supported"),
        ("supported", "Supported"),
        ("SUPPORTED", "Supported"),
        ("NotSupported", "NotSupported"),
        ("NOT_SUPPORTED", "NotSupported"),
        ("not supported", "NotSupported"),
        ("not-supported", "NotSupported"),
        (" Not - Supported _ ", "NotSupported"),
        ("n_o_t supported", "NotSupported"),
        ("SupportedNonInventory", "SupportedNonInventory"),
        ("SUPPORTED_NON_INVENTORY", "SupportedNonInventory"),
        ("supported non-inventory", "SupportedNonInventory"),
        ("stock", "Stock"),
        ("FORMULARY", "Formulary"),
        ("in active", "Inactive"),
    ],
)
def test_a_status_is_matched_without_regard_to_case_and_separators(api, given, meant):
    response = api.post(PATH, PAIR | {"status": given})
    assert response.status_code == 201
    assert response.json()["status"] == meant


@pytest.mark.parametrize("given", ["", " ", "_", "Support", "Supported!", "Not", "null", "0"])
def test_another_status_is_refused_with_the_choices(api, given):
    body = assert_invalid(api.post(PATH, PAIR | {"status": given}), "status")
    for choice in (
        "Supported",
        "NotSupported",
        "SupportedNonInventory",
        "Stock",
        "Formulary",
        "Inactive",
    ):
        assert choice in body["details"]["status"][0]
    assert history() == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [("A", "A"), ("b", "B"), ("c", "C"), ("a", "A"), ("", None), (None, None)],
)
def test_an_abc_class_is_understood_in_either_case_and_empty_clears_it(api, level, given, meant):
    response = api.post(PATH, PAIR | {"abcClass": given})
    assert response.status_code == 200
    assert response.json()["abcClass"] == meant


@pytest.mark.parametrize("given", ["D", "AB", "A,B", "1", "Ä", "null"])
def test_another_abc_class_is_refused_with_the_choices(api, given):
    body = assert_invalid(api.post(PATH, PAIR | {"abcClass": given}), "abcClass")
    assert all(choice in body["details"]["abcClass"][0] for choice in "ABC")


@pytest.mark.parametrize(
    "comments",
    [
        " kept as given, never trimmed \n",
        "tab\tline\nreturn\r\n",
        "0",
        "null",
        "<b>&amp;</b> 'quoted' \"twice\" \\ %00",
        "Zażółć 数量 😀 \u200d\u202e\ufeff",
        "é is not e\u0301",
        "x" * 4000,
        "😀" * 4000,
    ],
)
def test_comments_are_kept_as_given(api, comments):
    created = api.post(PATH, PAIR | {"comments": comments})
    assert created.status_code == 201
    assert created.json()["comments"] == comments
    assert api.get(f"{PATH}/{created.json()['id']}").json()["comments"] == comments


def test_empty_comments_are_unset(api, level):
    response = api.post(PATH, PAIR | {"comments": ""})
    assert response.status_code == 200
    assert response.json()["comments"] is None


@pytest.mark.parametrize("comments", ["x" * 4001, "😀" * 4001])
def test_comments_beyond_4000_characters_are_refused(api, comments):
    assert_invalid(api.post(PATH, PAIR | {"comments": comments}), "comments")
    assert history() == []


# Fields that don't belong


def test_an_answer_may_be_sent_back_as_it_is(api, level):
    before = stored()
    response = api.post(PATH, level)
    assert response.status_code == 200
    assert response.json() == level
    assert stored() == before


@pytest.mark.parametrize(
    "field", ["id", "createdAt", "updatedAt", "version", "product", "productMaster", "location"]
)
def test_read_only_fields_are_ignored_whatever_they_hold(api, level, field):
    for value in ("other", 99, None, True, [], {"id": "prod_9", "x": {}}):
        with case(value):
            response = api.post(PATH, PAIR | {field: value})
            assert (response.status_code, response.json()) == (200, level)


@pytest.mark.parametrize(
    "name",
    [
        "minQuanity",
        "MinQuantity",
        "min_quantity",
        "productmasterid",
        "organization",
        "organizationId",
        "public_id",
        "minQuantity ",
        "__proto__",
        "",
        "é",
    ],
)
def test_an_unknown_field_is_refused_by_name(api, name):
    assert_invalid(api.post(PATH, PAIR | {name: 5}), name)
    assert history() == []


def test_an_unknown_query_parameter_is_refused_by_name(api, example):
    assert_invalid(api.post(f"{PATH}?dryRun=true", example), "dryRun")
    assert history() == []


# Types and limits

NOT_A_NUMBER = ["50", "", "NaN", "1e3", True, False, [], [50], {}, {"value": 50}]
NOT_A_STRING = [5, 0, 1.5, True, False, [], ["prod_123"], {}, {"id": "prod_123"}]


@pytest.mark.parametrize("field", QUANTITIES)
def test_a_quantity_is_a_number_from_zero_and_nothing_else(api, field):
    for value in (*NOT_A_NUMBER, -1, -0.5):
        with case(value):
            assert_invalid(api.post(PATH, PAIR | {field: value}), field)
    assert history() == []


@pytest.mark.parametrize("field", DAYS)
def test_days_are_a_whole_number_within_limits_and_nothing_else(api, field):
    for value in (*NOT_A_NUMBER, 7.5, 0.1, -0.5, -1, 36501, 10**30):
        with case(value):
            assert_invalid(api.post(PATH, PAIR | {field: value}), field)
    assert history() == []


def test_the_forecast_period_begins_at_one_day(api):
    assert_invalid(api.post(PATH, PAIR | {"forecastPeriodDays": 0}), "forecastPeriodDays")


@pytest.mark.parametrize(
    ("field", "text", "meant"),
    [
        ("expectedLeadTimeDays", "0", 0),
        ("expectedLeadTimeDays", "-0", 0),
        ("expectedLeadTimeDays", "7.0", 7),
        ("expectedLeadTimeDays", "7e0", 7),
        ("expectedLeadTimeDays", "3.65e4", 36500),
        ("expectedLeadTimeDays", "36500", 36500),
        ("replenishmentPeriodDays", "0", 0),
        ("replenishmentPeriodDays", "36500.000", 36500),
        ("forecastPeriodDays", "1", 1),
        ("forecastPeriodDays", "1.0", 1),
        ("forecastPeriodDays", "36500", 36500),
    ],
)
def test_days_up_to_the_limits_come_out_as_whole_numbers(api, field, text, meant):
    body = '{"productMasterId": "prod_123", "locationId": "loc_123", "%s": %s}'
    response = api.post(PATH, (body % (field, text)).encode())
    assert response.status_code == 201
    assert f'"{field}":{meant},'.encode() in response.content.replace(b": ", b":")


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
def test_a_text_is_a_string_and_nothing_else(api, field):
    for value in NOT_A_STRING:
        with case(value):
            assert_invalid(api.post(PATH, PAIR | {field: value}), field)
    assert history() == []


def test_all_bad_fields_are_reported_at_once(api):
    body = {
        "locationId": "not an id",
        "minQuantity": "50",
        "reorderQuantity": -1,
        "maxQuantity": 1.23456,
        "status": "Gone",
        "abcClass": "D",
        "expectedLeadTimeDays": 7.5,
        "replenishmentPeriodDays": -1,
        "forecastPeriodDays": 0,
        "forecastQuantity": True,
        "preferredBinLocationId": "",
        "replenishmentLocationId": 5,
        "comments": "\x00",
        "minQuanity": 5,
    }
    assert_invalid(api.post(PATH, body), *body, "productMasterId")
    assert history() == []


# Ids

ID_FIELDS = [
    "productMasterId",
    "productId",
    "locationId",
    "preferredBinLocationId",
    "replenishmentLocationId",
]


def with_id(field, value):
    """The least body, with this id in this field."""
    body = PAIR | {field: value}
    if field == "productId":
        del body["productMasterId"]
    return body


MALFORMED_IDS = [
    "",
    " ",
    "a b",
    "a/b",
    " prod_123",
    "prod_123 ",
    "prod_123\n",
    "\nprod_123",
    "pr\u00f6d_123",
    "\uff10",
    "prod,123",
    "prod'123",
    "a%20b",
    "x" * 65,
    "." * 65,
]
RESERVED_IDS = [".", "..", "bulk", "import", "export.csv", "history", "evaluate"]


@pytest.mark.parametrize("field", ID_FIELDS)
def test_a_malformed_id_or_a_word_of_the_routes_is_refused(api, field):
    for id in (*MALFORMED_IDS, *RESERVED_IDS):
        with case(id):
            assert_invalid(api.post(PATH, with_id(field, id)), field)


@pytest.mark.parametrize("id", ["x", "9", "-", "_", "...", "Az09_.:-", "x" * 64, "bulk1", "0"])
def test_an_id_from_elsewhere_is_kept_as_it_is(api, acme, id):
    factories.ProductFactory(organization=acme.organization, public_id=id)
    factories.LocationFactory(organization=acme.organization, public_id=id, name="Elsewhere")
    response = api.post(PATH, {"productMasterId": id, "locationId": id})
    assert response.status_code == 201
    assert (response.json()["productMasterId"], response.json()["location"]["id"]) == (id, id)


def test_ids_differ_in_case(api, acme):
    factories.ProductFactory(organization=acme.organization, public_id="PROD_123")
    first = api.post(PATH, PAIR)
    second = api.post(PATH, PAIR | {"productMasterId": "PROD_123"})
    third = api.post(PATH, PAIR | {"productMasterId": "Prod_123"})
    assert [first.status_code, second.status_code, third.status_code] == [201, 201, 404]


# References


@pytest.mark.parametrize("field", ID_FIELDS)
def test_what_does_not_exist_gives_the_published_404(api, field):
    response = api.post(PATH, with_id(field, "prod_nowhere"))
    assert_error(response, 404, "NOT_FOUND", error=NO_REFERENCE)
    assert b"prod_nowhere" not in response.content
    assert history() == []


@pytest.mark.parametrize("field", ID_FIELDS)
def test_what_belongs_to_others_is_indistinguishable_from_what_does_not_exist(api, acme, field):
    missing = api.post(PATH, with_id(field, "prod_theirs"))
    others = factories.OrganizationFactory()
    factories.ProductFactory(organization=others, public_id="prod_theirs")
    factories.LocationFactory(organization=others, public_id="prod_theirs")
    foreign = api.post(PATH, with_id(field, "prod_theirs"))
    assert_error(foreign, 404, "NOT_FOUND", error=NO_REFERENCE)
    assert foreign.content == missing.content
    assert history() == []


def test_two_organizations_may_use_the_same_ids(api, acme):
    others = factories.OrganizationFactory()
    theirs = factories.LevelFactory(
        organization=others,
        product=factories.ProductFactory(organization=others, public_id="prod_123"),
        location=factories.LocationFactory(organization=others, public_id="loc_123"),
        min_quantity=1,
    )
    response = api.post(PATH, PAIR | {"minQuantity": 5})
    assert response.status_code == 201
    assert response.json()["product"]["name"] == "Widget"
    theirs.refresh_from_db()
    assert (theirs.min_quantity, theirs.version) == (1, 1)


def test_a_product_is_no_location_and_a_location_no_product(api):
    swapped = {"productMasterId": "loc_123", "locationId": "prod_123"}
    assert_error(api.post(PATH, swapped), 404, "NOT_FOUND", error=NO_REFERENCE)


# Bins


@pytest.mark.parametrize("type", ["WAREHOUSE", "STORE", "SUPPLIER", "BIN", "OTHER"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_any_location_below_may_be_preferred_at_any_depth(api, acme, type, depth):
    place = acme.location
    for step in range(depth):
        place = factories.LocationFactory(
            organization=acme.organization, type=type, parent=place, public_id=f"below_{step}"
        )
    response = api.post(PATH, PAIR | {"preferredBinLocationId": place.public_id})
    assert response.status_code == 201
    assert response.json()["preferredBinLocationId"] == place.public_id


def test_a_place_that_is_not_below_may_not_be_preferred(api, acme):
    zone = factories.LocationFactory(
        organization=acme.organization, public_id="zone", parent=acme.location
    )
    factories.LocationFactory(organization=acme.organization, public_id="nook", parent=zone)
    factories.LocationFactory(
        organization=acme.organization, public_id="elsewhere", type="BIN", parent=acme.supplier
    )
    for location, place in [
        ("loc_123", "loc_123"),  # itself
        ("loc_123", "loc_456"),  # beside it
        ("loc_123", "elsewhere"),  # below another one
        ("zone", "loc_123"),  # above it
        ("zone", "bin_123"),  # its sibling
        ("nook", "zone"),
    ]:
        body = {
            "productMasterId": "prod_123",
            "locationId": location,
            "preferredBinLocationId": place,
        }
        assert_invalid(api.post(PATH, body), "preferredBinLocationId")
    assert history() == []


def test_a_location_does_not_replenish_itself(api):
    body = PAIR | {"replenishmentLocationId": "loc_123"}
    assert_invalid(api.post(PATH, body), "replenishmentLocationId")
    assert history() == []


def test_both_places_are_reported_at_once(api):
    body = PAIR | {"preferredBinLocationId": "loc_456", "replenishmentLocationId": "loc_123"}
    assert_invalid(api.post(PATH, body), "preferredBinLocationId", "replenishmentLocationId")


def test_stock_may_come_from_a_bin_of_the_same_location(api):
    response = api.post(PATH, PAIR | {"replenishmentLocationId": "bin_123"})
    assert response.status_code == 201
    assert response.json()["replenishmentLocationId"] == "bin_123"


def test_a_level_may_sit_on_a_bin(api, acme):
    factories.LocationFactory(
        organization=acme.organization, type="BIN", public_id="box", parent=acme.bin
    )
    on_bin = {
        "productMasterId": "prod_123",
        "locationId": "bin_123",
        "preferredBinLocationId": "box",
        "replenishmentLocationId": "loc_123",
    }
    response = api.post(PATH, on_bin)
    assert response.status_code == 201
    assert response.json()["location"] == {"id": "bin_123", "name": "A-01"}
    itself = on_bin | {"preferredBinLocationId": "bin_123"}
    assert_invalid(api.post(PATH, itself), "preferredBinLocationId")


# The ordering rule


@pytest.mark.parametrize(
    ("low", "mid", "high"), [(5, 4, 9), (5, 9, 8), (5, None, 4), (None, 5, 4), (5, 4, None)]
)
def test_quantities_out_of_order_give_the_published_error(api, low, mid, high):
    body = PAIR | {"minQuantity": low, "reorderQuantity": mid, "maxQuantity": high}
    assert_error(api.post(PATH, body), 400, "INVALID_QUANTITIES", error=OUT_OF_ORDER)
    assert history() == []


@pytest.mark.parametrize(
    ("low", "mid", "high"),
    [(5, 5, 5), (0, 0, 0), (0, 0, None), (5, None, 5), (9, 10, 100), (9.9999, 10, 10.0001)],
)
def test_quantities_in_order_or_equal_are_fine(api, low, mid, high):
    body = {"minQuantity": low, "reorderQuantity": mid, "maxQuantity": high}
    response = api.post(PATH, PAIR | body)
    assert response.status_code == 201
    assert {name: response.json()[name] for name in body} == body


@pytest.mark.parametrize(
    "change", [{"minQuantity": 101}, {"reorderQuantity": 49}, {"maxQuantity": 99.9999}]
)
def test_the_ordering_rule_looks_at_what_would_be_stored(api, level, change):
    before = stored()
    response = api.post(PATH, PAIR | change)
    assert_error(response, 400, "INVALID_QUANTITIES", error=OUT_OF_ORDER)
    assert stored() == before


def test_min_and_max_are_compared_once_reorder_is_cleared(api, level):
    body = PAIR | {"minQuantity": 501, "reorderQuantity": None}
    assert_error(api.post(PATH, body), 400, "INVALID_QUANTITIES", error=OUT_OF_ORDER)
    assert api.post(PATH, body | {"minQuantity": 500}).json()["reorderQuantity"] is None


def test_the_forecast_takes_no_part_in_the_ordering_rule(api):
    body = PAIR | {"minQuantity": 5, "maxQuantity": 6, "forecastQuantity": 1}
    assert api.post(PATH, body).status_code == 201
