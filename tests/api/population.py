"""Levels by the hundred with their history, straight into the database.

The objects that go in stay in memory as they were meant, so that tests can reckon with them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from inventory_levels.models import SETTINGS, InventoryLevel, LevelChange, Location, ProductMaster
from inventory_levels.quantities import public
from organizations.models import Organization
from tests import factories

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# No two are neighbours in every order: by code point, by their letters, or regardless of case.
PRODUCTS = [
    ("SKU-1", "Widget, 10 % off"),
    ("sku-1", "Wîdget_ÄÖÜ"),
    ("SKU-10", "straße"),
    ("SKU_10", "STRASSE"),
    ("a,b", "Comma, in the SKU"),
    (" SKU-1", "Blank at the front"),
    ("Äpfel", "ÄPFEL und Birnen"),
    ("äpfel", "a\\b"),
    ("Zebra", "ΟΔΥΣΣΕΥΣ"),
    ("😀", "Ёлка"),
    ("～", "ёлочка"),
    ("100%", "widget"),
]
LOCATIONS = ["north", "North", "Ärmel", "zone", "Åland", "%", "😀", "～"]
COMMENTS = [None, "WIDGET of the äöü kind", "100 % sure", "under_score", "back\\slash", "Straße 7"]
STATUSES = ["Supported", "NotSupported", "SupportedNonInventory", "Stock", "Formulary", "Inactive"]


@dataclass
class Population:
    products: list[ProductMaster]
    locations: list[Location]
    bins: list[Location]
    levels: list[InventoryLevel]


def add_levels(levels: Sequence[InventoryLevel]) -> None:
    """Insert levels, and the history that led to each one's version."""
    InventoryLevel._base_manager.bulk_create(levels, batch_size=1_000)
    # In the order of time, as it would have been written.
    changes = sorted((change for level in levels for change in _history(level)), key=lambda c: c.at)
    LevelChange._base_manager.bulk_create(changes, batch_size=1_000)


def _history(level: InventoryLevel) -> Iterable[LevelChange]:
    span = level.updated_at - level.created_at
    values = {name: public(getattr(level, field)) for name, field in SETTINGS.items()}
    for version in range(1, level.version + 1):
        share = (version - 1) / (level.version - 1) if level.version > 1 else 0
        is_last = version == level.version
        yield LevelChange(
            organization=level.organization,
            level_public_id=level.public_id,
            product_public_id=level.product.public_id,
            location_public_id=level.location.public_id,
            action=LevelChange.Action.CREATE if version == 1 else LevelChange.Action.UPDATE,
            version=version,
            changes={
                name: {"old": None, "new": value}
                for name, value in values.items()
                if value is not None
            }
            if version == 1
            else {"minQuantity": {"old": version - 1, "new": version}},
            actor_type="apiKey",
            actor_id="key_1",
            actor_name="ERP",
            source=LevelChange.Source.API,
            at=level.updated_at if is_last else level.created_at + span * share,
        )


def populate(organization: Organization, levels: int = 150, *, called: str = "") -> Population:
    """An organization's levels: every filter fits some and not others, in every combination.

    The same each time; in any two organizations the same but for the ids of levels.
    """
    chance = random.Random(20260301)
    products = [
        factories.ProductFactory.build(
            organization=organization, public_id=f"prod_{n}", global_sku=sku, product_name=name
        )
        for n, (sku, name) in enumerate(PRODUCTS)
    ]
    locations = [
        factories.LocationFactory.build(organization=organization, public_id=f"loc_{n}", name=name)
        for n, name in enumerate(LOCATIONS)
    ]
    ProductMaster._base_manager.bulk_create(products)
    Location._base_manager.bulk_create(locations)
    bins = [
        factories.LocationFactory.build(
            organization=organization,
            public_id=f"bin_{n}",
            name="A-01",  # the same in each location: a tie for whoever sorts by name
            type="BIN",
            parent=location,
        )
        for n, location in enumerate(locations)
    ]
    Location._base_manager.bulk_create(bins)
    pairs = [(product, place) for product in products for place in [*locations, *bins]]
    chance.shuffle(pairs)  # so that no order is that of the primary keys
    made = [
        _level(organization, n, product, place, bins, chance, called)
        for n, (product, place) in enumerate(pairs[:levels])
    ]
    add_levels(made)
    return Population(products, locations, bins, made)


def _level(
    organization: Organization,
    number: int,
    product: ProductMaster,
    place: Location,
    bins: list[Location],
    chance: random.Random,
    called: str,
) -> InventoryLevel:
    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.7 else None

    own_bin = next((bin_ for bin_ in bins if bin_.parent == place), None)
    created_at = START - timedelta(days=100) + timedelta(hours=chance.randrange(40))
    version = chance.choice([1, 1, 2, 5])
    updated_at = created_at
    if version > 1:
        # Many at the same moment, as after a bulk request; some one microsecond beside it.
        updated_at = (
            START + timedelta(hours=chance.randrange(6)) + chance.randrange(2) * MICROSECOND
        )
    return InventoryLevel(
        organization=organization,
        public_id=f"level_{called}{number:03}",
        product=product,
        location=place,
        min_quantity=maybe(Decimal(chance.randrange(10))),
        reorder_quantity=maybe(Decimal("12.5")),
        max_quantity=maybe(Decimal(chance.randrange(20, 30))),
        status=chance.choice(STATUSES),
        abc_class=chance.choice([None, "A", "B", "C"]),
        expected_lead_time_days=maybe(chance.randrange(30)),
        replenishment_period_days=maybe(14),
        forecast_period_days=maybe(30),
        forecast_quantity=maybe(Decimal(chance.randrange(500))),
        preferred_bin_location=maybe(own_bin),
        replenishment_location=maybe(
            chance.choice([other for other in bins if other != place][:3])
        ),
        comments=chance.choice(COMMENTS),
        version=version,
        created_at=created_at,
        updated_at=updated_at,
    )
