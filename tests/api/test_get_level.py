"""GET /api/inventory-levels/{id}."""

import re

import pytest

from inventory_levels.models import Location, ProductMaster
from tests import factories
from tests.api.answers import NO_LEVEL, assert_error, assert_invalid
from tests.conftest import Api


@pytest.fixture
def path(level):
    return f"/inventory-levels/{level['id']}"


def test_the_answer_is_the_one_that_the_write_gave(api, reader, level, path):
    response = reader.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == level
    patched = api.patch(path, {"minQuantity": 1}).json()
    assert reader.get(path).json() == patched
    assert reader.get("/inventory-levels").json()["items"] == [patched]


def test_both_spellings_of_the_path_answer(reader, level, path):
    assert reader.get(f"{path}/").json() == reader.get(path).json() == level


def test_a_level_with_nothing_set_shows_every_field(api, acme):
    level = factories.LevelFactory(
        organization=acme.organization, product=acme.product, location=acme.bin
    )
    answer = api.get(f"/inventory-levels/{level.public_id}").json()
    times = {"createdAt": answer["createdAt"], "updatedAt": answer["updatedAt"]}
    assert answer == times | {
        "id": level.public_id,
        "productMasterId": "prod_123",
        "locationId": "bin_123",
        "minQuantity": None,
        "reorderQuantity": None,
        "maxQuantity": None,
        "status": "Supported",
        "abcClass": None,
        "expectedLeadTimeDays": None,
        "replenishmentPeriodDays": None,
        "forecastPeriodDays": None,
        "forecastQuantity": None,
        "preferredBinLocationId": None,
        "replenishmentLocationId": None,
        "comments": None,
        "version": 1,
        "product": {"id": "prod_123", "sku": "SKU-123", "name": "Widget"},
        "productMaster": {"id": "prod_123", "globalSku": "SKU-123", "productName": "Widget"},
        "location": {"id": "bin_123", "name": "A-01"},
    }


def test_times_always_have_six_decimals_and_z(api, acme):
    level = factories.LevelFactory(
        organization=acme.organization,
        product=acme.product,
        created_at="2026-01-02T03:04:05+00:00",
        updated_at="2026-01-02T03:04:05.100+02:00",
    )
    answer = api.get(f"/inventory-levels/{level.public_id}").json()
    assert answer["createdAt"] == "2026-01-02T03:04:05.000000Z"
    assert answer["updatedAt"] == "2026-01-02T01:04:05.100000Z"


def test_the_embedded_product_and_location_are_shown_as_they_are_now(api, level, path):
    ProductMaster._base_manager.filter(public_id="prod_123").update(
        product_name="Gadget ≤ 5 µm", global_sku="G-1"
    )
    Location._base_manager.filter(public_id="loc_123").update(name="Zażółć")
    answer = api.get(path).json()
    assert answer == level | {
        "product": {"id": "prod_123", "sku": "G-1", "name": "Gadget ≤ 5 µm"},
        "productMaster": {"id": "prod_123", "globalSku": "G-1", "productName": "Gadget ≤ 5 µm"},
        "location": {"id": "loc_123", "name": "Zażółć"},
    }


@pytest.mark.parametrize("id", ["level_missing", "prod_123", "LEVEL_MISSING", "...", "x" * 64])
def test_a_level_that_does_not_exist_is_a_404(reader, level, id):
    response = reader.get(f"/inventory-levels/{id}")
    assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL, fields=set())
    assert id.encode() not in response.content


def test_a_level_of_others_is_indistinguishable_from_none(reader):
    def varying(response):
        return {k: v for k, v in response.headers.items() if k not in ("Date", "X-Request-Id")}

    missing = reader.get("/inventory-levels/level_theirs")
    factories.LevelFactory(public_id="level_theirs")
    foreign = reader.get("/inventory-levels/level_theirs")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert varying(foreign) == varying(missing)


def test_two_organizations_may_have_a_level_with_the_same_id(reader, acme):
    theirs = factories.LevelFactory(public_id="level_123", min_quantity=1)
    factories.LevelFactory(
        organization=acme.organization,
        product=acme.product,
        location=acme.location,
        public_id="level_123",
        min_quantity=2,
    )
    assert theirs.organization != acme.organization
    answer = reader.get("/inventory-levels/level_123").json()
    assert (answer["minQuantity"], answer["product"]["name"]) == (2, "Widget")


def test_the_primary_key_is_no_id(reader, acme):
    level = factories.LevelFactory(organization=acme.organization, product=acme.product)
    assert_error(reader.get(f"/inventory-levels/{level.pk}"), 404, "NOT_FOUND", error=NO_LEVEL)


def test_head_answers_as_get_without_the_body(reader, path):
    got = reader.get(path)
    head = reader.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]


@pytest.mark.parametrize("query", ["fields=id", "page=1", "limit=5", "expand=product"])
def test_an_unknown_query_parameter_is_refused_by_name(reader, path, query):
    assert_invalid(reader.get(f"{path}?{query}"), query.partition("=")[0])


def test_every_unknown_query_parameter_is_named(reader, path):
    assert_invalid(reader.get(f"{path}?a=1&b=2&a=3"), "a", "b")


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "TRACE", "PURGE", "get-level"])
def test_other_methods_are_not_allowed(api, path, method):
    response = api.request(method, path, {})
    assert_error(response, 405, "METHOD_NOT_ALLOWED", fields=set())
    allowed = set(re.split(r", *", response.headers["Allow"]))
    assert {"GET", "PATCH", "DELETE"} <= allowed
    assert not {"POST", "PUT"} & allowed


def test_nobody_reads_without_a_key(level, path):
    response = Api().get(path)
    assert_error(response, 401, "MISSING_AUTHORIZATION")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
