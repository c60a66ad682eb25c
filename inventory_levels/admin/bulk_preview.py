"""What a verb would do to many levels, worked out before anybody says yes, and then done.

Everything is measured against the versions that the person saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError

from inventory_levels import services
from inventory_levels.admin.saving import AtVersion
from inventory_levels.admin.verbs import Copy, Delete, Verb
from inventory_levels.admin.words import (
    LABELS,
    Changed,
    changes_since,
    differences,
    name_of,
    settings_of,
    told,
)
from inventory_levels.models import InventoryLevel
from inventory_levels.refusals import PreconditionFailed, Refusal
from inventory_levels.services import LevelRow, Origin
from organizations.public_ids import PUBLIC_ID
from organizations.texts import whole_number

# Levels that a page lists; it counts them all.
LISTED = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A level as the person saw it; of a copy also the one in its place, version 0 for none."""

    level: str
    version: int
    replaced: int | None = None

    def __str__(self) -> str:
        known = [self.level, self.version, self.replaced]
        return "@".join(str(part) for part in known if part is not None)

    @classmethod
    def read(cls, text: str, verb: Verb) -> list[Shown]:
        """The levels that a page carries along, each once. Raises ValueError."""
        shown: dict[str, Shown] = {}
        for part in filter(None, text.split(",")):
            level, *rest = part.split("@")
            versions = [version for one in rest if (version := whole_number(one)) is not None]
            most = 2 if isinstance(verb, Copy) else 1
            if not PUBLIC_ID.match(level) or not 0 < len(versions) == len(rest) <= most:
                raise ValueError(part)
            shown.setdefault(level, cls(level, *versions))
        return list(shown.values())


@dataclass(frozen=True, slots=True)
class Moved:
    """A level that changed since it was shown; without a name, or without an id, it is gone."""

    name: str
    level: str
    version: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one level."""

    level: InventoryLevel
    name: str
    changes: list[Changed] = field(default_factory=list)
    refusal: str = ""


@dataclass
class Preview:
    verb: Verb
    asked: Mapping[str, Any]
    shown: list[Shown]
    origin: Origin
    outcomes: list[Outcome] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    # Its begin, in words.
    moved_on: list[str] = field(default_factory=list)
    # What would be written, by the reason that its history gives.
    rows: dict[str | None, list[LevelRow]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        levels = _levels(public_id__in=[one.level for one in self.shown])
        by_id = {level.public_id: level for level in levels}
        self.targets = self._targets(levels)
        fresh: list[Shown] = []
        self.levels: list[InventoryLevel] = []
        for one in self.shown:
            level = by_id.get(one.level)
            if level is None:
                self.moved.append(Moved("", one.level, one.version))
                continue
            self._compare(one, level)
            self.levels.append(level)
            fresh.append(Shown(one.level, level.version, self._replaced(level)))
        self.shown = fresh
        self.moved_on = _told(self.moved[:LISTED])
        self._work_out()

    def _targets(self, levels: Iterable[InventoryLevel]) -> dict[int, InventoryLevel]:
        """Of a copy: the levels that are in the target already, by product."""
        if not isinstance(self.verb, Copy):
            return {}
        products = {level.product_id for level in levels}
        there = _levels(location=self.asked["target"], product__in=products)
        return {level.product_id: level for level in there}

    def _replaced(self, level: InventoryLevel) -> int | None:
        if not isinstance(self.verb, Copy):
            return None
        target = self.targets.get(level.product_id)
        return target.version if target else 0

    def _compare(self, one: Shown, level: InventoryLevel) -> None:
        if level.version != one.version:
            self.moved.append(Moved(name_of(level), one.level, one.version))
        target = self.targets.get(level.product_id)
        if one.replaced is not None and one.replaced != self._replaced(level):
            known = target.public_id if target else ""
            self.moved.append(Moved(self._called(level), known, one.replaced))

    def _called(self, level: InventoryLevel) -> str:
        """The level that would change: of a copy the one at the target."""
        if not isinstance(self.verb, Copy):
            return name_of(level)
        return f"{level.product} at {self.asked['target'].name}"

    def _work_out(self) -> None:
        if isinstance(self.verb, Delete):
            self.outcomes = [
                Outcome(level, name_of(level), differences(settings_of(level), {}))
                for level in self.levels
            ]
            return
        rows: list[tuple[InventoryLevel, LevelRow]] = []
        for level in self.levels:
            try:
                rows.append((level, self._row(level)))
            except ValidationError as error:
                said = "; ".join(error.messages)
                self.outcomes.append(Outcome(level, self._called(level), refusal=said))
        results = services.save_levels(
            [row for _, row in rows], origin=self.origin, on_error="skip", dry_run=True
        )
        for (level, row), result in zip(rows, results, strict=True):
            if result.refusal:
                said = _in_words(result.refusal)
                self.outcomes.append(Outcome(level, self._called(level), refusal=said))
                continue
            target = self.targets.get(level.product_id)
            before = level if not isinstance(self.verb, Copy) else target
            changes = differences(settings_of(before) if before else {}, settings_of(result.saved))
            self.outcomes.append(Outcome(level, self._called(level), changes))
            if changes:
                self.rows[self.verb.reason(level, self.asked)].append(row)

    def _row(self, level: InventoryLevel) -> LevelRow:
        settings = self.verb.settings(level, self.asked)
        if not isinstance(self.verb, Copy):
            return LevelRow(
                level=level.public_id, settings=settings, precondition=AtVersion(level.version)
            )
        replaced = self._replaced(level) if self.asked["overwrite"] else 0
        return LevelRow(
            product=level.product.public_id,
            location=self.asked["target"].public_id,
            settings=settings,
            precondition=AtVersion(replaced or None),
        )

    @property
    def changing(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.changes]

    @property
    def refused(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.refusal]

    @property
    def unchanged(self) -> int:
        return len(self.outcomes) - len(self.changing) - len(self.refused)

    @property
    def remarks(self) -> list[str]:
        return self.verb.remarks([one.level for one in self.changing], self.asked)

    def apply(self) -> int:
        """Do it, in the transaction that worked it out; answers to how many levels."""
        if isinstance(self.verb, Delete):
            for level in sorted(self.levels, key=lambda one: (one.product_id, one.location_id)):
                services.delete_level(
                    level.public_id, origin=self.origin, precondition=AtVersion(level.version)
                )
            return len(self.levels)
        # Locked already by what worked it out, so the order of the reasons is any.
        for reason, rows in self.rows.items():
            for result in services.save_levels(rows, origin=replace(self.origin, reason=reason)):
                result.or_raise()
        return len(self.changing)


def _levels(**which: Any) -> Sequence[InventoryLevel]:
    return list(InventoryLevel.objects.with_references().filter(**which))


def _told(moved: Sequence[Moved]) -> list[str]:
    """Who did what to each, in a few queries for all of them."""
    since = changes_since({one.level: one.version for one in moved if one.level})
    said = []
    for one in moved:
        what = since.get(one.level, [])
        if one.name:
            otherwise = "has changed." if one.level else "was deleted meanwhile."
            said.append(f"{one.name}: {told(what) or otherwise}")
        elif what:
            said.append(f"{what[-1].product} at {what[-1].location}: {told(what)}")
        else:
            said.append("One of the levels is not there any more.")
    return said


def _in_words(refusal: Refusal) -> str:
    if isinstance(refusal, PreconditionFailed):
        return "The location has a level of this product already."
    details = refusal.details or {}
    said = [
        f"{LABELS.get(name, name)} {'; '.join(messages)}"
        for name, messages in details.items()
        if not isinstance(messages, int)
    ]
    return "; ".join(said) or refusal.sentence
