"""The organization's planning settings: one page, read by its members, changed by its managers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from inventory_levels.admin.forms import QuantityField, WholeNumberField
from inventory_levels.admin.saving import SafeForm
from inventory_levels.admin.words import value_in_words
from inventory_levels.models import SERVICE_LEVELS, PlanningSettings
from inventory_levels.refusals import PreconditionFailed, Refusal
from inventory_levels.rounding import plain
from organizations.admin.base import WorkspaceAdmin
from organizations.workspace import workspace_of

SECTIONS = (
    (
        "Service levels",
        "The percent of replenishment cycles that should end without running out, from 50 to "
        "99.99. The higher it is, the more safety stock is recommended.",
        SERVICE_LEVELS,
    ),
    (
        "ABC classes",
        "Levels are ranked by their value of use: what is used a day times what it costs.",
        ("a_percent", "b_percent"),
    ),
    ("Rounding", "Recommended quantities are always rounded up.", ("decimals",)),
)
EDITABLE = tuple(name for _, _, names in SECTIONS for name in names)
# Latest changes that the page tells.
RECENT = 5


class PercentField(QuantityField):
    default_error_messages: ClassVar[Any] = {"invalid": "Type a percentage such as 98 or 99.5."}

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        """Without zeros at the end, which would count as digits."""
        percent = super().to_python(value)
        return percent and Decimal(plain(percent))


class PlanningSettingsForm(SafeForm):
    """Where none were saved the form shows the defaults, so it always knows what it showed."""

    class Meta:
        model = PlanningSettings
        fields = EDITABLE
        labels = dict(
            zip(SERVICE_LEVELS, ("Class A", "Class B", "Class C", "No class"), strict=True)
        )
        help_texts = {
            **dict.fromkeys(SERVICE_LEVELS, ""),
            "a_percent": "Percent of the value: the most valuable levels that make it up are A.",
            "b_percent": "Percent likewise, A included: the next levels are B, the rest is C.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in EDITABLE:
            self.fields[name].show_hidden_initial = True
        self.fields["shown"].initial = self.stamp(self.instance)

    def stamp(self, record: PlanningSettings) -> str:
        return "/".join(value_in_words(getattr(record, name)) for name in EDITABLE)

    def rehearse(self) -> Refusal | None:
        now = PlanningSettings.objects.get(pk=self.instance.pk)
        return None if self.stamp(now) == self.cleaned_data["shown"] else PreconditionFailed("")

    def moved_on(self, record: PlanningSettings) -> str:
        last = _changes(record).first()
        return f"{last.user} changed {last.change_message}." if last else ""

    def called(self, name: str) -> str:
        return _name_of(name)


@admin.register(PlanningSettings)
class PlanningSettingsAdmin(WorkspaceAdmin):
    """One row an organization: nothing to list, to add or to delete."""

    form = PlanningSettingsForm
    formfield_overrides: ClassVar[Any] = {
        models.DecimalField: {"form_class": PercentField},
        models.IntegerField: {"form_class": WholeNumberField},
    }

    def may_change(self, request: HttpRequest) -> bool:
        workspace = workspace_of(request)
        return workspace is not None and workspace.may_manage

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.settings_view)
        return [path("", view, name="inventory_levels_planningsettings_changelist")]

    def settings_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may_see(request):
            raise PermissionDenied
        if request.method == "POST":
            if not self.may_change(request):
                raise PermissionDenied
            return self._save(request)
        settings = PlanningSettings.objects.current()
        form = self.get_form(request)(instance=settings)
        return self._page(request, form, settings)

    def _save(self, request: HttpRequest) -> HttpResponse:
        """The row stays locked from the check on; a refused form leaves none behind."""
        with transaction.atomic():
            default = PlanningSettings.objects.current()
            PlanningSettings.objects.get_or_create(organization=default.organization)
            settings = PlanningSettings.objects.select_for_update().get()
            form = self.get_form(request)(request.POST, instance=settings)
            is_valid = form.is_valid()
            if not is_valid:
                transaction.set_rollback(True)
            elif form.has_changed():
                form.save()
                self.log_change(request, settings, form.told())
        if not is_valid:
            return self._page(request, form, settings)
        said = "are saved" if form.has_changed() else "stay as they were"
        messages.success(request, f"The planning settings {said}.")
        return redirect("admin:inventory_levels_planningsettings_changelist")

    def _page(
        self, request: HttpRequest, form: PlanningSettingsForm, settings: PlanningSettings
    ) -> HttpResponse:
        sections = [
            {
                "title": title,
                "help": text,
                "fields": [
                    {
                        "field": form[name],
                        "value": value_in_words(getattr(settings, name)),
                        "unit": "" if name == "decimals" else "%",
                    }
                    for name in names
                ],
            }
            for title, text, names in SECTIONS
        ]
        return TemplateResponse(
            request,
            "admin/inventory_levels/planning_settings.html",
            {
                **self.admin_site.each_context(request),
                "title": "Planning settings",
                "media": self.media + form.media,
                "form": form,
                "sections": sections,
                "changes": _changes(settings)[:RECENT] if settings.pk else [],
                "may_change": self.may_change(request),
            },
        )


def _name_of(field_name: str) -> str:
    field: Any = PlanningSettings._meta.get_field(field_name)
    return str(field.verbose_name)


def _changes(settings: PlanningSettings) -> Any:
    """Who changed them, newest first, as the admin's log has it."""
    entries = LogEntry.objects.filter(
        content_type=get_content_type_for_model(settings), object_id=str(settings.pk)
    )
    return entries.select_related("user").order_by("-action_time", "-pk")
