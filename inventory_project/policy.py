"""What browsers may do with our pages."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from inventory_project.headers import Headers

# Styles may stand in a page: the theme and the API's documentation set them from scripts.
POLICY = (
    "default-src 'self'; script-src 'self'{eval}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PAGES = POLICY.format(eval="")
# The theme's Alpine.js makes functions of the expressions in its attributes.
ADMIN = POLICY.format(eval=" 'unsafe-eval'")


class PolicyMiddleware:
    """Scripts only from here, no page of ours within another's, and what Django's own middleware
    tells browsers besides: the same of all answers, none of which is exempt, so it is made once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.djangos = [
            kind(get_response) for kind in (SecurityMiddleware, XFrameOptionsMiddleware)
        ]
        self.says_https = bool(settings.SECURE_HSTS_SECONDS)
        self.known: dict[tuple[bool, bool], Headers] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        kind = request.path.startswith("/admin/"), self.says_https and request.is_secure()
        if kind not in self.known:
            self.known[kind] = self._headers(request, ADMIN if kind[0] else PAGES)
        headers: Any = response.headers
        headers.fill(self.known[kind])
        return response

    def _headers(self, request: HttpRequest, policy: str) -> Headers:
        answer: Any = HttpResponseBase(headers={"Content-Security-Policy": policy})
        answer.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        for middleware in self.djangos:
            middleware.process_response(request, answer)
        del answer.headers["Content-Type"]
        headers: Headers = answer.headers
        return headers
