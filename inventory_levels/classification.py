"""ABC classes by value of use. Knows no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

from inventory_levels.planning import Policy

AbcClass = Literal["A", "B", "C"]

# Whole numbers of so small a unit stand for fractions: they tell all apart whose denominators are
# below 2**64, and take memory as they are many, not as their periods (1 to 36,500 days) differ.
UNITS = 2**128


@dataclass(frozen=True, slots=True)
class Ranking:
    """Values of use (cost of what is used a day) in units of 1 / UNITS, and the places of those
    above 0 from the greatest down, equals as they come."""

    uses: list[int]
    order: list[int]

    @classmethod
    def of(cls, values: Sequence[Fraction]) -> Ranking:
        uses = [value.numerator * UNITS // value.denominator for value in values]
        used = filter(uses.__getitem__, range(len(uses)))
        order = sorted(used, key=uses.__getitem__, reverse=True)
        return cls(uses, order)

    def classes(self, policy: Policy) -> list[AbcClass]:
        """The class of each value, in the order in which they came.

        An item is A while the share of those before it is below the A cut-off, B while it is
        below the B cut-off, then C: the item that crosses a cut-off stays in the upper class. No
        use is C (Vollmann et al., Manufacturing Planning and Control, ABC analysis).
        """
        total, inexact = sum(self.uses), len(self.uses)
        # What is nearer to a cut-off than sums are exact is taken to be there.
        a_ends, b_ends = (
            ceil(Fraction(share) * total - inexact) for share in (policy.a_share, policy.b_share)
        )
        classes: list[AbcClass] = ["C"] * len(self.uses)
        before = 0
        for place in self.order:
            if before < a_ends:
                classes[place] = "A"
            elif before < b_ends:
                classes[place] = "B"
            else:
                break
            before += self.uses[place]
        return classes


def classify_abc(values: Sequence[Fraction], policy: Policy) -> list[AbcClass]:
    """The ABC class of each value of use, in their order."""
    return Ranking.of(values).classes(policy)
