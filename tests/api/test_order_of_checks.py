"""Which of two faults a request is refused for: the contract's order of checks, pair by pair."""

import json
from dataclasses import dataclass, field

import pytest
from django.db import transaction

from inventory_levels.models import InventoryLevel
from organizations.models import ApiKey, Organization
from tests import factories
from tests.api.answers import (
    NO_LEVEL,
    NO_REFERENCE,
    OUT_OF_ORDER,
    assert_error,
    case,
    stored,
)


@dataclass
class Draft:
    """A request that is fine, until faults are put into it."""

    method: str
    path: str
    body: dict | None
    headers: dict = field(default_factory=dict)
    prefix: str = ""
    ending: bytes = b""

    def send(self, api):
        data = None if self.body is None else json.dumps(self.body).encode() + self.ending
        return api.request(self.method, self.prefix + self.path, data, **self.headers)


def unknown_path(draft):
    draft.prefix = "/nothing"


def key(draft):
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")


def organization(draft):
    Organization.objects.update(is_active=False)


def address(draft):
    ApiKey.objects.update(allowed_ips=["192.0.2.0/24"])


def method(draft):
    draft.method = "PUT"


def scope(draft):
    ApiKey.objects.update(scopes=["inventory:read"])


def media_type(draft):
    draft.headers["Content-Type"] = "text/plain"


def size(draft):
    draft.ending += b" " * 2**20


def syntax(draft):
    draft.ending += b"}"


def fields(draft):
    draft.body["minQuanity"] = 5


def level(draft):
    draft.path = "/inventory-levels/level_missing"


def reference(draft):
    draft.body["preferredBinLocationId"] = "bin_missing"


def location(draft):
    draft.body["locationId"] = "loc_456"


def place(draft):
    draft.body["replenishmentLocationId"] = "loc_123"


def state(draft):
    draft.headers["If-Match"] = '"other"'


def quantities(draft):
    draft.body["minQuantity"] = 1000


# Fault, status, code, sentence (None: not published), fields in details (None: not looked at).
ORDER = [
    (unknown_path, 404, "NOT_FOUND", None, set()),
    (key, 401, "REVOKED_API_KEY", None, set()),
    (organization, 403, "INACTIVE_ORGANIZATION", None, set()),
    (address, 403, "IP_RESTRICTION", None, set()),
    (method, 405, "METHOD_NOT_ALLOWED", None, set()),
    (scope, 403, "INSUFFICIENT_SCOPE", None, set()),
    (media_type, 415, "UNSUPPORTED_MEDIA_TYPE", None, set()),
    (size, 413, "PAYLOAD_TOO_LARGE", None, set()),
    (syntax, 400, "INVALID_JSON", None, set()),
    (fields, 400, "VALIDATION_ERROR", None, {"minQuanity"}),
    (level, 404, "NOT_FOUND", NO_LEVEL, set()),
    (reference, 404, "NOT_FOUND", NO_REFERENCE, None),
    (location, 400, "VALIDATION_ERROR", None, {"locationId"}),
    (place, 400, "VALIDATION_ERROR", None, {"replenishmentLocationId"}),
    (state, 412, "PRECONDITION_FAILED", None, set()),
    (quantities, 400, "INVALID_QUANTITIES", OUT_OF_ORDER, None),
]
NOT_IN_A_POST = {level, location}  # it names no level, and any location is fine
IN_A_DELETE = {unknown_path, key, organization, address, method, scope, level, state}
IN_A_GET = {unknown_path, key, organization, address, method, level}
# Both are of one step, and reported at once.
ONE_STEP = {(location, place)}


def checks(allowed=lambda fault: True):
    """A test each: one check, and the faults that only later checks find."""
    found = [check for check in ORDER if allowed(check[0])]
    return pytest.mark.parametrize(
        ("check", "later"),
        [
            pytest.param(
                check,
                [fault for fault, *_ in found[n:] if (check[0], fault) not in ONE_STEP],
                id=check[0].__name__,
            )
            for n, check in enumerate(found, start=1)
        ],
    )


def assert_check_wins(api, new_draft, check, later):
    """Over no other fault, over each later one alone, and over all of them together."""
    fault, status, code, sentence, details = check
    before = stored()
    for others in ([], *([other] for other in later), later):
        with case([other.__name__ for other in others]), transaction.atomic():
            draft = new_draft()
            for put in (*others, fault):
                put(draft)
            response = draft.send(api)
            transaction.set_rollback(True)  # what was done to the key and the organization
            assert_error(response, status, code, error=sentence, fields=details)
        assert stored() == before


CHANGE = {"minQuantity": 5, "comments": "changed"}  # in order with the stored level


@checks()
def test_a_patch_is_refused_for_the_earliest_of_its_faults(api, level, check, later):
    def draft():
        return Draft("PATCH", f"/inventory-levels/{level['id']}", dict(CHANGE))

    assert_check_wins(api, draft, check, later)


@checks(lambda fault: fault not in NOT_IN_A_POST)
@pytest.mark.parametrize("exists", [True, False], ids=["update", "create"])
def test_a_post_is_refused_for_the_earliest_of_its_faults(
    api, example, level, exists, check, later
):
    if not exists:
        InventoryLevel._base_manager.all().delete()

    def draft():
        pair = {"productMasterId": "prod_123", "locationId": "loc_123"}
        return Draft("POST", "/inventory-levels", pair | CHANGE if exists else dict(example))

    assert_check_wins(api, draft, check, later)


@checks(lambda fault: fault in IN_A_DELETE)
def test_a_delete_is_refused_for_the_earliest_of_its_faults(api, level, check, later):
    def draft():
        return Draft("DELETE", f"/inventory-levels/{level['id']}", None)

    assert_check_wins(api, draft, check, later)


@checks(lambda fault: fault in IN_A_GET)
def test_a_get_is_refused_for_the_earliest_of_its_faults(api, level, check, later):
    def draft():
        return Draft("GET", f"/inventory-levels/{level['id']}", None)

    assert_check_wins(api, draft, check, later)


def test_the_draft_itself_is_accepted(api, level):
    draft = Draft("PATCH", f"/inventory-levels/{level['id']}", CHANGE)
    assert draft.send(api).status_code == 200


def test_a_key_that_does_not_exist_comes_before_everything_but_the_path(api, level):
    api.key = "ilk_00000000_nonsense"
    assert_error(api.request("PUT", "/inventory-levels", b"x"), 401, "INVALID_API_KEY")
    assert_error(api.request("PUT", "/nothing", b"x"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["/nothing", "/inventory-level", "/inventory-levels/a/b", "/Inventory-Levels"]
)
def test_an_unknown_path_needs_no_key(api, path):
    for key in (api.key, None):
        api.key = key
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"):
            assert_error(api.request(method, path, {}), 404, "NOT_FOUND", fields=set())


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0.1", "rubbish", ""])
def test_accept_never_gives_406(api, level, accept):
    path = f"/inventory-levels/{level['id']}"
    found = api.get(path, Accept=accept)
    assert (found.status_code, found.json()) == (200, level)
    assert found.headers["Content-Type"] == "application/json"
    assert_error(api.patch(path, {"status": 5}, Accept=accept), 400, "VALIDATION_ERROR")
    assert_error(api.get("/nothing", Accept=accept), 404, "NOT_FOUND")
    assert_error(api.request("PUT", path, {}, Accept=accept), 405, "METHOD_NOT_ALLOWED")


def test_a_missing_level_of_others_comes_before_its_references(api):
    theirs = factories.LevelFactory()
    body = {"preferredBinLocationId": "bin_missing", "locationId": "loc_456"}
    response = api.patch(f"/inventory-levels/{theirs.public_id}", body)
    assert_error(response, 404, "NOT_FOUND", error=NO_LEVEL)
