"""The only place where exceptions become ``{"error": ..., "code": ..., "details": ...}``."""

import errno
import logging
import sys
from collections.abc import Callable, Iterator
from sqlite3 import SQLITE_ERROR, SQLITE_FULL
from typing import Any, NamedTuple

from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views import csrf, defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from inventory_levels.refusals import Refusal, Unfinished
from inventory_project.rest import ExactJSONRenderer, PayloadTooLarge

logger = logging.getLogger(__name__)

STATUS_OF_REFUSAL = {
    "VALIDATION_ERROR": 400,
    "INVALID_QUANTITIES": 400,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "PRECONDITION_FAILED": 412,
}

CODE_OF_EXCEPTION: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "INVALID_JSON",
    exceptions.NotFound: "NOT_FOUND",
    exceptions.MethodNotAllowed: "METHOD_NOT_ALLOWED",
    exceptions.UnsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE",
    exceptions.Throttled: "RATE_LIMITED",
    PayloadTooLarge: "PAYLOAD_TOO_LARGE",
}

# PostgreSQL's.
DISK_FULL, SHUT_DOWN = "53100", ("57P01", "57P02")
UNKNOWN_PATH = "There is nothing at this path."


def body(sentence: str, code: str, details: Any = None) -> dict[str, Any]:
    """The one error shape; ``details`` is left out where there is none."""
    error: dict[str, Any] = {"error": sentence, "code": code}
    if details:
        error["details"] = details
    return error


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """REST framework's hook: every exception of an API view ends here."""
    if isinstance(exc, Refusal):
        status = STATUS_OF_REFUSAL[exc.code]
        return Response(body(exc.sentence, exc.code, exc.details), status)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound(UNKNOWN_PATH)
    if isinstance(exc, exceptions.APIException):
        return Response(_body_of(exc), exc.status_code, headers=_headers_of(exc))
    if isinstance(exc, SuspiciousOperation):
        return Response(body("The request is malformed.", "VALIDATION_ERROR"), 400)
    if lack := _lack(exc):
        lack.log()
        return Response(lack.body(), 503, headers=lack.headers)
    if isinstance(exc, IntegrityError):
        logger.warning("refused by the database: %s", _reason(exc))
        return Response(body("The change conflicts with another one.", "CONFLICT"), 409)
    if isinstance(exc, DatabaseError):
        logger.exception("the database refused a statement")
    else:
        logger.exception("unexpected error")
    return Response(_internal_error(), 500)


class _Lack(NamedTuple):
    """What a request lacked of what it needs, so that the same one may succeed later."""

    error: BaseException | None
    sentence: str
    seconds: int
    level: int
    written: str = ""  # what there is to say of it, where it isn't nothing

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.seconds)}

    def body(self) -> dict[str, Any]:
        sentence = f"{self.sentence}; {self.written or 'nothing was written'}. Try again."
        return body(sentence, "UNAVAILABLE")

    def log(self) -> None:
        logger.log(self.level, "%s: %s", self.sentence, _reason(self.error))


def _reason(error: BaseException | None) -> str:
    """The first line of what a database says: below come values."""
    return str(error).partition("\n")[0]


def _lack(error: BaseException | None) -> _Lack | None:
    if isinstance(error, Unfinished):
        lack = _lack(error.__cause__)
        return lack and lack._replace(written=str(error))
    if _is_without_space(error):  # until somebody makes some
        return _Lack(error, "No space is left", 30, logging.ERROR)
    if _is_lost(error):
        unsure = "what was asked may be done or not"
        return _Lack(error, "The database was lost", 1, logging.WARNING, unsure)
    if _is_busy(error):
        return _Lack(error, "The database is busy or out of reach", 1, logging.WARNING)
    return None


def _is_without_space(error: BaseException | None) -> bool:
    """Whether a disk is full: the database's, or that of temporary files."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = error.__cause__ if isinstance(error, OperationalError) else None
    sqlite = getattr(cause, "sqlite_errorcode", None)
    return sqlite == SQLITE_FULL or getattr(cause, "sqlstate", None) == DISK_FULL


def _is_lost(error: BaseException | None) -> bool:
    """Whether a connection to PostgreSQL ended in the middle, perhaps of a commit."""
    cause: Any = error.__cause__ if isinstance(error, OperationalError) else None
    if not hasattr(cause, "sqlstate"):
        return False
    # pgconn is there where none came about.
    return cause.sqlstate in SHUT_DOWN or (cause.sqlstate, cause.pgconn) == (None, None)


def _is_busy(error: BaseException | None) -> bool:
    """Whether the database is out of reach, or took longer than LOCK_TIMEOUT or STATEMENT_TIMEOUT.

    Not where it refused the statement itself, for being too large for example: it would again.
    """
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None) or ""
    refused = getattr(cause, "sqlite_errorcode", None) == SQLITE_ERROR
    return not refused and not sqlstate.startswith("54")


def _internal_error() -> dict[str, Any]:
    return body("Something went wrong on our side; the log has it.", "INTERNAL_ERROR")


def _body_of(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        details = exc.detail
        if isinstance(details, list):
            return body(". ".join(str(message) for message in details), "VALIDATION_ERROR")
        return body(_sentence(details), "VALIDATION_ERROR", details)
    if isinstance(exc, exceptions.NotAuthenticated):
        return body("Send the header Authorization: Bearer <API key>.", "MISSING_AUTHORIZATION")
    if isinstance(exc.detail, dict):  # 401 and 403 bring their published code along
        return body(str(exc.detail["error"]), str(exc.detail["code"]))
    code = CODE_OF_EXCEPTION.get(type(exc), "INTERNAL_ERROR")
    return body(str(exc.detail), code)


def _headers_of(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, wait))
    return headers


def _sentence(details: Any) -> str:
    """The first field's message, and how many more there are."""
    messages = list(_flattened(details))
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    return messages[0] + more


def _flattened(details: Any, path: str = "") -> Iterator[str]:
    if isinstance(details, dict):
        for key, value in details.items():
            yield from _flattened(value, f"{path}.{key}" if path else str(key))
    elif isinstance(details, list):
        for value in details:
            yield from _flattened(value, path)
    else:
        yield f"{path}: {details}" if path else str(details)


# For what never reaches an API view: Django's handlers, and what stands before its own.


class HostMiddleware:
    """Refuses a foreign Host in the API's shape, with DEBUG on too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.latest = ""  # of those it has let pass; nearly all that come are the same

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        host = request.META.get("HTTP_HOST", "")
        if host and host == self.latest:
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost as error:
            if _for_api(request):
                sentence = "This server does not answer for the host that the request names."
                return _json(body(sentence, "VALIDATION_ERROR"), 400)
            return defaults.bad_request(request, error)
        self.latest = host
        return self.get_response(request)


class BusyMiddleware:
    """A page says so where a request lacked what it needs; API views do it themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if lack := _lack(error):
            lack.log()
            return _busy(request, lack)
        return None


def _busy(request: HttpRequest, lack: _Lack) -> HttpResponse:
    if _for_api(request):
        return _json(lack.body(), 503, lack.headers)
    context = {"lack": lack, "writes": request.method == "POST"}
    page = render_to_string("busy.html", context)
    return HttpResponse(page, status=503, headers=lack.headers)


def _json(
    content: dict[str, Any], status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    text = ExactJSONRenderer().render(content)
    return HttpResponse(text, "application/json", status, headers=headers)


def _for_api(request: HttpRequest) -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


@csrf_exempt
def unknown_path(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    return _json(body(UNKNOWN_PATH, "NOT_FOUND"), 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if _for_api(request):
        return _json(body(f"CSRF Failed: {reason}", "CSRF_FAILED"), 403)
    return csrf.csrf_failure(request, reason)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _for_api(request):
        return _json(body("The request is malformed.", "VALIDATION_ERROR"), 400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _for_api(request):
        return unknown_path(request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if lack := _lack(sys.exc_info()[1]):  # on the way to the view; Django logs it
        return _busy(request, lack)
    if _for_api(request):
        return _json(_internal_error(), 500)
    return defaults.server_error(request)
