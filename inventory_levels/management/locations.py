"""Locations that options of a command name."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from inventory_levels.existing import existing
from inventory_levels.models import Location


def locations(option: str, public_ids: Sequence[str]) -> list[Location]:
    """The locations with these ids. Raises CommandError that names the option."""
    try:
        return existing(Location, public_ids)
    except ValidationError as error:
        raise CommandError(f"{option}: {error.message}.") from error
