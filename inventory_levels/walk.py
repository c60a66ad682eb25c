"""Rows in a fixed order, from any place on: what pages, cursors and exports walk along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

# Rows of a long walk in memory at a time.
PAGE = 2_000


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
    if after is not None:
        rows = beyond(rows, keys, after, descending=descending)
    return rows


def beyond(
    rows: QuerySet[Any], keys: Sequence[str], place: Sequence[Any], *, descending: bool
) -> QuerySet[Any]:
    """The rows that come after the one with these keys."""
    lookup = TupleLessThan if descending else TupleGreaterThan
    # The first key once more by itself: what every database turns into an index range.
    bound = {f"{keys[0]}__{'lte' if descending else 'gte'}": place[0]}
    return rows.filter(lookup(Tuple(*map(F, keys)), tuple(place)), **bound)


def all_in_order(rows: QuerySet[Any], keys: Sequence[str], columns: Sequence[str]) -> Iterator[Any]:
    """Named tuples of these columns (the keys among them) of all rows, a page in memory.

    No statement is under way while the caller has one, so it may write meanwhile.
    """
    after: Sequence[Any] | None = None
    while True:
        found = list(in_order(rows, keys, after=after).values_list(*columns, named=True)[:PAGE])
        yield from found
        if len(found) < PAGE:
            return
        after = [getattr(found[-1], key) for key in keys]
