"""Chosen quantities beside recommended ones, over all levels of an organization. Only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappush, heappushpop, nlargest
from itertools import chain, islice
from typing import Any

from django.db.models import Q, QuerySet

from inventory_levels import planning
from inventory_levels.distance import Distance, Side, distance
from inventory_levels.findings import REORDERED
from inventory_levels.models import QUANTITY_ORDER, InventoryLevel
from inventory_levels.planning import Policy, Quantities
from inventory_levels.walk import all_in_order

# Levels that one comparison looks at, and of those far off how many it keeps on each side.
MOST_COMPARED, KEPT = 100_000, 1_000
ORDER = ("product_id", "location_id")
COLUMNS = ("pk", *ORDER, *planning.Settings.__annotations__)
# Without these there is no recommendation.
COMPLETE = Q(
    forecast_quantity__isnull=False,
    expected_lead_time_days__isnull=False,
    replenishment_period_days__isnull=False,
)

_Found = tuple[tuple[bool, tuple[Decimal, ...], Decimal], int, int]


@dataclass(slots=True)
class Comparison:
    """How many levels were compared, how many are in which band of distances, and the primary
    keys of the farthest on each side, farthest first.

    ``too_large``: those whose result has too many digits. ``is_all``: there were no more levels.
    """

    looked_at: int = 0
    too_large: int = 0
    is_all: bool = True
    bands: Counter[int] = field(default_factory=Counter)
    sides: Counter[Side] = field(default_factory=Counter)
    farthest: dict[Side | None, list[int]] = field(default_factory=dict)

    @property
    def far(self) -> int:
        return self.looked_at - self.sides["near"]


def compare(levels: QuerySet[InventoryLevel], policy: Policy) -> Comparison:
    """Compare the levels that are reordered and have a recommendation, up to MOST_COMPARED.

    ``farthest[None]`` are those of all sides.
    """
    rows = all_in_order(levels.filter(COMPLETE, status__in=REORDERED), ORDER, COLUMNS)
    found = Comparison()
    heaps: dict[Side, list[_Found]] = {"low": [], "high": [], "unset": []}
    for number, (key, far) in enumerate(_distances(islice(rows, MOST_COMPARED), policy)):
        if far is None:
            found.too_large += 1
            continue
        found.looked_at += 1
        found.bands[far.band] += 1
        found.sides[far.side] += 1
        if far.side != "near":
            _keep(heaps[far.side], (far.rank, -number, key))
    found.is_all = next(rows, None) is None
    for side, heap in heaps.items():
        found.farthest[side] = [key for _, _, key in sorted(heap, reverse=True)]
    of_all = nlargest(KEPT, chain.from_iterable(heaps.values()))
    found.farthest[None] = [key for _, _, key in of_all]
    return found


def _keep(heap: list[_Found], one: _Found) -> None:
    if len(heap) < KEPT:
        heappush(heap, one)
    else:
        heappushpop(heap, one)


def _distances(rows: Iterable[Any], policy: Policy) -> Iterator[tuple[int, Distance | None]]:
    for level in rows:
        quantities = planning.recommend(level, policy).quantities
        yield level.pk, distance_of(level, quantities, policy) if quantities else None


def distance_of(level: planning.Settings, quantities: Quantities, policy: Policy) -> Distance:
    """How far a level's quantities are from those recommended for it."""
    chosen, recommended = (
        [getattr(of, name) for name in QUANTITY_ORDER] for of in (level, quantities)
    )
    return distance(chosen, recommended, decimals=policy.decimals)
