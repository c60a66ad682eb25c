"""The demo's data: a medical wholesaler's products, places and levels, the same at every load.

The levels are as good and as bad as real ones are: some lack a threshold, a lead time or a
forecast, some are switched off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventory_levels import catalog, services
from inventory_levels.catalog import CatalogRow
from inventory_levels.models import (
    InventoryLevel,
    LevelChange,
    LevelStatus,
    LocationType,
    ProductStatus,
)
from inventory_levels.services import LevelRow, Origin
from organizations.actors import Actor

# id, name, type, the location it is in.
LOCATIONS = (
    ("loc_123", "Central warehouse", LocationType.WAREHOUSE, None),
    ("bin_123", "A-01-1", LocationType.BIN, "loc_123"),
    ("bin_124", "A-01-2", LocationType.BIN, "loc_123"),
    ("bin_125", "A-02-1", LocationType.BIN, "loc_123"),
    ("loc_125", "Cold room", LocationType.OTHER, "loc_123"),
    ("bin_126", "C-01-1", LocationType.BIN, "loc_125"),
    ("loc_124", "East warehouse", LocationType.WAREHOUSE, None),
    ("bin_201", "E-01-1", LocationType.BIN, "loc_124"),
    ("bin_202", "E-01-2", LocationType.BIN, "loc_124"),
    ("loc_301", "Riverside store", LocationType.STORE, None),
    ("loc_302", "Station Street store", LocationType.STORE, None),
    ("loc_303", "Hillview store", LocationType.STORE, None),
    ("loc_456", "Meridian Medical Supply", LocationType.SUPPLIER, None),
    ("loc_457", "Northgate Surgical Imports", LocationType.SUPPLIER, None),
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where stock is kept: its share of the demand, what it carries, where it comes from."""

    id: str
    share: Decimal
    carries_every: int  # 1: all products, 2: every other one
    sources: tuple[str, ...]
    lead_times: tuple[int, ...]
    order_every: int
    bins: tuple[str, ...] = ()


SUPPLIERS = ("loc_456", "loc_457")
CENTRAL_BINS = ("bin_123", "bin_124", "bin_125", "bin_126")
EAST_BINS = ("bin_201", "bin_202")
SITES = (
    Site("loc_123", Decimal("0.6"), 1, SUPPLIERS, (7, 10, 14, 21), 14, CENTRAL_BINS),
    Site("loc_124", Decimal("0.4"), 2, SUPPLIERS, (10, 14, 28), 28, EAST_BINS),
    Site("loc_301", Decimal("0.08"), 2, ("loc_123",), (1, 2), 7),
    Site("loc_302", Decimal("0.05"), 3, ("loc_123", "loc_124"), (2,), 7),
    Site("loc_303", Decimal("0.04"), 3, ("loc_124",), (2, 3), 7),
)

# SKU, name, cost of one, demand in 30 days of the first variant, variants by demand.
FAMILIES = (
    ("GLN", "Nitrile gloves, powder-free, box of 100", "6.85", "900", "L|S|XL"),
    ("GLL", "Latex gloves, powder-free, box of 100", "5.20", "260", "M|L|S"),
    ("GLS", "Surgical gloves, sterile, pair", "0.95", "1400", "7.5|7|8|6.5"),
    ("MSK", "Surgical mask, type IIR, box of 50", "3.40", "620", "blue|white|children"),
    ("FFP", "Respirator mask, box of 20", "14.90", "180", "FFP2|FFP3"),
    ("GWN", "Isolation gown, pack of 10", "11.50", "140", "L|XL|M"),
    ("SYR", "Syringe, luer lock, box of 100", "8.10", "510", "5 ml|10 ml|2 ml|20 ml|50 ml"),
    ("NDL", "Hypodermic needle, box of 100", "3.75", "480", "21G × 40 mm|23G × 25 mm|25G × 16 mm"),
    ("IVC", "IV cannula, box of 50", "38.00", "120", "20G pink|18G green|22G blue|24G yellow"),
    ("INF", "Infusion set with air filter", "1.85", "700", "180 cm|150 cm"),
    ("SAL", "Sodium chloride 0.9 %, bag", "1.30", "1600", "500 ml|1,000 ml|250 ml|100 ml"),
    ("RIN", "Ringer's lactate, bag", "1.60", "420", "1,000 ml|500 ml"),
    ("GLU", "Glucose 5 %, bag", "1.45", "380", "500 ml|250 ml"),
    ("GZE", "Gauze swabs, sterile, pack of 100", "4.60", "560", "10 × 10 cm|7.5 × 7.5 cm|5 × 5 cm"),
    ("BND", "Elastic bandage, box of 10", "6.20", "310", "8 cm|6 cm|10 cm|12 cm"),
    ("PLS", "Adhesive plasters, box of 100", "5.10", "450", "19 × 72 mm|25 × 72 mm|assorted"),
    ("DRS", "Foam dressing, box of 10", "29.50", "95", "10 × 10 cm|15 × 15 cm|20 × 20 cm"),
    ("TAP", "Surgical tape, silk, box of 12", "9.80", "170", "2.5 cm|5 cm"),
    ("SUT", "Suture, absorbable, box of 36", "84.00", "36", "3-0|2-0|4-0|5-0"),
    ("SCP", "Scalpel, disposable, box of 10", "7.90", "130", "no. 11|no. 15|no. 10|no. 22"),
    ("CTH", "Foley catheter, silicone", "4.90", "210", "CH 16|CH 14|CH 18|CH 12"),
    ("URB", "Urine bag, 2 l", "0.75", "830", "with tap|without tap"),
    ("ETT", "Endotracheal tube, cuffed", "3.60", "90", "7.5 mm|7.0 mm|8.0 mm|6.5 mm"),
    ("OXM", "Oxygen mask with tubing", "2.10", "240", "adult|child"),
    ("ECG", "ECG electrodes, pack of 50", "7.30", "190", "foam|children"),
    ("UGL", "Ultrasound gel", "3.95", "150", "250 ml|5 l"),
    ("DIS", "Hand disinfectant", "4.20", "940", "500 ml|100 ml|5 l"),
    ("WIP", "Surface disinfectant wipes", "6.60", "520", "tub of 100|refill of 200"),
    ("LOT", "Washing lotion, pH-neutral", "3.15", "280", "500 ml|5 l"),
    ("THM", "Infrared thermometer", "31.00", "28", "ear|forehead"),
    ("BPM", "Blood pressure monitor", "64.00", "18", "upper arm|wrist|on a stand"),
    ("GLC", "Blood glucose test strips, box of 50", "17.80", "330", "coded|no coding"),
    ("LNC", "Safety lancets, box of 200", "12.40", "145", "28G|21G"),
    ("SHP", "Sharps container", "2.85", "410", "5 l|1.5 l|10 l"),
    ("WBG", "Clinical waste bags, roll of 50", "8.70", "230", "60 l|120 l"),
    ("CCR", "Examination couch roll, carton of 9", "27.90", "160", "50 cm|59 cm"),
    ("INC", "Incontinence pads, pack of 30", "11.20", "390", "L|M|XL"),
    ("WHC", "Wheelchair, folding", "189.00", "6", "46 cm seat|43 cm seat|50 cm seat"),
    ("WLF", "Walking frame, aluminium", "42.00", "14", "folding|fixed|with wheels"),
    ("CRT", "Elbow crutches, pair", "16.50", "48", "adult|child"),
    ("TUB", "Silicone tubing, metre", "1.15", "62.5", "6 × 9 mm|4 × 6 mm|8 × 12 mm"),
    ("VAC", "Influenza vaccine, box of 10", "96.00", "75", "adult|high dose"),
)


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    sku: str
    name: str
    unit_cost: Decimal
    demand: Decimal  # in 30 days, all sites together


EXAMPLE = ("prod_123", "loc_123")
EXAMPLE_LEVEL_ID = "level_123"
EXAMPLE_SETTINGS = {
    "min_quantity": Decimal(50),
    "reorder_quantity": Decimal(100),
    "max_quantity": Decimal(500),
    "status": LevelStatus.SUPPORTED,
    "abc_class": "A",
    "expected_lead_time_days": 7,
    "replenishment_period_days": 14,
    "forecast_period_days": 30,
    "forecast_quantity": Decimal(200),
    "preferred_bin_location": "bin_123",
    "replenishment_location": "loc_456",
    "comments": "High priority item",
}


def products() -> list[Product]:
    """All products; the first one is that of the published example."""
    name = "Nitrile gloves, powder-free, box of 100, M"
    found = [Product("prod_123", "SKU-123", name, Decimal("6.85"), Decimal(1100))]
    for family, name, cost, demand, variants in FAMILIES:
        for number, variant in enumerate(variants.split("|")):
            found.append(
                Product(
                    id=f"prod_{123 + len(found)}",
                    sku=f"{family}-{number + 1:02}",
                    name=f"{name}, {variant}",
                    unit_cost=Decimal(cost),
                    demand=Decimal(demand) / (number + 1),
                )
            )
    return found


def levels() -> Iterator[LevelRow]:
    """What each site wants of the products that it carries."""
    for number, product in enumerate(products()):
        for place, site in enumerate(SITES):
            if (number + place) % site.carries_every:
                continue
            if (product.id, site.id) == EXAMPLE:
                settings = EXAMPLE_SETTINGS
            else:
                settings = _settings(product, site, number * len(SITES) + place)
            yield LevelRow(settings, product=product.id, location=site.id)


def _settings(product: Product, site: Site, turn: int) -> dict[str, Any]:
    """One level's settings; ``turn`` numbers the levels and decides by turns what is odd."""
    lead_time = site.lead_times[turn % len(site.lead_times)]
    settings = {
        **_quantities(product.demand * site.share / 30, lead_time, site.order_every),
        "abc_class": _abc_class(product),
        "expected_lead_time_days": lead_time,
        "replenishment_period_days": site.order_every,
        "replenishment_location": site.sources[turn % len(site.sources)],
    }
    if site.bins and turn % 3 == 0:
        settings["preferred_bin_location"] = site.bins[turn % len(site.bins)]
    for every, oddity in ODDITIES:
        if turn % every == every - 1:
            settings |= oddity
    return settings


# In every so many levels: what is missing or different there.
ODDITIES: tuple[tuple[int, dict[str, Any]], ...] = (
    (9, {"status": LevelStatus.STOCK}),
    (13, {"status": LevelStatus.FORMULARY}),
    (17, {"abc_class": None}),
    (19, {"min_quantity": None}),
    (23, {"max_quantity": None}),
    (29, {"expected_lead_time_days": None}),
    (31, {"forecast_quantity": None, "forecast_period_days": None}),
    (37, {"min_quantity": None, "reorder_quantity": None, "max_quantity": None}),
    (41, {"comments": "Ask purchasing before ordering more: the supplier changes in spring."}),
    (43, {"status": LevelStatus.SUPPORTED_NON_INVENTORY, "comments": "Delivered by the supplier."}),
    (47, {"status": LevelStatus.NOT_SUPPORTED, "min_quantity": Decimal(0)}),
    (53, {"status": LevelStatus.INACTIVE, "comments": "Replaced by a larger pack."}),
)


def _quantities(per_day: Decimal, lead_time: int, order_every: int) -> dict[str, Any]:
    """A rule of thumb: half the demand of the lead time as a buffer, thresholds in whole units."""
    least = math.ceil(per_day * lead_time / 2)
    reorder = least + math.ceil(per_day * lead_time)
    return {
        "min_quantity": Decimal(least),
        "reorder_quantity": Decimal(reorder),
        "max_quantity": Decimal(reorder + math.ceil(per_day * order_every)),
        "forecast_period_days": 30,
        "forecast_quantity": round(per_day * 30, 1),
    }


def _abc_class(product: Product) -> str:
    value = product.demand * product.unit_cost
    return "A" if value >= 2_000 else "B" if value >= 700 else "C"


def load() -> dict[str, int]:
    """Write it all for the organization in scope; answers how many of what.

    Run it in a transaction, and once: it is no way to repair a demo that somebody has changed.
    """
    locations = [
        CatalogRow({"name": name, "type": type_, "parent": parent}, public_id=public_id)
        for public_id, name, type_, parent in LOCATIONS
    ]
    places = [result.or_raise() for result in catalog.save_locations(locations)]
    rows = [CatalogRow(_product(n, product), product.id) for n, product in enumerate(products())]
    saved = [result.or_raise() for result in catalog.save_products(rows)]
    origin = Origin(Actor.of_command("load_demo"), LevelChange.Source.COMMAND)
    results = services.save_levels(list(levels()), origin=origin)
    for level in (result.or_raise().saved for result in results):
        if (level.product.public_id, level.location.public_id) == EXAMPLE:
            _give_its_published_id(level)
    return {"locations": len(places), "products": len(saved), "levels": len(results)}


def _product(number: int, product: Product) -> dict[str, Any]:
    """A product's values; some have no cost, and some are not sold any more."""
    return {
        "global_sku": product.sku,
        "product_name": product.name,
        "unit_cost": None if number % 25 == 24 else product.unit_cost,
        "status": ProductStatus.INACTIVE if number % 40 == 39 else ProductStatus.ACTIVE,
    }


def _give_its_published_id(level: InventoryLevel) -> None:
    """Rename one level, with its history, before the transaction shows it to anybody.

    Level ids are always ours and new; only the published examples know one beforehand.
    """
    changes = LevelChange.objects.filter(level_public_id=level.public_id)
    changes.update(level_public_id=EXAMPLE_LEVEL_ID)
    InventoryLevel.objects.filter(pk=level.pk).update(public_id=EXAMPLE_LEVEL_ID)
