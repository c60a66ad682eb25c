"""What the list of levels should answer: its filters and orders again, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from inventory_levels.models import InventoryLevel
from tests.api.population import START

NULLABLE = {
    "minQuantity": "min_quantity",
    "reorderQuantity": "reorder_quantity",
    "maxQuantity": "max_quantity",
    "abcClass": "abc_class",
    "expectedLeadTimeDays": "expected_lead_time_days",
    "replenishmentPeriodDays": "replenishment_period_days",
    "forecastPeriodDays": "forecast_period_days",
    "forecastQuantity": "forecast_quantity",
    "preferredBinLocationId": "preferred_bin_location",
    "replenishmentLocationId": "replenishment_location",
    "comments": "comments",
}


Fits = Callable[[InventoryLevel, str], bool]


def spelled(text: str) -> str:
    return text.lower().translate(dict.fromkeys(map(ord, " _-")))


def id_in(field: str) -> Fits:
    def fits(level: InventoryLevel, text: str) -> bool:
        place = getattr(level, field)
        return place is not None and place.public_id in text.split(",")

    return fits


def word_in(field: str) -> Fits:
    def fits(level: InventoryLevel, text: str) -> bool:
        word = getattr(level, field)
        return word is not None and spelled(word) in map(spelled, text.split(","))

    return fits


def is_found(level: InventoryLevel, text: str) -> bool:
    texts = [level.product.global_sku, level.product.product_name, level.comments or ""]
    return any(text.casefold() in candidate.casefold() for candidate in texts)


FITS: dict[str, Fits] = {
    "productMasterId": id_in("product"),
    "productId": id_in("product"),
    "locationId": id_in("location"),
    "status": word_in("status"),
    "abcClass": word_in("abc_class"),
    "preferredBinLocationId": id_in("preferred_bin_location"),
    "replenishmentLocationId": id_in("replenishment_location"),
    "sku": lambda level, text: level.product.global_sku == text,
    "search": is_found,
    "updatedSince": lambda level, text: level.updated_at >= datetime.fromisoformat(text),
    "updatedBefore": lambda level, text: level.updated_at < datetime.fromisoformat(text),
    "missing": lambda level, text: getattr(level, NULLABLE[text]) is None,
}

SORTED: dict[str, Callable[[InventoryLevel], Any]] = {
    "updatedAt": lambda level: level.updated_at,
    "createdAt": lambda level: level.created_at,
    "sku": lambda level: level.product.global_sku,
    "location": lambda level: level.location.name,
}
ORDERINGS = [None, *(sign + name for name in SORTED for sign in ("", "-"))]

# Three of each: with nine orderings, a pair of filters sees every two values once.
BINS = [f"bin_{n}" for n in range(8)]
VALUES = {
    "productMasterId": ["prod_1", "prod_0,prod_11,prod_2", "prod_9,prod_nobody,prod_1,prod_9"],
    "productId": ["prod_1", "prod_1,prod_2,prod_3,prod_0", "prod_11,prod_9"],
    "locationId": ["loc_1", "loc_2,loc_3,loc_1", ",".join([*BINS, "loc_1", "nowhere"])],
    "status": ["Supported", "not supported,INACTIVE", "sto-ck,formulary,SUPPORTED_non_inventory"],
    "abcClass": ["A", "b,C", "c,a"],
    "preferredBinLocationId": ["bin_1", "bin_1,bin_2", ",".join(BINS[::-1])],
    "replenishmentLocationId": ["bin_0", "bin_2,bin_1", "bin_0,bin_2,loc_0,nowhere"],
    "sku": ["sku-1", "SKU-1", "SKU-10"],
    "search": ["widget", "%", "ÄÖÜ"],
    "updatedSince": [
        "2025-11-22T12:00:00Z",
        START.isoformat(),
        START.replace(hour=14, microsecond=1).isoformat(),
    ],
    "updatedBefore": [
        START.isoformat(),
        START.replace(hour=15).isoformat(),
        START.replace(hour=16, microsecond=1).isoformat(),
    ],
    "missing": ["reorderQuantity", "abcClass", "preferredBinLocationId"],
}
