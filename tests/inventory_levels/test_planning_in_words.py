"""What stands behind a recommendation, in words."""

from __future__ import annotations

from dataclasses import replace

from inventory_levels.planning import Policy, recommend
from inventory_levels.planning_in_words import explanation
from tests.inventory_levels.test_planning import EXAMPLE, Level, planned


def told(of: Level, policy: Policy | None = None) -> list[str]:
    return explanation(recommend(of, policy or Policy()))


def test_the_arithmetic_is_told_step_by_step():
    assert told(EXAMPLE) == [
        "Minimum: the safety stock, z 1.6449 (95 %) × √(6.667 a day × 7 days) = 11.24, "
        "rounded up to 12.",
        "Reorder point: 6.667 a day × 7 days lead time = 46.67, + 11.24 safety stock (95 %) "
        "= 57.90, rounded up to 58.",
        "Maximum: 57.90, + 6.667 a day × 14 days replenishment period = 151.24, rounded up to 152.",
    ]


def test_what_was_not_rounded_is_not_said_to_be():
    assert told(planned(0, 30, 1, 1)) == [
        "Minimum: the safety stock, z 1.6449 (95 %) × √(0 a day × 1 day) = 0.",
        "Reorder point: 0 a day × 1 day lead time = 0, + 0 safety stock (95 %) = 0.",
        "Maximum: 0, + 0 a day × 1 day replenishment period = 0.",
    ]


def test_with_decimals_it_shows_more_of_them_than_are_stored():
    first, *_ = told(EXAMPLE, Policy(decimals=2))
    assert first.endswith("= 11.2365, rounded up to 11.24.")


def test_where_nothing_is_recommended_there_is_nothing_to_explain():
    assert told(replace(EXAMPLE, forecast_quantity=None)) == []
