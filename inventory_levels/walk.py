"""Rows in a fixed order, from any place on: what pages, cursors and exports walk along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan


def in_order(
    rows: QuerySet[Any],
    keys: Sequence[str],
    *,
    descending: bool = False,
    after: Sequence[Any] | None = None,
) -> QuerySet[Any]:
    """The rows ordered by keys that end in something unique, those after a row's keys only.

    A place found again by its keys costs the same anywhere, and what others insert or delete
    meanwhile neither hides an untouched row nor shows it twice.
    """
    rows = rows.order_by(*(f"-{key}" if descending else key for key in keys))
    if after is None:
        return rows
    lookup = TupleLessThan if descending else TupleGreaterThan
    # The first key once more by itself: what every database turns into an index range.
    bound = {f"{keys[0]}__{'lte' if descending else 'gte'}": after[0]}
    return rows.filter(lookup(Tuple(*map(F, keys)), tuple(after)), **bound)
