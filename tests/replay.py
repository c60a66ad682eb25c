"""History against rows: what the entries of a level's history lead to must be the level."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conftest import FULL_EXAMPLE, Api
from tests.live import HISTORY, ORGANIZATIONS, Database, State, everything

SETTINGS = [name for name in FULL_EXAMPLE if name not in ("productMasterId", "locationId")]


def history(database: Database) -> dict[str, list[tuple[int, str, State]]]:
    """Version, action and changes of each level's history, oldest first, by the level's id."""
    entries: dict[str, list[tuple[int, str, State]]] = {}
    for level, version, action, changes in database.query(
        f"SELECT level_public_id, version, action, changes FROM {HISTORY} WHERE organization_id ="
        f" (SELECT id FROM {ORGANIZATIONS} WHERE name = 'Acme') ORDER BY version, id"
    ):
        known = changes if isinstance(changes, dict) else json.loads(changes)
        entries.setdefault(level, []).append((version, action, known))
    return entries


def replay(entries: list[tuple[int, str, State]]) -> list[State]:
    """The settings after each entry, which must build on the one before."""
    states: list[State] = []
    state: State = dict.fromkeys(SETTINGS)
    for number, (version, action, changes) in enumerate(entries, start=1):
        assert version == number, "one entry a version, none missing"
        assert (action == "CREATE") == (number == 1)
        assert action != "DELETE" or number == len(entries)
        assert changes, "an entry that changes nothing"
        for name, change in changes.items():
            assert change["old"] == state[name], (version, name)
            assert change["new"] != change["old"], (version, name)
        state = state | {name: change["new"] for name, change in changes.items()}
        states.append(state)
    return states


def settings_of(level: State) -> State:
    return {name: level[name] for name in SETTINGS}


def assert_history_agrees(
    api: Api, database: Database, before: dict[str, list[tuple[int, str, State]]] | None = None
) -> None:
    """Every level is what its history leads to; with ``before``, every level that changed since."""
    levels = {level["id"]: level for level in everything(api, "/inventory-levels")}
    entries = history(database)
    assert levels.keys() <= entries.keys(), "levels without a history"
    for public_id, of_level in entries.items():
        level = levels.get(public_id)
        if before is not None and len(before.get(public_id, ())) == len(of_level):
            continue
        states = replay(of_level)
        if of_level[-1][1] == "DELETE":
            assert level is None
            assert states[-1] == dict.fromkeys(SETTINGS)
        else:
            assert level is not None
            assert (len(states), states[-1]) == (level["version"], settings_of(level))


@pytest.fixture
def history_agrees(live_api: Api, live_database: Database) -> Iterator[None]:
    """Once the test is over, every level that it touched is what its history leads to."""
    before = history(live_database)
    yield
    assert_history_agrees(live_api, live_database, before)
