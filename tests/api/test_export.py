"""GET .../export.csv, .ndjson and .xlsx: what is in them, in which order, and how they stream."""

from __future__ import annotations

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from inventory_levels.api import files
from inventory_levels.files import copying, exporting, workbook
from inventory_levels.models import InventoryLevel, Location
from organizations.models import Organization
from tests import factories
from tests.api.answers import assert_error, assert_invalid
from tests.api.files import (
    CSV,
    LEVEL_COLUMNS,
    LEVELS,
    XLSX,
    downloaded,
    export,
    records,
)
from tests.api.population import populate
from tests.conftest import Api, is_postgresql, issue_key, make_acme

FORMATS = ["csv", "ndjson", "xlsx"]
TYPES = {
    "csv": f"{CSV}; charset=utf-8",
    "ndjson": "application/x-ndjson; charset=utf-8",
    "xlsx": XLSX,
}


def rows_of(content: bytes, format_: str) -> list[dict[str, Any]]:
    """The rows of any format, as a reader that is not ours sees them."""
    if format_ == "csv":
        return records(content)
    if format_ == "ndjson":
        return [json.loads(line, parse_float=Decimal) for line in content.splitlines()]
    (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every export takes many statements."""
    monkeypatch.setattr(exporting, "CHUNK", 7)
    monkeypatch.setattr(copying, "CSV_CHUNK", 7)
    monkeypatch.setattr(copying, "JSON_CHUNK", 7)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_level_is_exported_with_all_of_its_fields(api, level, format_):
    api.post(LEVELS, {"productMasterId": "prod_123", "locationId": "loc_456"})
    full, bare = rows_of(export(api, format_), format_)
    assert list(full) == LEVEL_COLUMNS
    expected = {name: level[name] for name in LEVEL_COLUMNS if name in level}
    expected |= {"sku": "SKU-123", "productName": "Widget", "locationName": "Main warehouse"}
    empty = "" if format_ == "csv" else None
    unset = [name for name in LEVEL_COLUMNS if bare[name] == empty]
    assert {*unset} == set(LEVEL_COLUMNS[2:14]) - {"status"}
    if format_ == "csv":
        expected = {name: str(value) for name, value in expected.items()}
    assert full == expected


@pytest.mark.parametrize("format_", FORMATS)
def test_quantities_are_plain_numbers(api, acme, format_):
    quantities = ["0", "0.0001", "50", "1200", "12.5", "99999999999.9999"]
    for number, quantity in enumerate(quantities):
        factories.LevelFactory(
            organization=acme.organization,
            product=acme.product,
            location=factories.LocationFactory(organization=acme.organization, public_id=number),
            max_quantity=Decimal(quantity),
        )
    rows = rows_of(export(api, format_), format_)
    assert [Decimal(str(row["maxQuantity"])) for row in rows] == [*map(Decimal, quantities)]
    if format_ == "csv":
        assert [row["maxQuantity"] for row in rows] == quantities


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("path", [LEVELS, "/products", "/locations"])
def test_it_is_a_file_to_keep_named_by_its_date(api, level, path, format_):
    response = api.get(f"{path}/export.{format_}")
    assert response.headers["Content-Type"] == TYPES[format_]
    name = f"{path.strip('/')}-" + r"\d{4}-\d\d-\d\d" + f".{format_}"
    disposition = response.headers["Content-Disposition"]
    assert re.fullmatch(f'attachment; filename="{name}"', disposition), disposition
    content = downloaded(response)
    assert not content.startswith(b"\xef\xbb\xbf")
    assert content[:2] == b"PK" if format_ == "xlsx" else content.decode("utf-8")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("path", [LEVELS, "/products", "/locations"])
def test_nothing_to_export_is_a_header_alone(api, acme, path, format_):
    empty = {LEVELS: "?sku=none", "/products": "?globalSku=none", "/locations": "?name=none"}
    content = export(api, format_, path, empty[path])
    assert rows_of(content, format_) == []
    if format_ == "csv":
        assert content.count(b"\n") == 1


def listed(api: Any, query: str) -> list[str]:
    return [item["id"] for item in api.get(f"{LEVELS}?limit=500&{query}").json()["items"]]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "ordering=sku",
        "ordering=-sku",
        "ordering=location",
        "ordering=-location",
        "ordering=updatedAt",
        "ordering=-updatedAt",
        "ordering=createdAt",
        "ordering=-createdAt",
        "status=Supported,Stock&abcClass=A",
        "productMasterId=prod_1,prod_3&ordering=-location",
        "locationId=loc_2",
        "sku=SKU-1",
        "search=w%C3%AEdget",
        "missing=reorderQuantity",
        "updatedSince=2026-03-01T14:00:00Z",
        "preferredBinLocationId=bin_1",
    ],
)
def test_the_filters_and_the_order_are_those_of_the_list(api, population, small_chunks, query):
    expected = listed(api, query)
    assert expected
    for format_ in FORMATS:
        rows = rows_of(export(api, format_, query=f"?{query}"), format_)
        assert [row["id"] for row in rows] == expected, format_


@pytest.mark.parametrize("format_", FORMATS)
def test_parameters_are_as_strict_as_those_of_the_list(api, acme, format_):
    for query, field in (
        ("colour=red", "colour"),
        ("page=1", "page"),
        ("limit=5", "limit"),
        ("cursor=", "cursor"),
        ("status=None", "status"),
        ("ordering=name", "ordering"),
        ("sku=a&sku=b", "sku"),
    ):
        assert_invalid(api.get(f"{LEVELS}/export.{format_}?{query}"), field)
    assert_invalid(api.get(f"/products/export.{format_}?ordering=sku"), "ordering")


@pytest.mark.parametrize("format_", FORMATS)
def test_another_organizations_records_are_not_in_it(api, stranger, level, format_):
    for path in (LEVELS, "/products", "/locations"):
        ours = {row["id"] for row in rows_of(export(api, format_, path), format_)}
        assert ours == {item["id"] for item in api.get(f"{path}?limit=500").json()["items"]}
    assert rows_of(export(stranger, format_), format_) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_it_takes_the_right_to_read(api, reader, level, format_):
    assert len(rows_of(export(reader, format_), format_)) == 1
    Organization.objects.update(is_active=False)
    assert_error(api.get(f"{LEVELS}/export.{format_}"), 403, "INACTIVE_ORGANIZATION")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("format_", FORMATS)
def test_head_answers_the_same_headers_and_reads_no_levels(api, level, format_, slash):
    with CaptureQueriesContext(connection) as queries:
        response = api.request("HEAD", f"{LEVELS}/export.{format_}{slash}")
    assert (response.status_code, response.getvalue()) == (200, b"")
    assert response.headers["Content-Type"] == TYPES[format_]
    assert response.headers["Content-Disposition"].startswith("attachment")
    table = InventoryLevel._meta.db_table
    assert [query["sql"] for query in queries if table in query["sql"]] == []
    bad = api.request("HEAD", f"{LEVELS}/export.{format_}?colour=red")
    assert bad.status_code == 400


@pytest.mark.parametrize("name", ["exportXcsv", "export.cs", "export_csv"])
def test_ids_that_look_like_an_export_are_still_ids(api, acme, name):
    product = {"id": name, "globalSku": "X", "productName": "X"}
    assert api.post("/products", product).status_code == 201
    assert api.get(f"/products/{name}").json()["id"] == name


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_it_streams_in_pieces_that_hold_no_transaction(api, population, small_chunks, format_):
    response = api.get(f"{LEVELS}/export.{format_}")
    pieces = response.streaming_content
    assert not response.has_header("Content-Length")
    taken = [next(pieces), next(pieces)]
    InventoryLevel._base_manager.update(comments="changed meanwhile")
    assert not any(b"changed meanwhile" in piece for piece in taken)
    rest = list(pieces)
    assert len(rest) >= 150 // 7 - 1
    assert b"changed meanwhile" in rest[-2]


@pytest.mark.skipif(not is_postgresql(), reason="SQLite's chunks are short")
@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_nobody_waits_for_a_long_chunk_before_the_first_row(api, population, small_chunks, format_):
    pieces = list(api.get(f"{LEVELS}/export.{format_}").streaming_content)
    header = 1 if format_ == "csv" else 0
    rows = [len(rows_of(b"".join([*pieces[:header], one]), format_)) for one in pieces[header:]]
    assert rows[:3] == [2, 7, 7]
    assert sum(rows) == len(listed(api, ""))


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_what_others_do_meanwhile_hides_and_doubles_no_other_level(
    api, population, small_chunks, format_
):
    before = listed(api, "")
    response = api.get(f"{LEVELS}/export.{format_}")
    content = [next(response.streaming_content) for _ in range(4)]
    gone = {before[0], before[40], before[80]}
    InventoryLevel._base_manager.filter(public_id__in=gone).delete()
    first = population.products[0]
    factories.LevelFactory(
        organization=first.organization,
        product=first,
        location=factories.LocationFactory(organization=first.organization),
    )
    content += list(response.streaming_content)
    ids = [row["id"] for row in rows_of(b"".join(content), format_)]
    assert len(ids) == len({*ids})
    assert [id_ for id_ in ids if id_ in before] == [
        id_ for id_ in before if id_ in ids or id_ not in gone
    ]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_database_out_of_reach_is_an_error_and_no_file(api, level, monkeypatch, format_):
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("out of reach")

    monkeypatch.setattr(exporting, "in_order", fail)
    monkeypatch.setattr(copying, "in_order", fail)
    assert_error(api.get(f"{LEVELS}/export.{format_}"), 503, "UNAVAILABLE")


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_a_download_that_is_broken_off_ends_there_and_gives_back_the_connection_as_it_was(
    api, population, small_chunks, monkeypatch, format_
):
    """Whoever still has a hand on it, as a traceback of the lost connection has."""
    begun = files._unhurried
    held: list[Any] = []
    monkeypatch.setattr(files, "_unhurried", lambda pieces: held.append(begun(pieces)) or held[0])
    response = api.get(f"{LEVELS}/export.{format_}")
    pieces = response.streaming_content
    assert len([next(pieces) for _ in range(3)]) == 3
    with CaptureQueriesContext(connection) as statements:
        response.close()
    assert list(pieces) == []
    if is_postgresql():
        assert [one["sql"] for one in statements] == ["RESET statement_timeout"]


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_a_failure_in_the_middle_is_not_swallowed(
    api, population, small_chunks, monkeypatch, format_
):
    response = api.get(f"{LEVELS}/export.{format_}")
    content = response.streaming_content
    next(content)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(exporting, "in_order", fail)
    monkeypatch.setattr(copying, "in_order", fail)
    with pytest.raises(OperationalError):
        list(content)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "query", ["search=nothing-has-this", "locationId=none", "productMasterId=none", "status=Stock"]
)
def test_what_matches_nothing_is_a_file_without_rows(api, level, format_, query):
    response = api.get(f"{LEVELS}/export.{format_}?{query}")
    content = b"".join(response.streaming_content)
    response.close()
    assert (response.status_code, rows_of(content, format_)) == (200, [])


def test_more_levels_than_a_workbook_holds_are_refused_with_the_way_out(
    api, population, monkeypatch
):
    monkeypatch.setattr(workbook, "MAX_ROWS", 149)
    body = assert_error(api.get(f"{LEVELS}/export.xlsx"), 400, "VALIDATION_ERROR")
    assert "CSV" in body["error"]
    monkeypatch.setattr(workbook, "MAX_ROWS", 150)
    assert len(rows_of(export(api, "xlsx"), "xlsx")) == 150


def test_texts_stay_texts_in_a_workbook_and_quantities_are_numbers(api, level):
    """So that an editor's next SKU is not made a number, nor a part number a date."""
    (sheet,) = openpyxl.load_workbook(io.BytesIO(export(api, "xlsx"))).worksheets
    header, row = sheet.iter_rows()
    cells = dict(zip((cell.value for cell in header), row, strict=True))
    assert all(cell.font.b for cell in header)
    assert sheet.freeze_panes == "A2"
    for name in ("sku", "productMasterId", "comments", "status"):
        assert (cells[name].number_format, cells[name].data_type) == ("@", "s")
    for name in ("minQuantity", "expectedLeadTimeDays", "version"):
        assert cells[name].data_type == "n"


def test_what_a_spreadsheet_would_run_is_behind_an_apostrophe(api, level):
    for comments in ("=1+1", "+1", "-1", "@a", "\tx", "\rx", "null", "'x", "'"):
        api.patch(f"{LEVELS}/{level['id']}", {"comments": comments})
        (row,) = records(export(api, "csv"))
        assert row["comments"] == f"'{comments}"
        (row,) = rows_of(export(api, "ndjson"), "ndjson")
        assert row["comments"] == comments
        (row,) = rows_of(export(api, "xlsx"), "xlsx")
        assert row["comments"] in (f"'{comments}", comments.replace("\r", "\n"))
    for comments in ("a=1", "nulls", "Null", " =1", "1-1", "x'"):
        api.patch(f"{LEVELS}/{level['id']}", {"comments": comments})
        assert records(export(api, "csv"))[0]["comments"] == comments


# --- products and locations


def test_products_are_exported_with_their_fields(api, acme):
    api.patch("/products/prod_123", {"unitCost": 12.5, "status": "Inactive"})
    product = api.get("/products/prod_123").json()
    for format_ in FORMATS:
        (row,) = rows_of(export(api, format_, "/products"), format_)
        assert list(row) == list(product)
        assert {name: str(value) for name, value in row.items()} == {
            name: str(value) for name, value in product.items()
        }


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_the_next_chunk_goes_on_after_whatever_the_last_line_holds(api, acme, monkeypatch, format_):
    for name in ("CSV_CHUNK", "JSON_CHUNK"):
        monkeypatch.setattr(copying, name, 1)
    ids = ["-minus", ".dot", "9", "Upper", "_", "null", "prod_123"]
    for number, public_id in enumerate(ids[:-1]):
        factories.ProductFactory(
            organization=acme.organization,
            public_id=public_id,
            product_name=f'=a, "b", {number}\\',
        )
    rows = rows_of(export(api, format_, "/products"), format_)
    unescaped = [row["id"].removeprefix("'") for row in rows]
    assert sorted(unescaped) == sorted(ids)
    assert len({row["productName"] for row in rows}) == len(ids)


def test_parents_come_before_what_is_inside_them(api, acme, small_chunks):
    """An import creates them in the file's order; a location may have moved into a newer one."""
    newer = factories.LocationFactory(organization=acme.organization, public_id="newer")
    assert api.patch("/locations/loc_123", {"parentId": "newer"}).status_code == 200
    for _ in range(10):
        factories.LocationFactory(organization=acme.organization, parent=newer)
    for format_ in FORMATS:
        rows = rows_of(export(api, format_, "/locations"), format_)
        assert len(rows) == Location._base_manager.count()
        seen = {"", None}
        for row in rows:
            assert row["parentId"] in seen
            seen.add(row["id"])


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_an_open_export_never_blocks_a_write(committed, small_chunks, format_):
    """Of another connection, which would not wait for a moment."""
    acme = make_acme()
    population = populate(acme.organization)
    response = Api(issue_key(acme.organization)).get(f"{LEVELS}/export.{format_}")
    pieces = response.streaming_content
    taken = [next(pieces), next(pieces)]

    def write() -> int:
        try:
            with connection.cursor() as cursor:
                impatient = "SET lock_timeout = 1" if is_postgresql() else "PRAGMA busy_timeout = 0"
                cursor.execute(impatient)
            return InventoryLevel._base_manager.update(comments="written meanwhile")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(write).result(timeout=30) == len(population.levels)
    assert b"written meanwhile" in b"".join([*taken, *pieces])
