"""Levels to plan, written in a line each: demand, times, class, and what the product costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory_levels.models import InventoryLevel, LevelChange
from organizations.models import Organization
from organizations.tenancy import organization_scope
from tests import factories

# 200 in 30 days, a week to arrive, an order a fortnight.
PLANNED: dict[str, Any] = {
    "forecast_quantity": Decimal(200),
    "forecast_period_days": 30,
    "expected_lead_time_days": 7,
    "replenishment_period_days": 14,
}


def add_level(
    organization: Organization, product: Any = None, location: Any = None, **settings: Any
) -> InventoryLevel:
    """A level; ``cost`` is its new product's."""
    cost = settings.pop("cost", None)
    product = product or factories.ProductFactory(organization=organization, unit_cost=cost)
    location = location or factories.LocationFactory(organization=organization)
    return factories.LevelFactory(
        organization=organization, product=product, location=location, **settings
    )


def quantities(level: InventoryLevel) -> tuple[Any, ...]:
    """Its three quantities, as the database has them."""
    with organization_scope(level.organization):
        now = InventoryLevel.objects.get(pk=level.pk)
    return now.min_quantity, now.reorder_quantity, now.max_quantity


def changes_of(level: InventoryLevel) -> list[LevelChange]:
    changes = LevelChange._base_manager.filter(level_public_id=level.public_id)
    return list(changes.order_by("version"))
