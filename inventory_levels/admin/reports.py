"""Two pages about all levels: how far they are from what is recommended, and their ABC classes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from inventory_levels import plots
from inventory_levels.abc_classes import classify_levels
from inventory_levels.admin.compared import Compared, compared, rows_of
from inventory_levels.admin.filters import NONE, PlaceForm
from inventory_levels.admin.saving import origin_of
from inventory_levels.comparison import COMPLETE, KEPT
from inventory_levels.distance import NOISE
from inventory_levels.findings import REORDERED
from inventory_levels.models import AbcClass, InventoryLevel, PlanningSettings
from inventory_levels.pareto import MOST_RANKED, Pareto, Reclassified, survey
from inventory_levels.planning import Policy
from inventory_levels.refusals import counted
from inventory_levels.rounding import plain
from organizations.admin.base import WorkspaceAdmin

PER_PAGE = 50
# Changes of class that a page makes; beyond, it names the command.
MOST_CLASSIFIED = 10_000
SIDES = (("low", "Too low"), ("high", "Too high"), ("unset", "Not set"))


class ReportFilter(PlaceForm):
    """Which levels to compare, and on which side of the recommendation to list them."""

    abc_class = forms.ChoiceField(
        label="ABC class",
        required=False,
        choices=[("", "All"), *AbcClass.choices, (NONE, "None")],
    )
    side = forms.ChoiceField(required=False, choices=[("", "All"), *SIDES])

    def matching(self) -> QuerySet[InventoryLevel]:
        where = Q()
        if place := self.cleaned_data["location"]:
            where &= Q(location=place)
        if abc_class := self.cleaned_data["abc_class"]:
            where &= Q(abc_class=None if abc_class == NONE else abc_class)
        return InventoryLevel.objects.filter(where)

    @property
    def asked(self) -> dict[str, str]:
        """What was asked for, for addresses; the side, which is no matter of comparing, last."""
        names = ("location", "abc_class", "side")
        return {name: value for name in names if (value := self.data.get(name))}


@dataclass(frozen=True, slots=True)
class Differing:
    """A level whose class is not what its value of use says."""

    level: InventoryLevel
    old: str | None
    new: str


class Reports(WorkspaceAdmin):
    """The part of a ModelAdmin that looks at all levels together."""

    def get_urls(self) -> list[URLPattern]:
        views = {
            "report": ("recommended/", self.report_view),
            "abc": ("abc/", self.abc_view),
            "classify": ("abc/classify/", require_POST(self.classify_view)),
        }
        name = "inventory_levels_inventorylevel"
        pages = [
            path(address, self.admin_site.admin_view(view), name=f"{name}_{page}")
            for page, (address, view) in views.items()
        ]
        return [*pages, *super().get_urls()]

    def report_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may_see(request):
            raise PermissionDenied
        form = ReportFilter(request.GET)
        if not form.is_valid():
            return redirect(request.path)
        levels, policy = form.matching(), PlanningSettings.objects.current().policy
        found = compared(levels, policy, form.asked)
        farthest = found.comparison.farthest[form.cleaned_data["side"] or None]
        page: Any = Paginator(farthest, PER_PAGE).get_page(request.GET.get("p"))
        reordered = levels.filter(status__in=REORDERED)
        return self._report(
            request,
            "report",
            title="Recommendations",
            media=self.media + form.media,
            filter=form,
            back=urlencode(form.asked),
            found=found,
            counts=_counts(found),
            bars=plots.bars(found.comparison.bands),
            page=page,
            rows=rows_of(page.object_list, policy),
            noise=_noise(policy),
            kept=KEPT,
            listed=len(farthest),
            without=reordered.exclude(COMPLETE).count(),
            may_change=self.may_change(request),
        )

    def abc_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may_see(request):
            raise PermissionDenied
        policy = PlanningSettings.objects.current().policy
        found = survey(policy)
        if found is None:
            return self._report(request, "abc", title="ABC classes", surveyed=MOST_RANKED)
        shares = (policy.a_share, policy.b_share)
        return self._report(
            request,
            "abc",
            title="ABC classes",
            found=found,
            classes=_classes(found),
            plot=plots.pareto(found.curve, found.ends, [plain(100 * one) for one in shares]),
            changes=sorted(found.differing.items(), key=str),
            count=found.differing.total(),
            rows=_differing(found.listed),
            most=MOST_CLASSIFIED,
            may_change=self.may_change(request),
        )

    def classify_view(self, request: HttpRequest) -> HttpResponse:
        """Do what the page showed, or nothing."""
        if not self.may_change(request):
            raise PermissionDenied
        found = survey(PlanningSettings.objects.current().policy)
        page = redirect("admin:inventory_levels_inventorylevel_abc")
        if found is None or request.POST.get("mark") != found.mark:
            messages.error(
                request,
                "Nothing was changed: since you opened the page, levels, costs or planning "
                "settings have changed. Below is how it is now.",
            )
            return page
        if found.differing.total() > MOST_CLASSIFIED:
            messages.error(request, "These are too many for a page: use the command classify_abc.")
            return page
        origin = origin_of(request)
        done = classify_levels(actor=origin.actor, source=origin.source)
        verb = "has" if done.changed == 1 else "have"
        messages.success(request, f"{counted(done.changed, 'level')} {verb} a new class.")
        if done.moved_on:
            levels = counted(done.moved_on, "level")
            messages.warning(request, f"{levels} kept changing meanwhile; look again.")
        return page

    def _report(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        frame = self.admin_site.each_context(request)
        template = f"admin/inventory_levels/{name}.html"
        context.setdefault("media", self.media)
        return TemplateResponse(request, template, {**frame, "opts": self.opts, **context})


def _noise(policy: Policy) -> str:
    """The difference that is none, in words."""
    return f"{plain(Decimal(NOISE).scaleb(-policy.decimals))} unit"


def _counts(found: Compared) -> list[tuple[str, int]]:
    sides = found.comparison.sides
    labels = (*SIDES, ("near", "About right"))
    return [(label, sides[side]) for side, label in labels]  # type: ignore[index]


def _classes(found: Pareto) -> list[dict[str, Any]]:
    """Each class with its levels and its value, in numbers and in percent of all."""
    return [
        {
            "name": name,
            "levels": share.levels,
            "value": share.value,
            "percent_of_levels": 100 * share.levels / found.known if found.known else 0,
            "percent_of_value": 100 * share.value / found.total if found.total else 0,
        }
        for name, share in found.classes.items()
    ]


def _differing(listed: list[Reclassified]) -> list[Differing]:
    keys = [one.key for one in listed]
    levels = InventoryLevel.objects.with_references().in_bulk(keys)
    return [Differing(levels[one.key], one.old, one.new) for one in listed if one.key in levels]
