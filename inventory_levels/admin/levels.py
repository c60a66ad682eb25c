"""The page of one level: its form and picture, saving, deleting, its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from inventory_levels import services
from inventory_levels.admin import drawing
from inventory_levels.admin.bulk import BulkChanges
from inventory_levels.admin.changes import history_of
from inventory_levels.admin.columns import BY_CHANGE, Columns
from inventory_levels.admin.drawing import Typed
from inventory_levels.admin.files import Files
from inventory_levels.admin.forms import LevelForm, QuantityField, WholeNumberField
from inventory_levels.admin.reports import Reports
from inventory_levels.admin.saving import AtVersion, SafeFormPage, origin_of
from inventory_levels.admin.words import changes_of, name_of
from inventory_levels.files.columns import LEVELS
from inventory_levels.models import QUANTITY_ORDER, InventoryLevel, PlanningSettings
from inventory_levels.refusals import NotFound, PreconditionFailed
from organizations.texts import whole_number

REFERENCES = ("product", "location", "preferred_bin_location", "replenishment_location")


class Page(Columns, SafeFormPage):
    """What the page of one level shows."""

    form = LevelForm
    autocomplete_fields = (
        "product",
        "location",
        "preferred_bin_location",
        "replenishment_location",
    )
    readonly_fields = ("product_link", "location_link", "identity", "times")
    formfield_overrides: ClassVar[Any] = {
        models.DecimalField: {"form_class": QuantityField},
        models.IntegerField: {"form_class": WholeNumberField},
    }
    compressed_fields = False
    readonly_preprocess_fields: ClassVar[Any] = dict.fromkeys(
        (*QUANTITY_ORDER, "forecast_quantity"), lambda shown: shown.rstrip("0").rstrip(".")
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections: list[tuple[str, Any]] = [
            (
                "What, and where",
                (
                    ("product_link", "location_link") if obj else ("product", "location"),
                    ("status", "abc_class"),
                ),
            ),
            ("Quantities", (QUANTITY_ORDER,)),
            (
                "Demand and delivery",
                (
                    ("forecast_quantity", "forecast_period_days"),
                    ("expected_lead_time_days", "replenishment_period_days"),
                ),
            ),
            ("Places", (("preferred_bin_location", "replenishment_location"),)),
            ("Notes", ("comments",)),
        ]
        if obj:
            sections.append(("About this level", (("identity", "times"),)))
        return [(title, {"fields": fields}) for title, fields in sections]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.origin = origin_of(request)
        for name in ("preferred_bin_location", "replenishment_location"):
            if obj and name in form.base_fields:
                form.base_fields[name].widget.attrs["data-location"] = obj.location_id
        return form

    @admin.display(description="Product")
    def product_link(self, level: InventoryLevel) -> str:
        address = reverse("admin:inventory_levels_productmaster_change", args=[level.product_id])
        return format_html('<a class="link" href="{}">{}</a>', address, level.product)

    @admin.display(description="Location")
    def location_link(self, level: InventoryLevel) -> str:
        address = reverse("admin:inventory_levels_location_change", args=[level.location_id])
        return format_html('<a class="link" href="{}">{}</a>', address, level.location)

    @admin.display(description="Id")
    def identity(self, level: InventoryLevel) -> str:
        return f"{level.public_id}, version {level.version}"

    @admin.display(description="Changed")
    def times(self, level: InventoryLevel) -> str:
        return f"{level.updated_at:%Y-%m-%d %H:%M}, made {level.created_at:%Y-%m-%d %H:%M} UTC"


@admin.register(InventoryLevel)
class LevelAdmin(Reports, BulkChanges, Files, Page):
    """Saving, deleting, the history, the picture and what is recommended."""

    table = LEVELS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        levels = super().get_queryset(request)
        return levels.select_related(*REFERENCES)

    def export_order(self, keys: Sequence[str]) -> Sequence[str] | None:
        """Not by the last change: while an export walks along, that moves."""
        return None if tuple(keys) == BY_CHANGE else keys

    def get_urls(self) -> list[URLPattern]:
        views = {"picture": self.picture_view, "recommendation": self.recommendation_view}
        followed = [
            path(
                f"{part}/",
                self.admin_site.admin_view(view),
                name=f"inventory_levels_inventorylevel_{part}",
            )
            for part, view in views.items()
        ]
        return [*followed, *super().get_urls()]

    def picture_view(self, request: HttpRequest) -> HttpResponse:
        typed = Typed.read(lambda name: request.GET.get(name, ""))
        drawn = drawing.draw(typed, PlanningSettings.objects.current().policy)
        return render(request, "admin/inventory_levels/picture.html", {"drawing": drawn})

    def recommendation_view(self, request: HttpRequest) -> HttpResponse:
        typed = Typed.read(lambda name: request.GET.get(name, ""))
        advice = drawing.advise(typed, PlanningSettings.objects.current().policy)
        return render(request, "admin/inventory_levels/recommendation.html", {"advice": advice})

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        form, level = context["adminform"].form, kwargs.get("obj")

        def value_of(name: str) -> Any:
            return form[name].value() if name in form.fields else getattr(level, name)

        typed, policy = Typed.read(value_of), PlanningSettings.objects.current().policy
        drawn, advice = drawing.draw(typed, policy), drawing.advise(typed, policy)
        context |= {"drawing": drawn, "advice": advice}
        if level:
            context["subtitle"] = name_of(level)
        return super().render_change_form(request, context, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.has_changed():
            obj.pk = services.save_level(form.row(), origin=origin_of(request)).saved.pk

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, level: InventoryLevel) -> HttpResponse:
        messages.success(request, f"{name_of(level)} is saved.")
        if "_continue" in request.POST:
            return redirect("admin:inventory_levels_inventorylevel_change", level.pk)
        if "_addanother" in request.POST:
            return redirect("admin:inventory_levels_inventorylevel_add")
        return self.response_post_save_change(request, level)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except PreconditionFailed:
            level = self.get_object(request, object_id)
            since = changes_of(level, _version(request)) if level else ""
            messages.error(request, f"Nothing was deleted, as it changed meanwhile. {since}")
        except NotFound:
            pass  # as for any page of a level that is not there
        else:
            return answer
        return redirect(request.get_full_path())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return [name_of(level) for level in objs], {}, set(), []

    def render_delete_form(self, request: HttpRequest, context: Any) -> HttpResponse:
        context["shown"] = context["object"].version
        answer: HttpResponse = super().render_delete_form(request, context)
        return answer

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete_level(
            obj.public_id, origin=origin_of(request), precondition=AtVersion(_version(request))
        )

    def log_addition(self, *args: Any) -> None:
        """The level's own history has it."""

    log_change = log_deletions = log_addition

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        level = self.get_object(request, object_id)
        if level is None:
            there_is_none: HttpResponse = self._get_obj_does_not_exist_redirect(
                request, self.opts, object_id
            )
            return there_is_none
        return history_of(self, request, level)


def _version(request: HttpRequest) -> int:
    return whole_number(request.POST.get("shown", "")) or 0
