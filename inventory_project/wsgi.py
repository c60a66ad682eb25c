"""The WSGI application that gunicorn serves."""

import os
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from inventory_project import uploads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

django_application = get_wsgi_application()
# Imports the views, so that a worker's first request needn't.
get_resolver().url_patterns  # noqa: B018


def application(environ: dict[str, Any], start_response: Any) -> Any:
    with uploads.prepared(environ):
        return django_application(environ, start_response)
