"""Why a request is refused, as the contract says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STATUS = {
    "VALIDATION_ERROR": 400,
    "INVALID_QUANTITIES": 400,
    "INVALID_JSON": 400,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
    "INACTIVE_ORGANIZATION": 403,
    "IP_RESTRICTION": 403,
    "INSUFFICIENT_SCOPE": 403,
}
NO_LEVEL = "Inventory level not found"


class Refused(Exception):
    """An error's answer. ``is_known``: the key has been checked already."""

    def __init__(
        self,
        sentence: str,
        code: str = "VALIDATION_ERROR",
        details: Mapping[str, Any] | None = None,
        *,
        is_known: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.sentence, self.code, self.details = sentence, code, details
        self.status, self.is_known = STATUS.get(code, 401), is_known

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"error": self.sentence, "code": self.code}
        return {**body, "details": self.details} if self.details else body


def malformed(problems: Mapping[str, Any]) -> Refused:
    """400 for all bad fields at once."""
    messages = [f"{name}: {text}" for name, texts in problems.items() for text in texts]
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    return Refused(messages[0] + more, details=problems)


def not_together(problems: Mapping[str, list[str]]) -> Refused:
    """400 for values that can't be stored, given what is."""
    name, messages = next(iter(problems.items()))
    return Refused(f"{name}: {messages[0]}", details=problems, is_known=True)


def disordered(least: Any, reorder: Any, most: Any) -> Refused:
    """400 for quantities that don't ascend."""
    problems: dict[str, list[str]] = {}
    for low, name, high, bound in (
        (least, "reorderQuantity", reorder, "min"),
        (least, "maxQuantity", most, "min"),
        (reorder, "maxQuantity", most, "reorder"),
    ):
        if low is not None and high is not None and low > high:
            problems.setdefault(name, []).append(f"must not be below {bound} ({low})")
    sentence = "Invalid quantities: min ≤ reorder ≤ max required"
    return Refused(sentence, "INVALID_QUANTITIES", problems, is_known=True)


_PLACES = ("productMasterId", "locationId", "preferredBinLocationId", "replenishmentLocationId")


def refused_places(
    found: Sequence[bool], same: Sequence[bool], is_below: bool, is_elsewhere: bool
) -> Refused:
    """404 for what isn't there; else 400 for what is not where, or what, it has to be."""
    problems = {
        name: ["not found"] for name, is_there in zip(_PLACES, found, strict=True) if not is_there
    }
    if problems:
        return Refused("Product or location not found", "NOT_FOUND", problems, is_known=True)
    problems = {
        name: ["can't be changed"]
        for name, is_same in zip(_PLACES, same, strict=False)
        if not is_same
    }
    if not is_below:
        problems["preferredBinLocationId"] = ["must be inside the level's location"]
    if not is_elsewhere:
        problems["replenishmentLocationId"] = ["must not be the level's own location"]
    return not_together(problems)
