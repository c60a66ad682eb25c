"""Recommendations written while others change what they are computed from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory_levels.planning import Policy, recommend
from tests.inventory_levels.test_planning import Level
from tests.live import codes, new_level, new_product, together
from tests.replay import history, replay

pytestmark = pytest.mark.usefixtures("history_agrees")

PLANNED = {"forecastQuantity": 1, "expectedLeadTimeDays": 7, "replenishmentPeriodDays": 14}
LEVELS, TURNS = 8, 20


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
    products = [new_product(live_api, f"replanned-{number}") for number in range(LEVELS)]
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
    assert codes(changed) == {200: TURNS * LEVELS}
    for answers in applied:
        assert codes(answers) == {200: TURNS}
        for answer in answers:
            counts = answer.json()
            assert counts["updated"] + counts["unchanged"] == LEVELS
            assert counts["results"] == []

    apply()
    written = 0
    for level in levels:
        entries = history(live_database)[level]
        states = replay(entries)
        for (_, action, changes), state in zip(entries, states, strict=True):
            if action == "UPDATE" and "forecastQuantity" not in changes:
                written += 1
                assert {name: state[name] for name in recommended(state)} == recommended(state)
        assert {name: states[-1][name] for name in recommended(states[-1])} == recommended(
            states[-1]
        )
    assert written > LEVELS
