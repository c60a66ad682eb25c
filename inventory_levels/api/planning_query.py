"""A list's filters in a JSON body, as the query parameters that filters and pages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from rest_framework.exceptions import ValidationError as Refused

from inventory_levels.api.filters import LevelFilter
from inventory_levels.api.pagination import MAX_LIMIT
from inventory_levels.quantities import whole_number
from inventory_levels.values import printable

# These take an array of strings as well as one string with commas.
LISTS = frozenset({"productMasterId", "productId", "locationId", "status", "abcClass"}) | {
    "preferredBinLocationId",
    "replenishmentLocationId",
}
# What says which part of the list to answer.
PLACES = ("limit", "cursor", "ordering")
NAMES = (*LevelFilter.base_filters, *PLACES, "apply")


@dataclass(frozen=True, slots=True)
class Query:
    """What a request's body asks for, in the shape of a request with a query."""

    path: str
    query_params: QueryDict
    apply: bool


def wants_to_apply(body: Any) -> bool:
    """Whether the request would write, as far as it can be read at all."""
    return isinstance(body, Mapping) and body.get("apply", False) is not False


def read_query(body: Any, path: str) -> Query:
    """Raises ValidationError that names every field of a wrong type; the filters check the rest."""
    if not isinstance(body, Mapping):
        raise Refused("The body must be a JSON object.")
    parameters = QueryDict(mutable=True)
    problems: dict[str, list[str]] = {}
    apply = wants_to_apply(body)
    for name, value in body.items():
        if name not in NAMES:
            problems[printable(name)] = ["unknown field"]
        elif name == "apply":
            if not isinstance(value, bool):
                problems[name] = ["must be true or false"]
        elif apply and name in PLACES:
            problems[name] = ["can't be combined with apply, which writes all that match"]
        else:
            try:
                parameters[name] = _text(name, value)
            except ValidationError as error:
                problems[name] = error.messages
    if problems:
        raise Refused(problems)
    return Query(path, parameters, apply)


def _text(name: str, value: Any) -> str:
    if name == "limit":
        return str(whole_number(value, least=1, most=MAX_LIMIT))
    if name in LISTS and isinstance(value, list):
        if not value or not all(isinstance(one, str) for one in value):
            raise ValidationError("must hold at least one string, and nothing else")
        return ",".join(value)
    if not isinstance(value, str):
        kinds = "a string or an array of strings" if name in LISTS else "a string"
        raise ValidationError(f"must be {kinds}")
    return value
