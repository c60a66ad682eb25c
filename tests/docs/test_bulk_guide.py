"""The guide to files: its examples run, and its tables are complete and true."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inventory_levels.files.cells import BLANK, unescaped, value_of
from inventory_levels.files.columns import LEVELS, LOCATIONS, PRODUCTS
from tests.demo import Demo, running_demo
from tests.docs import shown
from tests.docs.shown import Example
from tests.live import Database

GUIDE = shown.read("docs/bulk.md")
TEXT = (shown.ROOT / "docs/bulk.md").read_text()

# The tests' own organization goes: a reader's commands find the demo's alone.
ALONE = """
import django; django.setup()
from inventory_levels.models import Location, ProductMaster
from organizations.models import ApiKey, Organization
for model in (ProductMaster, Location):
    model._base_manager.filter(organization__name="Acme")._raw_delete("default")
ApiKey.objects.filter(organization__name="Acme").delete()
Organization.objects.filter(name="Acme").delete()
"""


@pytest.fixture(scope="module")
def demo(original: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(original, tmp_path_factory.mktemp("bulk")) as demo:
        assert demo.database
        demo.database.run(ALONE)
        for name, program in GUIDE.programs.items():
            (demo.folder / name).write_text(program)
        (demo.folder / "manage.py").symlink_to(shown.ROOT / "manage.py")
        python = demo.folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        shown.write_command(python, f"env DATABASE_URL='{demo.database.url}' {sys.executable}")
        yield demo


@pytest.fixture(scope="module")
def printed(demo: Demo) -> dict[Example, str]:
    return dict(zip(GUIDE.examples, shown.run(GUIDE.examples, demo), strict=True))


@pytest.mark.parametrize("example", GUIDE.examples, ids=str)
def test_the_answer_is_the_one_shown(example: Example, printed: dict[Example, str]):
    shown.compare(example, printed[example])


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its own header."""
    lines = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    return cells[2:]


def test_the_columns_of_levels_are_all_there_in_their_order():
    rows = rows_of("The columns of levels")
    assert [(name.strip("`"), header) for name, header, _ in rows] == [
        (column.name, column.header) for column in LEVELS.columns
    ]
    for (_, _, told), column in zip(rows, LEVELS.columns, strict=True):
        assert (told == "ignored") == (column.read is None)


@pytest.mark.parametrize(("table", "noun"), [(PRODUCTS, "Products"), (LOCATIONS, "Locations")])
def test_the_columns_of_products_and_locations_are_named(table: Any, noun: str):
    line = re.search(rf"^{noun}: (.*?);", TEXT, re.MULTILINE)
    assert line
    named = re.findall(r"`(\w+)`", line[1])
    assert named == [column.name for column in table.columns if column.read]


def test_a_cell_means_what_the_table_says():
    meanings = dict(rows_of("What a cell means"))
    maximum, comments = LEVELS.by_name["maxQuantity"], LEVELS.by_name["comments"]
    assert meanings.pop("nothing").startswith("leave")
    assert value_of("", maximum) is BLANK
    for cell, meaning in ((cell.strip("`"), meaning) for cell, meaning in meanings.items()):
        if meaning.startswith("the text "):
            assert value_of(cell, comments) == unescaped(cell) == meaning.removeprefix("the text ")
        elif meaning.startswith("clear"):
            assert value_of(cell, maximum) is None
        elif meaning.startswith("refused"):
            with pytest.raises(ValidationError):
                value_of(cell, maximum)
        else:
            assert str(value_of(cell, maximum).normalize()) == cell
        if "semicolons" in meaning:
            with pytest.raises(ValidationError):
                value_of(cell, maximum, semicolons=True)
