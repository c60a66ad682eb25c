"""Many rows in one request: the envelope, and one result a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from inventory_levels.api.fields import StrictSerializer
from inventory_levels.refusals import Invalid, Refusal
from inventory_levels.results import Result
from inventory_levels.values import printable

MAX_ITEMS = 10_000

_Row = TypeVar("_Row")


def save_all(
    body: Any,
    *,
    shape: StrictSerializer,
    row: Callable[[dict[str, Any], Refusal | None], _Row],
    save: Callable[..., Sequence[Result[Any]]],
) -> Response:
    """Answer a bulk request: ``row`` makes a row of each item, ``save`` writes the rows.

    An item that can't be read makes a row too, of what can be read and of what is wrong: every
    bad row is told, and no other row about the same record is written.
    """
    items, on_error, dry_run = _envelope(body)
    rows = [row(*_read(item, shape)) for item in items]
    return _answer(save(rows, on_error=on_error, dry_run=dry_run), on_error, dry_run)


def _read(item: Any, shape: StrictSerializer) -> tuple[dict[str, Any], Refusal | None]:
    if not isinstance(item, Mapping):
        return {}, Refusal("Each item must be a JSON object.")
    values, problems = shape.parse(item)
    return values, Invalid(problems) if problems else None


def _envelope(body: Any) -> tuple[list[Any], Any, bool]:
    if not isinstance(body, Mapping):
        raise ValidationError("The body must be a JSON object.")
    items, on_error = body.get("items"), body.get("onError", "abort")
    dry_run = body.get("dryRun", False)
    problems = {
        printable(name): ["unknown field"]
        for name in body
        if name not in ("items", "onError", "dryRun")
    }
    if not isinstance(items, list):
        problems["items"] = ["must be an array" if "items" in body else "is required"]
    elif not 1 <= len(items) <= MAX_ITEMS:
        problems["items"] = [f"must hold 1 to {MAX_ITEMS} items"]
    if on_error not in ("abort", "skip"):
        problems["onError"] = ["must be one of abort, skip"]
    if not isinstance(dry_run, bool):
        problems["dryRun"] = ["must be true or false"]
    if problems:
        raise ValidationError(problems)
    assert isinstance(items, list)
    return items, on_error, dry_run


def _answer(results: Sequence[Result[Any]], on_error: str, dry_run: bool) -> Response:
    counts = Counter(result.outcome for result in results)
    failed = counts["failed"]
    aborted = on_error == "abort" and failed > 0
    told = [
        _result(index, result, dry_run)
        for index, result in enumerate(results)
        if result.outcome == "failed" or not aborted
    ]
    body: dict[str, Any] = {
        "created": 0 if aborted else counts["created"],
        "updated": 0 if aborted else counts["updated"],
        "unchanged": 0 if aborted else counts["unchanged"],
        "failed": failed,
        "dryRun": dry_run,
        "results": told,
    }
    if not aborted:
        return Response(body)
    sentence = f"{failed} of {len(results)} items were refused; nothing was written."
    return Response({"error": sentence, "code": "VALIDATION_ERROR", **body}, status=400)


def _result(index: int, result: Result[Any], dry_run: bool) -> dict[str, Any]:
    refusal = result.refusal
    is_new = dry_run and result.outcome == "created"
    return {
        "index": index,
        "outcome": result.outcome,
        "id": None if is_new else result.id,
        "error": refusal.sentence if refusal else None,
        "code": refusal.code if refusal else None,
        "details": refusal.details if refusal else None,
    }
