"""What the lists can be asked for: every filter, some pairs, every order.

The values are those of many_levels.py: they match much, little or nothing; one or several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from inventory_levels.api.filters import NULLABLE
from inventory_levels.api.pagination import LevelPages

LEVELS, HISTORY = "/api/inventory-levels", "/api/inventory-levels/history"
PRODUCTS, LOCATIONS = "/api/products", "/api/locations"

PAST, OLD, LATE = "2020-01-01T00:00:00Z", "2024-11-08T00:00:00Z", "2026-10-01T00:00:00Z"
FUTURE = "2030-01-01T00:00:00Z"
MANY_PRODUCTS = ",".join(f"prod_{n * 5}" for n in range(1, 21))

LEVEL_FILTERS: dict[str, list[str]] = {
    "productMasterId": ["prod_11", MANY_PRODUCTS, "prod_1000", "prod_none"],
    "productId": ["prod_11"],
    "locationId": ["loc_1", "loc_24", "loc_10", "loc_1,loc_5,loc_9", "sup_1", "loc_none"],
    "status": ["Supported", "Inactive", "Stock,Inactive", "Supported,Stock", "Formulary"],
    "abcClass": ["A", "C", "A,B", "A,B,C"],
    "preferredBinLocationId": ["bin_1_1", "bin_24_1", "bin_1_1,bin_2_2,bin_3_3", "bin_1_20"],
    "replenishmentLocationId": ["sup_1", "sup_9", "sup_1,sup_2,sup_9", "sup_10", "sup_none"],
    "sku": ["@sku", "NONE-1"],
    "search": [
        *("thermocycler", "syr-00001", "recall of", "ward 12", "gloves", "seasonal"),
        *("gl", "e", "q7", "zzqqxx"),
    ],
    "updatedSince": [PAST, OLD, LATE, FUTURE],
    "updatedBefore": [PAST, OLD, LATE, FUTURE],
    "missing": NULLABLE,
}
LEVEL_PAIRS = [
    {"locationId": "loc_1", "status": "Inactive"},
    {"locationId": "loc_1", "missing": "reorderQuantity"},
    {"locationId": "loc_1", "search": "gloves"},
    {"locationId": "loc_24", "updatedSince": LATE},
    {"status": "Supported", "updatedSince": LATE},
    {"status": "Stock", "abcClass": "A"},
    {"updatedSince": OLD, "updatedBefore": "2024-11-09T00:00:00Z"},
]
CHANGE_FILTERS = {
    "actor": ["key_1", "key_rare", "key_none"],
    "source": ["import", "command", "admin,command", "api,bulk,import"],
    "updatedSince": [PAST, OLD, LATE, FUTURE],
    "updatedBefore": [PAST, OLD, LATE, FUTURE],
}
CHANGE_PAIRS = [
    {"actor": "key_1", "source": "command"},
    {"actor": "key_rare", "updatedSince": OLD},
    {"source": "command", "updatedSince": LATE},
]
PRODUCT_FILTERS = {
    "globalSku": ["@sku", "NONE-1"],
    "status": ["Active", "Inactive"],
    "search": ["thermocycler", "gloves", "gl", "syr-00001", "zzqqxx", "q7", "e"],
}
LOCATION_FILTERS = {
    "name": ["Bin 1", "Supplier 1", "None"],
    "type": ["BIN", "WAREHOUSE", "OTHER"],
    "parentId": ["loc_1", "loc_none"],
}


@dataclass(frozen=True, slots=True)
class Case:
    path: str
    filters: dict[str, str]
    ordering: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        return self.filters | ({"ordering": self.ordering} if self.ordering else {})

    def __str__(self) -> str:
        said = " ".join(
            f"{k}={v if len(v) < 30 else v[:24] + '…'}" for k, v in self.filters.items()
        )
        return f"{self.path.removeprefix('/api/')} {said or '(no filter)'}"


def level_pages(case: Case) -> LevelPages:
    """The pages that this asks for, to make a cursor of them."""
    pages = LevelPages()
    pages.request = Request(APIRequestFactory().get(case.path, case.parameters))
    pages.keys, pages.descending = pages.order_of(pages.request)
    pages.mark = None
    return pages


def cases(sku: str, level: str) -> Iterator[Case]:
    orderings = [None, *(sign + name for name in LevelPages.orderings for sign in ("", "-"))]

    def singly(filters: dict[str, list[str]]) -> list[dict[str, str]]:
        return [{name: value.replace("@sku", sku)} for name in filters for value in filters[name]]

    for filters in [{}, *singly(LEVEL_FILTERS), *LEVEL_PAIRS]:
        for ordering in orderings:
            yield Case(LEVELS, filters, ordering)
    for ordering in orderings:
        yield Case(f"{PRODUCTS}/prod_11/inventory-levels", {}, ordering)
    for filters in [{}, *singly(CHANGE_FILTERS), *CHANGE_PAIRS]:
        yield Case(HISTORY, filters)
    for filters in [{}, {"actor": "key_none"}, {"source": "import"}, {"updatedSince": LATE}]:
        yield Case(f"{LEVELS}/{level}/history", filters)
    for filters in [{}, *singly(PRODUCT_FILTERS)]:
        yield Case(PRODUCTS, filters)
    for filters in [{}, *singly(LOCATION_FILTERS)]:
        yield Case(LOCATIONS, filters)
