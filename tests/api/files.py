"""Files going in and out of the API, as tests send and read them."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

import openpyxl

from tests.conftest import Api

LEVELS = "/inventory-levels"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RESULT = {"index", "row", "outcome", "id", "error", "code", "details"}
COUNTS = ("created", "updated", "unchanged", "failed")

LEVEL_COLUMNS = [
    *("productMasterId", "locationId", "minQuantity", "reorderQuantity", "maxQuantity"),
    *("status", "abcClass", "expectedLeadTimeDays", "replenishmentPeriodDays"),
    *("forecastPeriodDays", "forecastQuantity", "preferredBinLocationId"),
    *("replenishmentLocationId", "comments", "sku", "productName", "locationName", "id"),
    *("version", "createdAt", "updatedAt"),
]


def send(
    api: Api, content: bytes | str, path: str = LEVELS, type_: str = CSV, **options: str
) -> Any:
    """Import a file."""
    body = content.encode() if isinstance(content, str) else content
    query = f"?{urlencode(options)}" if options else ""
    return api.request("POST", f"{path}/import{query}", body, Content_Type=type_)


def table(*rows: list[Any], separator: str = ",") -> str:
    """CSV as a spreadsheet writes it."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


def workbook(*rows: list[Any]) -> bytes:
    """XLSX as another program writes it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def downloaded(response: Any) -> bytes:
    assert response.status_code == 200, getattr(response, "content", "")
    return b"".join(response.streaming_content)


def export(api: Api, format_: str, path: str = LEVELS, query: str = "") -> bytes:
    return downloaded(api.get(f"{path}/export.{format_}{query}"))


def records(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file by its header."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def assert_imported(response: Any, dry_run: bool = False, **expected: int) -> list[dict[str, Any]]:
    """200 with these counts; the results, in order."""
    assert response.status_code == 200, response.content[:500]
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body.keys() == {*COUNTS, "dryRun", "results"}
    results = body.pop("results")
    assert body == {**dict.fromkeys(COUNTS, 0), "dryRun": dry_run, **expected}
    for result in results:
        assert result.keys() == RESULT
        assert result["index"] == result["row"] - 2
        assert (result["outcome"] == "failed") == (result["error"] is not None)
    for outcome in COUNTS:
        assert [result["outcome"] for result in results].count(outcome) == body[outcome]
    return results


def assert_aborted(response: Any, **problems: dict[str, str]) -> list[dict[str, Any]]:
    """400 in the error shape; ``row_2={"minQuantity": "must be"}``: a part of each message."""
    assert response.status_code == 400, response.content[:500]
    body = response.json()
    assert body.keys() == {"error", "code", *COUNTS, "dryRun", "results"}
    assert body["code"] == "VALIDATION_ERROR"
    assert (body["created"], body["updated"], body["unchanged"]) == (0, 0, 0)
    results = body["results"]
    assert body["failed"] == len(results) == len(problems)
    assert_refused(results, problems)
    return results


def assert_refused(results: list[dict[str, Any]], problems: dict[str, dict[str, str]]) -> None:
    failed = [result for result in results if result["outcome"] == "failed"]
    assert [f"row_{result['row']}" for result in failed] == list(problems)
    for result, columns in zip(failed, problems.values(), strict=True):
        assert result.keys() == RESULT
        assert (result["id"], result["index"]) == (None, result["row"] - 2)
        assert set(result["details"] or ()) == set(columns), result
        for column, part in columns.items():
            assert part in " ".join(result["details"][column]), result


def assert_bad_file(response: Any, part: str, *details: str) -> None:
    """400 for the file as a whole."""
    assert response.status_code == 400, response.content[:500]
    body = response.json()
    assert body.keys() - {"details"} == {"error", "code"}
    assert body["code"] == "VALIDATION_ERROR"
    assert part in body["error"], body["error"]
    assert set(body.get("details", ())) == set(details)
