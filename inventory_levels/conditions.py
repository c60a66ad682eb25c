"""``FIELD=VALUE`` conditions on levels, as commands take them: the names and values of the API's
filters. Knows no request."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from inventory_levels.models import SETTINGS, AbcClass, LevelStatus
from organizations.public_ids import has_public_id_form
from organizations.texts import is_text

_SEPARATORS = re.compile(r"[\s_-]+")
NULLABLE = [name for name in SETTINGS if name != "status"]


def matching(conditions: Sequence[str]) -> Q:
    """What holds where all of the conditions do; everywhere without any. Raises ValidationError."""
    every = Q()
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise ValidationError(f"{condition}: write FIELD=VALUE.")
        if name not in _FIELDS:
            raise ValidationError(f"{name}: unknown field; there are {', '.join(_FIELDS)}.")
        if not value:
            raise ValidationError(f"{name}: must not be empty.")
        try:
            is_text(value)
            every &= _FIELDS[name](value)
        except ValidationError as error:
            raise ValidationError([f"{name}: {message}." for message in error.messages]) from error
    return every


def _ids(path: str) -> Callable[[str], Q]:
    def read(text: str) -> Q:
        ids = text.split(",")
        for public_id in ids:
            has_public_id_form(public_id)
        return Q(**{f"{path}__public_id__in": ids})

    return read


def _choices(field: str, choices: Sequence[str]) -> Callable[[str], Q]:
    def word(text: str) -> str:
        return _SEPARATORS.sub("", text).lower()

    by_word = {word(choice): choice for choice in choices}

    def read(text: str) -> Q:
        chosen = [by_word.get(word(part)) for part in text.split(",")]
        if None in chosen:
            raise ValidationError(f"must be one of {', '.join(choices)}")
        return Q(**{f"{field}__in": chosen})

    return read


def _time(lookup: str) -> Callable[[str], Q]:
    def read(text: str) -> Q:
        return Q(**{f"updated_at__{lookup}": _moment(text)})

    return read


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValidationError("must be a time such as 2026-11-02T08:30:00Z")


def _search(text: str) -> Q:
    folded = text.casefold()
    return Q(product__folded__contains=folded) | Q(folded_comments__contains=folded)


def _missing(name: str) -> Q:
    if name not in NULLABLE:
        raise ValidationError(f"must be one of {', '.join(NULLABLE)}")
    return Q(**{f"{SETTINGS[name]}__isnull": True})


_FIELDS: dict[str, Callable[[str], Q]] = {
    "productMasterId": _ids("product"),
    "productId": _ids("product"),
    "locationId": _ids("location"),
    "status": _choices("status", LevelStatus.values),
    "abcClass": _choices("abc_class", AbcClass.values),
    "preferredBinLocationId": _ids("preferred_bin_location"),
    "replenishmentLocationId": _ids("replenishment_location"),
    "sku": lambda text: Q(product__global_sku=text),
    "search": _search,
    "updatedSince": _time("gte"),
    "updatedBefore": _time("lt"),
    "missing": _missing,
}
