"""How far chosen quantities are from recommended ones. Knows no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from inventory_levels.rounding import plain, rounded_half_up

Side = Literal["low", "near", "high", "unset"]

ENDLESS = Decimal("Infinity")
# Factors: from the first one on it is far, and between each two of them is a band.
STEPS = (Decimal("1.2"), Decimal(2), Decimal(5), Decimal(10))
FAR = STEPS[0]
# Each quantity is rounded by itself: so many steps of the last decimal are no difference.
NOISE = 1


@dataclass(frozen=True, slots=True)
class Band:
    """Distances that are counted together: on which side, and from which factor on."""

    side: Side
    start: Decimal
    label: str


def _bands(side: Side) -> list[Band]:
    labels = [f"{lower} to {upper} ×" for lower, upper in pairwise(STEPS)]
    labels.append(f"{STEPS[-1]} × and more")
    return [Band(side, *step) for step in zip(STEPS, labels, strict=True)]


BANDS = (
    Band("unset", ENDLESS, "Not set"),
    *reversed(_bands("low")),
    Band("near", Decimal(1), "About right"),
    *_bands("high"),
)


@dataclass(frozen=True, slots=True)
class Distance:
    """``farthest`` says which of the three quantities it is, from 0; ``factors`` descend, and
    ``units`` is the greatest difference."""

    side: Side
    farthest: int
    factors: tuple[Decimal, ...]
    units: Decimal

    @property
    def rank(self) -> tuple[bool, tuple[Decimal, ...], Decimal]:
        """Greater where it is farther: what is not set first, then by the greatest factor, of
        equals by the next one, and last by the units."""
        return self.side == "unset", self.factors, self.units

    @property
    def band(self) -> int:
        """The number of its band."""
        mine = [n for n, band in enumerate(BANDS) if band.side == self.side]
        reached = [n for n in mine if BANDS[n].start <= self.factors[0]]
        return max(reached or mine, key=lambda n: BANDS[n].start)

    def __str__(self) -> str:
        if self.side == "unset":
            return "not set"
        if self.side == "near":
            return "about right"
        if self.factors[0] == ENDLESS:
            return "is 0, too low" if self.side == "low" else "should be 0"
        return f"{_short(self.factors[0])} × too {self.side}"


def distance(
    chosen: Sequence[Decimal | None], recommended: Sequence[Decimal], *, decimals: int = 0
) -> Distance:
    """The distance of a level's three quantities from those recommended to so many decimals.

    Of each the factor between the two, the greater by the lesser; of all, the greatest. One
    that is not set, and 0 beside what is not 0, are endlessly far. What differs by NOISE steps
    at most, of whole units 1, is no distance.
    """
    noise = Decimal(NOISE).scaleb(-decimals)
    pairs = list(zip(chosen, recommended, strict=True))
    factors = [_factor(one, other, noise) for one, other in pairs]
    descending = tuple(sorted(factors, reverse=True))
    units = max(abs((one or 0) - other) for one, other in pairs)
    for place, (one, _) in enumerate(pairs):
        if one is None:
            return Distance("unset", place, descending, units)
    farthest = factors.index(descending[0])
    if descending[0] < FAR:
        return Distance("near", farthest, descending, units)
    quantity, wanted = pairs[farthest]
    assert quantity is not None
    return Distance("low" if quantity < wanted else "high", farthest, descending, units)


def _factor(one: Decimal | None, other: Decimal, noise: Decimal) -> Decimal:
    if one is None:
        return ENDLESS
    if abs(one - other) <= noise:
        return Decimal(1)
    if not one or not other:
        return ENDLESS
    return max(one, other) / min(one, other)


def _short(factor: Decimal) -> str:
    """Two digits that count: 1.3, 12, 350."""
    if factor >= 10:
        return f"{factor:,.0f}"
    return plain(rounded_half_up(Fraction(factor), 1))
