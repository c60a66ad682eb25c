"""The history in the admin: of one level, and of the whole organization, deletions included."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from inventory_levels.admin.filters import (
    ActionFilter,
    LevelOfHistory,
    Since,
    SourceFilter,
)
from inventory_levels.admin.words import Entry, entries, name_of
from inventory_levels.models import InventoryLevel, LevelChange
from organizations.admin.base import CappedPaginator, WorkspaceAdmin

PER_PAGE = 50


def history_of(page: WorkspaceAdmin, request: HttpRequest, level: InventoryLevel) -> HttpResponse:
    """The page of one level's changes, newest first."""
    changes = LevelChange.objects.filter(level_public_id=level.public_id).order_by("-version")
    numbered: Page[Any] = CappedPaginator(changes, PER_PAGE).get_page(request.GET.get("p"))
    return TemplateResponse(
        request,
        "admin/inventory_levels/history.html",
        {
            **page.admin_site.each_context(request),
            "title": "History",
            "subtitle": name_of(level),
            "entries": entries(list(numbered)),
            "page": numbered,
            "original": level,
            "opts": page.opts,
        },
    )


def settings_html(entry: Entry) -> str:
    """Each setting with its old and its new value."""
    arrow = {"CREATE": "{label} <b>{new}</b>", "DELETE": "{label} <s>{old}</s>"}
    pattern = arrow.get(entry.change.action, "{label} <s>{old}</s> → <b>{new}</b>")
    return format_html_join(
        " ",
        f'<span class="setting">{pattern}</span>',
        ({"label": one.label, "old": one.old, "new": one.new} for one in entry.settings),
    )


@admin.register(LevelChange)
class LevelChangeAdmin(WorkspaceAdmin):
    """What happened, newest first. Nobody edits it."""

    list_display = ("at_column", "who", "way", "product", "location", "action_column", "what")
    list_display_links = None
    list_filter = (ActionFilter, SourceFilter, Since, LevelOfHistory)
    ordering = ("-at", "-pk")
    sortable_by = ()
    list_fullwidth = True

    def may_change(self, request: HttpRequest) -> bool:
        return False

    def rows_with(self, keys: list[int], queryset: QuerySet[Any]) -> Any:
        changes = list(super().rows_with(keys, queryset))
        for change, entry in zip(changes, entries(changes), strict=True):
            change.entry = entry
        return changes

    def change_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """An entry has no page of its own."""
        nothing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return nothing

    delete_view = history_view = change_view

    @admin.display(description="When (UTC)")
    def at_column(self, change: Any) -> str:
        return format_html("<time>{}</time>", f"{change.at:%Y-%m-%d %H:%M}")

    @admin.display(description="Who")
    def who(self, change: Any) -> str:
        return change.entry.who

    @admin.display(description="By way of")
    def way(self, change: Any) -> str:
        return change.get_source_display()

    @admin.display(description="Product")
    def product(self, change: Any) -> str:
        address = reverse("admin:inventory_levels_levelchange_changelist")
        return format_html(
            '<a class="two-lines" href="{}?level={}"><b>{}</b><span>{}</span></a>',
            address,
            change.level_public_id,
            *change.entry.product.partition(" · ")[::2],
        )

    @admin.display(description="Location")
    def location(self, change: Any) -> str:
        return change.entry.location

    @admin.display(description="What")
    def action_column(self, change: Any) -> str:
        return format_html(
            '<span class="badge {}">{}</span>', change.action, change.get_action_display()
        )

    @admin.display(description="Settings")
    def what(self, change: Any) -> str:
        """What was changed at a glance; what was set or lost all at once when it is opened."""
        settings = format_html('<span class="settings">{}</span>', settings_html(change.entry))
        if change.action != LevelChange.Action.UPDATE:
            count = len(change.entry.settings)
            settings = format_html(
                "<details><summary>{} setting{}</summary>{}</details>",
                count,
                "" if count == 1 else "s",
                settings,
            )
        return format_html("{} <i>{}</i>", settings, change.reason or "")
