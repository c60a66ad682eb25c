"""Recommendations written while others change what they are computed from."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from inventory_levels.planning import Policy, recommend
from tests.inventory_levels.test_planning import Level
from tests.live import (
    LEVELS,
    Database,
    InBackground,
    codes,
    new_level,
    new_product,
    together,
)
from tests.replay import history, replay

pytestmark = pytest.mark.usefixtures("history_agrees")

PLANNED = {"forecastQuantity": 1, "expectedLeadTimeDays": 7, "replenishmentPeriodDays": 14}
MANY, TURNS = 8, 20


def recommended(state: dict[str, Any]) -> dict[str, Any]:
    """What is recommended for a level in this state."""
    found = recommend(
        Level(
            forecast_quantity=Decimal(str(state["forecastQuantity"])),
            expected_lead_time_days=state["expectedLeadTimeDays"],
            replenishment_period_days=state["replenishmentPeriodDays"],
        ),
        Policy(),
    ).quantities
    assert found is not None
    return {
        "minQuantity": found.min_quantity,
        "reorderQuantity": found.reorder_quantity,
        "maxQuantity": found.max_quantity,
    }


def test_each_is_computed_from_the_level_as_it_is_when_written(live_api, live_database):
    products = [new_product(live_api, f"replanned-{number}") for number in range(MANY)]
    levels = [new_level(live_api, product, **PLANNED)["id"] for product in products]

    def change() -> list[Any]:
        return [
            live_api.patch(f"/inventory-levels/{level}", {"forecastQuantity": turn + 10})
            for turn in range(TURNS)
            for level in reversed(levels)  # against the order in which apply goes
        ]

    def apply() -> list[Any]:
        query = {"apply": True, "productMasterId": products}
        return [live_api.post("/inventory-levels/recommendations", query) for _ in range(TURNS)]

    changed, *applied = together(change, apply, apply)
    assert codes(changed) == {200: TURNS * MANY}
    for answers in applied:
        assert codes(answers) == {200: TURNS}
        for answer in answers:
            counts = answer.json()
            assert counts["updated"] + counts["unchanged"] == MANY
            assert counts["results"] == []

    apply()
    assert_as_recommended(live_database, levels)


def assert_as_recommended(database: Database, levels: list[str]) -> None:
    """Whatever was applied is what is recommended for the level as it was then, and is now."""
    for level in levels:
        entries = history(database)[level]
        states = replay(entries)
        applied = [
            state
            for (_, action, changes), state in zip(entries, states, strict=True)
            if action == "UPDATE" and "forecastQuantity" not in changes
        ]
        assert applied
        for state in (*applied, states[-1]):
            assert state | recommended(state) == state


def test_what_changes_while_it_waits_for_another_level_counts(live_api, live_database):
    """PostgreSQL holds the first level up; on SQLite, where all writers take turns, everything."""
    products = [new_product(live_api, f"held-up-{number}") for number in range(2)]
    first, second = (new_level(live_api, product, **PLANNED)["id"] for product in products)
    query = {"apply": True, "productMasterId": products}
    with live_database.locked_row(LEVELS, first):
        applying = InBackground(lambda: live_api.post("/inventory-levels/recommendations", query))
        if live_database.is_postgresql:
            wait_for_a_waiter(live_database)
        changing = InBackground(
            lambda: live_api.patch(f"/inventory-levels/{second}", {"forecastQuantity": 900})
        )
        if live_database.is_postgresql:
            assert changing.result().status_code == 200
    assert changing.result().status_code == 200
    assert applying.result().json()["updated"] == 2
    assert live_api.post("/inventory-levels/recommendations", query).status_code == 200
    assert_as_recommended(live_database, [first, second])


def wait_for_a_waiter(database: Database) -> None:
    deadline = time.monotonic() + 10
    while not database.query("SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)
