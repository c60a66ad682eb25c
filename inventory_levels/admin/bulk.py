"""Changing many levels at once: choose them in the list, say what, look, then do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from inventory_levels.admin.bulk_preview import LISTED, Preview, Shown
from inventory_levels.admin.saving import origin_of
from inventory_levels.admin.verbs import VERBS, Delete, Verb
from organizations.admin.base import WorkspaceAdmin


class BulkChanges(WorkspaceAdmin):
    """The part of a ModelAdmin that does a verb to many levels."""

    actions_on_top = True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if not self.may_change(request):
            return {}
        return {slug: (self._starts(verb), slug, f"{verb.label}…") for slug, verb in VERBS.items()}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.bulk_view))
        name = "inventory_levels_inventorylevel_bulk"
        return [path("bulk/<slug:slug>/", view, name=name), *super().get_urls()]

    def _starts(self, verb: Verb) -> Callable[..., HttpResponse | None]:
        def start(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            seen = list(chosen.values_list("public_id", "version")[: verb.most + 1])
            if len(seen) > verb.most:
                messages.error(
                    request, f"{verb.label}: at most {verb.most:,} levels at once. Narrow the list."
                )
                return None
            shown = [Shown(*one) for one in seen]
            back = request.GET.urlencode()
            if verb.asks:
                return self._page(request, verb, verb.form_class(), shown, back, None)
            return self._previewed(request, verb, verb.form_class({}), shown, back)

        return start

    def bulk_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        verb = VERBS.get(slug)
        if verb is None:
            raise Http404
        if not self.may_change(request):
            raise PermissionDenied
        try:
            shown = Shown.read(",".join(request.POST.getlist("shown")), verb)[: verb.most]
        except ValueError as error:
            raise Http404 from error
        back = request.POST.get("back", "")
        if not shown:
            messages.warning(request, "Choose some levels first.")
            return redirect(_address(request, back))
        return self._previewed(request, verb, verb.form_class(request.POST), shown, back)

    def _previewed(
        self, request: HttpRequest, verb: Verb, form: forms.Form, shown: list[Shown], back: str
    ) -> HttpResponse:
        """What would be done; or do it, where just that was previewed and is asked for."""
        if not form.is_valid():
            return self._page(request, verb, form, shown, back, None)
        previewed = request.POST.get("previewed") == _as_text(form)
        with transaction.atomic():  # what is looked at stays locked until it is done
            preview = Preview(verb, form.cleaned_data, shown, origin_of(request))
            if "apply" in request.POST and previewed and not preview.moved_on:
                done = preview.apply()
                what = "deleted" if isinstance(verb, Delete) else "changed"
                noun = "level is" if done == 1 else "levels are"
                messages.success(request, f"{verb.label}: {done:,} {noun} {what}.")
                return redirect(_address(request, back))
        return self._page(request, verb, form, preview.shown, back, preview)

    def _page(
        self,
        request: HttpRequest,
        verb: Verb,
        form: forms.Form,
        shown: list[Shown],
        back: str,
        preview: Preview | None,
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/inventory_levels/bulk.html",
            {
                **self.admin_site.each_context(request),
                "title": verb.label,
                "opts": self.opts,
                "verb": verb,
                "form": form,
                "media": self.media + form.media,
                "count": len(shown),
                "shown": ",".join(map(str, shown)),
                "back": back,
                "cancel": _address(request, back),
                "came_from": request.POST.get("came_from", ""),
                "preview": preview,
                "previewed": _as_text(form) if preview else "",
                "listed": LISTED,
                "deletes": isinstance(verb, Delete),
            },
        )


def _address(request: HttpRequest, back: str) -> str:
    """Of the page where the levels were chosen, as it was."""
    page = "report" if request.POST.get("came_from") == "report" else "changelist"
    return f"{reverse(f'admin:inventory_levels_inventorylevel_{page}')}?{back}"


def _as_text(form: forms.Form) -> str:
    """What was asked, to tell whether it is what was previewed."""
    asked = {name: form[name].value() for name in form.fields}
    return urlencode({name: value or "" for name, value in asked.items()}, doseq=True)
