"""The expected stock: when orders fall due, when they arrive, how low it gets."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_levels.picture import (
    BOTTOM,
    LABEL_SPACE,
    LEFT,
    RIGHT,
    TOP,
    Course,
    Plan,
    course,
    draw,
    sentences,
)
from inventory_levels.planning import Policy, recommend
from tests.inventory_levels.test_planning import planned


def plan(**settings: Any) -> Plan:
    """Ten a day, from 100 down to 40, a delivery takes two days."""
    whole: dict[str, Any] = {"minimum": 10, "reorder": 40, "maximum": 100, "forecast": 300}
    whole |= {"forecast_period": 30, "lead_time": 2, **settings}
    for name in ("minimum", "reorder", "maximum", "forecast"):
        if whole[name] is not None:
            whole[name] = Decimal(str(whole[name]))
    return Plan(**whole)


def expected(**settings: Any) -> Course:
    result = course(plan(**settings))
    assert isinstance(result, Course), result
    return result


def test_stock_falls_to_the_reorder_point_and_is_filled_up_a_lead_time_later():
    assert expected().points[:4] == [(0, 100), (8, 20), (8, 80), (14, 20)]
    assert expected().orders[:3] == [(6, 40), (12, 40), (18, 40)]
    assert (expected().size, expected().cycle, expected().lowest) == (60, 6, 20)


def test_the_picture_reaches_four_weeks_and_three_orders_but_no_more_than_a_year():
    assert expected().days == 28
    assert expected(forecast=30).days == 182  # 3 × 60 + 2
    assert expected(forecast=1).days == 364


def test_an_empty_shelf_is_drawn_empty_until_the_delivery():
    late = expected(lead_time=5)
    assert late.points[:4] == [(0, 100), (10, 0), (11, 0), (11, 50)]
    assert late.lowest == -10


def test_several_orders_may_be_on_their_way_at_once():
    slow = expected(reorder=40, maximum=50, minimum=None, lead_time=3)
    assert slow.orders[:3] == [(1, 40), (2, 30), (3, 20)]
    assert slow.points[1:5] == [(4, 10), (4, 20), (5, 10), (5, 20)]


def test_without_a_reorder_point_the_minimum_is_one():
    assert expected(reorder=None, minimum=40).orders == expected().orders


def test_a_forecast_without_a_period_is_for_thirty_days():
    assert expected(forecast_period=None) == expected(forecast_period=30)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"reorder": None, "minimum": None}, "Set a reorder point to see the expected stock."),
        (
            {"maximum": None, "forecast": None, "lead_time": None},
            "Set a maximum, a forecast and a lead time to see the expected stock.",
        ),
        ({"forecast": 0}, "No demand is expected: stock stays where it is."),
        ({"reorder": 5}, "The quantities are out of order: min ≤ reorder point ≤ max."),
        (
            {"reorder": None, "minimum": 101},
            "The quantities are out of order: min ≤ reorder point ≤ max.",
        ),
        (
            {"maximum": 40},
            "What lies between the reorder point and the maximum lasts less than a day.",
        ),
    ],
)
def test_where_there_is_no_course_a_sentence_says_why(settings, said):
    assert course(plan(**settings)) == said
    assert sentences(plan(**settings)) == [said]
    assert draw(plan(**settings)).line == ""


def test_the_sentences_say_how_often_how_much_and_how_low():
    assert sentences(plan()) == [
        "About 60 units every 6 days, ordered 2 days ahead.",
        "Stock falls to about 20, not below the minimum of 10.",
    ]
    assert sentences(plan(minimum=None))[1] == "Stock falls to about 20 before a delivery."
    assert sentences(plan(lead_time=1))[0].endswith("ordered 1 day ahead.")


def test_the_sentences_say_where_to_order_when_it_is_too_late():
    assert sentences(plan(minimum=30))[1] == (
        "Stock falls to about 20, below the minimum of 30: order at 50 or more."
    )
    assert sentences(plan(lead_time=5))[1] == (
        "Stock runs out 1 day before each delivery: order at 60 or more."
    )


def test_order_points_that_are_advised_are_enough():
    assert sentences(plan(minimum=30, reorder=50))[1].endswith("not below the minimum of 30.")
    assert "falls to about 10," in sentences(plan(lead_time=5, reorder=60))[1]


@given(
    forecast=st.decimals("0.0001", "99999", places=4),
    period=st.integers(1, 400),
    lead_time=st.integers(0, 400),
    every=st.integers(0, 400),
    abc_class=st.sampled_from(["A", "B", "C", None]),
    decimals=st.integers(0, 4),
)
def test_what_is_recommended_draws_no_complaint(
    forecast, period, lead_time, every, abc_class, decimals
):
    level = planned(forecast, period, lead_time, every, abc_class=abc_class)
    quantities = recommend(level, Policy(decimals=decimals)).quantities
    assert quantities is not None
    told = sentences(
        Plan(
            minimum=quantities.min_quantity,
            reorder=quantities.reorder_quantity,
            maximum=quantities.max_quantity,
            forecast=level.forecast_quantity,
            forecast_period=level.forecast_period_days,
            lead_time=level.expected_lead_time_days,
            decimals=decimals,
        )
    )
    assert "or more" not in " ".join(told)


def test_a_minimum_missed_by_less_than_a_step_is_no_complaint():
    assert sentences(plan(minimum=20.5))[1] == (
        "Stock falls to about 20, just about the minimum of 20.5."
    )
    assert sentences(plan(minimum=20.5, decimals=1))[1] == (
        "Stock falls to about 20, below the minimum of 20.5: order at 40.5 or more."
    )
    assert "at 1,041 or more" in sentences(plan(minimum=1021, reorder=1021, maximum=2000))[1]


def test_zones_stack_up_to_the_maximum_and_marks_stand_at_their_quantities():
    drawing = draw(plan())
    assert [zone.kind for zone in drawing.zones] == ["low", "due", "ample"]
    assert sum(zone.height for zone in drawing.zones) == pytest.approx(
        BOTTOM - drawing.marks[-1].y, abs=0.2
    )
    assert [mark.label for mark in drawing.marks] == ["Min 10", "Reorder 40", "Max 100"]


def test_labels_of_close_quantities_keep_their_distance():
    heights = [mark.label_y for mark in draw(plan(minimum=39, reorder=40, maximum=41)).marks]
    assert all(lower - upper >= LABEL_SPACE for lower, upper in pairwise(heights))


def test_nothing_set_is_drawn_as_an_empty_band():
    drawing = draw(Plan())
    assert (drawing.marks, drawing.zones, drawing.orders) == ([], [], [])
    assert [tick.label for tick in drawing.ticks] == ["now", "1 wk", "2 wk", "3 wk", "4 wk"]


QUANTITIES = st.none() | st.decimals(0, "99999999999.9999", places=4)
DAYS = st.none() | st.integers(0, 36_500)


@given(
    st.builds(
        Plan,
        minimum=QUANTITIES,
        reorder=QUANTITIES,
        maximum=QUANTITIES,
        forecast=QUANTITIES,
        forecast_period=st.none() | st.integers(1, 36_500),
        lead_time=DAYS,
    )
)
def test_whatever_is_typed_the_drawing_stays_in_its_frame(settings):
    drawing = draw(settings)
    assert drawing.sentences
    points = [tuple(map(float, pair.split(","))) for pair in drawing.line.split()]
    for x, y in points + drawing.orders:
        assert LEFT - 0.1 <= x <= RIGHT + 0.1
        assert TOP - 0.1 <= y <= BOTTOM + 0.1
    assert points == sorted(points, key=lambda point: point[0])
    assert all(zone.height >= 0 for zone in drawing.zones)


@given(
    minimum=st.integers(0, 50),
    above=st.integers(0, 200),
    size=st.integers(1, 400),
    forecast=st.integers(1, 600),
    lead_time=st.integers(0, 60),
)
def test_stock_is_what_was_there_less_demand_plus_deliveries(
    minimum, above, size, forecast, lead_time
):
    """Followed day by day, the slow way."""
    settings = plan(
        minimum=minimum,
        reorder=minimum + above,
        maximum=minimum + above + size,
        forecast=forecast,
        lead_time=lead_time,
    )
    result = course(settings)
    if isinstance(result, str):
        assert "less than a day" in result
        return
    per_day = Fraction(forecast, 30)
    for day, quantity in result.points:
        arrived = [at for at, _ in result.orders if at + lead_time <= day]
        exact = Fraction(settings.maximum) + len(arrived) * size - per_day * day
        before = exact - size if arrived and arrived[-1] + lead_time == day else exact
        assert quantity in (max(exact, 0), max(before, 0))
    assert [day for day, _ in result.points] == sorted(day for day, _ in result.points)
