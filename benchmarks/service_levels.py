#!/usr/bin/env python3
"""Do recommended levels keep the service level that they promise? A simulation says.

    .venv/bin/python benchmarks/service_levels.py [--cycles 1000]

Customers come at random (Poisson) and take a unit each, or several. Stock is held at the levels
that planning.py recommends: when it is looked at and the position is at or below the reorder
point, an order fills it up to the maximum and arrives a lead time later; what is missing is owed.
Each figure is the share of replenishment cycles that end without anything owed, over --cycles of
them; with 1,000 it is good to a point or two. Tables in Markdown, for docs/planning.md, in half a
minute; the same at every run.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from inventory_levels.planning import Policy, recommend

DEMANDS = ("0.02", "0.1", "0.5", "2", "10", "40")
LEAD_TIMES = (0, 2, 7, 30)
PERIOD = 14
DAY, WEEK = 1, 7


@dataclass(frozen=True)
class Item:
    """What planning looks at; the class stands for its service level."""

    forecast_quantity: Decimal
    expected_lead_time_days: int
    abc_class: str = "B"
    replenishment_period_days: int = PERIOD
    forecast_period_days: int = 1000
    status: str = "Supported"
    min_quantity: None = None
    reorder_quantity: None = None
    max_quantity: None = None


def levels(demand: str, lead_time: int, abc_class: str = "B") -> tuple[int, int]:
    """The recommended reorder point and maximum, of so many a day."""
    item = Item(Decimal(demand) * 1000, lead_time, abc_class)
    quantities = recommend(item, Policy()).quantities
    assert quantities is not None
    return int(quantities.reorder_quantity), int(quantities.max_quantity)


@dataclass
class Shelf:
    """Stock at a reorder point and a maximum, looked at every so many days, or (0) each time that
    somebody takes of it."""

    reorder: int
    most: int
    lead_time: int
    every: int

    def __post_init__(self) -> None:
        self.stock = self.position = self.most
        self.on_order: deque[tuple[float, int]] = deque()  # when it arrives, and how much
        self.looked_at = math.inf  # the next time that an order will be found due
        self.cycles = self.kept = 0

    def take(self, units: int, now: float) -> None:
        self._pass_until(now)
        self.stock -= units
        self.position -= units
        if self.position <= self.reorder and self.position < self.most:
            if not self.every:
                self._order(now)
            elif self.looked_at == math.inf:
                self.looked_at = math.ceil(now / self.every) * self.every

    def _pass_until(self, now: float) -> None:
        while True:
            arrives = self.on_order[0][0] if self.on_order else math.inf
            if min(arrives, self.looked_at) > now:
                return
            if arrives <= self.looked_at:
                _, units = self.on_order.popleft()
                self.cycles += 1
                self.kept += self.stock >= 0
                self.stock += units
            else:
                self._order(self.looked_at)
                self.looked_at = math.inf

    def _order(self, now: float) -> None:
        self.on_order.append((now + self.lead_time, self.most - self.position))
        self.position = self.most


def reached(shelf: Shelf, demand: str, cycles: int, *, units: int = 1) -> str:
    """The share of cycles that were kept, in percent; customers take so many units each."""
    # Without the shelf's own numbers: every shelf of a row has the same customers.
    chance = random.Random(f"{demand} {shelf.lead_time} {units}")
    customers, now = float(demand) / units, 0.0
    while shelf.cycles < cycles:
        now += chance.expovariate(customers)
        shelf.take(units, now)
    return f"{100 * shelf.kept / shelf.cycles:.1f}"


def by_checks(cycles: int) -> Iterator[Sequence[object]]:
    yield (
        "a day",
        "lead time",
        "reorder",
        "max",
        "each movement",
        "daily",
        "weekly",
        *(
            "daily, +1 day",
            "weekly, +7 days",
        ),
    )
    for demand in DEMANDS:
        for lead_time in LEAD_TIMES:
            reorder, most = levels(demand, lead_time)
            shelves = [Shelf(reorder, most, lead_time, every) for every in (0, DAY, WEEK)]
            shelves += [
                Shelf(*levels(demand, lead_time + every), lead_time, every) for every in (DAY, WEEK)
            ]
            kept = [reached(shelf, demand, cycles) for shelf in shelves]
            yield demand, lead_time, reorder, most, *kept


def by_class(cycles: int) -> Iterator[Sequence[object]]:
    yield "a day", "lead time", "A: 98 %", "B: 95 %", "C: 90 %"
    for demand in DEMANDS:
        for lead_time in LEAD_TIMES:
            shelves = [Shelf(*levels(demand, lead_time, name), lead_time, 0) for name in "ABC"]
            yield demand, lead_time, *(reached(shelf, demand, cycles) for shelf in shelves)


def by_units(cycles: int) -> Iterator[Sequence[object]]:
    sizes = (1, 2, 5, 20)
    yield "a day", "lead time", *(f"{units} each" for units in sizes)
    for demand in ("2", "10", "40"):
        for lead_time in LEAD_TIMES:
            kept = [
                reached(
                    Shelf(*levels(demand, lead_time), lead_time, 0), demand, cycles, units=units
                )
                for units in sizes
            ]
            yield demand, lead_time, *kept


def show(title: str, rows: Iterator[Sequence[object]]) -> None:
    print(f"\n{title}\n")
    for number, row in enumerate(rows):
        print("|", " | ".join(map(str, row)), "|")
        if number == 0:
            print("|" + "---:|" * len(row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=1_000)
    cycles = parser.parse_args().cycles
    show("Promised 95 %, an order every 14 days, by how stock is checked:", by_checks(cycles))
    show("Checked at each movement, by class:", by_class(cycles))
    show("Promised 95 %, checked at each movement, by what a customer takes:", by_units(cycles))


if __name__ == "__main__":
    main()
