"""The list of levels: its columns, its orders, its filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html

from inventory_levels.admin.filters import (
    ClassFilter,
    FindingFilter,
    LevelSince,
    PlaceFilter,
    PlaceForm,
    StatusFilter,
)
from inventory_levels.admin.rows import RowEditing
from inventory_levels.admin.search import matching_levels
from inventory_levels.admin.words import SHORT_STATUS, actor, as_typed, name_of
from inventory_levels.models import QUANTITY_ORDER, InventoryLevel, LevelChange

BY_SKU = ("product__global_sku", "location_id")
BY_LOCATION = ("location__name", "location_id", "product_id")
BY_CHANGE = ("latest_change__at", "latest_change__id")


def _latest(field: str) -> Subquery:
    """Of the last change; a level that was put into the table by hand has none."""
    changes = LevelChange.objects.filter(
        organization=OuterRef("organization"),
        level_public_id=OuterRef("public_id"),
        version=OuterRef("version"),
    )
    return Subquery(changes.values(field))


class Columns(RowEditing):
    """What the list shows of a level."""

    @property
    def media(self) -> Any:
        """The location's filter needs what autocompletes need."""
        return super().media + PlaceForm().media

    list_display: Any = ("product_column", "location_column", *QUANTITY_ORDER)
    list_display += ("status_column", "class_column", "changed_column")
    list_editable = QUANTITY_ORDER
    list_filter = (PlaceFilter, StatusFilter, ClassFilter, FindingFilter, LevelSince)
    ordering = BY_SKU
    orders: ClassVar[Any] = {
        "product_column": BY_SKU,
        "location_column": BY_LOCATION,
        "changed_column": BY_CHANGE,
    }
    sortable_by = tuple(orders)
    search_fields = ("product__global_sku", "product__product_name", "location__name")
    search_help_text = "SKU, product or location"
    list_fullwidth = True

    def called(self, record: Any) -> str:
        return name_of(record)

    def usual_order(self, params: Mapping[str, str]) -> Sequence[str]:
        """By SKU; what changed since some day newest first, which the history's index answers."""
        return [f"-{key}" for key in BY_CHANGE] if params.get("since") else self.ordering

    def get_list_display(self, request: HttpRequest) -> Any:
        if self.may_change(request):
            return self.list_display
        return [f"{name}_column" if name in QUANTITY_ORDER else name for name in self.list_display]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return matching_levels(queryset, search_term), False

    def rows_with(self, keys: list[int], queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().rows_with(keys, queryset).select_related("product", "location")
        return rows.annotate(actor_type=_latest("actor_type"), actor_name=_latest("actor_name"))

    @admin.display(description="Product", ordering="product__global_sku")
    def product_column(self, level: InventoryLevel) -> str:
        product = level.product
        return format_html(
            '<span class="two-lines"><b>{}</b><span>{}</span></span>',
            product.global_sku,
            product.product_name,
        )

    @admin.display(description="Location", ordering="location__name")
    def location_column(self, level: InventoryLevel) -> str:
        return level.location.name

    @admin.display(description="Min", empty_value="–")
    def min_quantity_column(self, level: InventoryLevel) -> str | None:
        return as_typed(level.min_quantity) or None

    @admin.display(description="Reorder point", empty_value="–")
    def reorder_quantity_column(self, level: InventoryLevel) -> str | None:
        return as_typed(level.reorder_quantity) or None

    @admin.display(description="Max", empty_value="–")
    def max_quantity_column(self, level: InventoryLevel) -> str | None:
        return as_typed(level.max_quantity) or None

    @admin.display(description="Status")
    def status_column(self, level: InventoryLevel) -> str:
        status = level.status
        return format_html('<span class="badge {}">{}</span>', status, SHORT_STATUS[status])

    @admin.display(description="Class", empty_value="–")
    def class_column(self, level: InventoryLevel) -> str | None:
        if level.abc_class is None:
            return None
        return format_html('<span class="badge abc-{}">{}</span>', level.abc_class, level.abc_class)

    @admin.display(description="Last change", ordering="latest_change__at")
    def changed_column(self, level: Any) -> str:
        return format_html(
            '<span class="two-lines"><time title="UTC">{}</time><span>{}</span></span>',
            f"{level.updated_at:%Y-%m-%d %H:%M}",
            actor(level) if level.actor_name else "",
        )
