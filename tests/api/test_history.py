"""GET /api/inventory-levels/{id}/history and GET /api/inventory-levels/history."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from inventory_levels import services
from inventory_levels.models import LevelChange
from inventory_levels.services import LevelRow, Origin
from organizations.actors import Actor
from organizations.models import ApiKey
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.answers import NO_LEVEL, TIME, assert_error, assert_invalid
from tests.conftest import FULL_EXAMPLE, Api, issue_key, signed_in

PATH = "/inventory-levels"
ALL = f"{PATH}/history"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
SETTINGS = {name: value for name, value in FULL_EXAMPLE.items() if name not in PAIR}


def get(api: Api, path: str, **query: Any) -> list[dict[str, Any]]:
    response = api.get(f"{path}?{urlencode(query)}")
    assert response.status_code == 200, response.content
    return response.json()["items"]


def of(level: dict[str, Any]) -> str:
    return f"{PATH}/{level['id']}/history"


@pytest.fixture
def path(level) -> str:
    return of(level)


# --- entries


def test_the_first_entry_tells_all_that_was_set_and_by_whom(api, level, path):
    key = ApiKey.objects.get()
    assert get(api, path) == [
        {
            "action": "CREATE",
            "at": level["createdAt"],
            "actor": {"type": "apiKey", "id": key.public_id, "name": "ERP"},
            "source": "api",
            "reason": None,
            "version": 1,
            "levelId": level["id"],
            "productMasterId": "prod_123",
            "locationId": "loc_123",
            "changes": {name: {"old": None, "new": value} for name, value in SETTINGS.items()},
        }
    ]


def test_a_create_tells_only_the_values_that_were_set(api):
    level = api.post(PATH, PAIR | {"minQuantity": 0, "comments": "", "abcClass": None}).json()
    (entry,) = get(api, of(level))
    assert entry["changes"] == {
        "minQuantity": {"old": None, "new": 0},
        "status": {"old": None, "new": "Supported"},
    }


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"minQuantity": 60}, {"minQuantity": {"old": 50, "new": 60}}),
    ({"minQuantity": 0.5}, {"minQuantity": {"old": 50, "new": 0.5}}),
    ({"minQuantity": None}, {"minQuantity": {"old": 50, "new": None}}),
    ({"minQuantity": 50, "maxQuantity": 500.5}, {"maxQuantity": {"old": 500, "new": 500.5}}),
    ({"maxQuantity": 99999999999.9999}, {"maxQuantity": {"old": 500, "new": 99999999999.9999}}),
    ({"status": "inactive"}, {"status": {"old": "Supported", "new": "Inactive"}}),
    ({"abcClass": ""}, {"abcClass": {"old": "A", "new": None}}),
    ({"expectedLeadTimeDays": 0}, {"expectedLeadTimeDays": {"old": 7, "new": 0}}),
    (
        {"comments": "Größe ≥ 5 😀"},
        {"comments": {"old": "High priority item", "new": "Größe ≥ 5 😀"}},
    ),
    ({"preferredBinLocationId": None}, {"preferredBinLocationId": {"old": "bin_123", "new": None}}),
    (
        {"replenishmentLocationId": "bin_123"},
        {"replenishmentLocationId": {"old": "loc_456", "new": "bin_123"}},
    ),
    (
        {"forecastQuantity": None, "forecastPeriodDays": 7},
        {
            "forecastQuantity": {"old": 200, "new": None},
            "forecastPeriodDays": {"old": 30, "new": 7},
        },
    ),
]


@pytest.mark.parametrize("way", ["patch", "post", "bulk"])
@pytest.mark.parametrize(("values", "changes"), CHANGES)
def test_an_update_tells_only_what_changed_old_and_new(api, level, path, way, values, changes):
    if way == "patch":
        assert api.patch(f"{PATH}/{level['id']}", values).status_code == 200
    elif way == "post":
        assert api.post(PATH, PAIR | values).status_code == 200
    else:
        assert api.post(f"{PATH}/bulk", {"items": [PAIR | values]}).json()["updated"] == 1
    newest, first = get(api, path)
    assert (newest["action"], newest["version"]) == ("UPDATE", 2)
    assert newest["changes"] == changes
    assert newest["source"] == ("bulk" if way == "bulk" else "api")
    assert newest["at"] == api.get(f"{PATH}/{level['id']}").json()["updatedAt"]
    assert first["action"] == "CREATE"
    for change in newest["changes"].values():  # 0 == 0.0 == False in Python, not in JSON
        assert all(type(value) in (int, float, str, type(None)) for value in change.values())


def test_numbers_are_written_as_they_went_in(api, level, path):
    api.patch(f"{PATH}/{level['id']}", {"minQuantity": 12.5, "maxQuantity": 500.10})
    newest, first = json.loads(api.get(path).content, parse_int=str, parse_float=str)["items"]
    assert newest["changes"]["minQuantity"] == {"old": "50", "new": "12.5"}
    assert newest["changes"]["maxQuantity"] == {"old": "500", "new": "500.1"}
    assert first["changes"]["expectedLeadTimeDays"] == {"old": None, "new": "7"}
    assert (newest["version"], first["version"]) == ("2", "1")


def test_a_delete_tells_what_was_lost_at_one_version_more(api, level, path):
    api.patch(f"{PATH}/{level['id']}", {"comments": None, "abcClass": None})
    api.delete(f"{PATH}/{level['id']}")
    entry = get(api, path)[0]
    lost = {name: value for name, value in SETTINGS.items() if name not in ("comments", "abcClass")}
    assert entry["changes"] == {name: {"old": value, "new": None} for name, value in lost.items()}
    assert (entry["action"], entry["version"], entry["source"]) == ("DELETE", 3, "api")
    assert entry.keys() == get(api, path)[1].keys()
    assert TIME.fullmatch(entry["at"])
    assert entry["at"] >= get(api, path)[1]["at"]


def test_the_history_is_readable_after_the_level_and_all_it_names_are_gone(api, level, path):
    before = get(api, path)
    api.delete(f"{PATH}/{level['id']}")
    for gone in ("/products/prod_123", "/locations/bin_123", "/locations/loc_123"):
        assert api.delete(gone).status_code == 200
    after = get(api, path)
    assert [entry["action"] for entry in after] == ["DELETE", "CREATE"]
    assert after[1:] == before
    assert get(api, ALL) == after


def test_a_pair_that_is_made_again_has_a_history_of_its_own(api, level, path):
    api.delete(f"{PATH}/{level['id']}")
    again = api.post(PATH, PAIR).json()
    assert [entry["action"] for entry in get(api, path)] == ["DELETE", "CREATE"]
    assert [(entry["action"], entry["version"]) for entry in get(api, of(again))] == [("CREATE", 1)]
    assert len(get(api, ALL)) == 3


def test_the_newest_come_first_and_versions_are_complete(api, level, path):
    for quantity in range(1, 6):
        api.patch(f"{PATH}/{level['id']}", {"minQuantity": quantity})
    entries = get(api, path)
    assert [entry["version"] for entry in entries] == [6, 5, 4, 3, 2, 1]
    times = [entry["at"] for entry in entries]
    assert times == sorted(times, reverse=True)
    assert all(TIME.fullmatch(at) for at in times)


def test_what_changes_nothing_is_not_in_the_history(api, level, path):
    before = get(api, ALL)
    api.post(PATH, FULL_EXAMPLE)
    api.post(PATH, PAIR)
    api.patch(f"{PATH}/{level['id']}", {"minQuantity": 50.0, "abcClass": "a"})
    api.patch(f"{PATH}/{level['id']}", {})
    api.post(f"{PATH}/bulk", {"items": [FULL_EXAMPLE]})
    api.post(f"{PATH}/bulk", {"items": [PAIR | {"minQuantity": 1}], "dryRun": True})
    assert api.patch(f"{PATH}/{level['id']}", {"minQuantity": 501}).status_code == 400
    assert get(api, ALL) == get(api, path) == before


# --- who, by which way, and why


def test_the_actor_is_the_key_by_its_name_at_the_time(api, acme, level, path):
    (erp,) = ApiKey.objects.all()
    other = Api(issue_key(acme.organization))
    ApiKey.objects.exclude(pk=erp.pk).update(name="Importer")
    other.patch(f"{PATH}/{level['id']}", {"minQuantity": 1})
    ApiKey.objects.update(name="Renamed")
    newest, first = get(api, path)
    assert (newest["actor"]["type"], newest["actor"]["name"]) == ("apiKey", "Importer")
    assert first["actor"]["name"] == "ERP"
    assert first["actor"]["id"] == erp.public_id
    assert newest["actor"]["id"].startswith("key_")
    assert newest["actor"]["id"] != erp.public_id


def test_the_actor_is_the_user_who_is_signed_in(api, acme, level, path):
    browser = signed_in(acme.organization, "editor", username="lena")
    browser.patch(f"{PATH}/{level['id']}", {"minQuantity": 1})
    browser.post(f"{PATH}/bulk", {"items": [PAIR | {"minQuantity": 2}]})
    browser.delete(f"{PATH}/{level['id']}")
    entries = get(api, path)[:-1]
    (actor,) = {tuple(entry["actor"].items()) for entry in entries}
    assert dict(actor).keys() == {"type", "id", "name"}
    assert (dict(actor)["type"], dict(actor)["name"]) == ("user", "lena")
    assert isinstance(dict(actor)["id"], str)
    assert [entry["source"] for entry in entries] == ["api", "bulk", "api"]
    assert get(api, ALL, actor=dict(actor)["id"]) == entries


def test_sources_commands_and_reasons_are_told(api, acme, level, path):
    actor = Actor.of_command("set_levels")
    with organization_scope(acme.organization):
        for number, source in enumerate(LevelChange.Source):
            row = LevelRow({"expected_lead_time_days": number}, level=level["id"])
            services.save_level(row, origin=Origin(actor, source, reason=f"because {number} ≥ 0"))
    entries = get(api, path)[:-1]
    told = [(entry["source"], entry["reason"]) for entry in reversed(entries)]
    assert told == [
        ("api", "because 0 ≥ 0"),
        ("bulk", "because 1 ≥ 0"),
        ("import", "because 2 ≥ 0"),
        ("admin", "because 3 ≥ 0"),
        ("command", "because 4 ≥ 0"),
    ]
    assert entries[0]["actor"]["type"] == "command"
    assert entries[0]["actor"]["name"] == "set_levels"


# --- whose


def test_the_history_of_a_level_that_never_was_or_is_foreign_is_a_404(api, stranger, example):
    theirs = stranger.post(PATH, example).json()
    missing = api.get(f"{PATH}/level_nothing/history")
    assert_error(missing, 404, "NOT_FOUND", error=NO_LEVEL, fields=set())
    foreign = api.get(of(theirs))
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    stranger.delete(f"{PATH}/{theirs['id']}")
    assert api.get(of(theirs)).content == missing.content
    assert len(get(stranger, of(theirs))) == 2
    assert get(api, ALL) == []


def test_each_organization_has_its_own_list(api, stranger, example):
    ours = api.post(PATH, example).json()
    theirs = stranger.post(PATH, example).json()
    assert [entry["levelId"] for entry in get(api, ALL)] == [ours["id"]]
    assert [entry["levelId"] for entry in get(stranger, ALL)] == [theirs["id"]]
    their_key = get(stranger, ALL)[0]["actor"]["id"]
    assert get(api, ALL, actor=their_key) == []


def test_the_list_is_all_levels_histories_together(api, level):
    other = api.post(PATH, {"productMasterId": "prod_123", "locationId": "bin_123"}).json()
    api.patch(f"{PATH}/{level['id']}", {"minQuantity": 1})
    api.delete(f"{PATH}/{other['id']}")
    entries = get(api, ALL)
    assert [(entry["levelId"], entry["version"]) for entry in entries] == [
        (other["id"], 2),
        (level["id"], 2),
        (other["id"], 1),
        (level["id"], 1),
    ]
    assert sorted(map(str, entries)) == sorted(map(str, get(api, of(level)) + get(api, of(other))))


# --- filters

START = datetime.fromisoformat("2026-05-01T08:00:00+00:00")
ACTORS = ["key_1", "key_2", "7"]
FILTERS: dict[str, list[str | None]] = {
    "actor": [None, "key_1", "7", "KEY_1", "nobody"],
    "source": [None, "api", "bulk,import", "command"],
    "updatedSince": [None, "2026-05-01T08:00:05Z", "2026-05-01T08:00:05.000001Z"],
    "updatedBefore": [None, "2026-05-01T08:00:20Z", "2026-05-01T08:00:20.000001Z"],
}


def make_entry(organization: Any, number: int) -> LevelChange:
    source = list(LevelChange.Source)[number % 5]
    return LevelChange(
        organization=organization,
        level_public_id=f"level_{number % 2}",
        product_public_id="prod_123",
        location_public_id="loc_123",
        action="CREATE" if number < 2 else "UPDATE",
        version=number // 2 + 1,
        changes={"minQuantity": {"old": number, "new": number + 1}},
        actor_type="apiKey",
        actor_id=ACTORS[number % 3],
        actor_name="ERP",
        source=source,
        at=START + timedelta(seconds=number // 2),
    )


@pytest.mark.parametrize("path", [ALL, f"{PATH}/level_1/history"])
def test_filters_alone_and_together_in_pages_and_by_cursor(reader, acme, path):
    made = [make_entry(acme.organization, number) for number in range(60)]
    LevelChange._base_manager.bulk_create(made)
    other = factories.OrganizationFactory()
    LevelChange._base_manager.bulk_create(make_entry(other, number) for number in range(60))
    if path != ALL:
        made = made[1::2]
    for actor, source, since, before in product(*FILTERS.values()):
        expected = [
            (entry.level_public_id, entry.version)
            for entry in reversed(made)
            if actor in (None, entry.actor_id)
            if source is None or entry.source in source.split(",")
            if since is None or entry.at >= datetime.fromisoformat(since)
            if before is None or entry.at < datetime.fromisoformat(before)
        ]
        values = zip(FILTERS, (actor, source, since, before), strict=True)
        query = {name: value for name, value in values if value is not None}
        found = get(reader, path, limit=100, **query)
        assert [(entry["levelId"], entry["version"]) for entry in found] == expected, query
        assert get(reader, path, cursor="", limit=100, **query) == found
    assert {entry["levelId"] for entry in get(reader, path, limit=100)} == {
        f"level_{number}" for number in ((0, 1) if path == ALL else (1,))
    }


@pytest.mark.parametrize("path", [ALL, f"{PATH}/level_1/history"])
def test_a_walk_meets_every_entry_once_while_others_are_added(api, acme, level, path):
    LevelChange._base_manager.bulk_create(
        make_entry(acme.organization, number) for number in range(60)
    )
    before = get(api, path, limit=100)
    found, cursor = [], ""
    while cursor is not None:
        body = api.get(f"{path}?cursor={cursor}&limit=7").json()
        assert body["pagination"].keys() == {"pageSize", "nextCursor"}
        found += body["items"]
        cursor = body["pagination"]["nextCursor"]
        api.patch(f"{PATH}/{level['id']}", {"minQuantity": len(found)})
    assert found == before


REFUSED = [
    *(("source", text) for text in ["", "API", "email", "api,", ",", "api,email", "api;bulk"]),
    *(("actor", text) for text in ["", "\x00", "x" * 256]),
    *(("updatedSince", text) for text in ["", "yesterday", "2026-05-01", "2026-05-01T08:00:00"]),
    *(("updatedBefore", text) for text in ["", "0", "2026-05-01T08:00:00 02:00"]),
    *((name, "x") for name in ["ordering", "search", "action", "levelId", "Actor", "status"]),
    ("limit", "501"),
    ("page", "0"),
]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_unknown_parameters_and_malformed_values_are_refused_by_name(api, path, name, text):
    for where in (ALL, path):
        assert_invalid(api.get(f"{where}?{urlencode({name: text})}"), name)


@pytest.mark.parametrize("name", ["actor", "source", "updatedSince", "updatedBefore", "limit"])
def test_a_parameter_that_comes_twice_is_refused(api, path, name):
    value = {"source": "api", "limit": "5", "actor": "a"}.get(name, "2026-05-01T08:00:00Z")
    for where in (ALL, path):
        assert_invalid(api.get(f"{where}?{name}={value}&{name}={value}"), name)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nobody_changes_the_history(api, path, method):
    before = get(api, path)
    for where in (ALL, path):
        assert_error(api.request(method, where, {}), 405, "METHOD_NOT_ALLOWED")
    assert get(api, path) == before


def test_both_spellings_of_the_paths_answer(api, path):
    assert api.get(f"{path}/").json() == api.get(path).json()
    assert api.get(f"{ALL}/").json() == api.get(ALL).json()
