"""Where a recommendation is to be taken with care, and how often the remarks are right."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from inventory_levels.planning import Policy, recommend
from inventory_levels.remarks import CHECKED_DAILY, counted_remarks, remarks
from tests.inventory_levels.test_planning import EXAMPLE, Level, planned

OF_A = replace(EXAMPLE, abc_class="A")


def remarks_on(of: Level, **policy: Any) -> list[str]:
    return [one.sentence for one in remarks(of, recommend(of, Policy(**policy)))]


@pytest.mark.parametrize(
    ("of", "begin"),
    [
        (OF_A, []),
        (replace(OF_A, forecast_period_days=None), ["No forecast period is set"]),
        (replace(OF_A, status="Inactive"), ["The level's status is Inactive"]),
        (planned(0, 30, 7, 14), ["No demand is forecast"]),
        (planned(200, 30, 0, 14), ["Without a lead time", "Where stock is checked once a day"]),
        (planned(1, 30, 0, 60), ["Without a lead time"]),
        (planned("4.99", 1, 1, 60), ["Less than 5 units", "Where stock is checked once a day"]),
        (planned(2, 1, 1, 14), ["Less than 5 units"]),
        (planned(2, 1, 2, 14, abc_class="C"), ["Less than 5 units"]),
        (planned(1, 2, 9, 60), ["Less than 5 units"]),
        (planned(1, 2, 10, 60), []),
        (planned(1, 1000, 10, 1), ["Less than 5 units", "The maximum is the reorder point"]),
        (planned(10, 1, 1, 60), ["Where stock is checked once a day"]),
        (replace(EXAMPLE, forecast_quantity=None, forecast_period_days=None), []),
    ],
)
def test_a_planner_is_told_where_to_take_care(of, begin):
    found = remarks_on(of)
    assert len(found) == len(begin)
    for remark, beginning in zip(found, begin, strict=True):
        assert remark.startswith(beginning)
        assert remark.endswith(".")


@pytest.mark.parametrize(
    ("of", "promised", "simulated"),
    [
        (planned(10, 1, 0, 14), 95, 9.9),
        (planned(40, 1, 1, 14), 95, 30.2),
        (planned(100, 1, 3, 14, abc_class="A"), 98, 38.3),
        (planned(40, 1, 2, 14), 95, 40.2),
        (planned(40, 1, 7, 14), 95, 66.0),
        (planned(30, 1, 10, 14), 95, 76.9),
        (planned("2.93", 1, 1, 14, abc_class="A"), 98, 90.6),
    ],
)
def test_what_it_costs_to_check_once_a_day_is_told(of, promised, simulated):
    """Beside what 40,000 cycles of benchmarks/service_levels.py come to."""
    *_, remark = remarks_on(of)
    told = re.fullmatch(
        r"Where stock is checked once a day and not at each movement, about (\d+) % of the cycles "
        rf"end without running out, not {promised} %\. A day more of lead time makes up for it\.",
        remark,
    )
    assert told
    assert float(told[1]) == pytest.approx(simulated, abs=2)


def test_the_figure_follows_the_reorder_point_as_it_is_rounded():
    """At 15.2015 and not 16 fewer cycles are kept."""
    assert "about 63 %" in remarks_on(planned(10, 1, 1, 60))[0]
    assert "about 57 %" in remarks_on(planned(10, 1, 1, 60), decimals=4)[0]


def test_of_many_levels_each_kind_of_remark_is_counted():
    several = [planned(1, 2, 9, 60), planned(40, 1, 7, 28), planned(1, 3, 9, 60), OF_A]
    found = [remarks(of, recommend(of, Policy())) for of in several]
    assert counted_remarks(found) == [
        "2 are slow movers, of less than 5 units over the lead time: the service level reached "
        "may differ from the one promised.",
        "1 misses the service level by more than 5 points if stock is checked once a day and not "
        "at each movement. A day more of lead time makes up for it.",
    ]
    assert [one.care for one in found[1]] == [CHECKED_DAILY]
