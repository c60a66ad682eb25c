"""Writes the ABC classes of an organization's levels, by their value of use."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from django.db import transaction

from inventory_levels.classification import classify_abc
from inventory_levels.models import AbcClass, InventoryLevel, LevelChange, PlanningSettings
from inventory_levels.planning import Policy, per_day
from inventory_levels.refusals import NotFound, PreconditionFailed
from inventory_levels.replenishment import CHUNK, chunks
from inventory_levels.rounding import plain
from inventory_levels.services import LevelRow, Origin, save_levels
from organizations.actors import Actor

# How often all is ranked again for the sake of levels that others changed meanwhile.
ROUNDS = 3
# Of a value of use, that whole numbers are of: forecasts and costs have 4 decimals each.
SCALE = 10**8


@dataclass(frozen=True, slots=True)
class _Change:
    key: int
    version: int
    abc_class: str

    def holds_for(self, level: InventoryLevel | None) -> bool:
        """Whether the level is as it was ranked."""
        return level is not None and level.version == self.version


@dataclass(slots=True)
class Classified:
    """How many levels are in which class now, and how many of them were not before.

    ``unknown``: of no known value, which keep the class they have. ``moved_on``: changed by
    others while they were ranked, however often.
    """

    classes: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    changed: int = 0
    moved_on: int = 0

    def told(self, *, dry_run: bool) -> dict[str, Any]:
        return {
            **{name: self.classes[name] for name in AbcClass.values},
            "unknown": self.unknown,
            "changed": self.changed,
            "movedOn": self.moved_on,
            "dryRun": dry_run,
        }


def classify_levels(
    *,
    actor: Actor,
    source: LevelChange.Source,
    per_location: bool = False,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Classified:
    """Rank all levels of the organization, or each location's alone, by their value of use.

    Only levels whose class changes are written, and each thousand commits by itself: whoever
    stops it has only to run it again. A level that somebody changes between its ranking and its
    writing is not overwritten; everything is ranked again for it. ``on_progress`` gets the
    number of changes that are written, and of all.
    """
    policy = PlanningSettings.objects.current().policy
    origin = Origin(actor, source, _reason(policy, per_location=per_location))
    written = 0
    for _ in range(ROUNDS):
        classified, changes = _ranked(policy, per_location=per_location)
        classified.changed = written
        if dry_run:
            classified.changed += len(changes)
            break
        total = written + len(changes)
        for chunk in chunks(changes):
            written += _write(chunk, origin)
            on_progress(written, total)
        classified.changed, classified.moved_on = written, total - written
        if written == total:
            break
    return classified


def _reason(policy: Policy, *, per_location: bool) -> str:
    a, b = (plain(100 * share) for share in (policy.a_share, policy.b_share))
    where = " at its location" if per_location else ""
    return f"ABC by value of use{where}: A to {a} %, B to {b} %"


def _ranked(policy: Policy, *, per_location: bool) -> tuple[Classified, list[_Change]]:
    """The classes that the levels should have, and the changes that this takes."""
    classified = Classified()
    changes: list[_Change] = []
    for group in groups(per_location=per_location):
        classified.unknown += group.unknown
        for place, abc_class in enumerate(classify_abc(group.values, policy)):
            classified.classes[abc_class] += 1
            if group.current[place] != abc_class:
                changes.append(_Change(group.keys[place], group.versions[place], abc_class))
    return classified, changes


@dataclass
class Group:
    """Levels that are ranked together, column by column: there may be a million of them."""

    keys: array[int] = field(default_factory=lambda: array("q"))
    versions: array[int] = field(default_factory=lambda: array("q"))
    current: list[str | None] = field(default_factory=list)
    values: list[Fraction] = field(default_factory=list)
    unknown: int = 0

    def add(self, level: Any) -> None:
        if level.forecast_quantity is None or level.product__unit_cost is None:
            self.unknown += 1
            return
        self.keys.append(level.pk)
        self.versions.append(level.version)
        self.current.append(level.abc_class)
        self.values.append(_value_of_use(level))


def groups(*, per_location: bool) -> Iterator[Group]:
    """Levels that are ranked together, group by group.

    They are read in the order that decides among equals: by product, then location.
    """
    order = ["product__public_id", "location__public_id"]
    levels = InventoryLevel.objects.order_by(*(reversed(order) if per_location else order))
    columns = ("pk", "version", "abc_class", "forecast_quantity", "forecast_period_days")
    rows = levels.values_list(*columns, "product__unit_cost", "location_id", named=True)
    together = groupby(
        rows.iterator(chunk_size=CHUNK), key=lambda row: per_location and row.location_id
    )
    for _, members in together:
        group = Group()
        for level in members:
            group.add(level)
        yield group


def _value_of_use(level: Any) -> Fraction:
    """What is used a day, times SCALE: whole numbers are quicker than decimals."""
    units, cost = _scaled(level.forecast_quantity), _scaled(level.product__unit_cost)
    return per_day(units * cost, level.forecast_period_days)


def _scaled(number: Decimal) -> int:
    return int(number.scaleb(4))


def _write(changes: Sequence[_Change], origin: Origin) -> int:
    """Write a chunk in one transaction; answers how many levels were as they had been ranked."""
    with transaction.atomic():
        keys = [change.key for change in changes]
        public_ids = dict(InventoryLevel.objects.filter(pk__in=keys).values_list("pk", "public_id"))
        rows = [
            LevelRow({"abc_class": change.abc_class}, level=public_id, precondition=change)
            for change in changes
            if (public_id := public_ids.get(change.key))
        ]
        results = save_levels(rows, origin=origin, on_error="skip")
        refusals = [result.refusal for result in results if result.refusal]
    for refusal in refusals:
        if not isinstance(refusal, (PreconditionFailed, NotFound)):
            raise refusal
    return len(rows) - len(refusals)
