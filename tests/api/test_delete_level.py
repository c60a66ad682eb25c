"""DELETE /api/inventory-levels/{id}."""

import pytest

from tests import factories
from tests.api.answers import NO_LEVEL, assert_error, assert_invalid, history, stored

PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}


@pytest.fixture
def path(level):
    return f"/inventory-levels/{level['id']}"


def test_a_deletion_answers_as_published(api, path):
    response = api.delete(path)
    assert response.status_code == 200
    assert response.json() == {"success": True, "message": "Inventory level deleted"}


def test_a_deleted_level_is_gone_from_every_answer(api, path):
    api.delete(path)
    assert_error(api.get(path), 404, "NOT_FOUND", error=NO_LEVEL)
    assert_error(api.patch(path, {"minQuantity": 1}), 404, "NOT_FOUND", error=NO_LEVEL)
    assert_error(api.delete(path), 404, "NOT_FOUND", error=NO_LEVEL)
    assert api.get("/inventory-levels").json()["items"] == []


def test_both_spellings_of_the_path_answer_without_a_redirect(api, path):
    assert api.delete(f"{path}/").status_code == 200
    assert api.get(path).status_code == 404


def test_a_deletion_is_in_the_history_with_what_was_lost(api):
    body = PAIR | {"minQuantity": 0, "maxQuantity": 12.5, "preferredBinLocationId": "bin_123"}
    level = api.post("/inventory-levels", body).json()
    api.delete(f"/inventory-levels/{level['id']}")
    created, deleted = history()
    assert (deleted.action, deleted.version) == ("DELETE", 2)
    assert deleted.level_public_id == level["id"]
    assert (deleted.product_public_id, deleted.location_public_id) == ("prod_123", "loc_123")
    assert deleted.changes == {
        "minQuantity": {"old": 0, "new": None},
        "maxQuantity": {"old": 12.5, "new": None},
        "status": {"old": "Supported", "new": None},
        "preferredBinLocationId": {"old": "bin_123", "new": None},
    }
    assert (deleted.actor_type, deleted.actor_name) == ("apiKey", "ERP")
    assert (deleted.source, deleted.reason) == ("api", None)
    assert deleted.at > created.at


def test_only_the_named_level_is_deleted(api, path):
    other = api.post("/inventory-levels", PAIR | {"locationId": "loc_456"}).json()
    api.delete(path)
    assert api.get("/inventory-levels").json()["items"] == [other]


def test_a_pair_that_is_made_again_has_a_new_id_and_begins_anew(api, level, path, example):
    api.patch(path, {"minQuantity": 1})
    api.delete(path)
    response = api.post("/inventory-levels", example)
    assert response.status_code == 201
    answer = response.json()
    assert answer["id"] != level["id"]
    assert (answer["version"], answer["minQuantity"]) == (1, 50)
    assert answer["createdAt"] > level["createdAt"]
    assert api.get(path).status_code == 404


def test_product_and_locations_stay(api, acme, path):
    api.delete(path)
    acme.product.refresh_from_db()
    acme.location.refresh_from_db()
    acme.bin.refresh_from_db()


@pytest.mark.parametrize("id", ["level_missing", "prod_123", "..."])
def test_a_level_that_does_not_exist_is_a_404(api, level, id):
    before = stored()
    response = api.delete(f"/inventory-levels/{id}")
    assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL, fields=set())
    assert stored() == before


def test_a_level_of_others_is_indistinguishable_from_none(api, level):
    missing = api.delete("/inventory-levels/level_theirs")
    theirs = factories.LevelFactory(public_id="level_theirs")
    before = stored()
    foreign = api.delete("/inventory-levels/level_theirs")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    theirs.refresh_from_db()
    assert stored() == before


def test_a_key_that_only_reads_deletes_nothing(reader, level, path):
    before = stored()
    assert_error(reader.delete(path), 403, "INSUFFICIENT_SCOPE")
    assert stored() == before


def test_an_unknown_query_parameter_is_refused_by_name(api, path):
    before = stored()
    assert_invalid(api.delete(f"{path}?force=true"), "force")
    assert stored() == before


def test_all_levels_at_once_are_not_deleted(api, level):
    before = stored()
    assert_error(api.delete("/inventory-levels"), 405, "METHOD_NOT_ALLOWED")
    assert_error(api.delete("/inventory-levels/"), 405, "METHOD_NOT_ALLOWED")
    assert stored() == before
