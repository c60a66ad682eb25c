"""The pages of an import: choose a file, look at what it would do, say yes, read what it did."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from inventory_levels.admin import import_drafts
from inventory_levels.admin.import_pages import page_of
from inventory_levels.admin.refused import friendly, reasons
from inventory_levels.files.columns import Table
from inventory_levels.files.refusals import BadFile
from inventory_levels.models import ImportDraft, LevelChange
from inventory_levels.services import Origin
from organizations.actors import Actor
from organizations.admin.base import WorkspaceAdmin
from organizations.texts import whole_number

State = ImportDraft.State


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="CSV or Excel (.xlsx), up to 32 MiB. The first row names the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    on_error = forms.ChoiceField(
        label="If rows are refused",
        choices=[("abort", "Import nothing"), ("skip", "Import the other rows")],
        initial="abort",
        widget=forms.RadioSelect,
    )


class Limit(FileUploadHandler):
    """Stops an upload that gets too large, whatever length it claimed."""

    exceeded = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.MAX_BULK_BODY:
            self.exceeded = True
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def bounded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """With the limit in place before anything reads the form; the admin's own view, inside,
    checks the CSRF token."""

    @csrf_exempt
    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            request.upload_handlers.insert(0, Limit(request))
        return view(request, *args, **kwargs)

    return limited


class ImportsFiles(WorkspaceAdmin):
    """The part of a ModelAdmin that imports what its ``table`` describes."""

    table: Table

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, self._route("import")
        return [
            path("import/", bounded(wrap(self.import_view)), name=name),
            path("import/<slug:token>/", wrap(self.draft_view), name=f"{name}_draft"),
            path(
                "import/<slug:token>/refused.csv",
                wrap(require_GET(self.refused_view)),
                name=f"{name}_refused",
            ),
            *super().get_urls(),
        ]

    def _route(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.may_change(request):
            raise PermissionDenied
        form, status = UploadForm(), 200
        if request.method == "POST":
            form = UploadForm(request.POST, request.FILES)
            if any(getattr(one, "exceeded", False) for one in request.upload_handlers):
                form = UploadForm({"on_error": "abort"})  # nothing of what was sent was read
                form.errors.pop("file", None)
                form.add_error("file", _too_large())
                status = 413
            elif form.is_valid() and (draft := self._start(request, form)):
                return redirect(f"admin:{self._route('import_draft')}", draft.token)
        return self._template(
            request,
            "upload",
            status,
            form=form,
            columns=[column.header for column in self.table.columns if column.read],
            needed=self._needed(),
        )

    def _needed(self) -> str:
        """The columns that a file can't do without."""
        headers = {column.name: column.header for column in self.table.columns}
        return ", and ".join(
            " or ".join(headers[name] for name in names if name in headers)
            for names in self.table.keys
        )

    def _start(self, request: HttpRequest, form: UploadForm) -> ImportDraft | None:
        file = form.cleaned_data["file"]
        try:
            return import_drafts.start(
                file.file,
                file.name,
                table=self.table.name,
                on_error=form.cleaned_data["on_error"],
                actor_id=_actor(request).id,
            )
        except BadFile as refusal:
            form.add_error("file", _of_the_file(refusal, self.table))
            return None

    def draft_view(self, request: HttpRequest, token: str) -> HttpResponseBase:
        draft = self._draft(request, token)
        if request.method == "POST":
            if "again" in request.POST and draft.state != State.DONE:
                import_drafts.look_again(draft)
            elif "apply" in request.POST:
                self._apply(request, draft)
            return redirect(f"admin:{self._route('import_draft')}", draft.token)
        page = {State.SHOWN: "preview", State.BEGUN: "begun", State.DONE: "done"}
        return self._template(
            request, page[State(draft.state)], draft=draft, report=draft.report, **page_of(draft)
        )

    def _apply(self, request: HttpRequest, draft: ImportDraft) -> None:
        on_error, shown = request.POST["apply"], request.POST.get("shown", "")
        if draft.state == State.DONE:
            messages.info(request, "This file is imported already; nothing was done again.")
            return
        if on_error != "skip" and draft.report["counts"]["failed"]:
            messages.error(request, "Nothing was imported, as rows are refused.")
            return
        if not draft.begin(times_shown=whole_number(shown) or 0):
            if draft.state == State.SHOWN:
                messages.error(request, "Nothing was imported: this is what it would do now.")
            return
        origin = Origin(_actor(request), LevelChange.Source.IMPORT)
        try:
            import_drafts.apply(
                draft, origin=origin, on_error="skip" if on_error == "skip" else "abort"
            )
        except OperationalError:
            messages.error(request, "The database was busy, and the import stopped.")

    def refused_view(self, request: HttpRequest, token: str) -> HttpResponseBase:
        lines = self._draft(request, token).read(import_drafts.REFUSED)
        return StreamingHttpResponse(
            lines,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="refused-rows.csv"'},
        )

    def _draft(self, request: HttpRequest, token: str) -> ImportDraft:
        """Of this person, in this organization; anybody else's is not there."""
        if not self.may_change(request):
            raise PermissionDenied
        mine = ImportDraft.objects.waiting().filter(
            token=token, table=self.table.name, actor_id=_actor(request).id
        )
        draft = mine.first()
        if draft is None:
            raise Http404
        return draft

    def _template(
        self, request: HttpRequest, page: str, status: int = 200, **context: Any
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            f"admin/inventory_levels/import_{page}.html",
            {
                **self.admin_site.each_context(request),
                "title": "Import",
                "opts": self.opts,
                "nouns": self.opts.verbose_name_plural,
                "page": {name: f"admin:{self._route(name)}" for name in PAGES},
                **context,
            },
            status=status,
        )


PAGES = ("changelist", "export_xlsx", "import", "import_draft", "import_refused")


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.of_user(user)


def _of_the_file(refusal: BadFile, table: Table) -> list[str]:
    """Why none of its rows count: one sentence, or each column that nobody knows."""
    if len(refusal.details or {}) < 2:
        return [friendly(refusal.sentence, table)]
    return [f"{column}: {reason}" for column, reason in reasons(refusal, table)]


def _too_large() -> str:
    return (
        f"The file is larger than {settings.MAX_BULK_BODY // 1024**2} MiB. "
        "The command import_levels takes files of any size."
    )
