"""What an import would do, or has done, in words: what its page shows, and keeps to show again."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory_levels.admin.refused import called, refused_rows, shortened, why
from inventory_levels.admin.words import (
    UNSET,
    Changed,
    changes_in_words,
    value_in_words,
)
from inventory_levels.files import delimited
from inventory_levels.files.columns import LEVELS, Table
from inventory_levels.imports import Counts, RowResult
from inventory_levels.models import InventoryLevel, ProductMaster
from inventory_levels.models.drafts import Packed

# Rows of each kind that a page lists; it counts them all.
LISTED = 200
OUTCOMES = ("created", "updated", "unchanged", "failed")
_CATALOG_FIELDS = ("global_sku", "product_name", "unit_cost", "name", "type", "parent", "status")


@dataclass
class Report:
    """Takes the results of rows. ``refused`` gets a line of CSV for each reason of a bad one."""

    table: Table
    refused: Packed
    created: list[RowResult] = field(default_factory=list)
    updated: list[RowResult] = field(default_factory=list)
    failed: list[RowResult] = field(default_factory=list)

    def begin(self) -> None:
        self.refused.write(codecs.BOM_UTF8)
        self._line("Row", "What", "Column", "Reason")

    def tell(self, result: RowResult) -> None:
        if result.refusal:
            for column, reason in why(result, self.table):
                self._line(str(result.number), called(result.row), column, reason)
        listed = getattr(self, result.outcome, None)
        if listed is not None and len(listed) < LISTED:
            listed.append(result)

    def _line(self, *cells: str) -> None:
        self.refused.write(delimited.line(map(delimited.quoted, cells)).encode())

    def as_json(self, counts: Counts) -> dict[str, Any]:
        return {
            "counts": {name: getattr(counts, name) for name in OUTCOMES},
            "created": self._in_words(self.created),
            "updated": self._in_words(self.updated),
            "failed": refused_rows(self.failed, self.table),
        }

    def _in_words(self, results: Sequence[RowResult]) -> list[dict[str, Any]]:
        decided = [(one.number, one.result) for one in results if one.result]
        if self.table is LEVELS:
            worded = changes_in_words([result.changes for _, result in decided])
        else:
            worded = [_of_the_catalog(result.saved, result.changes) for _, result in decided]
        return [
            {
                "number": number,
                **_called(result.saved),
                "changes": [
                    {"label": one.label, "old": shortened(one.old), "new": shortened(one.new)}
                    for one in changes
                ],
            }
            for (number, result), changes in zip(decided, worded, strict=True)
        ]


def _called(record: Any) -> dict[str, str]:
    """What a file would call it, and what a person knows it by."""
    if isinstance(record, InventoryLevel):
        product = record.product
        name = f"{product.global_sku} at {record.location.name}"
        return {"name": name, "about": product.product_name}
    if isinstance(record, ProductMaster):
        return {"name": record.global_sku, "about": record.product_name}
    return {"name": str(record), "about": ""}


def _of_the_catalog(record: Any, changes: Mapping[str, Any]) -> list[Changed]:
    """Changes of a product or location; what is unset both before and after is none."""
    worded = []
    for attribute in _CATALOG_FIELDS:
        if attribute in changes:
            column: Any = record._meta.get_field(attribute)
            label, choices = str(column.verbose_name), dict(column.flatchoices)
            old, new = (
                UNSET if value is None else str(choices.get(value) or value_in_words(value))
                for value in (changes[attribute]["old"], changes[attribute]["new"])
            )
            if old != new:
                worded.append(Changed(label, old, new))
    return worded
