"""Downloading a list as it is filtered, searched and sorted now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryFile

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET

from inventory_levels.files.columns import Table
from inventory_levels.files.exporting import Begun, Export
from inventory_levels.files.refusals import BadFile
from organizations.admin.base import WorkspaceAdmin

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ExportsFiles(WorkspaceAdmin):
    """The part of a ModelAdmin that exports what its ``table`` describes."""

    table: Table

    def export_order(self, keys: Sequence[str]) -> Sequence[str] | None:
        """The keys of the list's order, where an export may walk along them."""
        return None

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [
            *(
                path(
                    f"export.{format_}",
                    self.admin_site.admin_view(
                        require_GET(partial(self.export_view, format_=format_))
                    ),
                    name=f"{name}_{format_}",
                )
                for format_ in _TYPES
            ),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, format_: str) -> HttpResponseBase:
        if not self.may_see(request):
            raise PermissionDenied
        changelist = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        try:
            export = self._export(request)
            return self._workbook(export) if format_ == "xlsx" else self._streamed(export)
        except (IncorrectLookupParameters, BadFile) as error:
            messages.error(
                request,
                error.sentence
                if isinstance(error, BadFile)
                else "Nothing was exported: the filter is not understood.",
            )
            return redirect(changelist)

    def _export(self, request: HttpRequest) -> Export:
        rows = self.get_changelist_instance(request).queryset
        signed = [str(key) for key in rows.query.order_by]
        order = self.export_order([key.removeprefix("-") for key in signed])
        descending = order is not None and signed[0].startswith("-")
        return Export(self.table, rows.order_by(), order, descending, for_people=True)

    def _streamed(self, export: Export) -> HttpResponseBase:
        pieces = Begun(export.csv(), pieces_ready=3)
        return StreamingHttpResponse(
            pieces, content_type=_TYPES["csv"], headers=self._headers("csv")
        )

    def _workbook(self, export: Export) -> HttpResponseBase:
        with ExitStack() as on_failure:
            file = on_failure.enter_context(TemporaryFile())
            export.xlsx(file)
            on_failure.pop_all()  # now the response closes it
        file.seek(0)
        return FileResponse(file, content_type=_TYPES["xlsx"], headers=self._headers("xlsx"))

    def _headers(self, format_: str) -> dict[str, str]:
        name = f"{self.table.name}-{timezone.now():%Y-%m-%d}.{format_}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}
