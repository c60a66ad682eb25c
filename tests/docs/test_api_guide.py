"""The guide for integrators: its examples run, and its tables are complete and true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from inventory_levels.api import bulk, filters, pagination
from inventory_levels.api.serializers import LevelSerializer
from inventory_levels.models import MAX_COMMENTS, MAX_DAYS, LevelChange, LevelStatus
from inventory_levels.quantities import DIGITS_AFTER, DIGITS_BEFORE
from inventory_levels.tree import MAX_DEPTH
from inventory_project.errors import CODE_OF_EXCEPTION, STATUS_OF_REFUSAL
from organizations import public_ids
from tests.conftest import Api
from tests.demo import Demo, running_demo
from tests.docs import shown
from tests.docs.shown import Example
from tests.live import Database, InBackground, everything
from tests.openapi.document import operations

GUIDE = shown.read("docs/api.md")
TEXT = (shown.ROOT / "docs/api.md").read_text()


@pytest.fixture(scope="module")
def demo(original: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(original, tmp_path_factory.mktemp("guide")) as demo:
        for name, program in GUIDE.programs.items():
            (demo.folder / name).write_text(program)
        yield demo


@pytest.fixture(scope="module")
def printed(demo: Demo) -> dict[Example, str]:
    return dict(zip(GUIDE.examples, shown.run(GUIDE.examples, demo), strict=True))


@pytest.mark.parametrize("example", GUIDE.examples, ids=str)
def test_the_answer_is_the_one_shown(example: Example, printed: dict[Example, str]):
    shown.compare(example, printed[example])


def test_every_request_is_shown_with_its_answer():
    for example in GUIDE.examples:
        asks = re.search(r"\b(curl|python3)\b", example.command)
        assert bool(asks) == bool(example.answer), example


class Mirror:
    """Somebody who runs the guide's program, as it stands, in a folder of their own."""

    def __init__(self, demo: Demo, folder: Any) -> None:
        self.demo, self.folder = demo, folder

    def sync(self) -> str:
        done = subprocess.run(
            [sys.executable, "-c", GUIDE.programs["sync.py"]],
            cwd=self.folder,
            env={**os.environ, "API": f"{self.demo.address}/api", "KEY": self.demo.key},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def levels(self) -> dict[str, Any]:
        return json.loads((self.folder / "levels.json").read_text())["levels"]


def on_the_server(api: Api) -> dict[str, Any]:
    return {level["id"]: level for level in everything(api, "/inventory-levels")}


def write_without_end(api: Api, number: int) -> None:
    """Create, change and delete levels, one of each in turn."""
    levels = on_the_server(api)
    for turn, public_id in enumerate(sorted(levels)[number::7][:24]):
        level = levels[public_id]
        if turn % 3 == 0:
            assert api.delete(f"/inventory-levels/{public_id}").status_code == 200
            again = {name: level[name] for name in ("productMasterId", "locationId")}
            assert api.post("/inventory-levels", again).status_code == 201
        elif turn % 3 == 1:
            assert api.delete(f"/inventory-levels/{public_id}").status_code == 200
        else:
            changes = {"comments": f"turn {turn} of {number}"}
            assert api.patch(f"/inventory-levels/{public_id}", changes).status_code == 200


def test_the_program_keeps_a_copy_while_others_write(printed: Any, demo: Demo, tmp_path: Any):
    mirror = Mirror(demo, tmp_path)
    assert mirror.sync() == f"{len(on_the_server(demo.api))} levels\n"
    assert mirror.levels == on_the_server(demo.api)
    before = mirror.levels
    writers = [
        InBackground(lambda number=number: write_without_end(demo.api, number) or "done")
        for number in range(2)
    ]
    for _ in range(3):
        mirror.sync()
    assert [writer.result() for writer in writers] == ["done", "done"]
    mirror.sync()
    assert mirror.levels == on_the_server(demo.api)
    assert len(before.keys() - mirror.levels.keys()) == 32
    assert len(mirror.levels.keys() - before.keys()) == 16
    assert sum(before[key] != mirror.levels[key] for key in before.keys() & mirror.levels) == 16


def test_the_program_says_why_it_is_refused(demo: Demo, tmp_path: Any):
    done = subprocess.run(
        [sys.executable, "-c", GUIDE.programs["sync.py"]],
        cwd=tmp_path,
        env={**os.environ, "API": f"{demo.address}/api", "KEY": "ilk_00000000_wrong"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr.startswith('401 {"error":"The API key is not valid."')
    assert list(tmp_path.iterdir()) == []


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table after a line of the guide, without its head."""
    table = TEXT[TEXT.index(f"\n{heading}") :].partition("\n|")[2].partition("\n\n")[0]
    lines = table.strip().split("\n")[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_the_table_of_fields_is_complete():
    fields = LevelSerializer().fields.items()
    settable = [name for name, field in fields if not field.read_only]
    settable.remove("productId")  # told beside productMasterId
    assert [words(row[0])[0] for row in rows("## The level")] == settable
    statuses = next(row[2] for row in rows("## The level") if row[0] == "`status`")
    assert {*words(statuses)} == {*LevelStatus.values}


def test_the_table_of_filters_is_complete():
    told = [name for row in rows("## Lists") for name in words(row[0])]
    assert {*told} | {"productId"} == {*filters.LevelFilter.base_filters}
    orderings = re.search(r"`ordering` is ([^,]+(?:, `\w+`)* or `\w+`)", TEXT)
    assert orderings
    assert {*words(orderings[1])} == {*pagination.LevelPages.orderings}
    assert all(f"`{source}`" in TEXT for source in LevelChange.Source.values)


def test_the_table_of_errors_is_complete():
    told = {(int(status), code) for status, codes, _ in rows("## Errors") for code in words(codes)}
    documented = {
        (status, example["code"])
        for operation in operations()
        for status in operation.statuses
        if status >= 400
        for example in operation.examples(status)
    }
    assert told >= documented
    assert told >= {(status, code) for code, status in STATUS_OF_REFUSAL.items()}
    assert told >= {(error.status_code, code) for error, code in CODE_OF_EXCEPTION.items()}
    assert {code for status, code in told if status in (401, 403)} == {
        *("MISSING_AUTHORIZATION", "INVALID_API_KEY", "REVOKED_API_KEY", "EXPIRED_API_KEY"),
        *("INSUFFICIENT_SCOPE", "INACTIVE_ORGANIZATION", "IP_RESTRICTION"),
        *("CSRF_FAILED", "INSUFFICIENT_ROLE"),
    }


def test_the_table_of_limits_is_true():
    mebibyte = 1024 * 1024
    assert dict(rows("## Limits")) == {
        "A body": f"{settings.MAX_BODY // mebibyte} MiB; "
        f"bulk {settings.MAX_BULK_BODY // mebibyte} MiB",
        "Items in a bulk request": f"{bulk.MAX_ITEMS:,}",
        "Items on a page": f"{pagination.MAX_LIMIT}",
        "Depth that pages reach, page × limit": f"{pagination.MAX_DEPTH:,} items",
        "Values in a comma list": f"{filters.MAX_VALUES}",
        "A text in a filter": f"{filters.MAX_TEXT} characters",
        "An id, a SKU": f"{public_ids.MAX_LENGTH} characters",
        "A name": "255 characters",
        "Comments": f"{MAX_COMMENTS:,} characters",
        "A quantity": f"0 to {10**DIGITS_BEFORE - 1:,}.{'9' * DIGITS_AFTER}",
        "Days": f"0 to {MAX_DAYS:,}; `forecastPeriodDays` from 1",
        "Locations inside each other": f"{MAX_DEPTH} deep",
        "A write that waits for another one": f"{settings.LOCK_TIMEOUT} seconds, then 503",
    }
