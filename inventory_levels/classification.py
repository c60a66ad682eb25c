"""ABC classes by value of use. Knows no Django."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeVar

from inventory_levels.planning import Policy

Key = TypeVar("Key")


def classify_abc(
    uses: Iterable[tuple[Key, Decimal | Fraction]], policy: Policy
) -> dict[Key, Literal["A", "B", "C"]]:
    """ABC classes by value of use, in the order given among equals.

    Descending by value, an item is A while the share of those before it is below the A cut-off,
    B while it is below the B cut-off, then C: the item that crosses a cut-off stays in the upper
    class. No use is C (Vollmann et al., Manufacturing Planning and Control, ABC analysis).
    """
    ranked = sorted(uses, key=lambda use: use[1], reverse=True)
    total = sum((Fraction(value) for _, value in ranked), Fraction(0))
    classes: dict[Key, Literal["A", "B", "C"]] = {}
    a_share, b_share = Fraction(policy.a_share), Fraction(policy.b_share)
    running = Fraction(0)
    for key, value in ranked:
        if value <= 0:
            classes[key] = "C"
        elif running < a_share * total:
            classes[key] = "A"
        elif running < b_share * total:
            classes[key] = "B"
        else:
            classes[key] = "C"
        running += Fraction(value)
    return classes
