"""What the report shows of a comparison: worked out once for many, and the rows of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.http import urlencode

from inventory_levels.admin.drawing import Recommended, beside
from inventory_levels.comparison import Comparison, compare, distance_of
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.planning import Policy, recommend
from inventory_levels.remarks import remarks
from organizations.tenancy import current_organization

# A comparison of more levels is kept for so long, or until a level or the settings change.
MANY, SECONDS = 10_000, 600


@dataclass(frozen=True, slots=True)
class Compared:
    comparison: Comparison
    at: datetime


def compared(
    levels: QuerySet[InventoryLevel], policy: Policy, asked: Mapping[str, str]
) -> Compared:
    """The comparison of these levels, which ``asked`` tells from others of the organization."""
    last = LevelChange.objects.order_by("-at", "-pk").values_list("pk", flat=True).first()
    narrowed = urlencode({name: value for name, value in asked.items() if name != "side"})
    settings = crc32(repr(policy).encode())
    key = f"compared-{current_organization().public_id}-{last}-{settings}-{narrowed}"
    kept: Compared | None = cache.get(key)
    if kept is None:
        kept = Compared(compare(levels, policy), timezone.now())
        if kept.comparison.looked_at > MANY:
            cache.set(key, kept, SECONDS)
    return kept


@dataclass(frozen=True, slots=True)
class Row:
    """A level with its three quantities beside those recommended, and what to take care of."""

    level: InventoryLevel
    quantities: list[Recommended]
    how_far: str
    side: str
    care: list[str]


def rows_of(keys: Sequence[int], policy: Policy) -> list[Row]:
    """The levels with these primary keys as they are now, in their order."""
    levels = InventoryLevel.objects.with_references().in_bulk(keys)
    rows: list[Row] = []
    for level in (levels[key] for key in keys if key in levels):
        recommendation = recommend(level, policy)
        quantities = recommendation.quantities
        if quantities is None:
            continue
        far, shown = distance_of(level, quantities, policy), beside(level, quantities)
        label = shown[far.farthest].label
        told = str(far) if far.side in ("unset", "near") else f"{label} {far}"
        care = [remark.care.short for remark in remarks(level, recommendation)]
        rows.append(Row(level, shown, told.capitalize(), far.side, care))
    return rows
