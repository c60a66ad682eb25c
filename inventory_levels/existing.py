"""Products and locations by ids that a person typed, who is to hear of a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.core.exceptions import ValidationError

from inventory_levels import storage
from inventory_levels.models import Location, ProductMaster
from organizations.public_ids import PUBLIC_ID

_Record = TypeVar("_Record", ProductMaster, Location)


def existing(model: type[_Record], public_ids: Sequence[str]) -> list[_Record]:
    """The organization's records with these ids. Raises ValidationError for what is none's."""
    # Only what could be an id is looked up: not every text can be sent to a database.
    possible = [public_id for public_id in public_ids if PUBLIC_ID.match(public_id)]
    found = {record.public_id: record for record in storage.find(model, possible)}
    if unknown := [public_id for public_id in public_ids if public_id not in found]:
        noun = "product" if model is ProductMaster else "location"
        raise ValidationError(f"no {noun} has the id {unknown[0]!a}")
    return list(found.values())
