"""What every test of the API asks of an answer, and what it finds in the database after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inventory_levels.models import InventoryLevel, LevelChange
from organizations.tenancy import all_organizations

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
OUT_OF_ORDER = "Invalid quantities: min ≤ reorder ≤ max required"
NO_REFERENCE = "Product or location not found"
NO_LEVEL = "Inventory level not found"


def assert_error(
    response: Any,
    status: int,
    code: str,
    *,
    error: str | None = None,
    fields: set[str] | None = None,
) -> dict[str, Any]:
    """The one error shape, with this code, this sentence and details on exactly these fields."""
    assert response.status_code == status, response.content[:300]
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    assert response.headers["X-Request-Id"]
    body = json.loads(response.content.decode("utf-8"))
    assert set(body) - {"details"} == {"error", "code"}
    assert body["code"] == code
    assert isinstance(body["error"], str)
    assert body["error"].strip()
    if error is not None:
        assert body["error"] == error
    if "details" in body:
        assert body["details"], "details are left out where there are none"
        for messages in body["details"].values():
            assert messages
            assert all(isinstance(message, str) and message for message in messages)
    if fields is not None:
        assert set(body.get("details", {})) == fields
    return body


def assert_invalid(response: Any, *fields: str) -> dict[str, Any]:
    """400, with details on exactly these fields."""
    return assert_error(response, 400, "VALIDATION_ERROR", fields=set(fields))


def history() -> list[LevelChange]:
    """Every entry of every level's history, oldest first."""
    with all_organizations():
        return list(LevelChange.objects.order_by("pk"))


def stored() -> list[dict[str, Any]]:
    """Every column of every level, and how long the history is: equal when nothing happened."""
    with all_organizations():
        levels = list(InventoryLevel.objects.order_by("pk").values())
        return [*levels, {"changes": LevelChange.objects.count()}]


@contextmanager
def case(label: Any) -> Iterator[None]:
    """One row of a table that a test walks by itself: a failure says which one it was."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"The case was {label!r}")
        raise
