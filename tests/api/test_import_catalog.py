"""POST /api/products/import and /api/locations/import."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from inventory_levels import catalog, catalog_storage
from inventory_levels.files import catalog_importing
from inventory_levels.models import ProductMaster
from tests.api.answers import assert_error
from tests.api.bulk import everything
from tests.api.files import XLSX, assert_aborted, assert_bad_file, assert_imported, send, table

PRODUCTS, LOCATIONS = "/products", "/locations"


def test_products_are_created_and_updated_by_id_or_sku(api, acme):
    content = table(
        ["id", "globalSku", "productName", "unitCost", "status"],
        ["prod_123", "", "", "12.5", "inactive"],
        ["", "SKU-9", "Gadget", "", ""],
        ["prod_7", "007", "Agent; double", "0", "null"],
    )
    results = assert_imported(send(api, content, PRODUCTS), created=2, updated=1)
    changed = api.get(f"{PRODUCTS}/prod_123").json()
    assert (changed["globalSku"], changed["productName"]) == ("SKU-123", "Widget")
    assert (changed["unitCost"], changed["status"]) == (12.5, "Inactive")
    made = [api.get(f"{PRODUCTS}/{result['id']}").json() for result in results[1:]]
    assert [product["globalSku"] for product in made] == ["SKU-9", "007"]
    assert [product["unitCost"] for product in made] == [None, 0]
    assert [product["status"] for product in made] == ["Active", "Active"]
    assert made[1]["id"] == "prod_7"
    again = assert_imported(send(api, content, PRODUCTS), unchanged=3)
    assert [result["id"] for result in again] == [result["id"] for result in results]


def test_friendly_headers_and_null_work_here_too(api, acme):
    api.patch(f"{PRODUCTS}/prod_123", {"unitCost": 5})
    content = table(["Product ID", "sku", "Unit cost"], ["prod_123", "SKU-123", "null"])
    assert_imported(send(api, content, PRODUCTS), updated=1)
    assert api.get(f"{PRODUCTS}/prod_123").json()["unitCost"] is None


def test_locations_are_created_with_what_is_inside_them(api, acme):
    content = table(
        ["id", "name", "type", "parentId"],
        ["hall", "Hall", "warehouse", ""],
        ["rack", "Rack", "", "hall"],
        ["shelf", "'=1", "BIN", "rack"],
        ["bin_123", "", "", "hall"],
    )
    assert_imported(send(api, content, LOCATIONS), created=3, updated=1)
    places = {item["id"]: item for item in api.get(f"{LOCATIONS}?limit=500").json()["items"]}
    assert places["shelf"]["name"] == "=1"
    assert places["rack"]["type"] == "OTHER"
    parents = [places[id_]["parentId"] for id_ in ("hall", "rack", "shelf", "bin_123")]
    assert parents == [None, "hall", "rack", "hall"]
    top = table(["id", "parentId"], ["rack", "null"])
    assert_imported(send(api, top, LOCATIONS), updated=1)
    assert api.get(f"{LOCATIONS}/rack").json()["parentId"] is None


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_every_bad_row_is_told_by_row_and_column(api, acme, on_error):
    before = everything()
    content = table(
        ["id", "globalSku", "productName", "unitCost"],
        ["prod_1", "SKU-1", "Good", "1"],
        ["prod_2", "SKU-2", "Bad", "1,5"],
        ["prod_3", "SKU-123", "Taken", ""],
        ["prod_4", "", "", ""],
        ["prod_123", "", "null", ""],
    )
    response = send(api, content, PRODUCTS, onError=on_error)
    problems = {
        "row_3": {"unitCost": "decimal point"},
        "row_4": {"globalSku": "is taken"},
        "row_5": {"globalSku": "is required", "productName": "is required"},
        "row_6": {"productName": "must not be null"},
    }
    if on_error == "abort":
        assert_aborted(response, **problems)
        assert response.json()["error"] == "4 of 5 rows were refused; nothing was written."
        assert everything() == before
    else:
        results = assert_imported(response, created=1, failed=4)
        assert [set(result["details"] or ()) for result in results[1:]] == [
            set(columns) for columns in problems.values()
        ]
        assert ProductMaster._base_manager.filter(public_id="prod_1").exists()


def test_a_dry_run_writes_nothing(api, acme):
    before = everything()
    content = table(["globalSku", "productName"], ["SKU-9", "New"], ["SKU-123", "Changed"])
    results = assert_imported(
        send(api, content, PRODUCTS, dryRun="true"), dry_run=True, created=1, updated=1
    )
    assert [result["id"] for result in results] == [None, "prod_123"]
    assert everything() == before


@pytest.mark.parametrize(
    ("path", "header", "part", "details"),
    [
        (PRODUCTS, ["id", "minQuantity"], "unknown column", ["minQuantity"]),
        (LOCATIONS, ["id", "path"], "unknown column", ["path"]),
        (PRODUCTS, ["productName"], "id or globalSku", ["id"]),
        (LOCATIONS, ["parentId"], "id or name", ["id"]),
        (LOCATIONS, ["name", "Location name"], "a second time", ["Location name"]),
    ],
)
def test_the_header_is_checked(api, acme, path, header, part, details):
    assert_bad_file(send(api, table(header, ["x"] * len(header)), path), part, *details)


@pytest.mark.parametrize("path", [PRODUCTS, LOCATIONS])
def test_who_may_not_write_may_not_import(api, reader, acme, path):
    content = table(["id", "name" if path == LOCATIONS else "productName"], ["x", "X"])
    assert_error(send(reader, content, path), 403, "INSUFFICIENT_SCOPE")
    assert_error(send(api, b"PK\x03\x04", path, XLSX), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", [PRODUCTS, LOCATIONS])
def test_skip_commits_in_chunks_and_running_it_again_finishes_the_job(api, acme, monkeypatch, path):
    """Here the database goes away after the second chunk."""
    rows: list[list[str]] = [["n-0", "N-0", "", ""], ["bad", "", "", ""]]
    rows += [[f"n-{n}", f"N-{n}", f"n-{n - 1}", "Pen"] for n in range(1, 7)]
    names = ["id", "name", "parentId"]
    if path == PRODUCTS:
        rows[0][3] = "Pen"
        names, rows = ["id", "globalSku", "productName"], [[a, b, d] for a, b, _, d in rows]
    else:
        rows = [row[:3] for row in rows]
    insert, chunks = catalog_storage.insert_records, []

    def gone_at_the_third(records: Any) -> None:
        chunks.append(len(records))
        if len(chunks) == 3:
            raise OperationalError("the connection is closed")
        insert(records)

    monkeypatch.setattr(catalog, "CHUNK", 3)
    monkeypatch.setattr(catalog_storage, "insert_records", gone_at_the_third)
    content = table(names, *rows)
    assert_error(send(api, content, path, onError="skip"), 503, "UNAVAILABLE")
    assert chunks == [3, 3, 1]
    assert [api.get(f"{path}/n-{n}").status_code for n in range(7)] == [200] * 6 + [404]
    again = send(api, content, path, onError="skip")
    assert_imported(again, created=1, unchanged=6, failed=1)


def test_a_row_about_the_same_record_as_an_unreadable_one_fails_too(api, acme):
    before = everything()
    content = table(["id", "unitCost"], ["prod_123", "1,5"], ["prod_123", "2"], ["prod_1", "x"])
    results = assert_imported(send(api, content, PRODUCTS, onError="skip"), failed=3)
    assert results[1]["error"] == "The same one comes more than once"
    assert everything() == before


def test_a_file_of_more_rows_than_a_statement_takes_values_is_imported(api, acme):
    rows = [[f"p-{number}", f"S-{number}", "Pen"] for number in range(17_000)]
    content = table(["id", "globalSku", "productName"], *rows, ["prod_123", "S-1", "Widget"])
    response = send(api, content, PRODUCTS)
    assert response.status_code == 400
    (result,) = response.json()["results"]
    assert (result["row"], result["code"]) == (17_002, "CONFLICT")
    created = send(api, table(["id", "globalSku", "productName"], *rows), PRODUCTS)
    assert created.getvalue().startswith(b'{"created":17000,"updated":0,"unchanged":0,"failed":0')
    last = api.get(f"{PRODUCTS}/p-16999").json()
    assert last["globalSku"] == "S-16999"


def test_a_file_of_more_rows_than_memory_should_hold_is_refused(api, acme, monkeypatch):
    monkeypatch.setattr(catalog_importing, "MOST_ROWS", 2)
    names, rows = ["id", "productName"], [["prod_123", "Pen"], ["prod_124", "Pen"], ["", "Pen"]]
    before = everything()
    assert_bad_file(send(api, table(names, *rows), PRODUCTS), "more than 2 rows: split it")
    assert everything() == before
    assert_aborted(send(api, table(names, *rows[:2]), PRODUCTS), row_3={"globalSku": "is required"})
