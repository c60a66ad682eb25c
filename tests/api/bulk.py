"""What every bulk request answers, and what it finds in the database after it."""

from __future__ import annotations

from typing import Any

from inventory_levels.models import Location, ProductMaster
from tests.api.answers import stored

RESULT = {"index", "outcome", "id", "error", "code", "details"}
ANSWER = {"created", "updated", "unchanged", "failed", "dryRun", "results"}


def everything() -> list[Any]:
    """Every row of levels, products and locations, and of the history how much."""
    products = ProductMaster._base_manager.order_by("pk").values()
    return [*stored(), *products, *Location._base_manager.order_by("pk").values()]


def assert_answer(response: Any, **expected: Any) -> list[dict[str, Any]]:
    """The answer of a request that was not aborted; its results, in order."""
    assert response.status_code == 200, response.content[:500]
    body = response.json()
    assert body.keys() == ANSWER
    results = body.pop("results")
    counts = dict.fromkeys(["created", "updated", "unchanged", "failed"], 0)
    assert body == {**counts, "dryRun": False} | expected
    assert [result["index"] for result in results] == list(range(len(results)))
    for result in results:
        assert result.keys() == RESULT
        assert (result["outcome"] == "failed") == (result["error"] is not None)
        assert (result["error"] is None) == (result["code"] is None)
    for outcome, number in body.items():
        if outcome != "dryRun":
            assert [result["outcome"] for result in results].count(outcome) == number
    return results


def assert_aborted(response: Any, *indexes: int, dry_run: bool = False) -> list[dict[str, Any]]:
    """400 in the error shape, with the same keys beside it; the failed rows' results."""
    assert response.status_code == 400, response.content[:500]
    body = response.json()
    assert body.keys() - {"details"} == {"error", "code"} | ANSWER
    assert body["code"] == "VALIDATION_ERROR"
    assert isinstance(body["error"], str)
    assert body["error"]
    assert (body["created"], body["updated"], body["unchanged"]) == (0, 0, 0)
    assert body["failed"] == len(indexes)
    assert body["dryRun"] is dry_run
    assert [result["index"] for result in body["results"]] == list(indexes)
    for result in body["results"]:
        assert result.keys() == RESULT
        assert (result["outcome"], result["id"]) == ("failed", None)
        assert isinstance(result["error"], str)
    return body["results"]
