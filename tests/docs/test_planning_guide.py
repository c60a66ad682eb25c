"""The guide to planning: its examples run, its tables are true, its simulation prints them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from inventory_levels.api.planning_serializers import MAX_STOCKS, STATES
from inventory_levels.planning import NOT_REORDERED, Policy, quantile
from tests.demo import Demo, running_demo
from tests.docs import shown
from tests.docs.shown import Example
from tests.live import Database

GUIDE = shown.read("docs/planning.md")
TEXT = (shown.ROOT / "docs/planning.md").read_text()


@pytest.fixture(scope="module")
def demo(original: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(original, tmp_path_factory.mktemp("planning")) as demo:
        yield demo


@pytest.fixture(scope="module")
def printed(demo: Demo) -> dict[Example, str]:
    return dict(zip(GUIDE.examples, shown.run(GUIDE.examples, demo), strict=True))


@pytest.mark.parametrize("example", GUIDE.examples, ids=str)
def test_the_answer_is_the_one_shown(example: Example, printed: dict[Example, str]):
    shown.compare(example, printed[example])


def test_every_request_is_shown_with_its_answer():
    assert len(GUIDE.examples) >= 6
    for example in GUIDE.examples:
        assert ("curl" in example.command) == bool(example.answer), example


def test_the_tables_of_states_are_complete():
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \|$", TEXT, re.MULTILINE)[: len(STATES)] == [
        *("noLevel", "notManaged", "outOfStock", "belowMinimum", "reorder", "overstock", "ok")
    ]
    assert {*STATES} == {*re.findall(r"`(\w+)`", TEXT)} & {*STATES}
    assert all(f"`{status}`" in TEXT for status in NOT_REORDERED)
    assert f"up to {MAX_STOCKS:,} at once" in TEXT


def test_the_defaults_and_their_quantiles_are_true():
    for name, level in Policy().service_levels.items():
        assert f"{level:.0%}".replace("%", " %") + f" for {name or 'levels'}" in TEXT
        assert f"{quantile(level):.4f} for {level:.0%}".replace("%", " %") in " ".join(TEXT.split())


@pytest.mark.once
def test_the_simulation_prints_the_tables():
    script = shown.ROOT / "benchmarks" / "service_levels.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 40
    assert done.stdout.strip() in TEXT
