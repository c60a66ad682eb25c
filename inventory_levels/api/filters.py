"""The lists' filters: strict about names and values, and each answered by an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field

from inventory_levels.api.fields import ChoiceField, IdField
from inventory_levels.models import (
    SETTINGS,
    AbcClass,
    InventoryLevel,
    LevelChange,
    LevelStatus,
    Location,
    LocationType,
    ProductMaster,
    ProductStatus,
)
from organizations.texts import NOT_TEXT

MAX_VALUES = 500
MAX_TEXT = 255
# What may be unset: every setting but the status.
NULLABLE = [name for name in SETTINGS if name != "status"]


class _Parameter(forms.Field):
    """A query parameter; ``read`` turns its text into a value or raises ValidationError."""

    def __init__(self, *, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(required=False)
        self.read = read

    def clean(self, value: Any) -> Any:
        if value is None:
            return None
        if not value:
            raise ValidationError("must not be empty")
        return self.read(value)


class _Filter(django_filters.Filter):
    """``field_name`` and ``lookup_expr`` as in django-filter, the value as ``read`` makes it.

    ``label`` and ``schema`` say to the documentation what it is.
    """

    field_class = _Parameter

    def __init__(
        self,
        *,
        read: Callable[[str], Any],
        label: str,
        schema: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(read=read, **kwargs)
        extend_schema_field({"type": "string", "description": label, **(schema or {})})(self)


def _texts(text: str) -> str:
    if NOT_TEXT.search(text):
        raise ValidationError("must not hold control characters")
    if len(text) > MAX_TEXT:
        raise ValidationError(f"must have at most {MAX_TEXT} characters")
    return text


def _list_of(read: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """A comma list of what ``read`` reads."""

    def read_list(text: str) -> list[Any]:
        values = text.split(",")
        if len(values) > MAX_VALUES:
            raise ValidationError(f"must list at most {MAX_VALUES} values")
        if "" in values:
            raise ValidationError("must not list an empty value")
        return [read(value) for value in values]

    return read_list


def time(text: str) -> datetime:
    """An ISO 8601 time with its zone. Raises ValidationError."""
    try:
        moment = parse_datetime(text)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    # A per cent sign in the message itself would be taken for a placeholder.
    message = "must be a time such as 2026-11-02T08:30:00Z (a + is written %(plus)s)"
    raise ValidationError(message, params={"plus": "%2B"})


def _one_of(names: list[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValidationError(f"must be one of {', '.join(names)}")
        return text

    return read


class _TextFilter(_Filter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read=_texts, **kwargs)


class _TimeFilter(_Filter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read=time, schema={"format": "date-time"}, **kwargs)


class _ChoicesFilter(_Filter):
    """A comma list of choices, spelled as freely as in a body."""

    def __init__(self, *, choices: list[str], **kwargs: Any) -> None:
        read = ChoiceField(choices=choices).read
        super().__init__(read=_list_of(read), lookup_expr="in", **kwargs)


class _IdsFilter(_Filter):
    """A comma list of public ids, looked up first: the keys then lead an index in its order."""

    def __init__(self, *, model: Any, **kwargs: Any) -> None:
        super().__init__(read=_list_of(IdField().read), **kwargs)
        self.referred = model

    def filter(self, rows: QuerySet[Any], public_ids: list[str] | None) -> QuerySet[Any]:
        if public_ids is None:
            return rows
        found = self.referred.objects.filter(public_id__in=public_ids)
        keys = list(found.values_list("pk", flat=True))
        return rows.filter(**{f"{self.field_name}__in": keys})


class LevelFilter(django_filters.FilterSet):
    productMasterId = _IdsFilter(
        field_name="product_id", model=ProductMaster, label="Product ids, a comma list."
    )
    productId = _IdsFilter(
        field_name="product_id", model=ProductMaster, label="Older name of productMasterId."
    )
    locationId = _IdsFilter(
        field_name="location_id", model=Location, label="Location ids, a comma list."
    )
    status = _ChoicesFilter(choices=LevelStatus.values, label="Statuses, a comma list.")
    abcClass = _ChoicesFilter(
        field_name="abc_class", choices=AbcClass.values, label="ABC classes, a comma list."
    )
    preferredBinLocationId = _IdsFilter(
        field_name="preferred_bin_location_id",
        model=Location,
        label="Preferred bins' ids, a comma list.",
    )
    replenishmentLocationId = _IdsFilter(
        field_name="replenishment_location_id",
        model=Location,
        label="Ids of the locations replenished from, a comma list.",
    )
    sku = _TextFilter(field_name="product__global_sku", label="The product's SKU, exactly.")
    search = _TextFilter(
        method="having", label="A part of the SKU, the product's name or the comments; no case."
    )
    updatedSince = _TimeFilter(
        field_name="latest_change__at", lookup_expr="gte", label="Changed at or after."
    )
    updatedBefore = _TimeFilter(
        field_name="latest_change__at", lookup_expr="lt", label="Changed before."
    )
    missing = _Filter(
        read=_one_of(NULLABLE),
        method="lacking",
        label="A field that is unset.",
        schema={"enum": NULLABLE},
    )

    # Up to here a search reads its matches; beyond, they are so many that a walk along the
    # list's own order meets a page of them soon.
    FEW = 1_000

    def having(self, levels: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        folded = text.casefold()
        matching = ProductMaster.objects.filter(folded__contains=folded)
        products = matching.values_list("pk", flat=True)
        comments = Q(folded_comments__contains=folded)
        few_products = list(products[: self.FEW + 1])
        few_levels = list(
            InventoryLevel.objects.filter(comments).values_list("pk", flat=True)[: self.FEW + 1]
        )
        if max(len(few_products), len(few_levels)) <= self.FEW:
            return levels.filter(Q(product_id__in=few_products) | Q(pk__in=few_levels))
        return levels.filter(Q(product_id__in=products) | comments)

    def lacking(self, levels: QuerySet[Any], name: str, field: str) -> QuerySet[Any]:
        return levels.filter(**{f"{SETTINGS[field]}__isnull": True})


class ChangeFilter(django_filters.FilterSet):
    actor = _TextFilter(field_name="actor_id", label="The id of the key, user or command.")
    source = _Filter(
        read=_list_of(_one_of(LevelChange.Source.values)),
        lookup_expr="in",
        label="Ways it came, a comma list.",
    )
    updatedSince = _TimeFilter(field_name="at", lookup_expr="gte", label="At or after.")
    updatedBefore = _TimeFilter(field_name="at", lookup_expr="lt", label="Before.")


class ProductFilter(django_filters.FilterSet):
    globalSku = _TextFilter(field_name="global_sku", label="The SKU, exactly.")
    status = _ChoicesFilter(choices=ProductStatus.values, label="Statuses, a comma list.")
    search = _TextFilter(method="having", label="A part of the SKU or the name; no case.")

    def having(self, products: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        return products.filter(folded__contains=text.casefold())


class LocationFilter(django_filters.FilterSet):
    name = _TextFilter(label="The name, exactly.")
    type = _ChoicesFilter(choices=LocationType.values, label="Types, a comma list.")
    parentId = _IdsFilter(
        field_name="parent_id", model=Location, label="Parents' ids, a comma list."
    )
