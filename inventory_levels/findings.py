"""What may be wrong with a level that is meant to be reordered: each a condition with a name."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q

from inventory_levels.models import LevelStatus, ProductStatus

# Statuses whose levels are reordered.
REORDERED = (LevelStatus.SUPPORTED, LevelStatus.STOCK, LevelStatus.FORMULARY)


@dataclass(frozen=True, slots=True)
class Finding:
    slug: str
    label: str
    condition: Q
    # Whether the level's own row tells; else another table has to be asked.
    in_the_row: bool = True

    @property
    def where(self) -> Q:
        return Q(status__in=REORDERED) & self.condition


FINDINGS = (
    Finding("no-reorder-point", "No reorder point", Q(reorder_quantity=None)),
    Finding("no-min", "No minimum", Q(min_quantity=None)),
    Finding("no-max", "No maximum", Q(max_quantity=None)),
    Finding(
        "all-equal",
        "Min, reorder point and max are the same",
        Q(min_quantity=F("reorder_quantity"), reorder_quantity=F("max_quantity")),
    ),
    Finding("no-lead-time", "No lead time", Q(expected_lead_time_days=None)),
    Finding(
        "no-replenishment-period", "No replenishment period", Q(replenishment_period_days=None)
    ),
    Finding("no-forecast", "No forecast", Q(forecast_quantity=None)),
    Finding(
        "no-forecast-period",
        "Forecast without a period",
        Q(forecast_quantity__isnull=False, forecast_period_days=None),
    ),
    Finding("no-class", "No ABC class", Q(abc_class=None)),
    Finding(
        "inactive-product",
        "Product is inactive",
        Q(product__status=ProductStatus.INACTIVE),
        in_the_row=False,
    ),
)
BY_SLUG = {finding.slug: finding for finding in FINDINGS}
