"""The admin's start page: how many levels there are of what, what needs a look, what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from inventory_levels.admin.filters import NONE
from inventory_levels.admin.words import SHORT_STATUS, entries
from inventory_levels.findings import FINDINGS
from inventory_levels.models import AbcClass, InventoryLevel, LevelChange
from organizations.workspace import workspace_of

RECENT = 8
CLASSES = [*AbcClass.values, None]

Groups = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of levels, and the list that shows them."""

    label: str
    count: int
    address: str


def start_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's hook: what the start page's template needs besides."""
    if workspace_of(request) is None:
        return context
    groups = _groups()
    recent = LevelChange.objects.order_by("-at", "-pk")[:RECENT]
    return {
        **context,
        "title": "Overview",
        "total": Figure("levels", sum(group["n"] for group in groups), _address()),
        "classes": [_by_class(groups, one) for one in CLASSES],
        "statuses": [_by_status(groups, one) for one in SHORT_STATUS],
        "findings": [figure for figure in _findings(groups) if figure.count],
        "recent": entries(list(recent)),
    }


def _groups() -> Groups:
    """All figures come from one pass over the levels."""
    found = {_column(finding.slug): Count("pk", filter=finding.where) for finding in FINDINGS}
    levels = InventoryLevel.objects.order_by().values("status", "abc_class")
    groups: Any = levels.annotate(n=Count("pk"), **found)
    return list(groups)


def _column(slug: str) -> str:
    return slug.replace("-", "_")


def _count(groups: Iterable[dict[str, Any]], **which: Any) -> int:
    return sum(group["n"] for group in groups if all(group[name] == which[name] for name in which))


def _by_class(groups: Groups, abc_class: str | None) -> Figure:
    label = f"Class {abc_class}" if abc_class else "No class"
    count = _count(groups, abc_class=abc_class)
    return Figure(label, count, _address(abc_class=abc_class or NONE))


def _by_status(groups: Groups, status: str) -> dict[str, Any]:
    """A row of the table: the status in all, then class by class."""
    cells = [
        Figure(
            f"{SHORT_STATUS[status]}, {'class ' + one if one else 'no class'}",
            _count(groups, status=status, abc_class=one),
            _address(status=status, abc_class=one or NONE),
        )
        for one in CLASSES
    ]
    in_all = Figure(SHORT_STATUS[status], _count(groups, status=status), _address(status=status))
    return {"all": in_all, "cells": cells}


def _findings(groups: Groups) -> list[Figure]:
    return [
        Figure(
            finding.label,
            sum(group[_column(finding.slug)] for group in groups),
            _address(finding=finding.slug),
        )
        for finding in FINDINGS
    ]


def _address(**filters: str) -> str:
    address = reverse("admin:inventory_levels_inventorylevel_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
