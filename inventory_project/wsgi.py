"""The WSGI application that gunicorn serves."""

import os
from typing import Any

import django
from django import db
from django.conf import settings
from django.core import cache, signals
from django.core.handlers import base
from django.urls import get_resolver

from inventory_project import uploads
from inventory_project.handler import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

django.setup(set_prefix=False)
handler = Handler()
# Imports the views, so that a worker's first request needn't.
get_resolver().url_patterns  # noqa: B018
# What Django does around each request, where nothing comes of it: without DEBUG it notes no
# queries, whether a connection is still good is asked before the first statement of a request and
# by the handler after the last, no cache of ours needs closing, and all URLs are in one place.
if not settings.DEBUG:
    signals.request_started.disconnect(db.reset_queries)
    signals.request_started.disconnect(db.close_old_connections)
    signals.request_finished.disconnect(db.close_old_connections)
    signals.request_finished.disconnect(cache.close_caches)
    signals.request_finished.disconnect(base.reset_urlconf)


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if not uploads.comes_with(environ):
        return handler(environ, start_response)
    with uploads.prepared(environ):
        return handler(environ, start_response)
