#!/usr/bin/env python3
"""Draws what growth.py measured: ``var/peers/bin/python benchmarks/plots.py JSON SVG``."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter, NullLocator

TOTAL = "same with its total"
# What grows, the panel's title, and the lines in it.
PANELS = [
    (
        "levels",
        "Levels of the organization",
        ["GET of one", "PATCH", "POST", "page of 100", "deep page of 100", TOTAL],
    ),
    ("levels", "The same, pages of the admin", ["admin form", "admin list"]),
    (
        "organizations",
        "Organizations of 1,000 levels",
        ["GET of one", "PATCH", "POST", "page of 100", TOTAL, "admin list"],
    ),
    ("page", "Levels on a page", ["page"]),
    ("batch", "Levels in a bulk request", ["bulk"]),
    ("batch", "The same, for each level", ["bulk"]),
]
LABELS = {TOTAL: "page and total of a location"}
COLORS = {
    "GET of one": "#1f6feb",
    "PATCH": "#8250df",
    "POST": "#bf3989",
    "page of 100": "#1a7f37",
    "deep page of 100": "#9a6700",
    TOTAL: "#cf222e",
    "admin form": "#57606a",
    "admin list": "#24292f",
    "page": "#1a7f37",
    "bulk": "#bf3989",
}
INK, FAINT = "#24292f", "#d0d7de"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "growth",  # the same file from the same figures
}


def read(path: Path) -> dict[tuple[str, str], list[tuple[int, float]]]:
    lines: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for kind, name, size, rounds in json.loads(path.read_text()):
        lines[kind, name].append((size, median(rounds)))
    return lines


def draw(axes: Any, title: str, lines: dict[str, list[tuple[int, float]]]) -> None:
    each = title.endswith("each level")
    for name, points in lines.items():
        sizes = [size for size, _ in points]
        took = [ms / size if each else ms for size, ms in points]
        axes.plot(
            sizes,
            took,
            "o-",
            color=COLORS[name],
            markersize=3.5,
            linewidth=1.5,
            label=LABELS.get(name, name),
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(low / 1.6, high * 1.6)  # so that noise doesn't fill a panel
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.tick_params(length=0)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.set_ylabel("ms")
    if len(lines) > 1:
        axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper left")
        axes.set_ylim(top=axes.get_ylim()[1] * 3)


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    found = read(source)
    with pyplot.rc_context(STYLE):
        figure, panels = pyplot.subplots(3, 2, figsize=(10, 10), layout="constrained")
        for axes, (kind, title, names) in zip(panels.flat, PANELS, strict=True):
            draw(axes, title, {name: found[kind, name] for name in names if found[kind, name]})
        figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main()
