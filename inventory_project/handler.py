"""Django's handler, in fewer steps for the API's requests as most clients send them (plain.py)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core.handlers.wsgi import LimitedStream, WSGIHandler, WSGIRequest
from django.core.signals import request_started
from django.db import connection
from django.http import HttpRequest
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

from inventory_project import plain


class Request(WSGIRequest):
    """Its query is UTF-8 whatever charset its body has: Django would read it anew in that, before
    anything could answer for what is wrong with it."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = _parsed(meta.get("CONTENT_TYPE", ""))
        except ValueError:  # Django and REST framework would fail on it
            meta["CONTENT_TYPE"] = "application/octet-stream"
            self.content_type, self.content_params = meta["CONTENT_TYPE"], {}


class PlainWSGIRequest(Request):
    """One whose path is below no other and has nothing to decode."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = self.META = environ
        self.path = self.path_info = environ["PATH_INFO"]
        self.method = environ["REQUEST_METHOD"]
        self._set_content_type_params(environ)
        length = int(environ.get("CONTENT_LENGTH", 0))
        self._stream: Any = LimitedStream(environ["wsgi.input"], length)
        self._read_started = False
        self.resolver_match = None


def _parsed(content_type: str) -> Any:
    """Usual ones once; anybody may send a long one."""
    return (_parsed_once if len(content_type) < 50 else parse_header_parameters)(content_type)


_parsed_once = lru_cache(16)(parse_header_parameters)


class Handler(WSGIHandler):
    """Asks middleware and view as Django does; of plain requests it asks less besides."""

    request_class = Request

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if plain.MARK not in environ:
            return super().__call__(environ, start_response)
        request_started.send(sender=Handler, environ=environ)
        answer = self.get_response(PlainWSGIRequest(environ))
        answer._handler_class = Handler
        headers = list(answer.items())
        headers += [("Set-Cookie", cookie.output(header="")) for cookie in answer.cookies.values()]
        start_response(f"{answer.status_code} {answer.reason_phrase}", headers)
        if getattr(answer, "file_to_stream", None) is None:
            return answer
        answer.file_to_stream.close = answer.close  # the server closes what it is given
        return environ["wsgi.file_wrapper"](answer.file_to_stream, answer.block_size)

    def get_response(self, request: HttpRequest) -> Any:
        """Nobody is told where URLs are, as all are in ROOT_URLCONF, nor the log of an error that
        is one of the client's. And as no signal does it (wsgi.py), a connection of no more use
        is closed in the end."""
        answer: Any = self._middleware_chain(request)  # type: ignore[attr-defined]  # unknown to types
        answer._resource_closers += [request.close, connection.close_if_unusable_or_obsolete]
        return answer

    def _get_response(self, request: HttpRequest) -> Any:
        """A view of the API is no coroutine, opens its transactions and checks cookies itself,
        and its path is one of ROOT_URLCONF's own."""
        if not isinstance(request, PlainWSGIRequest):
            return super()._get_response(request)  # type: ignore[misc]  # likewise
        path = request.path_info.removeprefix("/")
        matches = (pattern.resolve(path) for pattern in get_resolver().url_patterns)
        request.resolver_match = match = next(filter(None, matches))
        answer = match.func(request, *match.args, **match.kwargs)
        return answer.render() if hasattr(answer, "render") else answer
