"""The arithmetic of stock states and recommended levels, against tables made by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_levels.planning import Policy, evaluate, quantile, recommend, safety_stock
from inventory_levels.rounding import plain, rounded_half_up, rounded_up, shown


@dataclass(frozen=True)
class Level:
    min_quantity: Decimal | None = None
    reorder_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    status: str = "Supported"
    abc_class: str | None = None
    expected_lead_time_days: int | None = None
    replenishment_period_days: int | None = None
    forecast_period_days: int | None = None
    forecast_quantity: Decimal | None = None


def level(least: Any = None, reorder: Any = None, most: Any = None, **more: Any) -> Level:
    quantities = (
        None if value is None else Decimal(str(value)) for value in (least, reorder, most)
    )
    return Level(*quantities, **more)


def state(of: Level | None, on_hand: Any, on_order: Any = 0, reserved: Any = 0) -> tuple[Any, ...]:
    """The state and what to order."""
    stock = {"on_hand": on_hand, "on_order": on_order, "reserved": reserved}
    found = evaluate(of, **{name: Decimal(str(number)) for name, number in stock.items()})
    assert found.reason.endswith(".")
    assert found.reason.strip() == found.reason
    return found.state, found.suggested


FULL = level(50, 100, 500)


@pytest.mark.parametrize(
    ("of", "stock", "expected"),
    [
        # At exactly a threshold it has been reached, a little above it has not.
        (FULL, (0,), ("outOfStock", 500)),
        (FULL, (-5,), ("outOfStock", 505)),
        (FULL, ("0.0001",), ("belowMinimum", Decimal("499.9999"))),
        (FULL, (50,), ("belowMinimum", 450)),
        (FULL, ("50.0001",), ("reorder", Decimal("449.9999"))),
        (FULL, (100,), ("reorder", 400)),
        (FULL, ("100.0001",), ("ok", 0)),
        (FULL, (500,), ("ok", 0)),
        (FULL, ("500.0001",), ("overstock", 0)),
        # What is ordered counts for the order, not for what is there; what is reserved against.
        (FULL, (100, 1), ("ok", 0)),
        (FULL, (101, 0, 1), ("reorder", 400)),
        (FULL, (150, 10, 60), ("reorder", 400)),
        (FULL, (50, 100), ("belowMinimum", 0)),
        (FULL, (0, 101), ("outOfStock", 0)),
        (FULL, (600, 0, 500), ("reorder", 400)),
        (FULL, (500, 1000), ("ok", 0)),
        # 0 is a threshold, unset is none.
        (level(0, 0, 0), (0,), ("outOfStock", 0)),
        (level(0, 0, 0), (1,), ("overstock", 0)),
        (level(0, 0, 10), (5, 0, 5), ("reorder", 10)),
        (level(None, None, 0), (1,), ("overstock", 0)),
        (level(), (0,), ("outOfStock", 0)),
        (level(), (1,), ("ok", 0)),
        (level(None, 10, 20), (5,), ("reorder", 15)),
        (level(5, None, 20), (5,), ("belowMinimum", 15)),
        (level(5, None, 20), (6,), ("ok", 0)),
        (level(5, None, 20), (6, 0, 1), ("ok", 15)),  # on hand above the minimum, position not
        (level(5, 10, None), (10,), ("reorder", None)),
        (level(5, 10, None), (11,), ("ok", 0)),
        (level(5, None, None), (5,), ("belowMinimum", None)),
        (level(None, None, 20), (21,), ("overstock", 0)),
        (level(None, None, 20), (0,), ("outOfStock", 0)),
        (level(10, 10, 10), (10,), ("belowMinimum", 0)),
        (level(10, 10, 10), (11,), ("overstock", 0)),
        # Statuses that are reordered, and those that are not, whatever the stock.
        (level(50, 100, 500, status="Stock"), (60,), ("reorder", 440)),
        (level(50, 100, 500, status="Formulary"), (60,), ("reorder", 440)),
        (level(50, 100, 500, status="NotSupported"), (0,), ("notManaged", None)),
        (level(50, 100, 500, status="SupportedNonInventory"), (60,), ("notManaged", None)),
        (level(50, 100, 500, status="Inactive"), (900,), ("notManaged", None)),
        (None, (5,), ("noLevel", None)),
    ],
)
def test_the_state_of_a_stock_and_what_to_order(of, stock, expected):
    assert state(of, *stock) == expected


@pytest.mark.parametrize(
    ("of", "stock", "reason"),
    [
        (None, (5,), "This product has no level at this location."),
        (level(status="Inactive"), (5,), "The level's status is Inactive: it is not reordered."),
        (
            FULL,
            (60, 50, 10),
            "The position of 100 (60 on hand + 50 on order - 10 reserved) is not above the reorder "
            "point of 100: order 400 to fill up to 500.",
        ),
        (
            FULL,
            (40, 100),
            "40 on hand: not above the minimum of 50. The position of 140 (40 on hand + 100 on "
            "order) is above the reorder point of 100: no order is due.",
        ),
        (
            level("7.5", None, None),
            (0,),
            "0 on hand: out of stock. The position of 0 is not above the minimum of 7.5: an order "
            "is due, but no maximum says how far to fill up.",
        ),
        (
            FULL,
            (501,),
            "501 on hand: above the maximum of 500. The position of 501 is above the reorder point "
            "of 100: no order is due.",
        ),
        (
            FULL,
            (101,),
            "101 on hand: above the minimum of 50, not above the maximum of 500. The position of "
            "101 is above the reorder point of 100: no order is due.",
        ),
        (level(), (5,), "Neither a reorder point nor a minimum says when to order."),
    ],
)
def test_every_state_has_a_reason_that_names_the_numbers(of, stock, reason):
    names = ("on_hand", "on_order", "reserved")[: len(stock)]
    found = evaluate(of, **dict(zip(names, map(Decimal, stock), strict=True)))
    assert found.reason == reason


@pytest.mark.parametrize(
    ("forecast", "period", "on_hand", "days"),
    [
        (200, 30, 60, 9),
        (200, None, 60, 9),  # 30 days unless set
        (3, 1, 1, Decimal("0.3333")),
        (1, 1, Decimal("0.00005"), Decimal("0.0001")),  # half up
        (3, 1, 2, Decimal("0.6667")),
        (200, 30, -60, 0),
        (200, 30, 0, 0),
        (0, 30, 60, None),
        (None, 30, 60, None),
    ],
)
def test_days_of_cover_are_what_is_there_over_the_demand_a_day(forecast, period, on_hand, days):
    demand = None if forecast is None else Decimal(forecast)
    for status in ("Supported", "Inactive"):
        of = Level(forecast_quantity=demand, forecast_period_days=period, status=status)
        assert evaluate(of, on_hand=Decimal(on_hand)).days_of_cover == days
    assert evaluate(None, on_hand=Decimal(on_hand)).days_of_cover is None


QUANTITY = st.decimals(0, 10**6, places=4)


@given(
    st.lists(QUANTITY, min_size=3, max_size=3).map(sorted),
    st.tuples(*[st.booleans()] * 3),
    st.decimals(-(10**6), 10**6, places=4),
    QUANTITY,
    QUANTITY,
)
def test_an_order_fills_the_position_up_to_the_maximum_and_is_never_negative(
    quantities, are_set, on_hand, on_order, reserved
):
    pairs = zip(quantities, are_set, strict=True)
    of = Level(*(value if is_set else None for value, is_set in pairs))
    found = evaluate(of, on_hand=on_hand, on_order=on_order, reserved=reserved)
    position = on_hand + on_order - reserved
    trigger = of.min_quantity if of.reorder_quantity is None else of.reorder_quantity
    due = trigger is not None and position <= trigger
    if not due:
        assert found.suggested == 0
    elif of.max_quantity is None:
        assert found.suggested is None
    else:
        assert found.suggested >= 0
        assert position + found.suggested == of.max_quantity
    assert found.state != "reorder" or due


# --- recommended levels

# 200 in 30 days, a week to arrive, an order a fortnight: the demo's published example.
EXAMPLE = Level(
    forecast_quantity=Decimal(200),
    forecast_period_days=30,
    expected_lead_time_days=7,
    replenishment_period_days=14,
)


def recommended(of: Level, policy: Policy = Policy()) -> tuple[Decimal, ...]:  # noqa: B008
    quantities = recommend(of, policy).quantities
    assert quantities is not None
    return quantities.min_quantity, quantities.reorder_quantity, quantities.max_quantity


def planned(forecast: Any, period: int | None, lead_time: int, every: int, **more: Any) -> Level:
    return Level(
        forecast_quantity=Decimal(str(forecast)),
        forecast_period_days=period,
        expected_lead_time_days=lead_time,
        replenishment_period_days=every,
        **more,
    )


@pytest.mark.parametrize(
    ("of", "quantities"),
    [
        # √46.667 = 6.8313: × 2.0537 = 14.03, × 1.6449 = 11.24, × 1.2816 = 8.75; d·L = 46.67.
        (replace(EXAMPLE, abc_class="A"), (15, 61, 155)),
        (replace(EXAMPLE, abc_class="B"), (12, 58, 152)),
        (replace(EXAMPLE, abc_class="C"), (9, 56, 149)),
        (EXAMPLE, (12, 58, 152)),
        (replace(EXAMPLE, forecast_period_days=None), (12, 58, 152)),  # over 30 days
        # 1 a day, 4 days: 1.6449 × 2 = 3.29.
        (planned(30, 30, 4, 0), (4, 8, 8)),
        (planned(30, 30, 4, 1), (4, 8, 9)),
        # No demand, no lead time, no period.
        (planned(0, 30, 7, 14), (0, 0, 0)),
        (planned(200, 30, 0, 14), (0, 0, 94)),
        (planned(30, 30, 0, 0), (0, 0, 0)),
        # Next to nothing still is something.
        (planned("0.0001", 36500, 1, 1), (1, 1, 1)),
    ],
)
def test_recommended_minimum_reorder_point_and_maximum(of, quantities):
    assert recommended(of) == quantities


def test_the_textbook_case():
    """30 a day with a deviation of 5, 10 days, 95 %: 26.0; 26.1 is with z cut to 1.65."""
    variance = Fraction(10 * 5**2)
    assert round(float(safety_stock(quantile(Decimal("0.95")), variance)), 1) == 26.0
    assert round(float(safety_stock(1.65, variance)), 1) == 26.1


@pytest.mark.parametrize(
    ("probability", "z"),
    [
        *(("0.50", 0), ("0.85", 1.0364), ("0.90", 1.2816), ("0.95", 1.6449)),
        *(("0.975", 1.96), ("0.98", 2.0537), ("0.99", 2.3263), ("0.9999", 3.719)),
    ],
)
def test_z_is_the_standard_normals_quantile(probability, z):
    assert round(quantile(Decimal(probability)), 4) == z


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ({"forecast_quantity": None}, "forecastQuantity"),
        ({"expected_lead_time_days": None}, "expectedLeadTimeDays"),
        ({"replenishment_period_days": None}, "replenishmentPeriodDays"),
        (
            {"forecast_quantity": None, "replenishment_period_days": None},
            "forecastQuantity, replenishmentPeriodDays",
        ),
    ],
)
def test_what_is_missing_is_named_and_never_invented(lacking, named):
    found = recommend(replace(EXAMPLE, **lacking), Policy())
    assert (found.quantities, found.reason) == (None, f"insufficient data: {named}")


def test_more_than_11_digits_are_not_recommended():
    fits = planned("99999999999", 1, 0, 1)
    assert recommended(fits) == (0, 0, 99999999999)
    found = recommend(replace(fits, forecast_quantity=Decimal("99999999999.0001")), Policy())
    assert (found.quantities, found.reason) == (None, "the result has more than 11 digits")
    most = planned("99999999999.9999", 1, 36500, 36500, abc_class="A")
    assert recommend(most, Policy()).quantities is None


EVEN = Policy(service_levels=dict.fromkeys(["A", "B", "C", None], Decimal("0.5")))  # z = 0


@pytest.mark.parametrize(
    ("of", "quantities"),
    [
        # Thirds and sevenths come out whole, where 0.142857… × 14 = 2.0000…1 would be 3.
        (planned(1, 7, 14, 7), (0, 2, 3)),
        (planned(1, 3, 9, 3), (0, 3, 4)),
        (planned(1, 49, 49, 49), (0, 1, 2)),
        (planned("0.7", 10, 100, 0), (0, 7, 7)),
        (planned("1.1", 1, 30, 0), (0, 33, 33)),
        (planned(200, 30, 30, 15), (0, 200, 300)),
    ],
)
def test_fractions_are_exact(of, quantities):
    assert recommended(of, EVEN) == quantities


LEVELS = st.builds(
    planned,
    st.decimals(0, 10**5, places=4),
    st.integers(1, 400),
    st.integers(0, 400),
    st.integers(0, 400),
    abc_class=st.sampled_from(["A", "B", "C", None]),
)
DECIMALS = st.integers(0, 4)


@given(LEVELS, DECIMALS)
def test_each_is_the_least_quantity_that_covers_its_exact_value(of, decimals):
    """An oracle without roots: n covers a + z·√v if (n − a)² ≥ z²·v, and one less does not."""
    policy = Policy(decimals=decimals)
    d = Fraction(of.forecast_quantity) / of.forecast_period_days
    variance = d * of.expected_lead_time_days
    squared = Fraction(quantile(policy.service_levels[of.abc_class])) ** 2 * variance
    demands = (0, variance, variance + d * of.replenishment_period_days)
    for number, demand in zip(recommended(of, policy), demands, strict=True):
        scaled = number.scaleb(decimals)
        assert scaled == scaled.to_integral_value()
        above = Fraction(number) - demand
        assert above >= 0
        assert above**2 >= squared
        below = above - Fraction(1, 10**decimals)
        assert below < 0 or below**2 < squared


@given(LEVELS, DECIMALS)
def test_the_recommended_always_ascend(of, decimals):
    least, reorder, most = recommended(of, Policy(decimals=decimals))
    assert 0 <= least <= reorder <= most


@given(LEVELS, st.decimals(0, 1000, places=4), st.integers(0, 100), st.integers(0, 100))
def test_they_grow_with_demand_lead_time_and_period(of, demand, lead_time, period):
    more = [
        replace(of, forecast_quantity=of.forecast_quantity + demand),
        replace(of, expected_lead_time_days=of.expected_lead_time_days + lead_time),
        replace(of, replenishment_period_days=of.replenishment_period_days + period),
    ]
    for grown in more:
        for now, then in zip(recommended(of), recommended(grown), strict=True):
            assert then >= now


@given(LEVELS, st.decimals("0.50", "0.9999", places=4), st.decimals("0.50", "0.9999", places=4))
def test_they_grow_with_the_service_level(of, one, other):
    low, high = (
        Policy(service_levels=dict.fromkeys(["A", "B", "C", None], level))
        for level in sorted((one, other))
    )
    for now, then in zip(recommended(of, low), recommended(of, high), strict=True):
        assert then >= now


# --- rounding


@pytest.mark.parametrize(
    ("number", "decimals", "up", "half_up"),
    [
        (Fraction(0), 0, "0", "0"),
        (Fraction(1, 3), 0, "1", "0"),
        (Fraction(1, 2), 0, "1", "1"),
        (Fraction(2), 0, "2", "2"),
        (Fraction(1, 3), 4, "0.3334", "0.3333"),
        (Fraction(1, 80000), 4, "0.0001", "0.0000"),
        (Fraction(1, 20000), 4, "0.0001", "0.0001"),
    ],
)
def test_numbers_are_rounded_up_or_half_up(number, decimals, up, half_up):
    assert str(rounded_up(number, decimals)) == up
    assert str(rounded_half_up(number, decimals)) == half_up


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(20, 3), "6.667"),
        (Fraction(5, 2), "2.5"),
        (Fraction(1, 300), "0.003333"),
        (Fraction(123456, 7), "17637"),
        (Fraction(40), "40"),
        (Fraction(0), "0"),
        (Fraction(579, 10) + Fraction(1, 3000), "57.90"),
    ],
)
def test_numbers_in_sentences_have_four_digits_unless_they_are_exact(number, text):
    assert shown(number) == text


def test_numbers_in_sentences_have_no_exponent_and_no_idle_zeros():
    assert [plain(Decimal(text)) for text in ("5E+2", "500.0000", "12.5000", "0.0000")] == [
        *("500", "500", "12.5", "0")
    ]
