"""ABC classes by value of use. Knows no Django."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Literal

from inventory_levels.planning import Policy

AbcClass = Literal["A", "B", "C"]


def classify_abc(values: Sequence[Fraction], policy: Policy) -> list[AbcClass]:
    """The ABC class of each value of use (cost of what is used a day), in their order.

    Ranked descending, equals as they come, an item is A while the share of those before it is
    below the A cut-off, B while it is below the B cut-off, then C: the item that crosses a
    cut-off stays in the upper class. No use is C (Vollmann et al., Manufacturing Planning and
    Control, ABC analysis).
    """
    # Over one denominator sums are exact, and a million of them are quick.
    whole = lcm(*{value.denominator for value in values})
    uses = [value.numerator * (whole // value.denominator) for value in values]
    a_ends, b_ends = (Fraction(share) * sum(uses) for share in (policy.a_share, policy.b_share))
    classes: list[AbcClass] = ["C"] * len(uses)
    before = 0
    for place in sorted(range(len(uses)), key=uses.__getitem__, reverse=True):
        if not uses[place]:
            break
        if before < a_ends:
            classes[place] = "A"
        elif before < b_ends:
            classes[place] = "B"
        else:
            break
        before += uses[place]
    return classes
