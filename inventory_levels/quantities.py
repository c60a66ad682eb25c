"""Quantities: exact decimals inside, JSON numbers outside."""

from decimal import Context, Decimal
from typing import Any

from django.core.exceptions import ValidationError

DIGITS_BEFORE, DIGITS_AFTER = 11, 4
_LIMIT = 10**DIGITS_BEFORE
_UNIT = Decimal(1).scaleb(-DIGITS_AFTER)
# Enough to compare any 11.4 number with its rounding; more digits than this are refused anyway.
_ROOMY = Context(prec=DIGITS_BEFORE + DIGITS_AFTER + 5)


def quantity(value: object) -> Decimal:
    """The quantity that a JSON number stands for, never rounded.

    Raises ValidationError for anything else, for negative numbers, and for more than 11
    digits before or 4 after the point (trailing zeros don't count).
    """
    if type(value) is int and 0 <= value < _LIMIT:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValidationError("must be a number")
    exact = Decimal(value)
    if not exact:
        return Decimal(0)  # also for -0
    if not exact.is_finite() or exact.adjusted() >= DIGITS_BEFORE:
        raise ValidationError(f"must have at most {DIGITS_BEFORE} digits before the point")
    rounded = exact.quantize(_UNIT, None, _ROOMY)  # by position: half the time of by name
    if rounded != exact:
        raise ValidationError(f"must have at most {DIGITS_AFTER} digits after the point")
    if exact.is_signed():
        raise ValidationError("must not be negative")
    return rounded


def whole_number(value: object, *, least: int, most: int) -> int:
    """The whole number that a JSON number stands for; ``7.0`` is one. Raises ValidationError."""
    if type(value) is int and least <= value <= most:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValidationError("must be a number")
    if not least <= value <= most:
        raise ValidationError(f"must be between {least} and {most}")
    if value != int(value):
        raise ValidationError("must be a whole number")
    return int(value)


def number(value: Decimal | None) -> int | float | None:
    """The JSON number of a stored quantity: 50 for 50.0000, 12.5 for 12.5000.

    Exact: a double tells all decimals of up to 15 digits apart, and its shortest form is
    the decimal that it came from.
    """
    if value is None:
        return None
    whole = int(value)
    return whole if whole == value else float(value)


def public(value: Any) -> Any:
    """A setting as clients see it: numbers as JSON numbers, locations by their id."""
    if isinstance(value, Decimal):
        return number(value)
    return getattr(value, "public_id", value)
