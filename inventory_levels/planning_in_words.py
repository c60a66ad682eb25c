"""What stands behind a recommendation, in sentences for planners. Knows no Django."""

from __future__ import annotations

from math import erfc, sqrt

from inventory_levels.planning import NOT_REORDERED, Recommendation, Settings
from inventory_levels.rounding import plain, shown

# Units over the lead time. Below, whole units and the skew of demand are felt
# (docs/planning.md has the simulation that these remarks come from).
SLOW = 5
# By how much, of one, the service level may be missed before a remark says so.
TOLERANCE = 0.05
# Moments of a day at which stock may fall to the reorder point.
MOMENTS = 40

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


def remarks(level: Settings, recommendation: Recommendation) -> list[str]:
    """Where the recommendation is to be taken with care."""
    told = []
    if level.status in NOT_REORDERED:
        told.append(f"The level's status is {level.status}: it is not reordered.")
    if level.forecast_quantity is not None and level.forecast_period_days is None:
        told.append("No forecast period is set: the forecast is taken to be over 30 days.")
    if recommendation.quantities is not None:
        told += _shortfalls(recommendation)
    return told


def _shortfalls(recommendation: Recommendation) -> list[str]:
    """Where the service level promised may not be reached."""
    inputs, quantities = recommendation.inputs, recommendation.quantities
    d, lead_time = inputs.demand_per_day, inputs.lead_time_days
    assert d is not None and lead_time is not None and quantities is not None
    if d == 0:
        return ["No demand is forecast: there is nothing to hold."]
    told = []
    if lead_time == 0:
        told.append(
            "Without a lead time there is no safety stock: stock arrives when it is ordered."
        )
    elif d * lead_time < SLOW:
        told.append(
            f"Less than {SLOW} units over the lead time: as with all slow movers, demand is far "
            "from normal there, and the service level reached may differ from the one promised."
        )
    if quantities.max_quantity == quantities.reorder_quantity:
        told.append(
            "The maximum is the reorder point: an order goes out only once stock is below it, "
            "so that the service level promised may be missed."
        )
    promised = float(inputs.service_level)
    reached = _reached_when_checked_daily(
        float(d), lead_time, reorder=float(quantities.reorder_quantity)
    )
    if reached < promised - TOLERANCE:
        told.append(
            "Where stock is checked once a day and not at each movement, about "
            f"{100 * reached:.0f} % of the cycles end without running out, not "
            f"{plain(100 * inputs.service_level)} %. A day more of lead time makes up for it."
        )
    return told


def _reached_when_checked_daily(d: float, lead_time: int, *, reorder: float) -> float:
    """The share of cycles without a stock-out where orders go out in the evening only.

    The reorder point has to cover the rest of the day too, from the moment when stock falls to
    it, which is any of the day (undershoot, see Silver, Pyke & Thomas, ch. 6). Poisson demand is
    taken as normal with continuity correction: Φ((reorder + ½ − m) / √m) of a mean of m.
    """
    means = (d * (lead_time + (moment + 0.5) / MOMENTS) for moment in range(MOMENTS))
    return sum(erfc((mean - reorder - 0.5) / sqrt(2 * mean)) / 2 for mean in means) / MOMENTS
