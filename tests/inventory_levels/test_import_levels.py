"""import_levels: files of any size, from a name or from standard input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from inventory_levels import imports, staging
from inventory_levels.models import InventoryLevel
from tests.api.answers import history, stored
from tests.api.files import table, workbook
from tests.conftest import make_acme

HEADER = ["productMasterId", "locationId", "minQuantity"]
GOOD = [["prod_123", "loc_123", "5"], ["prod_123", "loc_456", "0"]]
BAD = [["prod_123", "bin_123", "1,5"], ["prod_9", "loc_123", ""]]


@pytest.fixture
def file(tmp_path):
    """``file("levels.csv", content)``: its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


def quantities():
    rows = InventoryLevel._base_manager.order_by("location_id")
    return {level.location.public_id: level.min_quantity for level in rows}


def lines(*rows):
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("levels.csv", table(HEADER, *GOOD)),
        ("levels.txt", table(HEADER, *GOOD, separator=";")),
        ("levels.tsv", table(HEADER, *GOOD, separator="\t")),
        ("levels.xlsx", workbook(HEADER, *GOOD)),
        ("levels.ndjson", lines(("prod_123", "loc_123", 5), ("prod_123", "loc_456", 0))),
    ],
)
def test_it_imports_every_format_by_the_files_name(acme, file, capsys, name, content):
    path = file(name, content)
    call_command("import_levels", path)
    assert quantities() == {"loc_123": 5, "loc_456": 0}
    assert capsys.readouterr() == ("2 created, 0 updated, 0 unchanged, 0 failed.\n", "")
    call_command("import_levels", path)
    assert capsys.readouterr().out == "0 created, 0 updated, 2 unchanged, 0 failed.\n"
    assert {(entry.source, entry.actor_type, entry.actor_name) for entry in history()} == {
        ("command", "command", "import_levels")
    }


def test_one_bad_row_keeps_all_from_being_written(acme, file, capsys):
    path = file("levels.csv", table(HEADER, *GOOD, *BAD))
    with pytest.raises(CommandError, match=r"^2 of 4 rows were refused; nothing was written\.$"):
        call_command("import_levels", path)
    assert stored() == [{"changes": 0}]
    out, err = capsys.readouterr()
    assert out == ""
    assert "row 4: minQuantity: must be a number with a decimal point" in err
    assert "row 5: productMasterId: not found" in err


def test_with_skip_the_good_rows_are_written(acme, file, capsys):
    path = file("levels.csv", table(HEADER, *BAD, *GOOD))
    with pytest.raises(CommandError, match=r"^2 of 4 rows were refused\.$"):
        call_command("import_levels", path, "--on-error", "skip")
    assert quantities() == {"loc_123": 5, "loc_456": 0}
    out, err = capsys.readouterr()
    assert out == "2 created, 0 updated, 0 unchanged, 2 failed.\n"
    assert err.count("row ") == 2


def test_a_dry_run_says_what_would_be_and_writes_nothing(acme, file, capsys):
    call_command("import_levels", file("levels.csv", table(HEADER, *GOOD)), "--dry-run")
    assert stored() == [{"changes": 0}]
    assert capsys.readouterr().out == "Dry run: 2 created, 0 updated, 0 unchanged, 0 failed.\n"


def test_scripts_get_json(acme, file, capsys):
    path = file("levels.csv", table(HEADER, *BAD, *GOOD))
    with pytest.raises(CommandError):
        call_command("import_levels", path, "--on-error", "skip", "--json")
    out, err = capsys.readouterr()
    summary = json.loads(out)
    refused = summary.pop("refused")
    assert summary == {"created": 2, "updated": 0, "unchanged": 0, "failed": 2, "dryRun": False}
    assert [row["row"] for row in refused] == [2, 3]
    assert refused[1] == {
        "row": 3,
        "error": "Product or location not found",
        "code": "NOT_FOUND",
        "details": {"productMasterId": ["not found"]},
    }
    assert err == ""


def test_half_a_character_in_the_name_of_a_column_is_shown_and_not_sent(acme, file, capsys):
    row = '{"productMasterId": "prod_123", "locationId": "loc_123", "\\ud800": 3}'
    with pytest.raises(CommandError, match=r"^1 of 1 rows were refused; nothing was written\.$"):
        call_command("import_levels", file("levels.ndjson", row), "--json")
    out = capsys.readouterr().out.encode().decode()
    (refused,) = json.loads(out)["refused"]
    assert refused["details"] == {"\\ud800": ["unknown column"]}


def test_of_many_bad_rows_the_first_are_told(acme, file, capsys):
    bad = [["prod_123", "loc_123", "x"]] * 30
    with pytest.raises(CommandError, match=r"^30 of 30 rows were refused"):
        call_command("import_levels", file("levels.csv", table(HEADER, *bad)))
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 21
    assert err[0].startswith("row 2: minQuantity: must be a number")
    assert err[-1] == "... and 10 more; --json tells all of them."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"productMasterId": "prod_123", "locationId": "loc_123", "minQuanity": 1}', "unknown"),
        ('{"productMasterId": "prod_123", "locationId": "loc_123", "minQuantity": "1"}', "number"),
        ('{"productMasterId": "prod_123", "locationId": null}', "must not be null"),
        ('{"productMasterId": "prod_123"}', "locationId: is required"),
        ('{"productMasterId": 123, "locationId": "loc_123"}', "must be a string"),
        ('{"productMasterId": "prod_123", "productMasterId": "prod_123"}', "same key twice"),
        ('{"minQuantity": NaN}', "is not JSON"),
        ("[1]", "must be a JSON object"),
        ("{" * 5000, "is not JSON"),
        ("prod_123,loc_123", "is not JSON"),
    ],
)
def test_a_bad_line_of_ndjson_is_named_by_its_number(acme, file, capsys, content, problem):
    good = lines(("prod_123", "loc_456", 1))
    with pytest.raises(CommandError, match=r"^1 of 2 rows were refused; nothing was written\.$"):
        call_command("import_levels", file("levels.ndjson", f"{good}\n{content}\n"))
    err = capsys.readouterr().err
    assert err.startswith("row 3: ")
    assert problem in err
    assert stored() == [{"changes": 0}]


def test_in_ndjson_texts_are_meant_as_they_stand_and_null_clears(acme, file):
    row = {"productMasterId": "prod_123", "locationId": "loc_123"}
    for comments in ("null", "'x", "=1+1", "'=1"):
        path = file("levels.ndjson", json.dumps(row | {"comments": comments, "minQuantity": 1.5}))
        call_command("import_levels", path)
        assert InventoryLevel._base_manager.get().comments == comments
    cleared = {"comments": "", "minQuantity": None, "abcClass": "", "status": None}
    call_command("import_levels", file("levels.ndjson", json.dumps(row | cleared)))
    level = InventoryLevel._base_manager.get()
    assert (level.comments, level.min_quantity, level.abc_class) == (None, None, None)
    assert level.status == "Supported"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("levels.csv", "", r"The file is empty\."),
        ("levels.csv", "sku,colour\n", "colour: unknown column"),
        ("levels.csv", b"sku,locationId\n\xff", "Row 2 is not UTF-8: byte 0xFF.*"),
        ("levels.xlsx", b"sku,locationId\n", "The file is damaged, or is not an Excel.*"),
        ("levels.ndjson", b'{"sku": "\xff"}', "Row 1 is not UTF-8.*"),
        ("levels.xls", b"", "Say with --format which of csv, xlsx, ndjson this is: .*"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(acme, file, name, content, sentence):
    with pytest.raises(CommandError, match=f"^{sentence}$"):
        call_command("import_levels", file(name, content))


def test_of_a_file_that_is_none_scripts_get_json_too(acme, file, capsys):
    with pytest.raises(CommandError):
        call_command("import_levels", file("levels.csv", "sku,colour\n"), "--json")
    assert json.loads(capsys.readouterr().out) == {
        "error": "colour: unknown column",
        "code": "VALIDATION_ERROR",
        "details": {"colour": ["unknown column"]},
    }


def test_only_the_named_organizations_levels_are_touched(acme, file):
    other = make_acme().organization
    path = file("levels.csv", table(HEADER, *GOOD))
    with pytest.raises(CommandError, match=r"^There are several organizations"):
        call_command("import_levels", path)
    call_command("import_levels", path, "--organization", other.public_id)
    owners = set(InventoryLevel._base_manager.values_list("organization_id", flat=True))
    assert owners == {other.pk}


@pytest.mark.parametrize("on_error", ["abort", "skip"])
@pytest.mark.parametrize("step", ["Reading 0", "Checking"])
def test_ctrl_c_says_that_nothing_was_written(acme, file, interrupt, on_error, step):
    interrupt(step)
    path = file("levels.csv", table(HEADER, *GOOD))
    with pytest.raises(CommandError, match=r"^Interrupted; nothing was written\.$"):
        call_command("import_levels", path, on_error=on_error)
    assert stored() == [{"changes": 0}]


def test_ctrl_c_says_how_much_of_a_skip_was_written(acme, file, interrupt, monkeypatch):
    monkeypatch.setattr("inventory_levels.imports.CHUNK", 1)
    interrupt("Writing", 1)
    path = file("levels.csv", table(HEADER, *GOOD))
    with pytest.raises(CommandError) as told:
        call_command("import_levels", path, "--on-error", "skip")
    assert str(told.value) == (
        "Interrupted; 1 of 2 rows done, with their history. Run it again to finish."
    )
    assert quantities() == {"loc_123": 5}


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("on_error", ["abort", "skip"])
@pytest.mark.parametrize("is_done", [True, False])
def test_ctrl_c_in_a_commit_does_not_say_that_nothing_was_written(
    acme, file, monkeypatch, on_error, is_done
):
    """Which of the two it was nobody can tell."""
    commit = connections["default"].commit

    def interrupted() -> None:
        monkeypatch.undo()
        if is_done:
            commit()
        raise KeyboardInterrupt

    def at_the_first_write(first: int, last: int) -> Any:
        monkeypatch.setattr(connections["default"], "commit", interrupted)
        return hold(first, last)

    hold = imports._hold
    monkeypatch.setattr(imports, "_hold", at_the_first_write)
    path = file("levels.csv", table(HEADER, *GOOD))
    with pytest.raises(CommandError) as told:
        call_command("import_levels", path, on_error=on_error)
    assert (
        str(told.value)
        == {
            "abort": "Interrupted; it may have been written, all or nothing: run it again to see.",
            "skip": "Interrupted; 0 of 2 rows done, perhaps more, with their history. "
            "Run it again to finish.",
        }[on_error]
    )
    connections["default"].close()
    assert len(quantities()) in ([2] if is_done else [0, 2])
    call_command("import_levels", path)
    assert quantities() == {"loc_123": 5, "loc_456": 0}


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_ctrl_c_after_the_commit_says_that_all_is_written(acme, file, monkeypatch, on_error):
    path = file("levels.csv", table(HEADER, *GOOD))
    counts = staging.counts
    first = True

    def interrupted() -> dict[str, int]:
        nonlocal first
        if not first:
            raise KeyboardInterrupt
        first = False
        return counts()

    monkeypatch.setattr(staging, "counts", interrupted)
    with pytest.raises(CommandError, match=r"^Interrupted when all 2 rows were done, with their"):
        call_command("import_levels", path, on_error=on_error)
    assert quantities() == {"loc_123": 5, "loc_456": 0}


def test_from_the_shell_it_exits_0_or_1_and_takes_standard_input(shell, tmp_path):
    shell("create_organization", "--name", "Acme")
    file = tmp_path / "levels.csv"
    file.write_text(table(HEADER))
    done = shell("import_levels", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "0 created, 0 updated, 0 unchanged, 0 failed.\n"
    file.write_text(table(HEADER, *GOOD))
    refused = shell("import_levels", str(file))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[-1] == (
        "CommandError: 2 of 2 rows were refused; nothing was written."
    )
    empty = shell("import_levels", "-", "--format", "csv")  # there is nothing to read
    assert (empty.returncode, empty.stderr) == (1, "CommandError: The file is empty.\n")


def test_a_signal_while_it_reads_a_pipe_leaves_nothing(shell, tmp_path):
    """As Ctrl-C from a terminal, in the middle of a file that does not end."""
    shell("create_organization", "--name", "Acme")
    command = [sys.executable, "manage.py", "import_levels", "-", "--format", "csv"]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/shell.sqlite3"}
    with subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdin.write(table(HEADER, *GOOD * 5_000))
        process.stdin.flush()  # returns once most of it was read: it is more than a pipe holds
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == "CommandError: Interrupted; nothing was written.\n"
