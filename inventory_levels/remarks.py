"""Where a recommendation is to be taken with care, in sentences for planners. Knows no Django."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import erfc, sqrt

from inventory_levels.planning import NOT_REORDERED, Recommendation, Settings
from inventory_levels.rounding import plain

# Units over the lead time. Below, whole units and the skew of demand are felt
# (docs/planning.md has the simulation that these remarks come from).
SLOW = 5
# By how many percentage points the service level may be missed before a remark says so.
TOLERANCE = 5
# Moments of a day at which stock may fall to the reorder point.
MOMENTS = 40


@dataclass(frozen=True, slots=True)
class Care:
    """What to take care of: beside a level, and behind the number of levels that it is about."""

    short: str
    of_one: str
    of_many: str


NOT_MANAGED = Care(
    "Not reordered",
    "is not reordered, by its status.",
    "are not reordered, by their status.",
)
PERIOD_TAKEN = Care(
    "Forecast taken over 30 days",
    "has a forecast without a period, which is taken to be over 30 days.",
    "have a forecast without a period, which is taken to be over 30 days.",
)
NO_DEMAND = Care(
    "No demand",
    "has a forecast of 0: there is nothing to hold.",
    "have a forecast of 0: there is nothing to hold.",
)
NO_LEAD_TIME = Care(
    "No safety stock",
    "has a lead time of 0, and no safety stock.",
    "have a lead time of 0, and no safety stock.",
)
SLOW_MOVER = Care(
    "Slow mover",
    f"is a slow mover, of less than {SLOW} units over the lead time: the service level reached may "
    "differ from the one promised.",
    f"are slow movers, of less than {SLOW} units over the lead time: the service level reached may "
    "differ from the one promised.",
)
NO_ROOM = Care(
    "Max is the reorder point",
    "has a maximum that is the reorder point: the service level promised may be missed.",
    "have a maximum that is the reorder point: the service level promised may be missed.",
)
CHECKED_DAILY = Care(
    "Short if checked daily",
    f"misses the service level by more than {TOLERANCE} points if stock is checked once a day and "
    "not at each movement. A day more of lead time makes up for it.",
    f"miss the service level by more than {TOLERANCE} points if stock is checked once a day and "
    "not at each movement. A day more of lead time makes up for it.",
)


@dataclass(frozen=True, slots=True)
class Remark:
    care: Care
    sentence: str


def remarks(level: Settings, recommendation: Recommendation) -> list[Remark]:
    """Where the recommendation is to be taken with care."""
    told = []
    if level.status in NOT_REORDERED:
        sentence = f"The level's status is {level.status}: it is not reordered."
        told.append(Remark(NOT_MANAGED, sentence))
    if level.forecast_quantity is not None and level.forecast_period_days is None:
        sentence = "No forecast period is set: the forecast is taken to be over 30 days."
        told.append(Remark(PERIOD_TAKEN, sentence))
    if recommendation.quantities is not None:
        told += _shortfalls(recommendation)
    return told


def counted_remarks(of_levels: Iterable[Iterable[Remark]]) -> list[str]:
    """The remarks on many levels, in a sentence a kind, those on most levels first."""
    counts = Counter(remark.care for remarks in of_levels for remark in remarks)
    return [
        f"{number:,} {care.of_one if number == 1 else care.of_many}"
        for care, number in counts.most_common()
    ]


def _shortfalls(recommendation: Recommendation) -> Iterator[Remark]:
    """Where the service level promised may not be reached."""
    inputs, quantities = recommendation.inputs, recommendation.quantities
    d, lead_time = inputs.demand_per_day, inputs.lead_time_days
    assert d is not None and lead_time is not None and quantities is not None
    if d == 0:
        yield Remark(NO_DEMAND, "No demand is forecast: there is nothing to hold.")
        return
    if lead_time == 0:
        yield Remark(
            NO_LEAD_TIME,
            "Without a lead time there is no safety stock: stock arrives when it is ordered.",
        )
    elif d * lead_time < SLOW:
        yield Remark(
            SLOW_MOVER,
            f"Less than {SLOW} units over the lead time: as with all slow movers, demand is far "
            "from normal there, and the service level reached may differ from the one promised.",
        )
    if quantities.max_quantity == quantities.reorder_quantity:
        yield Remark(
            NO_ROOM,
            "The maximum is the reorder point: an order goes out only once stock is below it, "
            "so that the service level promised may be missed.",
        )
    reached = _reached_when_checked_daily(
        float(d), lead_time, reorder=float(quantities.reorder_quantity)
    )
    promised = 100 * inputs.service_level
    if 100 * reached < float(promised) - TOLERANCE:
        yield Remark(
            CHECKED_DAILY,
            "Where stock is checked once a day and not at each movement, about "
            f"{100 * reached:.0f} % of the cycles end without running out, not "
            f"{plain(promised)} %. A day more of lead time makes up for it.",
        )


def _reached_when_checked_daily(d: float, lead_time: int, *, reorder: float) -> float:
    """The share of cycles without a stock-out where orders go out in the evening only.

    The reorder point has to cover the rest of the day too, from the moment when stock falls to
    it, which is any of the day (undershoot, see Silver, Pyke & Thomas, ch. 6). Poisson demand is
    taken as normal with continuity correction: Φ((reorder + ½ − m) / √m) of a mean of m.
    """
    means = (d * (lead_time + (moment + 0.5) / MOMENTS) for moment in range(MOMENTS))
    return sum(erfc((mean - reorder - 0.5) / sqrt(2 * mean)) / 2 for mean in means) / MOMENTS
