"""The admin's start page: how many levels there are of what, what needs a look, what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from inventory_levels.admin.filters import NONE
from inventory_levels.admin.words import SHORT_STATUS, entries
from inventory_levels.findings import FINDINGS, Finding
from inventory_levels.models import AbcClass, InventoryLevel, LevelChange
from organizations.tenancy import current_organization
from organizations.workspace import workspace_of

RECENT = 8
CLASSES = [*AbcClass.values, None]

# Where there are more levels, they are counted once a minute.
MANY, SECONDS = 50_000, 60

Groups = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of levels, and the list that shows them."""

    label: str
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class Counted:
    """The levels by status and class, with how many of each group have which finding."""

    groups: Groups
    elsewhere: dict[str, int]
    at: datetime

    @property
    def total(self) -> int:
        return sum(group["n"] for group in self.groups)


def start_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's hook: what the start page's template needs besides."""
    if workspace_of(request) is None:
        return context
    counted = _counted()
    groups = counted.groups
    recent = LevelChange.objects.order_by("-at", "-pk")[:RECENT]
    return {
        **context,
        "title": "Overview",
        "total": Figure("Levels", counted.total, _address()),
        "classes": [_by_class(groups, one) for one in CLASSES],
        "statuses": [_by_status(groups, one) for one in SHORT_STATUS],
        "findings": [figure for figure in _findings(counted) if figure.count],
        "counted_at": counted.at if counted.total > MANY else None,
        "recent": entries(list(recent)),
    }


def _counted() -> Counted:
    key = f"levels-counted-{current_organization().public_id}"
    kept: Counted | None = cache.get(key)
    if kept is None:
        kept = _count_all()
        if kept.total > MANY:
            cache.set(key, kept, SECONDS)
    return kept


def _count_all() -> Counted:
    """One pass over the levels for all that their rows tell, and a count for what they don't."""
    found = {
        _column(finding.slug): Count("pk", filter=finding.where)
        for finding in FINDINGS
        if finding.in_the_row
    }
    levels = InventoryLevel.objects.order_by()
    groups: Any = levels.values("status", "abc_class").annotate(n=Count("pk"), **found)
    elsewhere = {
        finding.slug: levels.filter(finding.where).count()
        for finding in FINDINGS
        if not finding.in_the_row
    }
    return Counted(list(groups), elsewhere, timezone.now())


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


def _findings(counted: Counted) -> list[Figure]:
    def count(finding: Finding) -> int:
        if finding.in_the_row:
            return sum(group[_column(finding.slug)] for group in counted.groups)
        return counted.elsewhere[finding.slug]

    return [
        Figure(finding.label, count(finding), _address(finding=finding.slug))
        for finding in FINDINGS
    ]


def _address(**filters: str) -> str:
    address = reverse("admin:inventory_levels_inventorylevel_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
