"""Arithmetic of replenishment: stock states and recommended levels. Knows no Django.

Quantities come in as exact decimals; whatever is rational is computed as a fraction, and what is
to be stored is rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from statistics import NormalDist
from typing import Literal, Protocol, overload

from inventory_levels.rounding import plain, rounded_half_up, rounded_up

State = Literal["noLevel", "notManaged", "outOfStock", "belowMinimum", "reorder", "overstock", "ok"]

NOT_REORDERED = frozenset({"NotSupported", "SupportedNonInventory", "Inactive"})
DEFAULT_FORECAST_PERIOD = 30
# A quantity has 11 digits before the point.
TOO_LARGE = 10**11
_DIGITS = 50  # of the one irrational number, more than any rounding can see


class Settings(Protocol):
    """What of a level planning looks at: units and whole days, None where unset."""

    min_quantity: Decimal | None
    reorder_quantity: Decimal | None
    max_quantity: Decimal | None
    status: str
    abc_class: str | None
    expected_lead_time_days: int | None
    replenishment_period_days: int | None
    forecast_period_days: int | None
    forecast_quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class Policy:
    """An organization's choices. Service levels are probabilities of no stock-out in one
    replenishment cycle; ABC cut-offs are running shares of the value of use."""

    service_levels: Mapping[str | None, Decimal] = field(
        default_factory=lambda: {
            "A": Decimal("0.98"),
            "B": Decimal("0.95"),
            "C": Decimal("0.90"),
            None: Decimal("0.95"),
        }
    )
    a_share: Decimal = Decimal("0.80")
    b_share: Decimal = Decimal("0.95")
    decimals: int = 0  # of recommended quantities, 0 to 4


def demand_per_day(level: Settings) -> Fraction | None:
    """Units a day that are forecast."""
    return per_day(level.forecast_quantity, level.forecast_period_days)


@overload
def per_day(quantity: None, period_days: int | None) -> None: ...
@overload
def per_day(quantity: Decimal | int, period_days: int | None) -> Fraction: ...
def per_day(quantity: Decimal | int | None, period_days: int | None) -> Fraction | None:
    """What of a forecast falls on a day; it is over 30 days where its period is unset."""
    if quantity is None:
        return None
    return Fraction(quantity) / (period_days or DEFAULT_FORECAST_PERIOD)


# Is it time to order?


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``reason`` says why it is this state and what to order. ``suggested``: units to order now;
    None where nobody can say."""

    state: State
    reason: str
    suggested: Decimal | None
    days_of_cover: Decimal | None


def evaluate(
    level: Settings | None,
    *,
    on_hand: Decimal,
    on_order: Decimal = Decimal(0),
    reserved: Decimal = Decimal(0),
) -> Evaluation:
    """The state of a stock against its level: the one place that decides it.

    Position = on hand + on order - reserved (Silver, Pyke & Thomas, Inventory and Production
    Management in Supply Chains, 4th ed., ch. 6). An unset threshold never matches, 0 does.
    """
    if level is None:
        return Evaluation("noLevel", "This product has no level at this location.", None, None)
    cover = _days_of_cover(level, on_hand)
    if level.status in NOT_REORDERED:
        sentence = f"The level's status is {level.status}: it is not reordered."
        return Evaluation("notManaged", sentence, None, cover)
    position = on_hand + on_order - reserved
    told = f"The position of {plain(position)}"
    if on_order or reserved:
        told += f" ({plain(on_hand)} on hand + {plain(on_order)} on order"
        told += f" - {plain(reserved)} reserved)" if reserved else ")"
    state, why = _state(level, on_hand, position)
    suggested, what = _order(level, position, told)
    return Evaluation(state, f"{why} {what}".strip(), suggested, cover)


def _state(level: Settings, on_hand: Decimal, position: Decimal) -> tuple[State, str]:
    least, reorder, most = level.min_quantity, level.reorder_quantity, level.max_quantity
    here = f"{plain(on_hand)} on hand"
    if on_hand <= 0:
        return "outOfStock", f"{here}: out of stock."
    if least is not None and on_hand <= least:
        return "belowMinimum", f"{here}: not above the minimum of {plain(least)}."
    if reorder is not None and position <= reorder:
        return "reorder", ""  # the order says it all
    if most is not None and on_hand > most:
        return "overstock", f"{here}: above the maximum of {plain(most)}."
    bounds = [f"above the minimum of {plain(least)}"] if least is not None else []
    bounds += [f"not above the maximum of {plain(most)}"] if most is not None else []
    return "ok", f"{here}: {', '.join(bounds)}." if bounds else ""


def _order(level: Settings, position: Decimal, told: str) -> tuple[Decimal | None, str]:
    """Units to order, and the sentence that says so; ``told`` is the position in words."""
    name, trigger = "reorder point", level.reorder_quantity
    if trigger is None:
        name, trigger = "minimum", level.min_quantity
    if trigger is None:
        return Decimal(0), "Neither a reorder point nor a minimum says when to order."
    if position > trigger:
        return Decimal(0), f"{told} is above the {name} of {plain(trigger)}: no order is due."
    due = f"{told} is not above the {name} of {plain(trigger)}"
    if level.max_quantity is None:
        return None, f"{due}: an order is due, but no maximum says how far to fill up."
    units = max(level.max_quantity - position, Decimal(0))
    return units, f"{due}: order {plain(units)} to fill up to {plain(level.max_quantity)}."


def _days_of_cover(level: Settings, on_hand: Decimal) -> Decimal | None:
    demand = demand_per_day(level)
    if not demand:
        return None
    return rounded_half_up(max(Fraction(on_hand), Fraction(0)) / demand)


# How far to fill up?


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a recommendation is computed from; units a day, days, and units."""

    demand_per_day: Fraction | None
    lead_time_days: int | None
    period_days: int | None
    service_level: Decimal
    z: float
    safety_stock: Fraction | None

    @property
    def missing(self) -> list[str]:
        """The fields of the level that would have to be set, by their public names."""
        needed = {
            "forecastQuantity": self.demand_per_day,
            "expectedLeadTimeDays": self.lead_time_days,
            "replenishmentPeriodDays": self.period_days,
        }
        return [name for name, value in needed.items() if value is None]


@dataclass(frozen=True, slots=True)
class Quantities:
    """Recommended ones in units: as they would be stored, and ``exact`` before the rounding."""

    min_quantity: Decimal
    reorder_quantity: Decimal
    max_quantity: Decimal
    exact: tuple[Fraction, Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """``quantities`` are None where they can't be told, and ``reason`` says why."""

    inputs: Inputs
    quantities: Quantities | None
    reason: str | None = None


def recommend(level: Settings, policy: Policy) -> Recommendation:
    """Recommended min, reorder point and max of a level (s, S), in units.

    With d demand a day, L lead time and T replenishment period in days:

    - safety stock = z·√(d·L), demand taken as Poisson, whose variance over the lead time is d·L;
      z is the standard normal's quantile at the service level (Silver, Pyke & Thomas, ch. 6)
    - min = safety stock, reorder = d·L + safety stock, max = reorder + d·T,

    each computed unrounded and then rounded up.
    """
    inputs = _inputs(level, policy)
    if missing := inputs.missing:
        return Recommendation(inputs, None, f"insufficient data: {', '.join(missing)}")
    d, safety = inputs.demand_per_day, inputs.safety_stock
    lead_time, period = inputs.lead_time_days, inputs.period_days
    assert d is not None and safety is not None and lead_time is not None and period is not None
    exact = (safety, d * lead_time + safety, d * (lead_time + period) + safety)
    least, reorder, most = (rounded_up(units, policy.decimals) for units in exact)
    if most >= TOO_LARGE:
        return Recommendation(inputs, None, "the result has more than 11 digits")
    return Recommendation(inputs, Quantities(least, reorder, most, exact))


def _inputs(level: Settings, policy: Policy) -> Inputs:
    d, lead_time = demand_per_day(level), level.expected_lead_time_days
    service_level = policy.service_levels[level.abc_class]
    z = quantile(service_level)
    return Inputs(
        demand_per_day=d,
        lead_time_days=lead_time,
        period_days=level.replenishment_period_days,
        service_level=service_level,
        z=z,
        safety_stock=None if d is None or lead_time is None else safety_stock(z, d * lead_time),
    )


@cache
def quantile(probability: Decimal) -> float:
    """The standard normal's: 0.95 gives 1.6449."""
    return NormalDist().inv_cdf(float(probability))


def safety_stock(z: float, variance: Fraction) -> Fraction:
    """z·√variance, in units; to 50 digits, as no rounding may come before the last."""
    with localcontext(prec=_DIGITS):
        root = (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
        return Fraction(Decimal(z) * root)
