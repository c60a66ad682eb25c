"""Arithmetic of replenishment: stock states and recommended levels. Knows no Django.

Quantities come in as exact decimals; whatever is rational is computed as a fraction, and what is
to be stored is rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil
from statistics import NormalDist
from typing import Literal, Protocol

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
    """Units a day: forecastQuantity / forecastPeriodDays, over 30 days where that is unset."""
    if level.forecast_quantity is None:
        return None
    return Fraction(level.forecast_quantity) / (
        level.forecast_period_days or DEFAULT_FORECAST_PERIOD
    )


# Is it time to order?


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``suggested``: units to order now; None where nobody can say, and ``reason`` tells why."""

    state: State
    reason: str
    suggested: Decimal | None
    days_of_cover: Decimal | None


def evaluate(
    level: Settings | None, *, on_hand: Decimal, on_order: Decimal, reserved: Decimal
) -> Evaluation:
    """The state of a stock against its level: the one place that decides it.

    Position = on hand + on order - reserved (Silver, Pyke & Thomas, Inventory and Production
    Management in Supply Chains, 4th ed., 6.2). An unset threshold never matches, 0 does.
    """
    if level is None:
        return Evaluation("noLevel", "there is no level for this product here", None, None)
    position = on_hand + on_order - reserved
    cover = _days_of_cover(level, on_hand)
    if level.status in NOT_REORDERED:
        return Evaluation("notManaged", f"status {level.status} is not reordered", None, cover)
    state, reason = _state(level, on_hand, position)
    trigger = level.min_quantity if level.reorder_quantity is None else level.reorder_quantity
    if trigger is None or position > trigger:
        return Evaluation(state, reason, Decimal(0), cover)
    if level.max_quantity is None:
        return Evaluation(state, f"{reason}; no maxQuantity says how far to fill up", None, cover)
    return Evaluation(state, reason, max(level.max_quantity - position, Decimal(0)), cover)


def _state(level: Settings, on_hand: Decimal, position: Decimal) -> tuple[State, str]:
    least, reorder, most = level.min_quantity, level.reorder_quantity, level.max_quantity
    if on_hand <= 0:
        return "outOfStock", f"{plain(on_hand)} on hand"
    if least is not None and on_hand <= least:
        return "belowMinimum", f"{plain(on_hand)} on hand, the minimum is {plain(least)}"
    if reorder is not None and position <= reorder:
        return "reorder", f"position {plain(position)}, the reorder point is {plain(reorder)}"
    if most is not None and on_hand > most:
        return "overstock", f"{plain(on_hand)} on hand, the maximum is {plain(most)}"
    if reorder is not None:
        above = f"position {plain(position)} is above the reorder point {plain(reorder)}"
        return "ok", above
    return "ok", "no reorder point is set" if least is None else "above the minimum"


def _days_of_cover(level: Settings, on_hand: Decimal) -> Decimal | None:
    demand = demand_per_day(level)
    if not demand:
        return None
    return rounded_half_up(max(Fraction(on_hand), Fraction(0)) / demand)


# How far to fill up?


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Units, as they would be stored; None with a ``reason`` where they can't be told.

    ``explanation`` is the arithmetic in words, ``remarks`` where it is to be taken with care.
    """

    min_quantity: Decimal | None
    reorder_quantity: Decimal | None
    max_quantity: Decimal | None
    reason: str | None
    inputs: Inputs
    explanation: Sequence[str] = ()
    remarks: Sequence[str] = ()

    @property
    def is_known(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a recommendation was computed from; units a day, days, and units."""

    demand_per_day: Fraction | None
    lead_time_days: int | None
    period_days: int | None
    service_level: Decimal
    z: float
    safety_stock: Fraction | None = None


def recommend(level: Settings, policy: Policy) -> Recommendation:
    """Recommended min, reorder point and max of a level (s, S), in units.

    With d demand a day, L lead time and T replenishment period in days:

    - safety stock = z·√(d·L), demand taken as Poisson, whose variance over the lead time is d·L;
      z is the standard normal's quantile at the service level (Silver, Pyke & Thomas, 6.7)
    - min = safety stock, reorder = d·L + safety stock, max = reorder + d·T,

    each computed unrounded and then rounded up.
    """
    inputs = _inputs(level, policy)
    d, lead_time, period = inputs.demand_per_day, inputs.lead_time_days, inputs.period_days
    if d is None or lead_time is None or period is None:
        needed = {
            "forecastQuantity": d,
            "expectedLeadTimeDays": lead_time,
            "replenishmentPeriodDays": period,
        }
        missing = ", ".join(name for name, value in needed.items() if value is None)
        return _unknown(f"insufficient data: {missing}", inputs)
    safety = inputs.safety_stock
    assert safety is not None
    exact = (safety, d * lead_time + safety, d * (lead_time + period) + safety)
    least, reorder, most = (rounded_up(units, policy.decimals) for units in exact)
    if most >= TOO_LARGE:
        return _unknown("the result has more than 11 digits", inputs)
    return Recommendation(
        least,
        reorder,
        most,
        reason=None,
        inputs=inputs,
        explanation=_explanation(inputs, exact, (least, reorder, most)),
        remarks=_remarks(d * lead_time, level),
    )


def _inputs(level: Settings, policy: Policy) -> Inputs:
    d, lead_time = demand_per_day(level), level.expected_lead_time_days
    service_level = policy.service_levels[level.abc_class]
    z = NormalDist().inv_cdf(float(service_level))
    safety = None if d is None or lead_time is None else safety_stock(z, d * lead_time)
    return Inputs(
        demand_per_day=d,
        lead_time_days=lead_time,
        period_days=level.replenishment_period_days,
        service_level=service_level,
        z=z,
        safety_stock=safety,
    )


def safety_stock(z: float, variance: Fraction) -> Fraction:
    """z·√variance, in units; to 50 digits, as no rounding may come before the last."""
    with localcontext(prec=_DIGITS):
        root = (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
        return Fraction(Decimal(z) * root)


def _unknown(reason: str, inputs: Inputs) -> Recommendation:
    return Recommendation(None, None, None, reason=reason, inputs=inputs)


def _explanation(inputs: Inputs, exact: Sequence[Fraction], stored: Sequence[Decimal]) -> list[str]:
    assert inputs.demand_per_day is not None
    d, percent = shown(inputs.demand_per_day), plain(100 * inputs.service_level)
    safety, reorder, most = (shown(units) for units in exact)
    lead_time, period = _days(inputs.lead_time_days), _days(inputs.period_days)
    return [
        f"Safety stock: z {inputs.z:.4f} ({percent} %) × √({d} a day × {lead_time}) = {safety}, "
        f"rounded up to {plain(stored[0])}.",
        f"Reorder point: {d} a day × {lead_time} lead time = {shown(exact[1] - exact[0])}, "
        f"+ {safety} safety stock = {reorder}, rounded up to {plain(stored[1])}.",
        f"Maximum: {reorder}, + {d} a day × {period} replenishment period = {most}, "
        f"rounded up to {plain(stored[2])}.",
    ]


def _days(number: int | None) -> str:
    return f"{number} day" if number == 1 else f"{number} days"


def _remarks(lead_time_demand: Fraction, level: Settings) -> list[str]:
    remarks = []
    if lead_time_demand == 0:
        remarks.append("Without demand over the lead time there is no safety stock to hold.")
    elif lead_time_demand < 5:
        remarks.append(
            "A slow mover: below 5 units over the lead time, demand is far from normal and the "
            "service level reached can differ from the one promised."
        )
    if level.forecast_period_days is None:
        remarks.append("No forecastPeriodDays is set; the forecast is taken to be over 30 days.")
    return remarks


# Rounding and words.


def rounded_up(units: Fraction, decimals: int) -> Decimal:
    """The least number of so many decimals that is not below."""
    return Decimal(ceil(units * 10**decimals)).scaleb(-decimals)


def rounded_half_up(number: Fraction, decimals: int = 4) -> Decimal:
    """The nearest number of so many decimals, the upper one in the middle (of positives)."""
    scaled = number * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-decimals)


def plain(number: Decimal) -> str:
    """A number in words: 50, 12.5; never 5E+1."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(number: Fraction) -> str:
    """A number in a sentence, to 4 significant digits or all whole ones: 6.667, 57.90, 1234."""
    if number.denominator == 1:
        return str(number)
    whole = len(str(int(number))) if number >= 1 else 0
    return f"{rounded_half_up(number, max(0, 4 - whole)):f}"
