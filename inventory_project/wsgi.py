"""The WSGI application that gunicorn serves."""

import os
from functools import lru_cache
from typing import Any

from django import db
from django.conf import settings
from django.core import cache, signals
from django.core.handlers import base
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
        try:
            self.content_type, self.content_params = _parsed(meta.get("CONTENT_TYPE", ""))
        except ValueError:  # Django and REST framework would fail on it
            meta["CONTENT_TYPE"] = "application/octet-stream"
            self.content_type, self.content_params = meta["CONTENT_TYPE"], {}


def _parsed(content_type: str) -> Any:
    """Usual ones once; anybody may send a long one."""
    return (_parsed_once if len(content_type) < 50 else parse_header_parameters)(content_type)


_parsed_once = lru_cache(16)(parse_header_parameters)


django_application = get_wsgi_application()
django_application.request_class = Request
# Imports the views, so that a worker's first request needn't.
get_resolver().url_patterns  # noqa: B018
# What Django does around each request, where nothing comes of it: without DEBUG it notes no
# queries, whether a connection is still good is asked before the first statement of a request and
# after the last, no cache of ours needs closing, and each request sets the URLs that are tried.
if not settings.DEBUG:
    signals.request_started.disconnect(db.reset_queries)
    signals.request_started.disconnect(db.close_old_connections)
    signals.request_finished.disconnect(cache.close_caches)
    signals.request_finished.disconnect(base.reset_urlconf)


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if not uploads.comes_with(environ):
        return django_application(environ, start_response)
    with uploads.prepared(environ):
        return django_application(environ, start_response)
