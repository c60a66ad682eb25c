"""The columns of every file: what each is called, where it comes from, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

from inventory_levels import values
from inventory_levels.models import (
    MAX_COMMENTS,
    MAX_DAYS,
    AbcClass,
    LevelStatus,
    LocationType,
    ProductStatus,
)
from inventory_levels.quantities import quantity, whole_number

Kind = Literal["text", "word", "quantity", "whole", "time"]
NEVER: Any = object()


@dataclass(frozen=True)
class Column:
    """``path`` leads from an exported record to the value; ``field`` is where an import puts it.

    ``read`` makes the value of a JSON value and raises ValidationError; a column without it is
    ignored by imports. ``null_means`` is what clearing the field stands for, where it may be.
    """

    name: str
    header: str
    path: str
    kind: Kind
    field: str = ""
    read: Callable[[Any], Any] | None = None
    null_means: Any = NEVER
    empty_clears: bool = False  # where a text may be empty at all: in NDJSON

    @property
    def is_number(self) -> bool:
        return self.kind in ("quantity", "whole")


@dataclass(frozen=True)
class Table:
    """The columns of one kind of record, in the order of an export.

    A file needs one column of each of the ``keys``; ``aliases`` are understood and not written.
    Records are exported in the ``order`` of these fields, if in no other.
    """

    name: str
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...]
    order: tuple[str, ...]
    aliases: tuple[Column, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in (*self.columns, *self.aliases)}

    @cached_property
    def _by_header(self) -> dict[str, Column]:
        known: dict[str, Column] = {}
        for column in self.by_name.values():
            for name in (column.name, column.header):
                known.setdefault(_plain(name), column)
        return known

    def column(self, header: str) -> Column | None:
        """The column with this name or header; case and spaces don't matter.

        "Product ID" is a header, and ``productId`` the name of another column.
        """
        return self.by_name.get(header.strip()) or self._by_header.get(_plain(header))


def _plain(header: str) -> str:
    return "".join(header.split()).casefold()


def _id(name: str, header: str, path: str, field: str, **more: Any) -> Column:
    return Column(name, header, path, "text", field, values.public_id, **more)


def _text(name: str, header: str, path: str, field: str, longest: int, **more: Any) -> Column:
    more.setdefault("read", partial(values.text, longest=longest, shortest=1))
    return Column(name, header, path, "text", field, **more)


def _choice(name: str, header: str, field: str, choices: Any, null: Any) -> Column:
    read = values.Choice(choices)
    return Column(name, header, field, "word", field, read, null, empty_clears=null is None)


def _quantity(name: str, header: str, field: str) -> Column:
    return Column(name, header, field, "quantity", field, quantity, None)


def _days(name: str, header: str, field: str, least: int = 0) -> Column:
    read = partial(whole_number, least=least, most=MAX_DAYS)
    return Column(name, header, field, "whole", field, read, None)


_CLEARABLE: dict[str, Any] = {"null_means": None, "empty_clears": True}
_TIMES = (
    Column("createdAt", "Created at", "created_at", "time"),
    Column("updatedAt", "Updated at", "updated_at", "time"),
)

LEVELS = Table(
    "inventory-levels",
    (
        _id("productMasterId", "Product ID", "product__public_id", "product"),
        _id("locationId", "Location ID", "location__public_id", "location"),
        _quantity("minQuantity", "Minimum", "min_quantity"),
        _quantity("reorderQuantity", "Reorder point", "reorder_quantity"),
        _quantity("maxQuantity", "Maximum", "max_quantity"),
        _choice("status", "Status", "status", LevelStatus.values, LevelStatus.SUPPORTED.value),
        _choice("abcClass", "ABC class", "abc_class", AbcClass.values, None),
        _days("expectedLeadTimeDays", "Lead time (days)", "expected_lead_time_days"),
        _days(
            "replenishmentPeriodDays", "Replenishment period (days)", "replenishment_period_days"
        ),
        _days("forecastPeriodDays", "Forecast period (days)", "forecast_period_days", 1),
        _quantity("forecastQuantity", "Forecast quantity", "forecast_quantity"),
        _id(
            "preferredBinLocationId",
            "Preferred bin ID",
            "preferred_bin_location__public_id",
            "preferred_bin_location",
            null_means=None,
        ),
        _id(
            "replenishmentLocationId",
            "Replenished from ID",
            "replenishment_location__public_id",
            "replenishment_location",
            null_means=None,
        ),
        _text("comments", "Comments", "comments", "comments", MAX_COMMENTS, **_CLEARABLE),
        _text("sku", "SKU", "product__global_sku", "sku", 64),
        _text("productName", "Product name", "product__product_name", "product_name", 255),
        _text("locationName", "Location name", "location__name", "location_name", 255),
        _id("id", "Level ID", "public_id", "level"),
        Column("version", "Version", "version", "whole"),
        *_TIMES,
    ),
    keys=(("productMasterId", "productId", "sku"), ("locationId", "locationName")),
    order=("product_id", "location_id"),
    aliases=(_id("productId", "productId", "product__public_id", "older_product"),),
)
PRODUCTS = Table(
    "products",
    (
        _id("id", "Product ID", "public_id", "public_id"),
        _text("globalSku", "SKU", "global_sku", "global_sku", 64),
        _text("productName", "Product name", "product_name", "product_name", 255),
        _quantity("unitCost", "Unit cost", "unit_cost"),
        _choice("status", "Status", "status", ProductStatus.values, ProductStatus.ACTIVE.value),
        *_TIMES,
    ),
    keys=(("id", "globalSku"),),
    order=("public_id",),
)
LOCATIONS = Table(
    "locations",
    (
        _id("id", "Location ID", "public_id", "public_id"),
        _text("name", "Location name", "name", "name", 255),
        _choice("type", "Type", "type", LocationType.values, LocationType.OTHER.value),
        _id("parentId", "Inside location ID", "parent__public_id", "parent", null_means=None),
        *_TIMES,
    ),
    keys=(("id", "name"),),
    order=("path", "pk"),  # parents first, as an import needs them
)
