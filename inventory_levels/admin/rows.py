"""Editing levels in the list: all changed rows are saved together, or none of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from inventory_levels import services
from inventory_levels.admin.forms import LevelRowForm, LevelRows
from inventory_levels.admin.saving import origin_of
from inventory_levels.admin.words import entries
from inventory_levels.models import QUANTITY_ORDER, InventoryLevel, LevelChange
from organizations.admin.base import Rows, WorkspaceAdmin
from organizations.public_ids import PUBLIC_ID
from organizations.texts import whole_number

PREFIX = "form"
# Rows that a page is read to have; it shows a tenth of that.
MOST_ROWS = 1_000


def _posted_keys(data: QueryDict) -> list[int | None]:
    """Of the page's rows in their order; None for what is no key."""
    total = whole_number(data.get(f"{PREFIX}-TOTAL_FORMS", "")) or 0
    rows = range(min(total, MOST_ROWS))
    return [whole_number(data.get(f"{PREFIX}-{number}-id", "")) for number in rows]


class LevelList(Rows):
    """While rows are saved the list holds those that were posted, whatever it would find now:
    what was typed must never be shown beside another level."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if request.method == "POST" and "_save" in request.POST:
            keys = [key for key in _posted_keys(request.POST) if key is not None]
            levels = self.model_admin.rows_with(keys, self.queryset).in_bulk()
            self.result_list = [levels[key] for key in keys if key in levels]


@dataclass(frozen=True, slots=True)
class Checked:
    """Stands for the formset's class where the posted rows have been checked: once is enough."""

    formset: LevelRows

    def get_default_prefix(self) -> str:
        return PREFIX

    def __call__(self, *args: Any, **kwargs: Any) -> LevelRows:
        return self.formset


class RowEditing(WorkspaceAdmin):
    """The part of a ModelAdmin that saves the list's rows."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Rows]:
        return LevelList

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return type("Row", (LevelRowForm,), {"origin": origin_of(request)})

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(checked := getattr(request, "checked_rows", None), Checked):
            return checked
        page = {"origin": origin_of(request), "some_are_gone": hasattr(request, "some_are_gone")}
        return super().get_changelist_formset(request, formset=type("Page", (LevelRows,), page))

    def _get_list_editable_queryset(self, request: HttpRequest, prefix: str) -> QuerySet[Any]:
        keys = [key for key in _posted_keys(request.POST) if key is not None]
        return InventoryLevel.objects.with_references().filter(pk__in=keys).order_by("pk")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST" and "_save" in request.POST and self.may_change(request):
            self._leave_out_the_deleted(request)
            if self._save_rows(request):
                return redirect(request.get_full_path())
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer

    def _save_rows(self, request: HttpRequest) -> bool:
        """In one transaction: the rehearsal's locks hold until the rows are written."""
        with transaction.atomic():
            rows = self._get_list_editable_queryset(request, PREFIX)
            formset = self.get_changelist_formset(request)(request.POST, queryset=rows)
            if not formset.is_valid():
                request.checked_rows = Checked(formset)  # type: ignore[attr-defined]
                return False
            changed = formset.changed()
            services.save_levels([form.row() for form in changed], origin=origin_of(request))
        if not changed:
            messages.info(request, "Nothing was changed.")
        elif len(changed) == 1:
            messages.success(request, "1 level is saved.")
        else:
            messages.success(request, f"{len(changed)} levels are saved.")
        return True

    def _leave_out_the_deleted(self, request: HttpRequest) -> None:
        """Levels that are gone leave the posted page; those that were edited are named."""
        keys = _posted_keys(request.POST)
        there = {level.pk for level in self._get_list_editable_queryset(request, PREFIX)}
        gone = {number for number, key in enumerate(keys) if key not in there}
        if not gone:
            return
        edited = [_row(request.POST, number) for number in gone if _is_edited(request.POST, number)]
        shown = [row.get("shown", "").rpartition("@")[0] for row in edited]
        ids = [public_id for public_id in shown if PUBLIC_ID.match(public_id)]
        last = LevelChange.objects.filter(level_public_id__in=ids, action="DELETE")
        told = [
            f"{entry.product} at {entry.location} was deleted by {entry.who}."
            for entry in entries(list(last))
        ]
        if edited:
            names = " ".join(told) or "A level that you edited is not there any more."
            messages.error(request, f"{names} Save again to save the others.")
            request.some_are_gone = True  # type: ignore[attr-defined]
        request.POST = _without(request.POST, gone, len(keys))  # type: ignore[assignment]


def _row(data: Any, number: int) -> dict[str, str]:
    start = f"{PREFIX}-{number}-"
    return {name.removeprefix(start): data[name] for name in data if name.startswith(start)}


def _is_edited(data: Any, number: int) -> bool:
    return any(
        data.get(f"{PREFIX}-{number}-{name}") != data.get(f"initial-{PREFIX}-{number}-{name}")
        for name in QUANTITY_ORDER
    )


def _without(data: Any, gone: set[int], total: int) -> QueryDict:
    """The posted page without these rows, the others numbered anew."""
    kept = data.copy()
    for name in data:
        if name.startswith((f"{PREFIX}-", f"initial-{PREFIX}-")) and not name.endswith("_FORMS"):
            del kept[name]
    left = [number for number in range(total) if number not in gone]
    for position, number in enumerate(left):
        for name in data:
            for start in (f"{PREFIX}-", f"initial-{PREFIX}-"):
                if name.startswith(f"{start}{number}-"):
                    kept[f"{start}{position}-{name.removeprefix(f'{start}{number}-')}"] = data[name]
    for name in ("TOTAL_FORMS", "INITIAL_FORMS"):
        kept[f"{PREFIX}-{name}"] = str(len(left))
    return kept
