"""What the tests of products and of locations share."""

from __future__ import annotations

import re
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")

LONGEST_ID = "p" * 64
OWN_IDS = ["prod_9", "loc_9", "9", "A.b:C_d-E", "x..", "...", "bulky", LONGEST_ID]
MALFORMED_IDS = ["", " ", "a b", " prod_9", "prod_9\n", "a/b", "a%20b", "é", "a\x00b"]
MALFORMED_IDS += [LONGEST_ID + "p", 5, True, ["prod_9"], {}]
RESERVED_IDS = [".", "..", "bulk", "import", "export.csv", "export.ndjson", "export.xlsx"]
RESERVED_IDS += ["history", "evaluate", "recommendation", "recommendations"]
MALFORMED_IDS_IN_PATHS = [LONGEST_ID + "p", "a%20b", "%C3%A9", "a%00b", "a%2Fb", "*"]

NOT_TEXT = ["a\x00b", "\x01", "a\x0b", "\x1bb", "\x7f", "a\ufffe", "\uffff", "\ud800", "a\udfff"]


def ids(answer: Any) -> list[str]:
    """The ids of a list, in its order."""
    return [item["id"] for item in answer.json()["items"]]


def refused(answer: Any, status: int, code: str, *fields: str) -> dict[str, Any]:
    """The one error shape: the status, the code, and exactly these fields in the details."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert isinstance(body["error"], str)
    assert body["error"]
    assert set(body.get("details", ())) == set(fields)
    assert body.keys() - {"details"} == {"error", "code"}
    return body.get("details", {})
