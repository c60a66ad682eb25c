"""Searching levels by what planners type: words that the SKU, the name or the location has."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q, QuerySet

from inventory_levels.models import Location, ProductMaster
from organizations.texts import may_be_found

MAX_WORDS = 5
# Up to here the matches are looked up first; beyond, they are so many that a walk along the
# list's own order meets a page of them soon.
FEW = 1_000


def matching_products(products: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Products whose SKU or name has all the words, whatever their case."""
    if not may_be_found(text):
        return products.none()
    for word in _words(text):
        products = products.filter(folded__contains=word)
    return products


def matching_locations(locations: QuerySet[Any], text: str) -> QuerySet[Any]:
    if not may_be_found(text):
        return locations.none()
    for word in _words(text):
        locations = locations.filter(name__icontains=word)
    return locations


def matching_levels(levels: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Levels where each word is in the product's SKU or name, or in the location's name."""
    if not may_be_found(text):
        return levels.none()
    words = _words(text)
    if not words:
        return levels
    any_word = reduce(or_, (Q(name__icontains=word) for word in words))
    places = list(Location.objects.filter(any_word).values_list("pk", "name")[:FEW])
    placed = {
        word: [pk for pk, name in places if word in name.casefold()]
        for word in words
        if any(word in name.casefold() for _, name in places)
    }
    only_products = [word for word in words if word not in placed]
    conditions = [_in_product(only_products)] if only_products else []
    conditions += [_in_product([word]) | Q(location__in=pks) for word, pks in placed.items()]
    return levels.filter(reduce(and_, conditions))


def _in_product(words: list[str]) -> Q:
    products = ProductMaster.objects.all()
    for word in words:
        products = products.filter(folded__contains=word)
    keys = products.values_list("pk", flat=True)
    few = list(keys[: FEW + 1])
    return Q(product__in=few if len(few) <= FEW else keys)


def _words(text: str) -> list[str]:
    return text.casefold().split()[:MAX_WORDS]
