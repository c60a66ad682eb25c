"""ABC classes by value of use: the ranking itself."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_levels.classification import classify_abc
from inventory_levels.planning import Policy


def classes(*values: object, a: str = "0.80", b: str = "0.95") -> str:
    policy = Policy(a_share=Decimal(a), b_share=Decimal(b))
    return "".join(classify_abc([Fraction(str(value)) for value in values], policy))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ""),
        ((5,), "A"),
        ((0,), "C"),
        ((0, 0, 0), "CCC"),
        ((70, 20, 10), "AAB"),  # 20 crosses 80 %, 10 crosses 95 %: each stays in the upper class
        ((80, 15, 5), "ABC"),  # at exactly 80 % and 95 % the next class begins
        ((5, 80, 15), "CAB"),  # in the order given
        ((79, 1, 15, 5), "ACAB"),
        ((80, 15, 5, 0), "ABCC"),
        ((100, 0), "AC"),
        ((1, 1, 1, 1, 1), "AAAAB"),  # among equals the first come first
        ((1,) * 10, "AAAAAAAABB"),
        ((1,) * 20, "AAAAAAAAAAAAAAAABBBC"),
        (("1/7",) * 20, "AAAAAAAAAAAAAAAABBBC"),  # exact, where 16 rounded sevenths are not 80 %
        (("0.00000001", "99999999999"), "CA"),
    ],
)
def test_classes_are_cut_by_the_running_share_of_value(values, expected):
    assert classes(*values) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("0.5", "0.9", "AAAAABBBBC"),
        ("0", "0.9", "BBBBBBBBBC"),
        ("0", "0", "CCCCCCCCCC"),
        ("1", "1", "AAAAAAAAAA"),
        ("0.8", "1", "AAAAAAAABB"),
        ("0.8", "0.8", "AAAAAAAACC"),
        ("0.3333", "0.9", "AAAABBBBBC"),
    ],
)
def test_an_organization_may_cut_elsewhere(a, b, expected):
    assert classes(*[1] * 10, a=a, b=b) == expected


VALUES = st.lists(st.fractions(0, 1000, max_denominator=365), max_size=30)


@given(VALUES | st.lists(st.fractions(0, 10**9, max_denominator=36_500), max_size=30))
def test_it_is_what_ranking_one_by_one_gives(values):
    """An oracle that adds up the shares of all that comes before, anew for each."""
    for place, given_class in enumerate(classify_abc(values, Policy())):
        value, total = values[place], sum(values)
        before = sum(
            other
            for number, other in enumerate(values)
            if other > value or (other == value and number < place)
        )
        if value == 0:
            assert given_class == "C"
        else:
            share = before / total
            expected = "A" if share < Fraction(8, 10) else "B" if share < Fraction(95, 100) else "C"
            assert given_class == expected


def test_it_takes_no_more_memory_for_periods_of_all_lengths():
    random = Random(6)
    values = [Fraction(random.randrange(10**12), days) for days in range(1, 36_501)]
    tracemalloc.start()
    classify_abc(values, Policy())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 500 * len(values)


@given(VALUES, st.fractions(Fraction(1, 365), 1000, max_denominator=365))
def test_the_currency_makes_no_difference(values, rate):
    assert classify_abc([value * rate for value in values], Policy()) == classify_abc(
        values, Policy()
    )
