"""``FIELD=VALUE`` conditions on levels, as commands take them, and what their values share with
the parameters of the API's filters. Knows no request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from inventory_levels.existing import existing
from inventory_levels.models import SETTINGS, AbcClass, LevelStatus, Location, ProductMaster
from inventory_levels.values import Choice
from organizations.texts import is_text

# What may be unset: every setting but the status.
NULLABLE = [name for name in SETTINGS if name != "status"]


def comma_list(read: Callable[[str], Any], *, most: int | None = None) -> Callable[[str], Any]:
    """Reads a comma list of what ``read`` reads. Raises ValidationError, like all of these."""

    def read_list(text: str) -> list[Any]:
        values = text.split(",")
        if most is not None and len(values) > most:
            raise ValidationError(f"must list at most {most} values")
        if "" in values:
            raise ValidationError("must not list an empty value")
        return [read(value) for value in values]

    return read_list


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValidationError(f"must be one of {', '.join(names)}")
        return text

    return read


def time(text: str) -> datetime:
    """An ISO 8601 time with its zone."""
    try:
        moment = parse_datetime(text)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValidationError("must be a time such as 2026-11-02T08:30:00Z")


def matching(conditions: Sequence[str]) -> Q:
    """What holds where all of the conditions do; everywhere without any.

    Raises ValidationError, also for ids that no product or location has.
    """
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


def _where(lookup: str, read: Callable[[str], Any]) -> Callable[[str], Q]:
    return lambda text: Q(**{lookup: read(text)})


def _ids(path: str, model: type[ProductMaster] | type[Location]) -> Callable[[str], Q]:
    public_ids = comma_list(str)
    return _where(f"{path}__in", lambda text: existing(model, public_ids(text)))


def _search(text: str) -> Q:
    folded = text.casefold()
    return Q(product__folded__contains=folded) | Q(folded_comments__contains=folded)


def _missing(text: str) -> Q:
    return Q(**{f"{SETTINGS[one_of(NULLABLE)(text)]}__isnull": True})


_FIELDS: dict[str, Callable[[str], Q]] = {
    "productMasterId": _ids("product", ProductMaster),
    "productId": _ids("product", ProductMaster),
    "locationId": _ids("location", Location),
    "status": _where("status__in", comma_list(Choice(LevelStatus.values))),
    "abcClass": _where("abc_class__in", comma_list(Choice(AbcClass.values))),
    "preferredBinLocationId": _ids("preferred_bin_location", Location),
    "replenishmentLocationId": _ids("replenishment_location", Location),
    "sku": _where("product__global_sku", str),
    "search": _search,
    "updatedSince": _where("updated_at__gte", time),
    "updatedBefore": _where("updated_at__lt", time),
    "missing": _missing,
}
