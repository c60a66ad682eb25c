"""The middleware that only pages and whoever is signed in need: requests with a key go past it.

All that stands between Begin and End in the settings.
"""

from collections.abc import Callable
from typing import ClassVar

from django.http import HttpRequest, HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class EndMiddleware:
    """Django makes it first, and then each one around it."""

    latest: ClassVar[GetResponse]

    def __init__(self, get_response: GetResponse) -> None:
        EndMiddleware.latest = get_response
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)


class BeginMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response, self.beyond = get_response, EndMiddleware.latest

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _has_key(request):
            return self.beyond(request)
        return self.get_response(request)


def _has_key(request: HttpRequest) -> bool:
    scheme = request.META.get("HTTP_AUTHORIZATION", "")[:7]
    return scheme.lower() == "bearer " and request.path_info.startswith("/api/")
