"""``FIELD=VALUE`` and ``FIELD=FACTOR`` as one change of any level, as commands take them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.core.exceptions import ValidationError

from inventory_levels.decisions import LOCATION_SETTINGS, PUBLIC_NAME
from inventory_levels.existing import existing
from inventory_levels.files.cells import BLANK, value_of
from inventory_levels.files.columns import LEVELS
from inventory_levels.models import SETTINGS, Location
from inventory_levels.quantities import DIGITS_AFTER, quantity
from inventory_levels.rounding import rounded_half_up
from inventory_levels.staged_plan import QUANTITIES

_FACTOR = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?")
_SCALABLE = [name for name, attribute in SETTINGS.items() if attribute in QUANTITIES]


@dataclass(slots=True)
class Adjusted:
    """A level's new settings; ``problems`` by field where there is no such number."""

    settings: dict[str, Any]
    problems: dict[str, list[str]]
    is_rounded: bool


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Settings that become the same in all levels, and quantities multiplied by a factor."""

    values: Mapping[str, Any]
    factors: Mapping[str, Fraction]
    decimals: int = DIGITS_AFTER

    @classmethod
    def of(cls, sets: Sequence[str], scales: Sequence[str], *, whole: bool) -> Adjustment:
        """Read them as people write them; ``null`` clears. Raises ValidationError."""
        values = _by_field(sets, "VALUE", _value, list(SETTINGS))
        factors = _by_field(scales, "FACTOR", _factor, _SCALABLE)
        if both := values.keys() & factors.keys():
            raise ValidationError(f"{min(both)}: is to be set and scaled.")
        if not values and not factors:
            raise ValidationError("Say with --set or --scale what to change.")
        return cls(_by_attribute(values), _by_attribute(factors), 0 if whole else DIGITS_AFTER)

    def of_level(self, stored: Mapping[str, Decimal | None]) -> Adjusted:
        """What it makes of a level with these quantities; what is unset stays so."""
        adjusted = Adjusted(dict(self.values), {}, False)
        for attribute, factor in self.factors.items():
            if (old := stored[attribute]) is None:
                continue
            exact = Fraction(old) * factor
            rounded = rounded_half_up(exact, self.decimals)
            adjusted.is_rounded |= rounded != exact
            try:
                adjusted.settings[attribute] = quantity(rounded)
            except ValidationError as error:
                adjusted.problems[PUBLIC_NAME[attribute]] = error.messages
        return adjusted


def _by_attribute(by_name: Mapping[str, Any]) -> dict[str, Any]:
    return {SETTINGS[name]: value for name, value in by_name.items()}


def _by_field(texts: Sequence[str], what: str, read: Any, known: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValidationError(f"{text}: write FIELD={what}.")
        if name not in known:
            raise ValidationError(f"{name}: unknown field; there are {', '.join(known)}.")
        if name in found:
            raise ValidationError(f"{name}: is given more than once.")
        if not value:
            raise ValidationError(f"{name}: must not be empty; null clears it.")
        try:
            found[name] = read(name, value)
        except ValidationError as error:
            raise ValidationError([f"{name}: {message}." for message in error.messages]) from error
    return found


def _value(name: str, text: str) -> Any:
    value = value_of(text, LEVELS.by_name[name])
    if value is BLANK:
        raise ValidationError("must not be blank; null clears it")
    if value is not None and SETTINGS[name] in LOCATION_SETTINGS:
        existing(Location, [value])
    return value


def _factor(name: str, text: str) -> Fraction:
    if not _FACTOR.fullmatch(text):
        raise ValidationError("the factor must be a number such as 1.1")
    return Fraction(text)
