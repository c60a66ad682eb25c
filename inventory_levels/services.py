"""The only writer of inventory levels: one way for a single request and for many rows.

Whoever calls (API, bulk, import, admin, command) opens an organization scope first and says
who acts. A level and its history are written in one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import transaction

from inventory_levels import storage
from inventory_levels.models import (
    SETTINGS,
    InventoryLevel,
    LevelChange,
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
from inventory_levels.results import OnError, Result
from organizations.actors import Actor
from organizations.tenancy import current_organization

LevelResult = Result[InventoryLevel]

PUBLIC_NAME = {attribute: name for name, attribute in SETTINGS.items()}
LOCATION_SETTINGS = ("preferred_bin_location", "replenishment_location")


class Precondition(Protocol):
    def holds_for(self, level: InventoryLevel | None) -> bool:
        """Whether the level as it is stored (None: there is none) is what the caller expects."""


@dataclass(slots=True)
class LevelRow:
    """What somebody wants of one level.

    ``settings`` maps model fields to values, locations given by public id; a field that is
    not in it stays as it is. With ``level`` (a public id) the row changes that level, and its
    product and location may only repeat what they are; without, it creates or updates the
    level of its product and location.
    """

    settings: Mapping[str, Any]
    product: str | None = None
    location: str | None = None
    level: str | None = None
    precondition: Precondition | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What the history says of a change besides the change: who, by which way, and why."""

    actor: Actor
    source: LevelChange.Source
    reason: str | None = None


def save_levels(
    rows: Sequence[LevelRow],
    *,
    origin: Origin,
    on_error: OnError = "abort",
    dry_run: bool = False,
) -> list[LevelResult]:
    """Create or update levels with their history, and say what became of each row.

    With ``abort`` one bad row keeps all of them from being written (the good rows' results
    then say what would have been); with ``skip`` the good rows are written. Two rows for the
    same level both fail. Locks the products and locations named (key share), then the levels.
    """
    with transaction.atomic():
        batch = _Batch(rows, origin)
        batch.decide_and_write(on_error=on_error, dry_run=dry_run)
        if on_error == "abort" and batch.any_failed:
            transaction.set_rollback(True)  # a row may have failed after others were written
    return [batch.results[index] for index in range(len(rows))]


def save_level(row: LevelRow, *, origin: Origin) -> LevelResult:
    """Create or update one level: a batch of one. Raises the row's Refusal."""
    (result,) = save_levels([row], origin=origin)
    return result.or_raise()


def delete_level(
    public_id: str, *, origin: Origin, precondition: Precondition | None = None
) -> None:
    """Delete one level; its history keeps what was lost. Locks the level.

    Raises NotFound and PreconditionFailed.
    """
    with transaction.atomic():
        levels = storage.lock_levels_by_id([public_id])
        if not levels:
            raise _level_not_found()
        (level,) = levels
        _check_precondition(precondition, level)
        lost = {
            name: {"old": public(value), "new": None}
            for name, attribute in SETTINGS.items()
            if (value := getattr(level, attribute)) is not None
        }
        level.version += 1
        level.updated_at = storage.delete_level(level)
        storage.insert_changes([_change(level, LevelChange.Action.DELETE, lost, origin)])


@dataclass
class _Batch:
    """One call of save_levels, inside its transaction."""

    rows: Sequence[LevelRow]
    origin: Origin
    products: dict[str, ProductMaster] = field(default_factory=dict)
    locations: dict[str, Location] = field(default_factory=dict)
    results: dict[int, LevelResult] = field(default_factory=dict)

    @property
    def any_failed(self) -> bool:
        return any(result.refusal for result in self.results.values())

    def decide_and_write(self, *, on_error: OnError, dry_run: bool) -> None:
        self._hold_references()
        self._refuse_repeated_rows()
        history: list[LevelChange] = []
        pending = [index for index in range(len(self.rows)) if index not in self.results]
        while pending:
            changes = self._decide(pending)
            if dry_run or (on_error == "abort" and self.any_failed):
                return
            written, pending = self._write(changes)
            history += written
        storage.insert_changes(history)

    def _hold_references(self) -> None:
        self.products = storage.hold(
            ProductMaster, (row.product for row in self.rows if row.product is not None)
        )
        named = chain.from_iterable(
            (row.location, *(row.settings.get(name) for name in LOCATION_SETTINGS))
            for row in self.rows
        )
        self.locations = storage.hold(Location, (name for name in named if name is not None))

    def _refuse_repeated_rows(self) -> None:
        times = Counter(map(_key, self.rows))
        for index, row in enumerate(self.rows):
            if times[_key(row)] > 1:
                refusal = Refusal("The same product and location comes more than once")
                self.results[index] = Result("failed", refusal=refusal)

    def _stored(self, indexes: Sequence[int]) -> dict[Any, InventoryLevel]:
        """The levels that rows are about, locked: by public id and by (product, location)."""
        rows = [self.rows[index] for index in indexes]
        by_id = storage.lock_levels_by_id(row.level for row in rows if row.level is not None)
        pairs = [
            (self.products[row.product].pk, self.locations[row.location].pk)
            for row in rows
            if row.level is None and row.product in self.products and row.location in self.locations
        ]
        by_pair = storage.lock_levels_by_pair(pairs)
        return {level.public_id: level for level in by_id} | {
            (level.product.public_id, level.location.public_id): level for level in by_pair
        }

    def _decide(self, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Merge and check rows; answers the changes of those that are to be written."""
        changes = {}
        stored = self._stored(indexes)
        for index in indexes:
            row = self.rows[index]
            try:
                level, changed = self._merged(row, stored.get(_key(row)))
            except Refusal as refusal:
                self.results[index] = Result("failed", refusal=refusal)
                continue
            if level.pk is None:
                outcome: Any = "created"
            else:
                outcome = "updated" if changed else "unchanged"
            self.results[index] = Result(outcome, level)
            if outcome != "unchanged":
                changes[index] = changed
        return changes

    def _merged(
        self, row: LevelRow, level: InventoryLevel | None
    ) -> tuple[InventoryLevel, dict[str, Any]]:
        """The level that the row leads to, and what changes. Raises the row's Refusal.

        The contract fixes the order of the checks.
        """
        if row.level is not None and level is None:
            raise _level_not_found()
        settings = self._resolved(row)
        problems = self._unchangeable(row, level) if level else {}
        location = level.location if level else self.locations[row.location or ""]
        problems |= _misplaced(settings, location)
        if problems:
            raise Invalid(problems)
        _check_precondition(row.precondition, level)
        if level is None:
            level = InventoryLevel(
                organization=current_organization(),
                product=self.products[row.product or ""],
                location=location,
                version=0,
            )
            before = {}
        else:
            before = {attribute: getattr(level, attribute) for attribute in SETTINGS.values()}
        for attribute, value in settings.items():
            setattr(level, attribute, value)
        changes = {
            name: {"old": public(old), "new": public(new)}
            for name, attribute in SETTINGS.items()
            if (new := getattr(level, attribute)) != (old := before.get(attribute))
        }
        try:
            level.clean()
        except ValidationError as error:
            messages = error.message_dict
            raise InvalidQuantities(
                {PUBLIC_NAME[attribute]: messages[attribute] for attribute in messages}
            ) from error
        return level, changes

    def _resolved(self, row: LevelRow) -> dict[str, Any]:
        """The row's settings with locations in place of ids. Raises NotFound."""
        missing = {}
        if row.product is not None and row.product not in self.products:
            missing["productMasterId"] = ["not found"]
        if row.location is not None and row.location not in self.locations:
            missing["locationId"] = ["not found"]
        settings = dict(row.settings)
        for attribute in LOCATION_SETTINGS:
            if (public_id := settings.get(attribute)) is not None:
                settings[attribute] = self.locations.get(public_id)
                if settings[attribute] is None:
                    missing[PUBLIC_NAME[attribute]] = ["not found"]
        if missing:
            raise NotFound("Product or location not found", missing)
        if "status" in settings and settings["status"] is None:
            settings["status"] = LevelStatus.SUPPORTED
        return settings

    def _unchangeable(self, row: LevelRow, level: InventoryLevel) -> dict[str, list[str]]:
        problems = {}
        if row.product is not None and row.product != level.product.public_id:
            problems["productMasterId"] = ["can't be changed"]
        if row.location is not None and row.location != level.location.public_id:
            problems["locationId"] = ["can't be changed"]
        return problems

    def _write(self, changes: dict[int, dict[str, Any]]) -> tuple[list[LevelChange], list[int]]:
        """Write decided rows; answers their history, and the rows that lost a race.

        Those found no level, but another transaction created it meanwhile: they are decided
        again, on top of it.
        """
        levels = {index: self.results[index].saved for index in changes}
        created = {i: level for i, level in levels.items() if level.pk is None}
        updated = {i: level for i, level in levels.items() if level.pk is not None}
        for level in chain(created.values(), updated.values()):
            level.version += 1
        storage.update_levels(list(updated.values()))
        storage.insert_levels(list(created.values()))
        raced = [index for index, level in created.items() if level.pk is None]
        history = [
            _change(
                level,
                LevelChange.Action.CREATE if index in created else LevelChange.Action.UPDATE,
                changes[index],
                self.origin,
            )
            for index, level in chain(created.items(), updated.items())
            if index not in raced
        ]
        return history, raced


def _key(row: LevelRow) -> Any:
    return row.level if row.level is not None else (row.product, row.location)


def _level_not_found() -> NotFound:
    return NotFound("Inventory level not found")


def _check_precondition(precondition: Precondition | None, level: InventoryLevel | None) -> None:
    if precondition is not None and not precondition.holds_for(level):
        raise PreconditionFailed("The inventory level is not in the expected state.")


def _misplaced(settings: Mapping[str, Any], location: Location) -> dict[str, list[str]]:
    """What is wrong with the places that the settings name, seen from the level's location."""
    problems = {}
    preferred_bin = settings.get("preferred_bin_location")
    if preferred_bin is not None and not preferred_bin.is_below(location):
        problems["preferredBinLocationId"] = ["must be inside the level's location"]
    if settings.get("replenishment_location") == location:
        problems["replenishmentLocationId"] = ["must not be the level's own location"]
    return problems


def _change(
    level: InventoryLevel, action: LevelChange.Action, changes: dict[str, Any], origin: Origin
) -> LevelChange:
    return LevelChange(
        organization_id=level.organization_id,
        level_public_id=level.public_id,
        product_public_id=level.product.public_id,
        location_public_id=level.location.public_id,
        action=action,
        version=level.version,
        changes=changes,
        actor_type=origin.actor.type,
        actor_id=origin.actor.id,
        actor_name=origin.actor.name,
        source=origin.source,
        reason=origin.reason,
        at=level.updated_at,
    )
