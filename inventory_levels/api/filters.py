"""The lists' filters: strict about names and values, and each answered by an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field

from inventory_levels import conditions, storage, values
from inventory_levels.conditions import NULLABLE, comma_list, one_of
from inventory_levels.models import (
    SETTINGS,
    UNSET,
    AbcClass,
    InventoryLevel,
    LevelChange,
    LevelStatus,
    Location,
    LocationType,
    ProductMaster,
    ProductStatus,
)
from inventory_levels.shown import Indexed, keys_with
from organizations.texts import NOT_TEXT

# With ids of any length these fit into a request line (gunicorn.conf.py), commas written %2C.
MAX_VALUES = 100
LIST = f"a comma list of at most {MAX_VALUES}"
MAX_TEXT = 255
# Up to here what a filter finds elsewhere is read first, and leads to the levels; beyond, it is
# so much that a walk along the list's own order meets a page of it soon.
FEW = 5_000
# The shortest text that a trigram can be found in.
TRIGRAM = 3


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


_list_of = partial(comma_list, most=MAX_VALUES)


def time(text: str) -> datetime:
    """An ISO 8601 time with its zone. Raises ValidationError."""
    try:
        return conditions.time(text)
    except ValidationError as error:
        # A per cent sign in the message itself would be taken for a placeholder.
        message = f"{error.message} (a + is written %(plus)s)"
        raise ValidationError(message, params={"plus": "%2B"}) from error


class _TextFilter(_Filter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read=_texts, **kwargs)


class _TimeFilter(_Filter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read=time, schema={"format": "date-time"}, **kwargs)


class _ChoicesFilter(_Filter):
    """A comma list of choices, spelled as freely as in a body."""

    def __init__(self, *, choices: list[str], **kwargs: Any) -> None:
        super().__init__(read=_list_of(values.Choice(choices)), lookup_expr="in", **kwargs)


class _IdsFilter(_Filter):
    """A comma list of public ids, looked up first: the keys then lead an index in its order."""

    def __init__(self, *, model: Any, **kwargs: Any) -> None:
        super().__init__(read=_list_of(values.public_id), **kwargs)
        self.referred = model

    def filter(self, rows: QuerySet[Any], public_ids: list[str] | None) -> QuerySet[Any]:
        if public_ids is None:
            return rows
        keys = keys_with(self.referred, public_ids)
        return rows.filter(**{f"{self.field_name}__in": keys})


class _FilterSet(django_filters.FilterSet):
    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        # django-filter copies every filter for every request: only those that it asks for.
        named = {name: one for name, one in self.base_filters.items() if name in (data or ())}
        self.__dict__["base_filters"] = named
        super().__init__(data, *args, **kwargs)


class LevelFilter(_FilterSet):
    productMasterId = _IdsFilter(
        field_name="product_id", model=ProductMaster, label=f"Product ids, {LIST}."
    )
    productId = _IdsFilter(
        field_name="product_id", model=ProductMaster, label="Older name of productMasterId."
    )
    locationId = _IdsFilter(
        field_name="location_id", model=Location, label=f"Location ids, {LIST}."
    )
    status = _ChoicesFilter(choices=LevelStatus.values, label=f"Statuses, {LIST}.")
    abcClass = _ChoicesFilter(
        field_name="abc_class", choices=AbcClass.values, label=f"ABC classes, {LIST}."
    )
    preferredBinLocationId = _IdsFilter(
        field_name="preferred_bin_location_id",
        model=Location,
        label=f"Preferred bins' ids, {LIST}.",
    )
    replenishmentLocationId = _IdsFilter(
        field_name="replenishment_location_id",
        model=Location,
        label=f"Ids of the locations replenished from, {LIST}.",
    )
    sku = _TextFilter(field_name="product__global_sku", label="The product's SKU, exactly.")
    search = _TextFilter(
        method="having", label="A part of the SKU, the product's name or the comments; no case."
    )
    updatedSince = _TimeFilter(method="since", label="Changed at or after.")
    updatedBefore = _TimeFilter(method="before", label="Changed before.")
    missing = _Filter(
        read=one_of(NULLABLE),
        method="lacking",
        label="A field that is unset.",
        schema={"enum": NULLABLE},
    )

    def since(self, levels: QuerySet[Any], name: str, moment: datetime) -> QuerySet[Any]:
        changes = LevelChange.objects.filter(at__gte=moment)
        if not changes.order_by("at", "pk")[FEW:].exists():
            levels = levels.filter(storage.among("public_id", changes.values("level_public_id")))
        return levels.filter(updated_at__gte=moment)

    def before(self, levels: QuerySet[Any], name: str, moment: datetime) -> QuerySet[Any]:
        # Whatever was last changed before was created before, which is a range of an index.
        return levels.filter(updated_at__lt=moment, created_at__lt=moment)

    def having(self, levels: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        folded = text.casefold()
        few = _few(ProductMaster.objects.filter(folded__contains=folded))
        named = Q(product__folded__contains=folded) if few is None else Q(product_id__in=few)
        commented = Q(folded_comments__contains=folded)
        if len(folded) >= TRIGRAM:
            few = _few(InventoryLevel.objects.filter(commented))
            commented = commented if few is None else Q(pk__in=few)
        return levels.filter(named | commented)

    def lacking(self, levels: QuerySet[Any], name: str, field: str) -> QuerySet[Any]:
        bit = UNSET.get(SETTINGS[field])
        if bit is None:
            return levels.filter(**{SETTINGS[field]: None})
        lacking = Q(unset__in=[bits for bits in storage.unset_in_use() if bits & bit])
        few = _few(InventoryLevel.objects.filter(lacking))
        return levels.filter(lacking if few is None else Q(pk__in=few))


def _few(rows: QuerySet[Any]) -> list[int] | None:
    """The rows' primary keys, if they are few."""
    with storage.reading():
        keys = list(rows.values_list("pk", flat=True)[: FEW + 1])
    return keys if len(keys) <= FEW else None


class ChangeFilter(_FilterSet):
    actor = _TextFilter(field_name="actor_id", label="The id of the key, user or command.")
    source = _Filter(
        read=_list_of(one_of(LevelChange.Source.values)),
        lookup_expr="in",
        label=f"Ways it came, {LIST}.",
    )
    updatedSince = _TimeFilter(field_name="at", lookup_expr="gte", label="At or after.")
    updatedBefore = _TimeFilter(field_name="at", lookup_expr="lt", label="Before.")


class ProductFilter(_FilterSet):
    globalSku = _TextFilter(field_name="global_sku", label="The SKU, exactly.")
    status = _ChoicesFilter(choices=ProductStatus.values, label=f"Statuses, {LIST}.")
    search = _TextFilter(method="having", label="A part of the SKU or the name; no case.")

    def having(self, products: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        having = Q(folded__contains=text.casefold())
        few = _few(ProductMaster.objects.filter(having))
        return products.filter(having if few is None else Q(pk__in=few))


class LocationFilter(_FilterSet):
    name = _TextFilter(label="The name, exactly.")
    type = _ChoicesFilter(choices=LocationType.values, label=f"Types, {LIST}.")
    parentId = _IdsFilter(field_name="parent_id", model=Location, label=f"Parents' ids, {LIST}.")


# Asked by these, with one id of each, an index has the page of levels in its order. (A page of
# another number would be another statement.)
_BY_INDEX = frozenset({"productMasterId", "locationId", "cursor", "page", "limit"})


def indexed(asked: Mapping[str, str], product: str | None = None) -> Indexed | None:
    """The levels that a query asks for, of a product if one is given, where an index has them."""
    if not asked.keys() <= _BY_INDEX or asked.get("page", "1") != "1":
        return None
    ids = [asked.get("productMasterId", product), asked.get("locationId")]
    if product not in (None, ids[0]):
        return None
    try:
        product, location = (one if one is None else values.public_id(one) for one in ids)
    except ValidationError:  # several ids, or what the filters refuse
        return None
    return Indexed(product, location)
