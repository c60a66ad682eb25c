"""export_levels: all levels into a file, or to standard output."""

from __future__ import annotations

import io
import json
import os

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from inventory_levels.files import copying, exporting
from tests import factories
from tests.api.files import LEVEL_COLUMNS, records
from tests.conftest import make_acme


@pytest.fixture
def levels(acme):
    """Acme's level in its warehouse and one in its bin."""
    return [
        factories.LevelFactory(
            organization=acme.organization, product=acme.product, location=location
        )
        for location in (acme.location, acme.bin)
    ]


@pytest.mark.parametrize("name", ["levels.csv", "LEVELS.CSV", "levels.txt", "levels.tsv"])
def test_it_writes_csv_with_the_names_of_the_api(levels, tmp_path, capsys, name):
    file = tmp_path / name
    call_command("export_levels", str(file))
    rows = records(file.read_bytes())
    assert list(rows[0]) == LEVEL_COLUMNS
    assert [row["id"] for row in rows] == [level.public_id for level in levels]
    assert capsys.readouterr() == (f"Exported 2 levels of Acme to {file}.\n", "")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["levels.ndjson", "levels.jsonl"])
def test_it_writes_ndjson(levels, tmp_path, name):
    call_command("export_levels", str(tmp_path / name))
    lines = (tmp_path / name).read_text().splitlines()
    assert [json.loads(line)["locationName"] for line in lines] == ["Main warehouse", "A-01"]


def test_it_writes_a_workbook(levels, tmp_path):
    call_command("export_levels", str(tmp_path / "levels.xlsx"))
    book = openpyxl.load_workbook(tmp_path / "levels.xlsx")
    header, *rows = book.active.iter_rows(values_only=True)
    assert (list(header), len(rows)) == (LEVEL_COLUMNS, 2)


def test_for_people_the_headers_are_friendly_and_excel_knows_the_encoding(levels, tmp_path):
    file = tmp_path / "levels.csv"
    call_command("export_levels", str(file), "--for-people")
    assert file.read_bytes().startswith(b"\xef\xbb\xbfProduct ID,Location ID,Minimum,Reorder point")
    call_command("import_levels", str(file))


def test_one_location_and_an_unknown_one(levels, tmp_path):
    file = tmp_path / "levels.csv"
    call_command("export_levels", str(file), "--location", "bin_123")
    assert [row["locationId"] for row in records(file.read_bytes())] == ["bin_123"]
    for unknown in ("nowhere", "\udcff"):
        with pytest.raises(CommandError, match=r"^--location: no location has the id '.*'\.$"):
            call_command("export_levels", str(file), "--location", "bin_123", "--location", unknown)


def test_a_file_whose_name_says_nothing_needs_the_format(levels, tmp_path):
    for name in ("-", str(tmp_path / "levels"), str(tmp_path / "levels.xls")):
        with pytest.raises(CommandError, match=r"^Say with --format which of csv, xlsx, ndjson"):
            call_command("export_levels", name)
    call_command("export_levels", str(tmp_path / "levels"), "--format", "csv")
    assert len(records((tmp_path / "levels").read_bytes())) == 2


def test_a_failure_leaves_the_file_of_before(levels, tmp_path, monkeypatch):
    file = tmp_path / "levels.csv"
    file.write_text("yesterday")

    def fail(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(exporting, "in_order", fail)
    monkeypatch.setattr(copying, "in_order", fail)
    with pytest.raises(CommandError, match=r"^The database refused this: gone$"):
        call_command("export_levels", str(file))
    assert file.read_text() == "yesterday"
    assert os.listdir(tmp_path) == ["levels.csv"]


def test_ctrl_c_leaves_the_file_of_before_and_says_one_sentence(levels, tmp_path, interrupt):
    file = tmp_path / "levels.csv"
    file.write_text("yesterday")
    interrupt("Exporting")
    with pytest.raises(CommandError, match=r"^Interrupted before it could say what it had done\.$"):
        call_command("export_levels", str(file))
    assert file.read_text() == "yesterday"
    assert os.listdir(tmp_path) == ["levels.csv"]


def test_a_folder_that_is_not_there_is_one_sentence(levels, tmp_path):
    file = str(tmp_path / "none" / "levels.csv")
    with pytest.raises(CommandError) as refused:
        call_command("export_levels", file)
    assert str(refused.value) == f"No such file or directory: {file}"


def test_a_device_is_written_to_and_not_replaced(levels):
    call_command("export_levels", os.devnull, "--format", "csv")
    assert not os.path.isfile(os.devnull)


def test_with_several_organizations_one_is_named(levels, tmp_path):
    other = make_acme().organization
    with pytest.raises(CommandError, match=r"^There are several organizations"):
        call_command("export_levels", str(tmp_path / "levels.csv"))
    call_command("export_levels", str(tmp_path / "l.csv"), "--organization", other.public_id)
    assert records((tmp_path / "l.csv").read_bytes()) == []


def test_from_the_shell_standard_output_is_the_file_alone(shell):
    shell("create_organization", "--name", "Acme")
    done = shell("export_levels", "-", "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{','.join(LEVEL_COLUMNS)}\n"
    refused = shell("export_levels", "-")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert records(io.BytesIO(done.stdout.encode()).read()) == []
