"""Levels and their changes in words that planners use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventory_levels.models import (
    SETTINGS,
    InventoryLevel,
    LevelChange,
    LevelStatus,
    Location,
    ProductMaster,
)
from inventory_levels.rounding import plain

UNSET = "not set"


def label_of(attribute: str) -> str:
    """What planners call a level's field."""
    field: Any = InventoryLevel._meta.get_field(attribute)
    return str(field.verbose_name)


LABELS = {public_name: label_of(attribute) for public_name, attribute in SETTINGS.items()}
SHORT_STATUS = {status.value: status.label.partition(":")[0] for status in LevelStatus}
SHORT_STATUS[LevelStatus.SUPPORTED_NON_INVENTORY.value] = "Not tracked"
PLACES = ("preferredBinLocationId", "replenishmentLocationId")


def as_typed(quantity: Decimal | None) -> str:
    """A quantity as it is typed: 50 for 50.0000, 12.5 for 12.5000."""
    return "" if quantity is None else plain(quantity)


def value_in_words(value: Any) -> str:
    """A setting's value, whether it is the model's or the history's."""
    if value is None:
        return UNSET
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, (Location, ProductMaster)):
        return str(value)
    if isinstance(value, (int, float)):
        return plain(Decimal(str(value)))
    return SHORT_STATUS.get(value, str(value))


def name_of(level: InventoryLevel) -> str:
    """What a planner calls a level; its product and location are loaded."""
    return f"{level.product.global_sku} · {level.product.product_name} at {level.location.name}"


@dataclass(frozen=True, slots=True)
class Changed:
    """One setting, from and to."""

    label: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.label} {self.old} → {self.new}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the history, ready to read."""

    change: LevelChange
    product: str
    location: str
    who: str
    settings: list[Changed]

    @property
    def deed(self) -> str:
        if self.change.action == LevelChange.Action.DELETE:
            return "deleted it"
        return f"changed {'; '.join(map(str, self.settings))}"


WHO = {"apiKey": "{} (API key)", "user": "{}", "command": "{} (command)"}


def actor(change: Any) -> str:
    """Whoever a change, or a row with its two columns, says."""
    return WHO.get(change.actor_type, "{}").format(change.actor_name)


def entries(changes: Sequence[LevelChange]) -> list[Entry]:
    """The changes with names for ids, in two queries; what is gone keeps its id."""
    products = _names(ProductMaster, {change.product_public_id for change in changes})
    places = {change.location_public_id for change in changes}
    for change in changes:
        for name in PLACES:
            places |= set(change.changes.get(name, {}).values())
    locations = _names(Location, places - {None})
    return [
        Entry(
            change=change,
            product=products.get(change.product_public_id, change.product_public_id),
            location=locations.get(change.location_public_id, change.location_public_id),
            who=actor(change),
            settings=_settings(change.changes, locations),
        )
        for change in changes
    ]


def _names(model: Any, public_ids: set[str]) -> dict[str, str]:
    if not public_ids:
        return {}
    return {row.public_id: str(row) for row in model.objects.filter(public_id__in=public_ids)}


def changes_in_words(changes: Sequence[Mapping[str, Any]]) -> list[list[Changed]]:
    """Changes of levels, each as the history has it, with names for ids in one query."""
    places = {place for one in changes for name in PLACES for place in one.get(name, {}).values()}
    locations = _names(Location, places - {None})
    return [_settings(one, locations) for one in changes]


def _settings(changes: Mapping[str, Any], locations: dict[str, str]) -> list[Changed]:
    def words(name: str, value: Any) -> str:
        if name in PLACES and value is not None:
            return locations.get(value, value)
        return value_in_words(value)

    # In the order of the form: a database's JSON has its own.
    return [
        Changed(label, words(name, both["old"]), words(name, both["new"]))
        for name, label in LABELS.items()
        if (both := changes.get(name))
    ]


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Changed]:
    """What differs between two states of a level's settings, by the model's field names."""
    return [
        Changed(LABELS[name], value_in_words(before.get(attribute)), value_in_words(new))
        for name, attribute in SETTINGS.items()
        if (new := after.get(attribute)) != before.get(attribute)
    ]


def settings_of(level: InventoryLevel) -> dict[str, Any]:
    return {attribute: getattr(level, attribute) for attribute in SETTINGS.values()}


def changes_since(seen: Mapping[str, int]) -> dict[str, list[Entry]]:
    """What happened to levels after somebody saw these versions of them, by the levels' ids,
    oldest first, in a few queries."""
    found: dict[str, list[Entry]] = {public_id: [] for public_id in seen}
    if not seen:
        return found
    later = LevelChange.objects.filter(level_public_id__in=seen, version__gt=min(seen.values()))
    changes = [one for one in later.order_by("version") if one.version > seen[one.level_public_id]]
    for entry in entries(changes):
        found[entry.change.level_public_id].append(entry)
    return found


def changes_of(level: InventoryLevel, version: int) -> str:
    """Likewise of one level, in a sentence."""
    return told(changes_since({level.public_id: version})[level.public_id])


def told(since: Iterable[Entry]) -> str:
    """Who did what meanwhile, in one sentence."""
    return " ".join(
        f"{entry.who} {entry.deed} ({entry.change.at:%Y-%m-%d %H:%M} UTC)." for entry in since
    )
