"""A disk that is full: 503 in the error shape, nothing in part, and all well once there is space.

``benchmarks/no_space.py`` does it with real disks, a real server and writers at work.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from inventory_levels import catalog, imports
from inventory_levels.models import InventoryLevel, LevelChange, ProductMaster
from tests import factories
from tests.admin.browser import LEVELS as LEVELS_PAGE
from tests.admin.browser import browser, text_of
from tests.admin.uploads import levels_file, say_yes, upload
from tests.api.answers import assert_error
from tests.api.files import send, table
from tests.conftest import is_postgresql
from tests.live import LEVELS, PRODUCTS

ROWS, CHUNK, ROOM = 40, 10, 24
HEADER = ["productMasterId", "locationId", "comments"]
NOTHING = "No space is left; nothing was written. Try again."


@contextmanager
def full_after(rows: int, table_: str = LEVELS) -> Iterator[None]:
    """The database refuses what comes after so many rows, as where its disk is full: SQLite
    really is, and PostgreSQL's answer comes from a trigger."""
    if is_postgresql():
        run(
            "CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF (SELECT count(*) FROM {table_}) >= {rows} THEN"
            " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END IF;"
            " RETURN NEW; END $$"
        )
        run(
            f"CREATE TRIGGER no_space BEFORE INSERT ON {table_}"
            " FOR EACH ROW EXECUTE FUNCTION no_space()"
        )
    else:
        run("VACUUM")
        # A row of ours fills a page, and its history another one.
        run(f"PRAGMA max_page_count = {run('PRAGMA page_count')[0][0] + 2 * rows}")
    try:
        yield
    finally:
        if is_postgresql():
            run(f"DROP TRIGGER no_space ON {table_}")
            run("DROP FUNCTION no_space")
        else:
            run("PRAGMA max_page_count = 1073741823")


def run(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def rows(committed, api, acme) -> list[list[str]]:
    """Levels to be created, of the size of a database's page."""
    products = factories.ProductFactory.create_batch(ROWS, organization=acme.organization)
    return [[product.public_id, "loc_123", "x" * 4000] for product in products]


@pytest.fixture
def file(rows) -> str:
    return table(HEADER, *rows)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", CHUNK)
    monkeypatch.setattr(catalog, "CHUNK", CHUNK)


def stored() -> tuple[int, int]:
    return InventoryLevel._base_manager.count(), LevelChange._base_manager.count()


def assert_no_space(response: Any, sentence: str = NOTHING) -> None:
    assert_error(response, 503, "UNAVAILABLE", error=sentence, fields=set())
    assert response.headers["Retry-After"] == "30"


def test_an_import_of_all_or_nothing_writes_nothing(api, file, caplog):
    with full_after(ROOM):
        assert_no_space(send(api, file))
        assert stored() == (0, 0)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage().startswith("No space is left: ")
    assert send(api, file).json()["created"] == ROWS
    assert stored() == (ROWS, ROWS)


def test_an_import_that_can_not_even_be_staged_writes_nothing(api, file, monkeypatch):
    def disk_full(*args: Any) -> None:
        raise psycopg.errors.DiskFull("could not extend file")

    if is_postgresql():
        monkeypatch.setattr(psycopg.Copy, "write_row", disk_full)
    else:
        run("PRAGMA temp.max_page_count = 10")
    try:
        assert_no_space(send(api, file, onError="skip"))
    finally:
        monkeypatch.undo()
        if not is_postgresql():
            run("PRAGMA temp.max_page_count = 1073741823")
    assert stored() == (0, 0)
    assert send(api, file).json()["created"] == ROWS


def test_an_import_in_chunks_says_how_many_it_wrote_and_is_finished_later(api, file):
    with full_after(ROOM):
        answer = send(api, file, onError="skip")
        written, history = stored()
    assert 0 < written < ROWS
    assert (written % CHUNK, history) == (0, written)
    sentence = f"No space is left; {written} of 40 rows were written. Try again."
    assert_no_space(answer, sentence)
    told = send(api, file, onError="skip").json()
    assert (told["unchanged"], told["created"]) == (written, ROWS - written)
    assert stored() == (ROWS, ROWS)


@pytest.mark.parametrize("on_error", ["abort", "skip"])
@pytest.mark.parametrize("most", [ROWS, 100], ids=["a few", "many"])
def test_a_bulk_request_is_written_whole_or_not_at_all(
    api, acme, rows, monkeypatch, on_error, most
):
    monkeypatch.setattr("inventory_levels.services.LONG", most)
    items = [dict(zip(HEADER, row, strict=True)) for row in rows]
    body = {"items": items, "onError": on_error}
    with full_after(ROOM):
        assert_no_space(api.post("/inventory-levels/bulk", body))
        assert stored() == (0, 0)
    assert api.post("/inventory-levels/bulk", body).json()["created"] == ROWS


def test_one_level_is_refused_and_all_that_is_there_can_be_read(api, rows):
    body = dict(zip(HEADER, rows[0], strict=True))
    with full_after(0):
        assert_no_space(api.post("/inventory-levels", body))
        assert api.get("/inventory-levels").json()["items"] == []
    assert api.post("/inventory-levels", body).status_code == 201


@pytest.mark.usefixtures("committed")
def test_an_import_of_products_in_chunks_says_how_many_it_wrote(api):
    lines = [[f"p-{n}", f"sku-{n}", "x" * 255] for n in range(ROWS)]
    file = table(["id", "globalSku", "productName"], *lines)
    before = ProductMaster._base_manager.count()
    room = before + ROOM if is_postgresql() else 1
    with full_after(room, PRODUCTS):
        answer = send(api, file, "/products", onError="skip")
        written = ProductMaster._base_manager.count() - before
    assert 0 < written < ROWS
    assert_no_space(answer, f"No space is left; {written} of 40 rows were written. Try again.")
    told = send(api, file, "/products", onError="skip").json()
    assert (told["unchanged"], told["created"]) == (written, ROWS - written)


def test_the_command_says_it_in_a_sentence(acme, file, tmp_path):
    path = tmp_path / "levels.csv"
    path.write_text(file)
    with full_after(ROOM):
        with pytest.raises(CommandError) as refused:
            call_command("import_levels", str(path), "--on-error", "skip")
        written, _ = stored()
    assert f". {written} of 40 rows were written: run it again to finish." in str(refused.value)
    assert "\n" not in str(refused.value)
    call_command("import_levels", str(path), "--on-error", "skip")
    assert stored() == (ROWS, ROWS)


def test_an_import_in_the_admin_says_how_many_it_wrote(acme, rows):
    editor = browser(acme.organization, "editor")
    editor.client.raise_request_exception = False
    lines = [[product, "Main warehouse", comments] for product, _, comments in rows]
    header = ["Product id", "Location name", "Comments"]
    page = upload(editor, table(header, *lines))
    with full_after(ROOM):
        refused = say_yes(editor, page, "skip")
        written, _ = stored()
    assert 0 < written < ROWS
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert f"{written} of 40 rows were written. Go back and send it again" in text_of(refused)


# Temporary files.


def no_space(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("writes", "ask"),
    [
        ("api.uploads.SpooledTemporaryFile", lambda api: send(api, "productMasterId,locationId\n")),
        ("api.files.TemporaryFile", lambda api: api.get("/inventory-levels/export.xlsx")),
    ],
)
def test_without_space_for_temporary_files_the_api_says_so(
    api, monkeypatch, writes: str, ask: Callable[[Any], Any]
):
    with monkeypatch.context() as full:
        full.setattr(f"inventory_levels.{writes}", no_space)
        assert_no_space(ask(api))
    with closing(ask(api)) as answer:
        assert answer.status_code == 200


def test_without_space_for_temporary_files_pages_say_so(acme, monkeypatch, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    editor = browser(acme.organization, "editor")
    editor.client.raise_request_exception = False
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", no_space)
    monkeypatch.setattr("inventory_levels.admin.exporting.TemporaryFile", no_space)
    uploaded = upload(editor, levels_file(["SKU-123", "Main warehouse", 1, 2, 3]))
    downloaded = editor.get(f"{LEVELS_PAGE}export.xlsx")
    for answer in (uploaded, downloaded):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert "No space is left" in text_of(answer)


def test_another_error_of_a_file_is_a_500(api, monkeypatch):
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("inventory_levels.api.files.TemporaryFile", refused)
    assert_error(api.get("/inventory-levels/export.xlsx"), 500, "INTERNAL_ERROR", fields=set())


def test_a_database_that_went_away_between_two_chunks_is_told_likewise(api, file, monkeypatch):
    write, turns = imports._write, iter(range(10))

    def fail(*args: Any) -> Any:
        if next(turns) == 2:
            raise OperationalError("the connection is lost")
        return write(*args)

    monkeypatch.setattr(imports, "_write", fail)
    answer = send(api, file, onError="skip")
    sentence = "The database is busy or out of reach; 20 of 40 rows were written. Try again."
    assert_error(answer, 503, "UNAVAILABLE", error=sentence, fields=set())
    assert stored() == (20, 20)
