"""The README's tour: every request of it, run on the demo, answers what the README says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.demo import Demo, running_demo
from tests.docs import shown
from tests.docs.shown import Example
from tests.live import Database

TOUR = [example for example in shown.read("README.md").examples if "curl" in example.command]
every_step = pytest.mark.parametrize("example", TOUR, ids=str)


@pytest.fixture(scope="module")
def demo(original: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(original, tmp_path_factory.mktemp("readme")) as demo:
        yield demo


@pytest.fixture(scope="module")
def printed(demo: Demo) -> dict[Example, str]:
    return dict(zip(TOUR, shown.run(TOUR, demo), strict=True))


def test_the_tour_writes_reads_and_is_refused():
    commands = "\n".join(example.command for example in TOUR)
    assert "KEY=$(cat var/demo_api_key)" in commands
    for what in ("-X POST", "-X PATCH", "/history", "missing="):
        assert what in commands
    assert sum(bool(example.answer) for example in TOUR) >= 3


@every_step
def test_the_answer_is_the_one_shown(example: Example, printed: dict[Example, str]):
    if example.answer:
        shown.compare(example, printed[example])
    else:
        assert '"error"' not in printed[example]


@every_step
def test_what_the_text_says_of_an_answer_is_in_it(example: Example, printed: dict[Example, str]):
    for said in re.findall(r'`("\w+":[^`]+)`', example.prose):
        assert said in printed[example]
