"""What stands behind a recommendation, in sentences for planners. Knows no Django."""

from __future__ import annotations

from inventory_levels.planning import Recommendation
from inventory_levels.rounding import plain, shown

MISSING = {
    "forecastQuantity": "a forecast",
    "expectedLeadTimeDays": "a lead time",
    "replenishmentPeriodDays": "a replenishment period",
}


def wanting(recommendation: Recommendation) -> str:
    """Why nothing is recommended, and what to do about it; "" where something is."""
    if missing := [MISSING[name] for name in recommendation.inputs.missing]:
        *most, last = missing
        what = f"{', '.join(most)} and {last}" if most else last
        return f"Enter {what} to get a recommendation."
    if recommendation.quantities is None:
        return "Nothing can be recommended: the quantities would have more than 11 digits."
    return ""


def explanation(recommendation: Recommendation) -> list[str]:
    """The arithmetic in words; nothing where nothing is recommended.

    Each number is rounded by itself, so that the last digits may not add up.
    """
    quantities, inputs = recommendation.quantities, recommendation.inputs
    if quantities is None:
        return []
    assert inputs.demand_per_day is not None
    stored = (quantities.min_quantity, quantities.reorder_quantity, quantities.max_quantity)
    decimals = max(-int(number.as_tuple().exponent) for number in stored)
    places = decimals + 2
    d, percent = shown(inputs.demand_per_day), plain(100 * inputs.service_level)
    lead_time, period = _days(inputs.lead_time_days), _days(inputs.period_days)
    safety, reorder, most = (shown(units, places) for units in quantities.exact)
    demand = shown(quantities.exact[1] - quantities.exact[0], places)
    rounded = [
        "" if units == number else f", rounded up to {plain(number)}"
        for units, number in zip(quantities.exact, stored, strict=True)
    ]
    return [
        f"Minimum: the safety stock, z {inputs.z:.4f} ({percent} %) × √({d} a day × {lead_time}) "
        f"= {safety}{rounded[0]}.",
        f"Reorder point: {d} a day × {lead_time} lead time = {demand}, "
        f"+ {safety} safety stock ({percent} %) = {reorder}{rounded[1]}.",
        f"Maximum: {reorder}, + {d} a day × {period} replenishment period = {most}{rounded[2]}.",
    ]


def _days(number: int | None) -> str:
    return f"{number} day" if number == 1 else f"{number} days"
