"""What every request gets, whoever answers it: an id, a line in the log, its body read to the
end, and an answer of a known length, without a body where HTTP knows none."""

import logging
import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger(__name__)
_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*\Z")
_SANE = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}\Z")


class RequestIdMiddleware:
    """Takes the client's X-Request-Id if it is sane, else makes one; answers and logs it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE.match(given) else os.urandom(13).hex()
        token = _request_id.set(request_id)
        start = time.perf_counter()
        try:
            response = self.get_response(request)
            milliseconds = 1000 * (time.perf_counter() - start)
            # Without the query: what people search for is nobody's business.
            path = request.path if _PLAIN.match(request.path) else quote(request.path)
            logger.info(
                "%s %s %d %.1f ms",
                request.method,
                path,
                response.status_code,
                milliseconds,
                extra={
                    "method": request.method,
                    "path": path,
                    "status": response.status_code,
                    "milliseconds": round(milliseconds, 1),
                    **_caller(request),
                },
            )
        finally:
            _request_id.reset(token)
        response.headers["X-Request-Id"] = request_id
        return response


def _caller(request: HttpRequest) -> dict[str, str]:
    """For the log: the organization and the key, or the user, where a request has them."""
    if caller := getattr(request, "auth", None):  # REST framework's
        who = "key" if caller.actor.type == "apiKey" else "user"
        return {"organization": caller.organization.public_id, who: caller.actor.id}
    # Only what was read anyway: the log asks no database.
    user = getattr(request, "_cached_user", None)
    return {"user": str(user.pk)} if user and user.is_authenticated else {}


class RequestIdFilter(logging.Filter):
    """Puts the request's id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


class BodyMiddleware:
    """Reads the rest of a refused body, within bounds; tells the answer's length, and leaves the
    answer out where it may have no body.

    A server that closes a connection with unread bytes resets it, and the client never
    sees why it was refused.
    """

    SECONDS = 10
    CHUNK = 256 * 1024

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method not in ("GET", "HEAD") or request.META.get("CONTENT_LENGTH"):
            self._drain(request)
        if response.status_code == 304:
            # They would have to be those of the whole answer, and Django says 0 and HTML.
            for name in ("Content-Length", "Content-Type"):
                response.headers.pop(name, None)
        elif isinstance(response, HttpResponse):  # one that isn't streamed
            response.headers.setdefault("Content-Length", str(len(response.content)))
            if request.method == "HEAD":
                response.content = b""
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
