"""Many rows in one request: the envelope, and one result a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from inventory_levels.refusals import Invalid, Refusal
from inventory_levels.results import Result
from inventory_levels.values import printable

MAX_ITEMS = 10_000

_Row = TypeVar("_Row")


def save_all(
    body: Any,
    *,
    read: Callable[[Any], _Row],
    save: Callable[..., Sequence[Result[Any]]],
    identity: Callable[[Mapping[str, Any]], Any],
) -> Response:
    """Answer a bulk request: ``read`` makes a row of each item, ``save`` writes the rows.

    Rows that can't be read fail beside those that can't be saved: every bad row is told. A
    readable row with the ``identity`` of an unreadable one fails too, as nobody knows which of
    the two is meant.
    """
    items, on_error, dry_run = _envelope(body)
    rows: dict[int, _Row] = {}
    results: dict[int, Result[Any]] = {}
    unreadable: set[str] = set()
    for index, item in enumerate(items):
        try:
            rows[index] = read(item)
        except ValidationError as error:
            results[index] = Result("failed", refusal=_refusal(error))
            if isinstance(item, Mapping):
                unreadable.add(repr(identity(item)))
    for index in [i for i in rows if unreadable and repr(identity(items[i])) in unreadable]:
        del rows[index]
        results[index] = Result("failed", refusal=Refusal("The same one comes more than once"))
    write = not dry_run and (not results or on_error == "skip")
    saved = save(list(rows.values()), on_error=on_error, dry_run=not write)
    results.update(zip(rows, saved, strict=True))
    return _answer([results[index] for index in range(len(items))], on_error, dry_run)


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


def _refusal(error: ValidationError) -> Refusal:
    if isinstance(error.detail, dict):
        return Invalid({name: [*map(str, texts)] for name, texts in error.detail.items()})
    return Refusal("Each item must be a JSON object.")


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
