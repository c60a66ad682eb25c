"""Middleware of pages and of whoever is signed in, past which requests with an API key go."""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware import common
from whitenoise import middleware as whitenoise


def _has_key(request: HttpRequest) -> bool:
    scheme = request.META.get("HTTP_AUTHORIZATION", "")[:7]
    return scheme.lower() == "bearer " and request.path_info.startswith("/api/")


class _ForPages:
    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _has_key(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class WhiteNoiseMiddleware(_ForPages, whitenoise.WhiteNoiseMiddleware):
    pass


class SessionMiddleware(_ForPages, sessions.SessionMiddleware):
    pass


class CommonMiddleware(_ForPages, common.CommonMiddleware):
    pass


class AuthenticationMiddleware(_ForPages, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_ForPages, messages.MessageMiddleware):
    pass
