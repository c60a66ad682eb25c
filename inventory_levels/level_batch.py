"""A batch of rows inside one transaction: locked, decided and written together, with history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from inventory_levels import storage
from inventory_levels.decisions import (
    LOCATION_SETTINGS,
    Changes,
    LevelRow,
    References,
    decide,
    repeated,
)
from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from inventory_levels.refusals import Refusal
from inventory_levels.results import Outcome, Result
from organizations.actors import Actor

LevelResult = Result[InventoryLevel]


@dataclass(frozen=True, slots=True)
class Origin:
    """What the history says of a change besides the change: who, by which way, and why."""

    actor: Actor
    source: LevelChange.Source
    reason: str | None = None


@dataclass
class LevelBatch:
    rows: Sequence[LevelRow]
    references: References = field(default_factory=References)
    results: dict[int, LevelResult] = field(default_factory=dict)
    changes: dict[int, Changes] = field(default_factory=dict)

    @property
    def any_failed(self) -> bool:
        return any(result.refusal for result in self.results.values())

    def hold_references(self) -> None:
        """Look up the products and locations that the rows name, and keep them as they are."""
        self.references = References(
            storage.hold(ProductMaster, (row.product for row in self.rows)),
            storage.hold(Location, self._places()),
        )

    def look_up_references(self) -> None:
        """Look them up without a lock."""
        products = storage.find(ProductMaster, (row.product for row in self.rows))
        self.references = References(
            {product.public_id: product for product in products},
            {place.public_id: place for place in storage.find(Location, self._places())},
        )

    def _places(self) -> Any:
        return chain.from_iterable(
            (row.location, *(row.settings.get(name) for name in LOCATION_SETTINGS))
            for row in self.rows
        )

    def decide(self, *, lock: bool = True) -> None:
        """Decide every row on the levels as they are now, which are locked unless told not to."""
        self.results, self.changes = {}, {}
        stored = self._stored(lock=lock)
        times = Counter(row.key for row in self.rows)
        for index, row in enumerate(self.rows):
            try:
                if row.problem:
                    raise row.problem
                if times[row.key] > 1 and self.references.has(row):
                    raise repeated()
                self._decide(index, row, stored.get(row.key))
            except Refusal as refusal:
                self.results[index] = Result("failed", refusal=refusal)

    def _decide(self, index: int, row: LevelRow, level: InventoryLevel | None) -> None:
        decided, changes = decide(row, level, self.references)
        outcome: Outcome = "created" if level is None else "updated" if changes else "unchanged"
        self.results[index] = Result(outcome, decided)
        if outcome != "unchanged":
            self.changes[index] = changes

    def _stored(self, *, lock: bool) -> dict[Any, InventoryLevel]:
        """The levels that rows are about, by public id and by (product, location)."""
        by_id = [row.level for row in self.rows if row.level is not None]
        by_pair = [
            (product.pk, location.pk)
            for row in self.rows
            if row.level is None
            and (product := self.references.products.get(row.product or ""))
            and (location := self.references.locations.get(row.location or ""))
        ]
        return {level.public_id: level for level in storage.levels_by_id(by_id, lock=lock)} | {
            (level.product.public_id, level.location.public_id): level
            for level in storage.levels_by_pair(by_pair, lock=lock)
        }

    def write(self, origin: Origin) -> bool:
        """Write what was decided, with its history; answers whether no race was lost.

        Where one was, a row found no level, but another transaction has created it meanwhile.
        """
        levels = {index: self.results[index].saved for index in self.changes}
        created = [level for level in levels.values() if level.pk is None]
        updated = [level for level in levels.values() if level.pk is not None]
        for level in levels.values():
            level.version += 1
        if not storage.insert_levels(created):
            return False
        storage.update_levels(updated)
        storage.insert_changes(
            change(
                level,
                LevelChange.Action.CREATE if level.version == 1 else LevelChange.Action.UPDATE,
                self.changes[index],
                origin,
            )
            for index, level in levels.items()
        )
        return True


def change(
    level: InventoryLevel, action: LevelChange.Action, changes: Mapping[str, Any], origin: Origin
) -> dict[str, Any]:
    """The history's entry of a level as it is now."""
    return {
        "organization": level.organization_id,
        "level_public_id": level.public_id,
        "product_public_id": level.product.public_id,
        "location_public_id": level.location.public_id,
        "action": action.value,
        "version": level.version,
        "changes": json.dumps(changes),
        "actor_type": origin.actor.type,
        "actor_id": origin.actor.id,
        "actor_name": origin.actor.name,
        "source": origin.source.value,
        "reason": origin.reason,
        "at": level.updated_at,
    }
