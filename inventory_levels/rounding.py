"""Rounding of exact numbers, and how they read in a sentence. Knows no Django."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def rounded_up(units: Fraction, decimals: int) -> Decimal:
    """The least number of so many decimals that is not below."""
    whole = -(-units.numerator * 10**decimals // units.denominator)
    return Decimal(whole).scaleb(-decimals)


def rounded_half_up(number: Fraction, decimals: int = 4) -> Decimal:
    """The nearest number of so many decimals, the upper one in the middle (of positives)."""
    scaled = number * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-decimals)


def plain(number: Decimal, *, grouped: bool = False) -> str:
    """A number in words: 50, 12.5; never 5E+1. ``grouped`` by thousands: 1,600."""
    text = f"{number:,f}" if grouped else f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(number: Fraction, places: int = 0) -> str:
    """A number in a sentence, to 4 significant digits and so many decimals: 6.667, 57.90, 1234."""
    if not number:
        return "0"
    size = (Decimal(number.numerator) / Decimal(number.denominator)).adjusted()
    places = max(places, 3 - size, 0)
    nearest = rounded_half_up(number, places)
    return plain(nearest) if nearest == number else f"{nearest:f}"
