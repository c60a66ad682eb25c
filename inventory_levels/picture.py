"""What a level's settings will do: the expected stock over the coming weeks, laid out to draw.

Pure arithmetic: no Django, no HTML. Quantities are in units, times in days from now.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from inventory_levels.planning import per_day
from inventory_levels.rounding import plain, rounded_up

MIN_DAYS, MAX_DAYS = 28, 364

# The drawing, in its own units.
WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 12, 352, 14, 262
LABEL_SPACE = 17


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings that matter, unset ones None; quantities are planned to so many decimals."""

    minimum: Decimal | None = None
    reorder: Decimal | None = None
    maximum: Decimal | None = None
    forecast: Decimal | None = None
    forecast_period: int | None = None
    lead_time: int | None = None
    decimals: int = 0

    @property
    def trigger(self) -> Decimal | None:
        """The stock at which an order is placed: without a reorder point, the minimum."""
        return self.minimum if self.reorder is None else self.reorder

    @property
    def per_day(self) -> Fraction | None:
        return per_day(self.forecast, self.forecast_period)

    @property
    def ascends(self) -> bool:
        stages = (self.minimum, self.reorder, self.maximum)
        known = [quantity for quantity in stages if quantity is not None]
        return all(lower <= upper for lower, upper in pairwise(known))


@dataclass(frozen=True, slots=True)
class Course:
    """How stock falls by the forecast and is filled up to the maximum, as (day, quantity)."""

    days: int
    points: list[tuple[Fraction, Fraction]]
    orders: list[tuple[Fraction, Fraction]]
    size: Fraction
    cycle: Fraction
    lowest: Fraction


def course(plan: Plan) -> Course | str:
    """The expected stock from a full shelf on, or a sentence that says why there is none.

    An order fills the position (stock and what is on its way) up to the maximum the moment it
    falls to the trigger, and arrives a lead time later. Demand that isn't met waits for it.
    """
    if not plan.ascends:
        return "The quantities are out of order: min ≤ reorder point ≤ max."
    wanted = {
        "a reorder point": plan.trigger,
        "a maximum": plan.maximum,
        "a forecast": plan.per_day,
        "a lead time": plan.lead_time,
    }
    if missing := [name for name, value in wanted.items() if value is None]:
        return f"Set {_listed(missing)} to see the expected stock."
    assert plan.trigger is not None and plan.maximum is not None
    assert plan.per_day is not None and plan.lead_time is not None
    if not plan.per_day:
        return "No demand is expected: stock stays where it is."
    size = Fraction(plan.maximum) - Fraction(plan.trigger)
    cycle = size / plan.per_day
    if cycle < 1:
        return "What lies between the reorder point and the maximum lasts less than a day."
    days = math.ceil(plan.lead_time + 3 * cycle)
    days = min(max(days, MIN_DAYS), MAX_DAYS)
    points, orders = _events(plan, size=size, cycle=cycle, days=days)
    lowest = Fraction(plan.trigger) - plan.per_day * plan.lead_time
    return Course(days, points, orders, size, cycle, lowest)


def _events(
    plan: Plan, *, size: Fraction, cycle: Fraction, days: int
) -> tuple[list[tuple[Fraction, Fraction]], list[tuple[Fraction, Fraction]]]:
    assert plan.maximum is not None and plan.per_day is not None and plan.lead_time is not None
    per_day, start = plan.per_day, Fraction(plan.maximum)
    end = Fraction(days)
    ordered = [n * cycle for n in range(1, math.floor(end / cycle) + 1)]
    arrivals = [day + plan.lead_time for day in ordered if day + plan.lead_time <= end]

    def stock(day: Fraction, arrived: int) -> Fraction:
        return start + arrived * size - per_day * day

    points = [(Fraction(0), start)]
    after = start
    for arrived, day in enumerate(arrivals):
        before = stock(day, arrived)
        if before < 0 < after:  # the shelf was empty from then on
            points.append((day + before / per_day, Fraction(0)))
        after = before + size
        points.append((day, max(before, Fraction(0))))
        points.append((day, max(after, Fraction(0))))
    last = stock(end, len(arrivals))
    if last < 0 < after:
        points.append((end + last / per_day, Fraction(0)))
    points.append((end, max(last, Fraction(0))))
    marks = [
        (day, max(stock(day, sum(arrival <= day for arrival in arrivals)), Fraction(0)))
        for day in ordered
    ]
    return points, marks


def sentences(plan: Plan) -> list[str]:
    """What the picture shows, in words."""
    expected = course(plan)
    if isinstance(expected, str):
        return [expected]
    assert plan.per_day is not None and plan.lead_time is not None and plan.trigger is not None
    rhythm = (
        f"About {number(expected.size)} units every {_days(expected.cycle)}, "
        f"ordered {_days(Fraction(plan.lead_time))} ahead."
    )
    floor = Fraction(plan.minimum or 0)
    needed = plain(rounded_up(floor + plan.per_day * plan.lead_time, plan.decimals), grouped=True)
    if expected.lowest < 0:
        dry = _days(-expected.lowest / plan.per_day)
        return [rhythm, f"Stock runs out {dry} before each delivery: order at {needed} or more."]
    lowest = f"Stock falls to about {number(expected.lowest)}"
    # Each of the three is rounded up by itself, so that as recommended they may miss by a step.
    if floor - expected.lowest >= Fraction(1, 10**plan.decimals):
        below = f"below the minimum of {number(floor)}: order at {needed} or more."
        return [rhythm, f"{lowest}, {below}"]
    if plan.minimum is None:
        return [rhythm, f"{lowest} before a delivery."]
    if expected.lowest < floor:
        return [rhythm, f"{lowest}, just about the minimum of {number(floor)}."]
    return [rhythm, f"{lowest}, not below the minimum of {number(floor)}."]


@dataclass(frozen=True, slots=True)
class Mark:
    kind: str
    label: str
    y: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Zone:
    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in the drawing's units, for a template to write down."""

    marks: list[Mark]
    zones: list[Zone]
    ticks: list[Tick]
    line: str
    orders: list[tuple[float, float]]
    sentences: list[str]


def draw(plan: Plan) -> Drawing:
    """The band from 0 to the maximum with its marks, and the stock's course through it."""
    expected = course(plan)
    stages = {"max": plan.maximum, "reorder": plan.reorder, "min": plan.minimum}
    known = {kind: Fraction(quantity) for kind, quantity in stages.items() if quantity is not None}
    top = max(known.values(), default=Fraction(0)) * Fraction(11, 10) or Fraction(1)

    def y(quantity: Fraction) -> float:
        return round(float(BOTTOM - (BOTTOM - TOP) * quantity / top), 1)

    days = MIN_DAYS if isinstance(expected, str) else expected.days

    def x(day: Fraction | int) -> float:
        return round(float(LEFT + (RIGHT - LEFT) * Fraction(day) / days), 1)

    line, orders = "", []
    if isinstance(expected, Course):
        line = " ".join(f"{x(day)},{y(quantity)}" for day, quantity in expected.points)
        orders = [(x(day), y(quantity)) for day, quantity in expected.orders]
    return Drawing(
        marks=_marks({kind: (quantity, y(quantity)) for kind, quantity in known.items()}),
        zones=_zones({kind: y(quantity) for kind, quantity in known.items()}),
        ticks=[Tick(x(day), _weeks(day)) for day in _tick_days(days)],
        line=line,
        orders=orders,
        sentences=sentences(plan),
    )


def _marks(heights: dict[str, tuple[Fraction, float]]) -> list[Mark]:
    """Labels keep their distance: those that would overlap are pushed apart, lowest first."""
    names = {"max": "Max", "reorder": "Reorder", "min": "Min"}
    marks: list[Mark] = []
    free = float(BOTTOM) + 4
    for kind, (quantity, y) in sorted(heights.items(), key=lambda item: -item[1][1]):
        label_y = min(y + 4, free)
        free = label_y - LABEL_SPACE
        marks.append(Mark(kind, f"{names[kind]} {number(quantity)}", y, round(label_y, 1)))
    return marks


def _zones(heights: dict[str, float]) -> list[Zone]:
    """The bands between 0, the minimum, the trigger and the maximum, as far as they ascend."""
    zones: list[Zone] = []
    below = float(BOTTOM)
    for kind, zone in (("min", "low"), ("reorder", "due"), ("max", "ample")):
        if kind in heights and heights[kind] <= below:
            zones.append(Zone(zone, heights[kind], round(below - heights[kind], 1)))
            below = heights[kind]
    return zones


def _tick_days(days: int) -> list[int]:
    weeks = days // 7
    step = next(step for step in (1, 2, 4, 8, 13) if weeks / step <= 6.5)
    return [week * 7 for week in range(0, weeks + 1, step)]


def _weeks(day: int) -> str:
    return f"{day // 7} wk" if day else "now"


def number(quantity: Fraction) -> str:
    """To one decimal, as people write it: 1,600 or 53.3."""
    text = f"{float(quantity):,.1f}"
    return text.removesuffix(".0")


def _days(days: Fraction) -> str:
    text = number(days)
    return f"{text} day" if text == "1" else f"{text} days"


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
