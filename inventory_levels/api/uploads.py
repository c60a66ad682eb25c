"""The file in a request: its body, or the part ``file`` of a form; never whole in memory."""

from __future__ import annotations

from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters
from rest_framework import exceptions
from rest_framework.request import Request

from inventory_levels.values import printable

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORM = "multipart/form-data"
TAKE_THE_COMMAND = "The command import_levels takes files of any size."
SPLIT_IT = "Split it into several files."
_PIECE = 64 * 1024
_IN_MEMORY = 1024 * 1024
# What a form has around its file.
_ENVELOPE = 64 * 1024


class FileTooLarge(exceptions.APIException):
    status_code = 413

    def __init__(self, advice: str) -> None:
        sentence = f"The file is larger than {settings.MAX_BULK_BODY // 1024**2} MiB. {advice}"
        super().__init__({"error": sentence, "code": "PAYLOAD_TOO_LARGE"})


def uploaded_file(request: Request, *, if_too_large: str) -> BinaryIO:
    """The file that the request brings, at its start; the caller closes it.

    ``if_too_large``: what is to be done with a file that is.

    Raises for its type, then for its size. An empty body is an empty file.
    """
    media_type, parameters = parse_header_parameters(request.content_type or "")
    charset = str(parameters.get("charset", "utf-8")).lower()
    if media_type not in (CSV, XLSX, FORM) or charset not in ("utf-8", "utf8"):
        missing = None if request.content_type else f"Send Content-Type: {CSV}."
        raise exceptions.UnsupportedMediaType(request.content_type, missing)
    envelope = _ENVELOPE if media_type == FORM else 0
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    declared = int(request.META.get("CONTENT_LENGTH") or 0)
    too_large = FileTooLarge(if_too_large)
    if declared > settings.MAX_BULK_BODY + envelope and not chunked:
        raise too_large
    try:
        if media_type == FORM:
            return _part(request, too_large)
        return _body(request, too_large, at_least=0 if chunked else declared)
    except UnreadablePostError as error:
        raise exceptions.ValidationError(["The body ended early."]) from error


def _body(request: Request, too_large: FileTooLarge, *, at_least: int) -> BinaryIO:
    size = 0
    with ExitStack() as on_failure:
        file = on_failure.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        while piece := request.read(_PIECE):
            size += len(piece)
            if size > settings.MAX_BULK_BODY:
                raise too_large
            file.write(piece)
        if size < at_least:
            raise exceptions.ValidationError(["The body ended early."])
        on_failure.pop_all()  # now the caller closes it
    file.seek(0)
    return cast(BinaryIO, file)


def _part(request: Request, too_large: FileTooLarge) -> BinaryIO:
    form = request._request
    form.upload_handlers.insert(0, _Limit(too_large))
    try:
        files, fields = form.FILES, form.POST
    except MultiPartParserError as error:
        raise exceptions.ValidationError("The form is malformed.") from error
    problems = {printable(name): ["unknown field"] for name in (*fields, *files) if name != "file"}
    parts: list[Any] = files.getlist("file")
    if len(parts) != 1:
        problems["file"] = ["is given more than once" if parts else "must be a file"]
    if problems:
        raise exceptions.ValidationError(problems)
    return cast(BinaryIO, parts[0].file)


class _Limit(FileUploadHandler):
    """Stops an upload that gets too large, whatever length it claimed."""

    def __init__(self, too_large: FileTooLarge) -> None:
        super().__init__()
        self.too_large = too_large

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.MAX_BULK_BODY:
            raise self.too_large
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
