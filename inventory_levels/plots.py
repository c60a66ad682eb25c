"""Plots of many levels, laid out to draw: how far off they are, and their value of use.

Pure arithmetic: no Django, no HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory_levels.classification import AbcClass
from inventory_levels.distance import BANDS

# Both drawings are 480 of their own units wide.

# Of the bars: where they begin, how long the longest is, how high a row is.
BAR_LEFT, BAR_LENGTH, ROW = 168, 250, 25

# Of the curve.
LEFT, RIGHT, TOP, BOTTOM = 46, 468, 30, 262


@dataclass(frozen=True, slots=True)
class Bar:
    side: str
    label: str
    count: int
    y: int
    width: float

    @property
    def text_y(self) -> int:
        return self.y + 15

    @property
    def count_x(self) -> float:
        return BAR_LEFT + self.width + 7


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    y: int


@dataclass(frozen=True, slots=True)
class Bars:
    bars: list[Bar]
    headings: list[Heading]
    height: int


HEADINGS = {"low": "Too low", "high": "Too high"}


def bars(counts: Mapping[int, int]) -> Bars:
    """A bar for each band of distances, by its number, those too low above those too high."""
    longest = max(counts.values(), default=0) or 1
    drawn: list[Bar] = []
    headings: list[Heading] = []
    y = 0
    for number, band in enumerate(BANDS):
        if band.side in HEADINGS and (not drawn or drawn[-1].side != band.side):
            headings.append(Heading(HEADINGS[band.side], y + 17))
            y += ROW
        count = counts.get(number, 0)
        width = round(BAR_LENGTH * count / longest, 1)
        drawn.append(Bar(band.side, band.label, count, y, max(width, 2) if count else 0))
        y += ROW
    return Bars(drawn, headings, y)


@dataclass(frozen=True, slots=True)
class Zone:
    """The levels of a class along the axis; its label goes where it doesn't touch the next."""

    abc_class: str
    x: float
    width: float
    label_x: float


@dataclass(frozen=True, slots=True)
class CutOff:
    label: str
    y: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Curve:
    line: str
    zones: list[Zone]
    cut_offs: list[CutOff]
    ticks: list[tuple[float, str]]


LABEL_SPACE = 16


def pareto(
    curve: Sequence[tuple[float, float]], ends: Mapping[AbcClass, float], cut_offs: Sequence[str]
) -> Curve:
    """The running share of the value over the share of the levels.

    ``ends``: of each class, the share of the levels up to its last one; ``cut_offs`` in percent.
    """

    def x(share: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * share, 1)

    def y(share: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * share, 1)

    zones: list[Zone] = []
    start = label_from = 0.0
    for abc_class, end in ends.items():
        middle = max((x(start) + x(end)) / 2, label_from)
        if end > start:
            zones.append(Zone(abc_class, x(start), round(x(end) - x(start), 1), round(middle, 1)))
            label_from = middle + LABEL_SPACE
        start = max(start, end)
    lines: list[CutOff] = []
    free = float(BOTTOM)
    for percent in cut_offs:
        height = y(float(percent) / 100)
        free = min(height + 5, free)
        lines.append(CutOff(f"{percent} %", height, round(free, 1)))
        free -= LABEL_SPACE
    return Curve(
        line=" ".join(f"{x(levels)},{y(value)}" for levels, value in curve),
        zones=zones,
        cut_offs=lines,
        ticks=[(x(percent / 100), f"{percent} %") for percent in (0, 25, 50, 75, 100)],
    )
