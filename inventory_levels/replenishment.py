"""Planning over what is stored: the states of many stocks, and recommendations written down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from inventory_levels import planning
from inventory_levels.models import (
    QUANTITY_ORDER,
    InventoryLevel,
    LevelChange,
    Location,
    PlanningSettings,
    ProductMaster,
)
from inventory_levels.planning import Evaluation, Policy, Quantities
from inventory_levels.refusals import Refusal
from inventory_levels.rounding import plain
from inventory_levels.services import LevelRow, Origin, save_levels
from organizations.actors import Actor

# Levels a statement.
CHUNK = 1_000

# The columns that the arithmetic looks at.
_SETTINGS = tuple(planning.Settings.__annotations__)

Pair = tuple[str, str]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Stock:
    """What is there of a product at a location, both by public id; in units."""

    product: str
    location: str
    on_hand: Decimal
    on_order: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    @property
    def pair(self) -> Pair:
        return self.product, self.location


@dataclass(frozen=True, slots=True)
class StockState:
    """A stock against its level; the ids are None where there is no level, or none is set."""

    stock: Stock
    evaluation: Evaluation
    level_id: str | None
    replenishment_location_id: str | None


def evaluate_stocks(stocks: Sequence[Stock]) -> list[StockState]:
    """The state of each stock, in their order. Three statements for 1,000 pairs; no locks."""
    pairs = sorted({stock.pair for stock in stocks})
    levels: dict[Pair, Any] = {}
    for chunk in chunks(pairs):
        levels |= _levels_of(chunk)
    return [_state_of(stock, levels.get(stock.pair)) for stock in stocks]


def _levels_of(pairs: Sequence[Pair]) -> dict[Pair, Any]:
    products = _keys(ProductMaster, {product for product, _ in pairs})
    locations = _keys(Location, {location for _, location in pairs})
    known = {
        (products[product], locations[location]): (product, location)
        for product, location in pairs
        if product in products and location in locations
    }
    if not known:
        return {}
    table = InventoryLevel._meta.db_table
    values = ", ".join(["(%s, %s)"] * len(known))
    # A list of values as it stands would send SQLite through all levels of the organization.
    among = RawSQL(
        f"({table}.product_id, {table}.location_id) IN "
        f"(SELECT column1, column2 FROM (VALUES {values}) pairs)",
        [key for keys in known for key in keys],
        output_field=BooleanField(),
    )
    source = "replenishment_location__public_id"
    columns = ("product_id", "location_id", "public_id", source, *_SETTINGS)
    rows = InventoryLevel.objects.filter(among).values_list(*columns, named=True)
    return {known[row.product_id, row.location_id]: row for row in rows}


def _keys(model: type[ProductMaster] | type[Location], public_ids: set[str]) -> dict[str, int]:
    rows = model._default_manager.filter(public_id__in=public_ids)
    return dict(rows.values_list("public_id", "pk"))


def _state_of(stock: Stock, level: Any) -> StockState:
    evaluation = planning.evaluate(
        level, on_hand=stock.on_hand, on_order=stock.on_order, reserved=stock.reserved
    )
    if level is None:
        return StockState(stock, evaluation, None, None)
    source = level.replenishment_location__public_id
    return StockState(stock, evaluation, level.public_id, source)


@dataclass(frozen=True, slots=True)
class Failure:
    """A level that could not be written; ``place`` counts the matching levels from 0."""

    place: int
    level_id: str
    refusal: Refusal

    def told(self) -> dict[str, Any]:
        refusal = self.refusal
        return {
            "index": self.place,
            "outcome": "failed",
            "id": self.level_id,
            "error": refusal.sentence,
            "code": refusal.code,
            "details": refusal.details,
        }


@dataclass(slots=True)
class Applied:
    """What became of the levels that matched; those of too little data were left alone."""

    updated: int = 0
    unchanged: int = 0
    insufficient_data: int = 0
    failed: list[Failure] = field(default_factory=list)

    def told(self, *, dry_run: bool) -> dict[str, Any]:
        """As bulk requests answer; of the results only the failures: there may be a million."""
        return {
            "created": 0,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "failed": len(self.failed),
            "insufficientData": self.insufficient_data,
            "dryRun": dry_run,
            "results": [failure.told() for failure in self.failed],
        }


def apply_recommendations(
    levels: QuerySet[InventoryLevel],
    *,
    actor: Actor,
    source: LevelChange.Source,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Applied:
    """Write the recommended quantities of these levels, with history, in one transaction.

    Each is computed from the level as it is when written: the levels are locked first, in the
    order in which all writers lock them, and one that does not match any more is passed over.
    ``on_progress`` gets the number of levels that are done, and of all.
    """
    with transaction.atomic():
        policy = PlanningSettings.objects.current().policy
        keys = list(levels.order_by("product_id", "location_id").values_list("pk", flat=True))
        application = _Application(levels, policy, actor, source, dry_run)
        for chunk in chunks(keys):
            application.take(chunk)
            on_progress(application.taken, len(keys))
    return application.applied


@dataclass
class _Application:
    """One call of apply_recommendations, inside its transaction."""

    levels: QuerySet[InventoryLevel]
    policy: Policy
    actor: Actor
    source: LevelChange.Source
    dry_run: bool
    taken: int = 0
    applied: Applied = field(default_factory=Applied)

    def take(self, keys: Sequence[int]) -> None:
        """Write the recommendations for the levels with these primary keys, in their order."""
        if not self.dry_run:
            _lock(keys)
        places = {key: self.taken + number for number, key in enumerate(keys)}
        self.taken += len(keys)
        # Read by a statement of its own, which sees what it may have had to wait for.
        matching = self.levels.filter(pk__in=keys)
        rows = matching.values_list("pk", "public_id", *_SETTINGS, named=True)
        changes: dict[Decimal, dict[int, LevelRow]] = defaultdict(dict)
        for level in rows:
            self._decide(level, places[level.pk], changes)
        for service_level, batch in changes.items():
            self._write(service_level, batch)

    def _decide(self, level: Any, place: int, changes: dict[Decimal, dict[int, LevelRow]]) -> None:
        recommendation = planning.recommend(level, self.policy)
        quantities = recommendation.quantities
        if recommendation.inputs.missing:
            self.applied.insufficient_data += 1
        elif quantities is None:
            refusal = Refusal(recommendation.reason or "")
            self.applied.failed.append(Failure(place, level.public_id, refusal))
        else:
            wanted = settings_of(quantities)
            if wanted == {name: getattr(level, name) for name in QUANTITY_ORDER}:
                self.applied.unchanged += 1
            else:
                row = LevelRow(wanted, level=level.public_id)
                changes[recommendation.inputs.service_level][place] = row

    def _write(self, service_level: Decimal, batch: dict[int, LevelRow]) -> None:
        if self.dry_run:
            self.applied.updated += len(batch)
            return
        origin = Origin(self.actor, self.source, reason_for(service_level))
        results = save_levels(list(batch.values()), origin=origin, on_error="skip")
        for (place, row), result in zip(batch.items(), results, strict=True):
            if result.refusal is None:
                self.applied.updated += 1
            else:
                self.applied.failed.append(Failure(place, row.level or "", result.refusal))


def settings_of(quantities: Quantities) -> dict[str, Any]:
    """Recommended quantities as a level's row takes them."""
    return {name: getattr(quantities, name) for name in QUANTITY_ORDER}


def reason_for(service_level: Decimal) -> str:
    """What the history says of quantities that were recommended."""
    return f"recommended: {plain(100 * service_level)} % service level"


def _lock(keys: Sequence[int]) -> None:
    levels = InventoryLevel.objects.filter(pk__in=keys).order_by("product_id", "location_id")
    list(levels.select_for_update(no_key=True).values_list("pk"))


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items, as many at a time as a statement takes."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
