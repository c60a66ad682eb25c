"""The filters above the lists: strict about values, and each answered by an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.admin import SimpleListFilter, site
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from inventory_levels.admin.words import SHORT_STATUS
from inventory_levels.findings import BY_SLUG
from inventory_levels.models import (
    AbcClass,
    InventoryLevel,
    LevelChange,
    Location,
    LocationType,
    ProductStatus,
)
from organizations.admin.base import Autocomplete
from organizations.public_ids import PUBLIC_ID
from organizations.texts import whole_number

NONE = "none"


class ToolbarFilter(SimpleListFilter):
    """A filter that the list's toolbar shows as one labelled field."""

    parameter_name: str

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return ()

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"value": self.value() or "", "options": self.lookup_choices}

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return rows
        try:
            return self.narrowed(rows, value)
        except (ValueError, KeyError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Raises ValueError or KeyError for a value that can't be one."""
        raise NotImplementedError


class Choice(ToolbarFilter):
    """One of a few values of a column."""

    template = "admin/filters/choice.html"

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value not in dict(self.lookup_choices):
            raise ValueError(value)
        if value == NONE:
            return rows.filter(**{f"{self.parameter_name}__isnull": True})
        return rows.filter(**{self.parameter_name: value})


class StatusFilter(Choice):
    title, parameter_name = "Status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return list(SHORT_STATUS.items())


class ClassFilter(Choice):
    title, parameter_name = "ABC class", "abc_class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [*AbcClass.choices, (NONE, "None")]


class FindingFilter(Choice):
    title, parameter_name = "Look for", "finding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(finding.slug, finding.label) for finding in BY_SLUG.values()]

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(BY_SLUG[value].where)


class Since(ToolbarFilter):
    """From the beginning of a day, UTC."""

    title, parameter_name, template = "Changed since", "since", "admin/filters/date.html"
    field = "at"

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
        return rows.filter(**{f"{self.field}__gte": day})


class LevelSince(Since):
    field = "latest_change__at"


class AnyPlace(Autocomplete):
    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": "All"}


class PlaceForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"] = forms.ModelChoiceField(
            Location.objects.all(),
            required=False,
            widget=AnyPlace(
                InventoryLevel._meta.get_field("location"),
                site,
                attrs={"id": "filter-location"},
            ),
        )


class PlaceFilter(ToolbarFilter):
    title, parameter_name, template = "Location", "location", "admin/filters/place.html"

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"value": PlaceForm({"location": self.value() or ""})["location"]}

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if (key := whole_number(value)) is None:
            raise ValueError(value)
        return rows.filter(location_id=key)


class LevelOfHistory(ToolbarFilter):
    """The whole history of one level, also of one that is gone; reached by links."""

    title, parameter_name, template = "Level", "level", "admin/filters/chip.html"

    def has_output(self) -> bool:
        return bool(self.value())

    def narrowed(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not PUBLIC_ID.match(value):
            raise ValueError(value)
        return rows.filter(level_public_id=value)

    def choices(self, changelist: Any) -> Iterator[Any]:
        level = InventoryLevel.objects.filter(public_id=self.value()).values_list("pk").first()
        page = "admin:inventory_levels_inventorylevel_change"
        for choice in super().choices(changelist):
            yield choice | {"address": reverse(page, args=level) if level else ""}


class ActionFilter(Choice):
    title, parameter_name = "What", "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return LevelChange.Action.choices


class SourceFilter(Choice):
    title, parameter_name = "By way of", "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return LevelChange.Source.choices


class ProductStatusFilter(Choice):
    title, parameter_name = "Status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return ProductStatus.choices


class TypeFilter(Choice):
    title, parameter_name = "Type", "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return LocationType.choices
