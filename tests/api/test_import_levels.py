"""POST /api/inventory-levels/import: what the cells of a file mean, row by row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import factories
from tests.api.answers import OUT_OF_ORDER, case, history, stored
from tests.api.files import (
    LEVELS,
    assert_aborted,
    assert_bad_file,
    assert_imported,
    assert_refused,
    send,
    table,
)

PAIR = ["productMasterId", "locationId"]
WIDGET = ["prod_123", "loc_123"]


def change(api: Any, level: dict[str, Any], **cells: str) -> dict[str, Any]:
    """The level after an import of one row with these cells."""
    response = send(api, table([*PAIR, *cells], [*WIDGET, *cells.values()]))
    assert response.status_code == 200, response.content
    return api.get(f"{LEVELS}/{level['id']}").json()


def test_a_file_creates_and_updates_levels(api, level):
    content = table(
        [*PAIR, "minQuantity", "reorderQuantity", "maxQuantity", "status", "abcClass"],
        [*WIDGET, "60", "", "", "not supported", "b"],
        ["prod_123", "loc_456", "0", "12.5", "99999999999.9999", "", ""],
    )
    updated, created = assert_imported(send(api, content), created=1, updated=1)
    assert (updated["row"], updated["id"], updated["outcome"]) == (2, level["id"], "updated")
    assert (created["row"], created["outcome"]) == (3, "created")
    now = api.get(f"{LEVELS}/{level['id']}").json()
    assert now == level | {
        "minQuantity": 60,
        "status": "NotSupported",
        "abcClass": "B",
        "version": 2,
        "updatedAt": now["updatedAt"],
    }
    new = api.get(f"{LEVELS}/{created['id']}").json()
    assert (new["minQuantity"], new["reorderQuantity"]) == (0, 12.5)
    assert new["maxQuantity"] == 99999999999.9999
    assert (new["status"], new["abcClass"], new["locationId"]) == ("Supported", None, "loc_456")
    assert_imported(send(api, content), unchanged=2)


def test_the_history_says_that_it_was_an_import(api, level):
    send(api, table([*PAIR, "minQuantity"], [*WIDGET, "60"], ["prod_123", "loc_456", "1"]))
    entries = history()[1:]
    assert {(entry.source, entry.actor_name) for entry in entries} == {("import", "ERP")}
    assert sorted(entry.action for entry in entries) == ["CREATE", "UPDATE"]


def test_an_empty_cell_leaves_the_value_and_null_clears_it(api, level):
    after = change(
        api,
        level,
        minQuantity="",
        reorderQuantity="null",
        status="null",
        abcClass="null",
        comments="null",
        preferredBinLocationId="null",
        replenishmentLocationId="",
        expectedLeadTimeDays=" ",
        forecastPeriodDays="null",
    )
    assert after == level | {
        "reorderQuantity": None,
        "abcClass": None,
        "comments": None,
        "preferredBinLocationId": None,
        "forecastPeriodDays": None,
        "version": 2,
        "updatedAt": after["updatedAt"],
    }


def test_zero_is_a_quantity_and_not_a_blank(api, level):
    after = change(api, level, minQuantity="0", expectedLeadTimeDays="0", forecastQuantity="0.0000")
    fields = ("minQuantity", "expectedLeadTimeDays", "forecastQuantity")
    assert [after[name] for name in fields] == [0, 0, 0]


@pytest.mark.parametrize(
    ("cell", "comments"),
    [
        ("'null", "null"),
        ("''null", "'null"),
        ("''", "'"),
        ("'=1+1", "=1+1"),
        ("'+1", "+1"),
        ("'-1", "-1"),
        ("'@SUM(A1)", "@SUM(A1)"),
        ("'\tx", "\tx"),
        ("'\rx", "\rx"),
        ("'tis", "'tis"),
        ("' x", "' x"),
        ("'nullable", "'nullable"),
        ("Null", "Null"),
        (" null", " null"),
        ("=1+1", "=1+1"),
        (" kept as given\t", " kept as given\t"),
        ('She said "10", and\r\nleft; so', 'She said "10", and\r\nleft; so'),
        ("ÄÖÜ 😀 ～", "ÄÖÜ 😀 ～"),
    ],
)
def test_one_apostrophe_is_taken_off_where_the_export_put_it(api, level, cell, comments):
    assert change(api, level, comments=cell)["comments"] == comments


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("minQuantity", "12,5", "decimal point"),
        ("minQuantity", "1,234", "decimal point"),
        ("minQuantity", "1e3", "must be a number"),
        ("minQuantity", "+5", "must be a number"),
        ("minQuantity", "5.", "must be a number"),
        ("minQuantity", "0x10", "must be a number"),
        ("minQuantity", "٣", "must be a number"),
        ("minQuantity", "NaN", "must be a number"),
        ("minQuantity", "NULL", "must be a number"),
        ("minQuantity", "'5", "must be a number"),
        ("minQuantity", "-1", "must not be negative"),
        ("minQuantity", "1.23456", "4 digits after"),
        ("minQuantity", "123456789012", "11 digits before"),
        ("expectedLeadTimeDays", "1.5", "whole number"),
        ("expectedLeadTimeDays", "36501", "between 0 and 36500"),
        ("forecastPeriodDays", "0", "between 1 and 36500"),
        ("status", "Unknown", "must be one of Supported, NotSupported"),
        ("abcClass", "D", "must be one of A, B, C"),
        ("comments", "x" * 4001, "at most 4000"),
        ("comments", "a\x00b", "control characters"),
        ("preferredBinLocationId", "bin 1", "must be 1 to 64"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(api, level, column, cell, problem):
    before = stored()
    content = table([*PAIR, column], ["prod_123", "loc_456", ""], [*WIDGET, cell])
    assert_aborted(send(api, content), row_3={column: problem})
    assert stored() == before


def test_every_bad_row_is_told_and_nothing_is_written(api, level):
    before = stored()
    content = table(
        [*PAIR, "minQuantity", "reorderQuantity"],
        ["prod_123", "loc_456", "1", "2"],
        [*WIDGET, "abc", "1,5"],
        ["prod_9", "bin_123", "", ""],
        ["prod_123", "bin_123", "5", "4"],
    )
    *_, out_of_order = assert_aborted(
        send(api, content),
        row_3={"minQuantity": "must be a number", "reorderQuantity": "decimal point"},
        row_4={"productMasterId": "not found"},
        row_5={"reorderQuantity": "must not be below min"},
    )
    assert out_of_order["error"] == OUT_OF_ORDER
    assert out_of_order["code"] == "INVALID_QUANTITIES"
    assert send(api, content).json()["error"] == "3 of 4 rows were refused; nothing was written."
    assert stored() == before


def test_with_skip_the_good_rows_are_written(api, level):
    content = table(
        [*PAIR, "minQuantity"], ["prod_123", "loc_456", "1"], [*WIDGET, "x"], ["p", "loc_456", ""]
    )
    results = assert_imported(send(api, content, onError="skip"), created=1, failed=2)
    assert_refused(
        results,
        {"row_3": {"minQuantity": "must be a number"}, "row_4": {"productMasterId": "not found"}},
    )
    assert api.get(f"{LEVELS}/{results[0]['id']}").json()["minQuantity"] == 1
    assert_imported(send(api, content, onError="skip"), unchanged=1, failed=2)


def test_a_dry_run_checks_everything_and_writes_nothing(api, level):
    before = stored()
    content = table(
        [*PAIR, "minQuantity"], ["prod_123", "loc_456", "1"], [*WIDGET, "60"], ["prod_123", "", ""]
    )
    results = assert_imported(
        send(api, content, onError="skip", dryRun="true"),
        dry_run=True,
        created=1,
        updated=1,
        failed=1,
    )
    assert [result["id"] for result in results] == [None, level["id"], None]
    assert_aborted(send(api, content, dryRun="true"), row_4={"locationId": "is required"})
    assert stored() == before
    assert_imported(
        send(api, table(PAIR, WIDGET), dryRun="true", onError="abort"), dry_run=True, unchanged=1
    )


@pytest.mark.parametrize(
    "options",
    [
        {"onError": "Skip"},
        {"onError": ""},
        {"dryRun": "True"},
        {"dryRun": "1"},
        {"dry_run": "true"},
        {"locationId": "loc_123"},
    ],
)
def test_options_are_checked_strictly(api, acme, options):
    response = send(api, table(PAIR, WIDGET), **options)
    assert response.status_code == 400
    assert set(response.json()["details"]) == set(options)
    assert stored() == [{"changes": 0}]


# --- which level a row is about


def test_products_go_by_sku_and_locations_by_name(api, level):
    content = table(
        ["SKU", "Location name", "minQuantity"],
        ["SKU-123", "Main warehouse", "60"],
        ["SKU-123", "Supplier", "1"],
    )
    results = assert_imported(send(api, content), updated=1, created=1)
    assert results[0]["id"] == level["id"]


def test_a_name_that_fits_several_locations_is_refused(api, acme):
    organization = acme.organization
    factories.LocationFactory(organization=organization, public_id="l0", name="Main")
    factories.LocationFactory(organization=organization, name="Main", parent=acme.location)
    content = table(["productMasterId", "locationName"], ["prod_123", "Main"])
    assert_aborted(send(api, content), row_2={"locationName": "several"})
    with_id = table([*PAIR, "locationName"], ["prod_123", "l0", "Main"])
    assert_imported(send(api, with_id), created=1)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("sku", "SKU-999"),
        ("productName", "Gadget"),
        ("locationName", "Supplier"),
        ("id", "level_999"),
    ],
)
def test_what_disagrees_with_the_rows_other_key_is_refused(api, level, column, cell):
    before = stored()
    content = table([*PAIR, column, "minQuantity"], [*WIDGET, cell, "1"])
    (result,) = send(api, content).json()["results"]
    assert set(result["details"]) == {column}
    assert stored() == before
    right = {
        "sku": "SKU-123",
        "productName": "Widget",
        "locationName": "Main warehouse",
        "id": level["id"],
    }
    assert_imported(send(api, table([*PAIR, column], [*WIDGET, right[column]])), unchanged=1)


def test_the_older_name_of_the_product_is_understood(api, level):
    assert_imported(
        send(api, table(["productId", "locationId"], ["prod_123", "loc_123"])), unchanged=1
    )
    both = [*PAIR, "productId"]
    assert_imported(send(api, table(both, [*WIDGET, "prod_123"])), unchanged=1)
    assert_aborted(send(api, table(both, [*WIDGET, "prod_9"])), row_2={"productId": "differs"})


def test_problems_under_a_friendly_header_are_told_by_the_name_of_the_field(api, acme):
    content = table(["Product ID", "Location ID", "Minimum"], ["a b", "loc_9", "x"])
    problems = {"productMasterId": "must be 1 to 64", "minQuantity": "must be a number"}
    assert_aborted(send(api, content), row_2=problems)


def test_the_same_pair_twice_fails_both_rows_however_it_is_named(api, acme):
    content = table(
        [*PAIR, "sku", "locationName", "minQuantity"],
        [*WIDGET, "", "", "1"],
        ["prod_123", "loc_456", "", "", "1"],
        ["", "", "SKU-123", "Main warehouse", "1"],
    )
    response = send(api, content)
    assert [result["row"] for result in response.json()["results"]] == [2, 4]
    results = assert_imported(send(api, content, onError="skip"), created=1, failed=2)
    assert [result["outcome"] for result in results] == ["failed", "created", "failed"]


def test_another_organizations_ids_are_not_found(api, level):
    theirs = factories.ProductFactory(public_id="theirs", global_sku="THEIRS")
    factories.LocationFactory(
        organization=theirs.organization, public_id="their_place", name="Their place"
    )
    for header, row, column in (
        (PAIR, ["theirs", "loc_123"], "productMasterId"),
        (PAIR, ["prod_123", "their_place"], "locationId"),
        (["sku", "locationId"], ["THEIRS", "loc_123"], "sku"),
        (["productMasterId", "locationName"], ["prod_123", "Their place"], "locationName"),
    ):
        with case(row):
            (result,) = assert_aborted(send(api, table(header, row)), row_2={column: "not found"})
            assert (result["error"], result["code"]) == (
                "Product or location not found",
                "NOT_FOUND",
            )


# --- the header


@pytest.mark.parametrize(
    "header",
    [
        ["locationId", "productMasterId", "minQuantity"],
        ["LOCATION ID", "productmasterid", "Min Quantity"],
        ["Location ID", "Product ID", "Minimum"],
        [" Location\tId ", "\u00a0productMasterId", "minimum "],
    ],
)
def test_columns_go_by_name_in_any_order_whatever_their_case_and_spaces(api, level, header):
    send(api, table(header, ["loc_123", "prod_123", "60"]))
    assert api.get(f"{LEVELS}/{level['id']}").json()["minQuantity"] == 60


def test_unknown_columns_are_refused_by_name(api, level):
    before = stored()
    content = table([*PAIR, "minQuanity", "colour"], [*WIDGET, "1", ""])
    assert_bad_file(send(api, content), "minQuanity: unknown column", "minQuanity", "colour")
    assert stored() == before


@pytest.mark.parametrize("twice", [["sku", "SKU"], ["minQuantity", "Minimum"], ["id", "Level ID"]])
def test_a_column_twice_is_refused(api, acme, twice):
    content = table([*PAIR, *twice], [*WIDGET, "", ""])
    assert_bad_file(send(api, content), "a second time", twice[1])


@pytest.mark.parametrize(
    ("header", "part", "detail"),
    [
        (["productMasterId", "minQuantity"], "locationId or locationName", "locationId"),
        (["locationId", "minQuantity"], "productMasterId or sku", "productMasterId"),
    ],
)
def test_a_file_without_a_key_column_is_refused(api, acme, header, part, detail):
    assert_bad_file(send(api, table(header, ["x", "1"])), part, detail)


def test_a_key_cell_that_is_empty_is_told_in_its_row(api, acme):
    content = table([*PAIR, "minQuantity"], ["", "loc_123", "1"], ["prod_123", "", "1"])
    assert_aborted(
        send(api, content),
        row_2={"productMasterId": "is required"},
        row_3={"locationId": "is required"},
    )
    content = table([*PAIR, "sku"], ["null", "loc_123", "null"])
    assert_aborted(
        send(api, content), row_2={"productMasterId": "not be null", "sku": "not be null"}
    )


def test_read_only_columns_are_ignored_whatever_they_hold(api, level):
    content = table([*PAIR, "version", "createdAt", "Updated at"], [*WIDGET, "99", "soon", "'"])
    assert_imported(send(api, content), unchanged=1)


def test_a_header_alone_imports_nothing(api, acme):
    assert_imported(send(api, table(PAIR)))


def test_without_the_scope_or_a_key_nothing_is_imported(api, reader, acme):
    assert send(reader, table(PAIR, WIDGET)).json()["code"] == "INSUFFICIENT_SCOPE"
    assert stored() == [{"changes": 0}]


def test_10_000_rows_go_in_at_once(api, acme):
    """And their results, more than an answer holds in memory, come in order."""
    organization = acme.organization
    made = [
        factories.ProductFactory.build(organization=organization, public_id=f"item-{n}")
        for n in range(10_000)
    ]
    type(acme.product)._base_manager.bulk_create(made)
    rows = [[product.public_id, "loc_123", str(n)] for n, product in enumerate(made)]
    response = send(api, table([*PAIR, "minQuantity"], *rows))
    assert response.streaming
    content = b"".join(response.streaming_content)
    body = json.loads(content)
    assert (body["created"], body["failed"]) == (10_000, 0)
    assert [result["row"] for result in body["results"]] == list(range(2, 10_002))
