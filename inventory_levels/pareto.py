"""The value of use of all levels of an organization, as the classification sees it. Only reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate

from inventory_levels.abc_classes import SCALE, Group, groups
from inventory_levels.classification import UNITS, AbcClass, Ranking
from inventory_levels.models import InventoryLevel
from inventory_levels.planning import Policy

# Levels that are ranked at once, all together.
MOST_RANKED = 200_000
# Points of the curve, and levels of another class than theirs that are listed.
POINTS, LISTED = 200, 100
CLASSES: tuple[AbcClass, ...] = ("A", "B", "C")


@dataclass(frozen=True, slots=True)
class Share:
    """Levels of a class, and what is used of them a day, in the currency of the costs."""

    levels: int
    value: float


@dataclass(frozen=True, slots=True)
class Reclassified:
    """A level by its primary key, whose class is not what its value of use says."""

    key: int
    old: str | None
    new: AbcClass


@dataclass(slots=True)
class Pareto:
    """Shares of all levels whose value is known; ``curve`` has (share of levels, share of value),
    from the dearest level on, ``ends`` the share of levels up to the last one of each class.

    ``differing`` counts by (class, class by value), ``listed`` are the dearest of those, and
    ``mark`` tells one such list of changes from another.
    """

    classes: dict[AbcClass, Share]
    total: float
    known: int
    unknown: int
    curve: list[tuple[float, float]]
    ends: dict[AbcClass, float]
    mark: str
    differing: Counter[tuple[str | None, AbcClass]] = field(default_factory=Counter)
    listed: list[Reclassified] = field(default_factory=list)


def survey(policy: Policy) -> Pareto | None:
    """Rank all levels of the organization as the classification does, and say what it finds.

    None where there are more than MOST_RANKED levels: a page can't wait for it.
    """
    if InventoryLevel.objects.order_by()[: MOST_RANKED + 1].count() > MOST_RANKED:
        return None
    group = next(groups(per_location=False), Group())
    ranking = Ranking.of(group.values)
    classes = ranking.classes(policy)
    found = _shares(group, ranking, classes)
    mark = sha256()
    unused = (place for place, use in enumerate(ranking.uses) if not use)
    for place in (*ranking.order, *unused):
        old, new = group.current[place], classes[place]
        if old == new:
            continue
        found.differing[old, new] += 1
        mark.update(f"{group.keys[place]}@{group.versions[place]}{new} ".encode())
        if len(found.listed) < LISTED:
            found.listed.append(Reclassified(group.keys[place], old, new))
    found.mark = mark.hexdigest()[:16]
    return found


def _shares(group: Group, ranking: Ranking, classes: list[AbcClass]) -> Pareto:
    counts = Counter(classes)
    values: Counter[AbcClass] = Counter()
    for abc_class, use in zip(classes, ranking.uses, strict=True):
        values[abc_class] += use
    total, unit = sum(values.values()), SCALE * UNITS
    ends = dict(zip(CLASSES, accumulate(counts[name] for name in CLASSES), strict=True))
    known = len(classes)
    return Pareto(
        classes={name: Share(counts[name], values[name] / unit) for name in CLASSES},
        total=total / unit,
        known=known,
        unknown=group.unknown,
        curve=_curve(ranking, known, total),
        ends={name: end / known for name, end in ends.items() if known},
        mark="",
    )


def _curve(ranking: Ranking, known: int, total: int) -> list[tuple[float, float]]:
    """Through as many levels as can be told apart, from (0, 0) to (1, 1)."""
    if not total:
        return []
    running = list(accumulate(ranking.uses[place] for place in ranking.order))
    step = max(len(running) // POINTS, 1)
    places = sorted({*range(0, len(running), step), len(running) - 1})
    points = [((place + 1) / known, running[place] / total) for place in places]
    return [(0.0, 0.0), *points, (1.0, 1.0)]
