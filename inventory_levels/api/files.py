"""Imports and exports over HTTP: what viewsets of whole tables answer besides JSON."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request

from inventory_levels import imports
from inventory_levels.api import uploads
from inventory_levels.api.import_results import ImportResults
from inventory_levels.files import catalog_importing, importing
from inventory_levels.files.columns import LEVELS, Table
from inventory_levels.files.exporting import Begun, Export
from inventory_levels.imports import Counts
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.services import Origin
from organizations.locks import unhurried

_TYPES = {
    "csv": f"{uploads.CSV}; charset=utf-8",
    "ndjson": "application/x-ndjson; charset=utf-8",
    "xlsx": uploads.XLSX,
}
# The parameters of an import, and what each may be: first what it is where it is left out.
_OPTIONS = {"onError": ("abort", "skip"), "dryRun": ("false", "true")}
_NO_LIST: dict[str, Any] = {"pagination_class": None, "filterset_class": None}


class FileActions:
    """The actions ``import`` and ``export.*`` of a viewset that has a ``table``."""

    table: Table
    if_too_large: str

    def exported(self) -> QuerySet[Any]:
        """The organization's records."""
        raise NotImplementedError

    def rows_of(self, file: BinaryIO) -> Iterator[Any]:
        raise NotImplementedError

    def import_rows(self, request: Request, rows: Iterator[Any], **options: Any) -> Counts:
        """Write the rows, and ``tell`` each one's result."""
        raise NotImplementedError

    @action(detail=False, methods=["post"], url_path="import", **_NO_LIST)
    def import_file(self: Any, request: Request) -> HttpResponseBase:
        with (
            uploads.uploaded_file(request, if_too_large=self.if_too_large) as file,
            ImportResults() as results,
            unhurried(),
        ):
            self.check_parameters(**_OPTIONS)
            on_error, dry_run = (
                request.query_params.get(name, default) for name, (default, _) in _OPTIONS.items()
            )
            results.dry_run = dry_run == "true"
            rows = results.counting(self.rows_of(file))
            counts = self.import_rows(
                request, rows, on_error=on_error, dry_run=results.dry_run, tell=results.tell
            )
        return results.answer(counts)

    @action(detail=False, url_path=r"export\.csv")
    def export_csv(self, request: Request) -> HttpResponseBase:
        return self._streamed(request, "csv")

    @action(detail=False, url_path=r"export\.ndjson")
    def export_ndjson(self, request: Request) -> HttpResponseBase:
        return self._streamed(request, "ndjson")

    @action(detail=False, url_path=r"export\.xlsx")
    def export_xlsx(self, request: Request) -> HttpResponseBase:
        export = self._export(request)
        if request.method == "HEAD":
            return self._empty("xlsx")
        with ExitStack() as on_failure:
            file = on_failure.enter_context(TemporaryFile())
            with unhurried():
                export.xlsx(file)
            on_failure.pop_all()  # now the response closes it
        file.seek(0)
        return FileResponse(file, content_type=_TYPES["xlsx"], headers=self._headers("xlsx"))

    def _streamed(self, request: Request, format_: str) -> HttpResponseBase:
        export = self._export(request)
        if request.method == "HEAD":
            return self._empty(format_)
        pieces = Begun(_unhurried(getattr(export, format_)()), pieces_ready=2)
        return StreamingHttpResponse(
            pieces, content_type=_TYPES[format_], headers=self._headers(format_)
        )

    def _export(self: Any, request: Request) -> Export:
        """What the list's filters and its ordering choose."""
        paginator = self.paginator
        known = {"ordering"} if paginator.orderings else set()
        self.check_parameters(*known, *self.filterset_class.base_filters)
        order, descending = None, False
        if "ordering" in request.query_params:
            order, descending = paginator.order_of(request)
        rows = self.filter_queryset(self.exported())
        return Export(self.table, rows, order, descending)

    def _empty(self, format_: str) -> StreamingHttpResponse:
        """What HEAD gets: nobody knows the length of a file that was not made."""
        return StreamingHttpResponse(
            (), content_type=_TYPES[format_], headers=self._headers(format_)
        )

    def _headers(self, format_: str) -> dict[str, str]:
        name = f"{self.table.name}-{timezone.now():%Y-%m-%d}.{format_}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}


class LevelFiles(FileActions):
    table = LEVELS
    if_too_large = uploads.TAKE_THE_COMMAND

    def exported(self) -> QuerySet[Any]:
        return InventoryLevel.objects.all()

    def rows_of(self, file: BinaryIO) -> Iterator[Any]:
        return importing.level_rows(file)

    def import_rows(self, request: Request, rows: Iterator[Any], **options: Any) -> Counts:
        caller: Any = request.auth
        origin = Origin(caller.actor, LevelChange.Source.IMPORT)
        return imports.import_levels(rows, origin=origin, **options)


class CatalogFiles(FileActions):
    if_too_large = uploads.SPLIT_IT

    def exported(self: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.rows()
        return rows

    def rows_of(self, file: BinaryIO) -> Iterator[Any]:
        return importing.catalog_rows(file, self.table)

    def import_rows(self: Any, request: Request, rows: Iterator[Any], **options: Any) -> Counts:
        return catalog_importing.import_catalog(rows, save=self.store, **options)


def _unhurried(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    with unhurried():
        yield from pieces
