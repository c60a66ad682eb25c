"""JSON in and out of the API: strict when reading, exact in both directions."""

import codecs
from typing import Any

import orjson
from django.http import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework import exceptions, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from organizations import exact_json


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class AlwaysJSON(BaseContentNegotiation):
    """Answers JSON whatever Accept says: a 406 has never helped a client."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        media_type, parameters = parse_header_parameters(request.content_type or "")
        charset = str(parameters.get("charset", "utf-8")).lower()
        if charset not in ("utf-8", "utf8"):
            return None
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExactJSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, context: Any = None) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, option=orjson.OPT_UTC_Z)


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without duplicate keys, NaN or binary rounding.

    Numbers become int or Decimal. Raises PayloadTooLarge above the view's ``max_body``
    bytes, and ParseError.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return loads(self.read(stream, parser_context["view"].max_body))

    def read(self, stream: Any, limit: int) -> bytes:
        declared = int(stream.META.get("CONTENT_LENGTH") or 0)
        chunked = "HTTP_TRANSFER_ENCODING" in stream.META
        try:
            body: bytes = b"" if declared > limit and not chunked else stream.read(limit + 1)
        except UnreadablePostError as error:
            raise exceptions.ParseError("The body ended early.") from error
        if len(body) > limit or (declared > limit and not chunked):
            raise PayloadTooLarge(f"The body is larger than {limit // 1024**2} MiB.")
        if len(body) < declared and not chunked:
            raise exceptions.ParseError("The body ended early.")
        return body


def loads(body: bytes) -> Any:
    """Decode a JSON text. Raises ParseError saying what is wrong and where."""
    if not body.strip():
        raise exceptions.ParseError("The body is empty.")
    if body.startswith(codecs.BOM_UTF8):
        raise exceptions.ParseError("The body begins with a byte order mark; send it without.")
    try:
        return exact_json.loads(body)
    except UnicodeDecodeError as error:
        raise exceptions.ParseError("The body is not valid UTF-8.") from error
    except ValueError as error:
        raise exceptions.ParseError(f"Invalid JSON: {error}.") from error
