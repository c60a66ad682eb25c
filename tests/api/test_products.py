"""``/api/products``: product masters, created and updated by id or by SKU."""

from __future__ import annotations

import json
import re

import pytest

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
from tests.conftest import Api, issue_key

GADGET = {"globalSku": "SKU-9", "productName": "Gadget"}


# --- creating


def test_a_new_product_is_answered_with_every_field(api):
    answer = api.post("/products", GADGET)
    product = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"prod_[A-Za-z0-9_.:-]+", product["id"])
    assert TIME.match(product["createdAt"])
    assert product == {
        "id": product["id"],
        "globalSku": "SKU-9",
        "productName": "Gadget",
        "unitCost": None,
        "status": "Active",
        "createdAt": product["createdAt"],
        "updatedAt": product["createdAt"],
    }
    assert api.get(f"/products/{product['id']}").json() == product


def test_generated_ids_are_ordered_by_time_and_never_repeat(api):
    made = [
        api.post("/products", {**GADGET, "globalSku": f"SKU-{n}"}).json()["id"] for n in range(20)
    ]
    assert len(set(made)) == 20
    # Ids of one millisecond are in no order among themselves.
    moments = [public_id.removeprefix("prod_")[:10] for public_id in made]
    assert moments == sorted(moments)


@pytest.mark.parametrize("own", OWN_IDS)
def test_an_id_from_elsewhere_is_kept_as_it_is(api, own):
    answer = api.post("/products", {**GADGET, "id": own})
    assert (answer.status_code, answer.json()["id"]) == (201, own)
    assert api.get(f"/products/{own}").json() == answer.json()


@pytest.mark.parametrize("own", [*MALFORMED_IDS, None, *RESERVED_IDS])
def test_a_malformed_or_reserved_id_is_refused(api, own):
    refused(api.post("/products", {**GADGET, "id": own}), 400, "VALIDATION_ERROR", "id")
    assert ids(api.get("/products")) == ["prod_123"]


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, {"globalSku", "productName"}),
        ({"productName": "Gadget"}, {"globalSku"}),
        ({"globalSku": "SKU-9"}, {"productName"}),
        ({"id": "prod_9"}, {"globalSku", "productName"}),
        ({"id": "prod_9", "productName": "Gadget"}, {"globalSku"}),
        ({"id": "prod_9", "globalSku": "SKU-9"}, {"productName"}),
    ],
)
def test_sku_and_name_are_required_to_create(api, body, missing):
    answer = api.post("/products", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert set(answer.json()["details"]) >= missing
    assert ids(api.get("/products")) == ["prod_123"]


# --- updating by POST


@pytest.mark.parametrize(
    "key",
    [{"id": "prod_123"}, {"globalSku": "SKU-123"}, {"id": "prod_123", "globalSku": "SKU-123"}],
    ids=["by id", "by SKU", "by both"],
)
def test_a_known_id_or_sku_updates_and_leaves_what_is_not_named(api, key):
    before = api.get("/products/prod_123").json()
    answer = api.post("/products", {**key, "unitCost": 3.25})
    after = answer.json()
    assert answer.status_code == 200
    assert after == {**before, "unitCost": 3.25, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]
    assert api.get("/products/prod_123").json() == after


def test_a_post_by_id_may_change_the_sku(api):
    answer = api.post("/products", {"id": "prod_123", "globalSku": "SKU-124"})
    assert (answer.status_code, answer.json()["globalSku"]) == (200, "SKU-124")
    assert api.post("/products", {**GADGET, "globalSku": "SKU-123"}).status_code == 201


def test_an_unknown_id_with_a_known_sku_is_a_conflict_and_changes_nothing(api):
    before = api.get("/products/prod_123").json()
    answer = api.post("/products", {"id": "prod_9", "globalSku": "SKU-123", "productName": "Thief"})
    refused(answer, 409, "CONFLICT", "globalSku")
    assert api.get("/products").json()["items"] == [before]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "prod_123"},
        {"globalSku": "SKU-123"},
        {"id": "prod_123", "productName": "Widget", "status": "active", "unitCost": None},
        {"globalSku": "SKU-123", "status": None},
    ],
)
def test_what_changes_nothing_keeps_the_time_of_the_last_change(api, body):
    before = api.get("/products/prod_123").json()
    answer = api.post("/products", body)
    assert (answer.status_code, answer.json()) == (200, before)


def test_an_answer_can_be_sent_back_and_changes_nothing(api):
    product = api.post("/products", {**GADGET, "unitCost": 1.5}).json()
    for answer in (
        api.post("/products", product),
        api.patch(f"/products/{product['id']}", product),
    ):
        assert (answer.status_code, answer.json()) == (200, product)


def test_read_only_fields_are_ignored_whatever_they_hold(api):
    body = {**GADGET, "createdAt": "long ago", "updatedAt": 7}
    answer = api.post("/products", body)
    assert answer.status_code == 201
    assert TIME.match(answer.json()["createdAt"])
    assert TIME.match(answer.json()["updatedAt"])


# --- values


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.0000", "0"),
        ("7", "7"),
        ("7.0", "7"),
        ("7e0", "7"),
        ("1e2", "100"),
        ("12.5", "12.5"),
        ("0.1", "0.1"),
        ("1.2300", "1.23"),
        ("0.0001", "0.0001"),
        ("0.3", "0.3"),
        ("1234567.8901", "1234567.8901"),
        ("99999999999", "99999999999"),
        ("99999999999.9999", "99999999999.9999"),
        ("99999999998.0001", "99999999998.0001"),
        ("8.20000000000000000000000", "8.2"),
        ("null", "null"),
    ],
)
def test_the_unit_cost_comes_out_as_it_went_in(api, given, told):
    body = b'{"id": "prod_9", "globalSku": "SKU-9", "productName": "Gadget", "unitCost": %s}'
    created = api.post("/products", body % given.encode())
    assert created.status_code == 201
    for answer in (created, api.get("/products/prod_9")):
        text = answer.content.decode()
        assert re.search(r'"unitCost": ?([^,}]+)', text)[1] == told
        assert json.loads(text)["unitCost"] == json.loads(told)


@pytest.mark.parametrize(
    "cost",
    [
        *("1.23456", "100000000000", "1e11", "-1", "-0.0001", "0.00001", "1e400", "1e-400"),
        *('"5"', '""', "true", "false", "[]", "{}", "[1]", "9" * 5_000, "1e99999999999999999999"),
    ],
)
def test_a_unit_cost_that_is_no_quantity_is_refused_never_rounded(api, cost):
    answer = api.patch("/products/prod_123", b'{"unitCost": %s}' % cost.encode())
    refused(answer, 400, "VALIDATION_ERROR", "unitCost")
    assert api.get("/products/prod_123").json()["unitCost"] is None


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "-Infinity", "05", ".5", "5.", "+5", "0x5"])
def test_a_unit_cost_that_json_does_not_know_is_invalid_json(api, cost):
    refused(
        api.patch("/products/prod_123", b'{"unitCost": %s}' % cost.encode()), 400, "INVALID_JSON"
    )


@pytest.mark.parametrize(
    ("spelling", "stored"),
    [
        ("Active", "Active"),
        ("ACTIVE", "Active"),
        ("active", "Active"),
        ("a c t i v e", "Active"),
        ("Inactive", "Inactive"),
        ("INACTIVE", "Inactive"),
        ("in_active", "Inactive"),
        ("In-Active", "Inactive"),
        ("in active", "Inactive"),
        (None, "Active"),
    ],
)
def test_the_status_is_understood_in_any_spelling(api, spelling, stored):
    api.patch("/products/prod_123", {"status": "Active" if stored == "Inactive" else "Inactive"})
    answer = api.patch("/products/prod_123", {"status": spelling})
    assert (answer.status_code, answer.json()["status"]) == (200, stored)
    assert api.get("/products/prod_123").json()["status"] == stored


@pytest.mark.parametrize("status", ["Supported", "Aktiv", "Active.", "", 1, True, ["Active"]])
def test_an_unknown_status_is_refused(api, status):
    answer = api.patch("/products/prod_123", {"status": status})
    refused(answer, 400, "VALIDATION_ERROR", "status")
    assert api.get("/products/prod_123").json()["status"] == "Active"


def test_the_refusal_of_a_status_lists_the_choices(api):
    (message,) = api.patch("/products/prod_123", {"status": "on"}).json()["details"]["status"]
    assert "Active" in message
    assert "Inactive" in message


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("globalSku", "s"),
        ("globalSku", "s" * 64),
        ("globalSku", " SKU 9 "),
        ("globalSku", "sku-123"),
        ("globalSku", "SKU-123 "),
        ("globalSku", "Ä/\\\"'<&>%_"),
        ("globalSku", "😀" * 64),
        ("productName", "n"),
        ("productName", "n" * 255),
        ("productName", "  two\tlines\r\n "),
        ("productName", "a\u0301 is not \u00e1"),
        ("productName", "😀" * 255),
    ],
)
def test_texts_are_kept_as_given(api, field, text):
    answer = api.post("/products", {**GADGET, field: text})
    assert (answer.status_code, answer.json()[field]) == (201, text)
    assert api.get(f"/products/{answer.json()['id']}").json()[field] == text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("globalSku", value) for value in ("", "s" * 65, None, 5, True, ["SKU"])),
        *(("productName", value) for value in ("", "n" * 256, None, 5, False, {})),
        *((field, text) for field in ("globalSku", "productName") for text in NOT_TEXT),
    ],
)
def test_a_text_that_is_none_is_refused_on_create_and_on_change(api, field, value):
    before = api.get("/products/prod_123").json()
    refused(api.post("/products", {**GADGET, field: value}), 400, "VALIDATION_ERROR", field)
    refused(api.patch("/products/prod_123", {field: value}), 400, "VALIDATION_ERROR", field)
    assert api.get("/products").json()["items"] == [before]


def test_skus_differ_by_case_and_by_spaces(api):
    for sku in ("sku-123", "SKU-123 ", " SKU-123", "Sku-123"):
        assert api.post("/products", {**GADGET, "globalSku": sku}).status_code == 201


def test_null_clears_the_unit_cost_and_an_omitted_one_stays(api):
    api.patch("/products/prod_123", {"unitCost": 5, "status": "Inactive"})
    assert api.patch("/products/prod_123", {"status": None}).json()["unitCost"] == 5
    cleared = api.post("/products", {"globalSku": "SKU-123", "unitCost": None}).json()
    assert (cleared["unitCost"], cleared["status"]) == (None, "Active")


def test_zero_is_a_cost_and_null_is_none(api):
    assert api.patch("/products/prod_123", {"unitCost": 0}).json()["unitCost"] == 0
    assert api.patch("/products/prod_123", {"unitCost": None}).json()["unitCost"] is None


def test_all_bad_fields_are_told_at_once(api):
    body = {"id": "a b", "globalSku": "", "productName": None, "unitCost": "1", "colour": "red"}
    refused(
        api.post("/products", body),
        400,
        "VALIDATION_ERROR",
        "id",
        "globalSku",
        "productName",
        "unitCost",
        "colour",
    )


@pytest.mark.parametrize("field", ["sku", "name", "unitcost", "GlobalSku", "organization", "pk"])
def test_an_unknown_field_is_refused_by_name(api, field):
    refused(api.post("/products", {**GADGET, field: "x"}), 400, "VALIDATION_ERROR", field)
    refused(api.patch("/products/prod_123", {field: "x"}), 400, "VALIDATION_ERROR", field)


@pytest.mark.parametrize("body", [[], [GADGET], "SKU-9", 5, True, None])
def test_a_body_that_is_no_object_is_refused(api, body):
    text = json.dumps(body).encode()
    for answer in (api.post("/products", text), api.patch("/products/prod_123", text)):
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/products"),
        ("POST", "/products"),
        ("GET", "/products/prod_123"),
        ("PATCH", "/products/prod_123"),
        ("DELETE", "/products/prod_123"),
    ],
)
def test_an_unknown_query_parameter_is_refused_by_name(api, method, path):
    body = {"globalSku": "SKU-123"} if method in ("POST", "PATCH") else None
    refused(api.request(method, f"{path}?colour=red", body), 400, "VALIDATION_ERROR", "colour")
    assert ids(api.get("/products")) == ["prod_123"]


# --- PATCH


def test_patch_changes_the_fields_it_names(api):
    before = api.get("/products/prod_123").json()
    changes = {"globalSku": "SKU-124", "productName": "Sprocket", "unitCost": 0.75}
    answer = api.patch("/products/prod_123", changes)
    after = answer.json()
    assert answer.status_code == 200
    assert after == {**before, **changes, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]
    assert api.get("/products/prod_123").json() == after


@pytest.mark.parametrize("body", [{}, {"id": "prod_123"}, {"productName": "Widget"}])
def test_a_patch_that_changes_nothing_keeps_the_time_of_the_last_change(api, body):
    before = api.get("/products/prod_123").json()
    answer = api.patch("/products/prod_123", body)
    assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize("other_id", ["prod_9", "PROD_123", "prod_124"])
def test_patch_may_repeat_the_id_and_not_change_it(api, other_id):
    api.post("/products", {**GADGET, "id": "prod_124"})
    body = {"id": "prod_123", "unitCost": 2}
    assert api.patch("/products/prod_123", body).json()["unitCost"] == 2
    answer = api.patch("/products/prod_123", {"id": other_id, "unitCost": 3})
    refused(answer, 400, "VALIDATION_ERROR", "id")
    assert api.get("/products/prod_123").json()["unitCost"] == 2
    assert api.get("/products/prod_124").json()["unitCost"] is None


def test_patch_never_creates(api):
    refused(api.patch("/products/prod_9", GADGET), 404, "NOT_FOUND")
    assert ids(api.get("/products")) == ["prod_123"]


@pytest.mark.parametrize("write", ["post", "patch"])
def test_two_products_never_share_a_sku(api, write):
    api.post("/products", {**GADGET, "id": "prod_9"})
    before = api.get("/products").json()["items"]
    if write == "post":
        answer = api.post("/products", {"id": "prod_9", "globalSku": "SKU-123", "unitCost": 1})
    else:
        answer = api.patch("/products/prod_9", {"globalSku": "SKU-123", "unitCost": 1})
    refused(answer, 409, "CONFLICT", "globalSku")
    assert api.get("/products").json()["items"] == before


def test_names_may_repeat(api):
    assert api.post("/products", {**GADGET, "productName": "Widget"}).status_code == 201


def test_a_renamed_product_shows_its_new_name_in_its_levels(api, level):
    api.patch("/products/prod_123", {"productName": "Sprocket", "globalSku": "SKU-124"})
    after = api.get(f"/inventory-levels/{level['id']}").json()
    assert after["product"] == {"id": "prod_123", "sku": "SKU-124", "name": "Sprocket"}
    assert after["productMaster"] == {
        "id": "prod_123",
        "globalSku": "SKU-124",
        "productName": "Sprocket",
    }
    assert (after["version"], after["updatedAt"]) == (level["version"], level["updatedAt"])


# --- DELETE


def test_a_deleted_product_is_gone_and_its_id_and_sku_are_free(api):
    answer = api.delete("/products/prod_123")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Product deleted"}
    refused(api.get("/products/prod_123"), 404, "NOT_FOUND")
    refused(api.delete("/products/prod_123"), 404, "NOT_FOUND")
    again = {"id": "prod_123", "globalSku": "SKU-123", "productName": "Widget again"}
    assert api.post("/products", again).status_code == 201


def test_a_product_with_levels_stays_and_the_refusal_counts_them(api, level):
    api.post("/inventory-levels", {"productMasterId": "prod_123", "locationId": "bin_123"})
    before = api.get("/products/prod_123").json()
    answer = api.delete("/products/prod_123")
    refused(answer, 409, "CONFLICT", "levels")
    assert answer.json()["error"] == "In use by 2 levels"
    assert answer.json()["details"] == {"levels": 2}
    assert api.get("/products/prod_123").json() == before
    one, other = api.get("/inventory-levels").json()["items"]
    api.delete(f"/inventory-levels/{one['id']}")
    assert api.delete("/products/prod_123").json()["error"] == "In use by 1 level"
    api.delete(f"/inventory-levels/{other['id']}")
    assert api.delete("/products/prod_123").status_code == 200


# --- reading


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("public_id", ["prod_9", "PROD_123", "x", LONGEST_ID, "loc_123"])
def test_a_product_that_does_not_exist_is_404(api, method, public_id):
    body = ({},) if method == "patch" else ()
    refused(getattr(api, method)(f"/products/{public_id}", *body), 404, "NOT_FOUND")


@pytest.mark.parametrize("public_id", MALFORMED_IDS_IN_PATHS)
def test_a_malformed_id_in_the_path_is_404(api, public_id):
    refused(api.get(f"/products/{public_id}"), 404, "NOT_FOUND")


def test_every_path_answers_with_and_without_a_trailing_slash(api):
    created = api.post("/products/", {**GADGET, "id": "prod_9"})
    assert created.status_code == 201
    assert api.get("/products/").json() == api.get("/products").json()
    assert api.get("/products/prod_9/").json() == created.json()
    assert api.patch("/products/prod_9/", {"unitCost": 1}).json()["unitCost"] == 1
    assert api.delete("/products/prod_9/").json() == {"success": True, "message": "Product deleted"}


@pytest.mark.parametrize(
    ("query", "first", "last", "number", "size", "pages"),
    [
        ("", 0, 50, 1, 50, 3),
        ("?limit=50", 0, 50, 1, 50, 3),
        ("?page=2", 50, 100, 2, 50, 3),
        ("?page=3", 100, 103, 3, 50, 3),
        ("?page=4", 0, 0, 4, 50, 3),
        ("?page=1&limit=1", 0, 1, 1, 1, 103),
        ("?page=103&limit=1", 102, 103, 103, 1, 103),
        ("?limit=102", 0, 102, 1, 102, 2),
        ("?limit=103", 0, 103, 1, 103, 1),
        ("?limit=500", 0, 103, 1, 500, 1),
        ("?page=2&limit=500", 0, 0, 2, 500, 1),
    ],
)
def test_a_list_comes_in_pages(acme, reader, query, first, last, number, size, pages):
    factories.ProductFactory.create_batch(102, organization=acme.organization)
    everything = ids(reader.get("/products?limit=500"))
    assert len(set(everything)) == 103
    answer = reader.get(f"/products{query}")
    assert ids(answer) == everything[first:last]
    pagination = answer.json()["pagination"]
    assert {name: pagination[name] for name in ("page", "pageSize", "total", "totalPages")} == {
        "page": number,
        "pageSize": size,
        "total": 103,
        "totalPages": pages,
    }


@pytest.mark.parametrize("value", ["0", "-1", "501", "1.5", "x", "", "1e2", "٣", " 1", "9" * 400])
def test_a_limit_outside_1_to_500_is_refused(reader, value):
    refused(reader.get(f"/products?limit={value}"), 400, "VALIDATION_ERROR", "limit")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "", "٣", "9" * 400])
def test_a_page_that_is_no_number_from_1_is_refused(reader, value):
    refused(reader.get(f"/products?page={value}"), 400, "VALIDATION_ERROR", "page")


def test_a_list_of_nothing_is_empty(db):
    reader = Api(issue_key(factories.OrganizationFactory(), "inventory:read"))
    answer = reader.get("/products").json()
    assert answer["items"] == []
    assert (answer["pagination"]["total"], answer["pagination"]["totalPages"]) == (0, 0)


def test_list_items_are_the_products_as_get_answers_them(api):
    api.post("/products", {**GADGET, "unitCost": 12.5, "status": "Inactive"})
    for item in api.get("/products").json()["items"]:
        assert api.get(f"/products/{item['id']}").json() == item


# --- who may


WRITES = [
    ("POST", "/products", GADGET),
    ("PATCH", "/products/prod_123", {"unitCost": 1}),
    ("DELETE", "/products/prod_123", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_key_that_only_reads_changes_nothing(reader, method, path, body):
    before = reader.get("/products").json()
    refused(reader.request(method, path, body), 403, "INSUFFICIENT_SCOPE")
    assert reader.get("/products").json() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [*WRITES, ("GET", "/products", None), ("GET", "/products/prod_123", None)],
)
def test_without_a_key_there_is_nothing(acme, method, path, body):
    refused(Api().request(method, path, body), 401, "MISSING_AUTHORIZATION")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/products"),
        ("PATCH", "/products"),
        ("DELETE", "/products"),
        ("PUT", "/products/prod_123"),
        ("POST", "/products/prod_123"),
    ],
)
def test_other_methods_are_not_allowed(api, method, path):
    refused(api.request(method, path, {}), 405, "METHOD_NOT_ALLOWED")
    assert ids(api.get("/products")) == ["prod_123"]


# --- two organizations


def test_two_organizations_with_the_same_ids_and_skus_do_not_see_each_other(api, stranger):
    ours, theirs = api.get("/products").json(), stranger.get("/products").json()
    assert ids(api.get("/products")) == ids(stranger.get("/products")) == ["prod_123"]

    api.patch("/products/prod_123", {"productName": "Acme's", "unitCost": 1})
    assert stranger.get("/products").json() == theirs
    stranger.post("/products", {"globalSku": "SKU-123", "productName": "Theirs"})
    assert api.get("/products/prod_123").json()["productName"] == "Acme's"

    assert api.post("/products", {**GADGET, "id": "prod_9"}).status_code == 201
    assert stranger.post("/products", {**GADGET, "id": "prod_9"}).status_code == 201

    assert stranger.delete("/products/prod_123").status_code == 200
    assert ids(api.get("/products")) == ["prod_123", "prod_9"]
    assert ours["pagination"]["total"] == 1


def test_levels_of_another_organization_keep_no_product_of_ours(api, stranger, example):
    assert stranger.post("/inventory-levels", example).status_code == 201
    assert api.delete("/products/prod_123").status_code == 200
    assert stranger.delete("/products/prod_123").status_code == 409


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_organizations_product_is_like_none(api, stranger, method):
    stranger.post("/products", {**GADGET, "id": "prod_9"})
    body = ({"unitCost": 1},) if method == "patch" else ()
    foreign = getattr(api, method)("/products/prod_9", *body)
    missing = getattr(api, method)("/products/prod_8", *body)
    refused(foreign, 404, "NOT_FOUND")
    assert foreign.content == missing.content
    assert stranger.get("/products/prod_9").json()["unitCost"] is None
