"""Rows in a fixed order, from any place on: what pages, cursors and exports walk along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)


def in_order(
    rows: QuerySet[Any],
    keys: Sequence[str],
    *,
    descending: bool = False,
    after: Sequence[Any] | None = None,
    until: Sequence[Any] | None = None,
) -> QuerySet[Any]:
    """The rows ordered by keys that end in something unique, those after a row's keys only.

    A place found again by its keys costs the same anywhere, and what others insert or delete
    meanwhile neither hides an untouched row nor shows it twice. ``until`` ends the walk at a
    row's keys, that row included.
    """
    rows = rows.order_by(*(f"-{key}" if descending else key for key in keys))
    later, earlier = ("lte", "gte") if descending else ("gte", "lte")
    if after is not None:
        beyond = TupleLessThan if descending else TupleGreaterThan
        # The first key once more by itself: what every database turns into an index range.
        bound = {f"{keys[0]}__{later}": after[0]}
        rows = rows.filter(beyond(Tuple(*map(F, keys)), tuple(after)), **bound)
    if until is not None:
        up_to = TupleGreaterThanOrEqual if descending else TupleLessThanOrEqual
        bound = {f"{keys[0]}__{earlier}": until[0]}
        rows = rows.filter(up_to(Tuple(*map(F, keys)), tuple(until)), **bound)
    return rows
