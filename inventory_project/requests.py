"""What every request gets, whoever answers it: an id, and its body read to the end."""

import logging
import re
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ulid import ULID

type_of_next = Callable[[HttpRequest], HttpResponseBase]

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_SANE = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}\Z")


class RequestIdMiddleware:
    """Takes the client's X-Request-Id if it is sane, else makes one; answers and logs it."""

    def __init__(self, get_response: type_of_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _SANE.match(given) else str(ULID()).lower()
        token = _request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _request_id.reset(token)
        response.headers["X-Request-Id"] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Puts the request's id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


class DrainBodyMiddleware:
    """Reads the rest of a refused body, within bounds.

    A server that closes a connection with unread bytes resets it, and the client never
    sees why it was refused.
    """

    SECONDS = 10
    CHUNK = 256 * 1024

    def __init__(self, get_response: type_of_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method not in ("GET", "HEAD") or request.META.get("CONTENT_LENGTH"):
            self._drain(request)
        return response

    def _drain(self, request: HttpRequest) -> None:
        left = 2 * int(settings.MAX_BULK_BODY)
        deadline = time.monotonic() + self.SECONDS
        try:
            while left > 0 and time.monotonic() < deadline:
                chunk = request.read(min(self.CHUNK, left))
                if not chunk:
                    return
                left -= len(chunk)
        except OSError:
            return  # the client has gone, or sent less than it promised
