"""What a row makes of a level: merged over what is stored, and checked. Reads no database.

The contract fixes the order of the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.core.exceptions import ValidationError

from inventory_levels.models import (
    SETTINGS,
    InventoryLevel,
    LevelStatus,
    Location,
    ProductMaster,
)
from inventory_levels.quantities import public
from inventory_levels.refusals import (
    Invalid,
    InvalidQuantities,
    NotFound,
    PreconditionFailed,
    Refusal,
)
from organizations.tenancy import current_organization

PUBLIC_NAME = {attribute: name for name, attribute in SETTINGS.items()}
LOCATION_SETTINGS = ("preferred_bin_location", "replenishment_location")

Changes = dict[str, dict[str, Any]]


class Precondition(Protocol):
    def holds_for(self, level: InventoryLevel | None) -> bool:
        """Whether the level as it is stored (None: there is none) is what the caller expects."""


@dataclass(slots=True)
class LevelRow:
    """What somebody wants of one level.

    ``settings`` maps model fields to values, locations given by public id; a field that is
    not in it stays as it is. With ``level`` (a public id) the row changes that level, and its
    product and location may only repeat what they are; without, it creates or updates the
    level of its product and location. ``problem``: why it can't be read and fails.
    """

    settings: Mapping[str, Any]
    product: str | None = None
    location: str | None = None
    level: str | None = None
    precondition: Precondition | None = None
    problem: Refusal | None = None

    @property
    def key(self) -> Any:
        """What no two rows of a batch may share."""
        return self.level if self.level is not None else (self.product, self.location)


@dataclass(slots=True)
class References:
    """The products and locations that exist, by public id."""

    products: Mapping[str, ProductMaster] = field(default_factory=dict)
    locations: Mapping[str, Location] = field(default_factory=dict)

    def has(self, row: LevelRow) -> bool:
        """Whether there are the product and the location that the row names."""
        return (row.product is None or row.product in self.products) and (
            row.location is None or row.location in self.locations
        )


def decide(
    row: LevelRow, level: InventoryLevel | None, references: References
) -> tuple[InventoryLevel, Changes]:
    """The level that the row leads to from the stored one (None: there is none), and what changes.

    Changes the stored level in place. Raises the row's Refusal.
    """
    if row.level is not None and level is None:
        raise level_not_found()
    settings = _resolved(row, references)
    problems = _unchangeable(row, level) if level else {}
    location = level.location if level else references.locations[row.location or ""]
    problems |= _misplaced(settings, location)
    if problems:
        raise Invalid(problems)
    check_precondition(row.precondition, level)
    if level is None:
        product = references.products[row.product or ""]
        level, changes = _created(product, location, settings)
    else:
        changes = _apply(settings, level)
    try:
        level.clean()
    except ValidationError as error:
        messages = error.message_dict
        raise InvalidQuantities(
            {PUBLIC_NAME[attribute]: messages[attribute] for attribute in messages}
        ) from error
    return level, changes


def level_not_found() -> NotFound:
    return NotFound("Inventory level not found")


def check_precondition(precondition: Precondition | None, level: InventoryLevel | None) -> None:
    if precondition is not None and not precondition.holds_for(level):
        raise PreconditionFailed("The inventory level is not in the expected state.")


def repeated() -> Refusal:
    """Why rows fail that are about the same level: nobody can tell which of them was meant."""
    return Refusal("The same product and location comes more than once")


def with_default_status(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings, where a status that is cleared is the default one."""
    if settings.get("status", "") is None:
        return {**settings, "status": LevelStatus.SUPPORTED}
    return settings


def _resolved(row: LevelRow, references: References) -> dict[str, Any]:
    """The row's settings with locations in place of ids. Raises NotFound."""
    missing: dict[str, list[str]] = {}
    if row.product is not None and row.product not in references.products:
        missing["productMasterId"] = ["not found"]
    if row.location is not None and row.location not in references.locations:
        missing["locationId"] = ["not found"]
    settings = dict(with_default_status(row.settings))
    for attribute in LOCATION_SETTINGS:
        if (public_id := settings.get(attribute)) is not None:
            settings[attribute] = references.locations.get(public_id)
            if settings[attribute] is None:
                missing[PUBLIC_NAME[attribute]] = ["not found"]
    if missing:
        raise NotFound("Product or location not found", missing)
    return settings


def _unchangeable(row: LevelRow, level: InventoryLevel) -> dict[str, list[str]]:
    problems = {}
    if row.product is not None and row.product != level.product.public_id:
        problems["productMasterId"] = ["can't be changed"]
    if row.location is not None and row.location != level.location.public_id:
        problems["locationId"] = ["can't be changed"]
    return problems


def _misplaced(settings: Mapping[str, Any], location: Location) -> dict[str, list[str]]:
    """What is wrong with the places that the settings name, seen from the level's location."""
    problems = {}
    preferred_bin = settings.get("preferred_bin_location")
    if preferred_bin is not None and not preferred_bin.is_below(location):
        problems["preferredBinLocationId"] = ["must be inside the level's location"]
    source = settings.get("replenishment_location")
    if source is not None and source.pk == location.pk:
        problems["replenishmentLocationId"] = ["must not be the level's own location"]
    return problems


def _created(
    product: ProductMaster, location: Location, settings: Mapping[str, Any]
) -> tuple[InventoryLevel, Changes]:
    level = InventoryLevel(
        organization=current_organization(),
        product=product,
        location=location,
        version=0,
        **settings,
    )
    changes = {
        name: {"old": None, "new": public(value)}
        for name, attribute in SETTINGS.items()
        if (value := getattr(level, attribute)) is not None
    }
    return level, changes


def _apply(settings: Mapping[str, Any], level: InventoryLevel) -> Changes:
    changes = {}
    for name, attribute in SETTINGS.items():
        if attribute in settings:
            old, new = getattr(level, attribute), settings[attribute]
            if new != old:
                changes[name] = {"old": public(old), "new": public(new)}
                setattr(level, attribute, new)
    return changes
