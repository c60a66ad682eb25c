"""How far chosen quantities are from recommended ones: factors, sides and bands."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_levels.distance import BANDS, ENDLESS, Distance, distance


def of(*chosen: str | None, recommended: tuple[str, str, str] = ("10", "20", "40")) -> Distance:
    """To 4 decimals, where next to nothing is noise."""
    return distance(
        [None if one is None else Decimal(one) for one in chosen],
        [*map(Decimal, recommended)],
        decimals=4,
    )


@pytest.mark.parametrize(
    ("chosen", "side", "farthest", "told"),
    [
        (("10", "20", "40"), "near", 0, "about right"),
        (("11.9", "20", "40"), "near", 0, "about right"),
        (("12", "20", "40"), "high", 0, "1.2 × too high"),
        (("10", "20", "33.34"), "near", 2, "about right"),
        (("10", "20", "32"), "low", 2, "1.3 × too low"),
        (("5", "5", "40"), "low", 1, "4 × too low"),
        (("5", "20", "120"), "high", 2, "3 × too high"),
        (("10", "20", "1400"), "high", 2, "35 × too high"),
        (("10", "20", "100000"), "high", 2, "2,500 × too high"),
        (("0", "20", "40"), "low", 0, "is 0, too low"),
        (("10", None, "40"), "unset", 1, "not set"),
        ((None, None, "0"), "unset", 0, "not set"),
    ],
)
def test_the_farthest_of_the_three_counts(chosen, side, farthest, told):
    far = of(*chosen)
    assert (far.side, far.farthest, str(far)) == (side, farthest, told)


def test_zero_is_right_beside_zero_and_endlessly_far_beside_anything_else():
    none = ("0", "0", "0")
    assert str(of("0", "0", "0", recommended=none)) == "about right"
    assert str(of("0", "0", "7", recommended=none)) == "should be 0"
    assert of("0", "0", "7", recommended=none).factors == (ENDLESS, 1, 1)


@pytest.mark.parametrize(
    ("chosen", "band"),
    [
        ((None, "20", "40"), ("unset", "Not set")),
        (("10", "20", "40"), ("near", "About right")),
        (("10", "20", "48"), ("high", "1.2 to 2 ×")),
        (("20", "20", "40"), ("high", "2 to 5 ×")),
        (("10", "20", "399"), ("high", "5 to 10 ×")),
        (("10", "20", "400"), ("high", "10 × and more")),
        (("10", "10.01", "40"), ("low", "1.2 to 2 ×")),
        (("10", "10", "40"), ("low", "2 to 5 ×")),
        (("2", "20", "40"), ("low", "5 to 10 ×")),
        (("0", "20", "40"), ("low", "10 × and more")),
    ],
)
def test_a_band_begins_with_its_factor(chosen, band):
    found = BANDS[of(*chosen).band]
    assert (found.side, found.label) == band


def test_what_rounding_makes_is_no_distance():
    few = [Decimal(number) for number in (3, 4, 5)]
    assert str(distance([Decimal(2), Decimal(3), Decimal(6)], few)) == "about right"
    assert str(distance([Decimal(1), Decimal(3), Decimal(6)], few)) == "3 × too low"
    assert str(distance([Decimal(2), Decimal(3), Decimal(6)], few, decimals=1)) == "1.5 × too low"


def test_what_is_not_set_is_farthest_and_of_equals_that_of_more_units():
    in_order = [
        of("10", "19", "39"),
        of("10", "20", "80"),
        of("100", "200", "400", recommended=("100", "200", "800")),
        of("0", "20", "40"),
        of("0", "0", "0"),
        of("0", "0", "0", recommended=("20", "30", "50")),
        of(None, "20", "40"),
        of(None, "0", "40"),
    ]
    ranks = [far.rank for far in in_order]
    assert ranks == sorted(ranks)


NUMBERS = st.decimals(0, "99999999999", places=4)


@given(st.tuples(*[st.none() | NUMBERS] * 3), st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_every_level_is_in_a_band_of_its_own_side(chosen, recommended):
    far = distance(chosen, recommended)
    assert BANDS[far.band].side == far.side
    assert far.factors[0] == max(far.factors) >= 1
    assert (None in chosen) == (far.side == "unset")
