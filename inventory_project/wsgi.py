"""The WSGI application that gunicorn serves."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

from inventory_project import uploads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")


class Request(WSGIRequest):
    """Its query is UTF-8 whatever charset its body has: Django would read it anew in that, before
    anything could answer for what is wrong with it."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        content_type = meta.get("CONTENT_TYPE", "")
        self.content_type, self.content_params = parse_header_parameters(content_type)


django_application = get_wsgi_application()
django_application.request_class = Request
# Imports the views, so that a worker's first request needn't.
get_resolver().url_patterns  # noqa: B018


def application(environ: dict[str, Any], start_response: Any) -> Any:
    with uploads.prepared(environ):
        return django_application(environ, start_response)
