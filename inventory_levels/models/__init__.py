"""What exists: products, locations, levels and their history, with the rules on one row.

The same rules stand in the database as constraints. Rows are written by services.py and
catalog.py alone.
"""

from inventory_levels.models.catalog import Location, LocationType, ProductMaster, ProductStatus
from inventory_levels.models.columns import MAX_COMMENTS, MAX_DAYS
from inventory_levels.models.drafts import ImportDraft, ImportDraftPiece
from inventory_levels.models.history import LevelChange
from inventory_levels.models.levels import (
    QUANTITY_ORDER,
    SETTINGS,
    UNSET,
    AbcClass,
    InventoryLevel,
    LevelStatus,
)
from inventory_levels.models.planning import SERVICE_LEVELS, PlanningSettings

__all__ = [
    "MAX_COMMENTS",
    "MAX_DAYS",
    "QUANTITY_ORDER",
    "SERVICE_LEVELS",
    "SETTINGS",
    "UNSET",
    "AbcClass",
    "ImportDraft",
    "ImportDraftPiece",
    "InventoryLevel",
    "LevelChange",
    "LevelStatus",
    "Location",
    "LocationType",
    "PlanningSettings",
    "ProductMaster",
    "ProductStatus",
]
