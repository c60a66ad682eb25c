"""What browsers may do with our pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

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
    """Scripts only from here, and no page of ours within another's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = ADMIN if request.path.startswith("/admin/") else PAGES
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        return response
