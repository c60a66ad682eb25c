"""The WSGI application that gunicorn serves."""

import os
import sys
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    # A chunked body has no Content-Length, and Django would read none of it. The server
    # ends its stream by itself, so any length that is long enough will do.
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ["CONTENT_LENGTH"] = str(sys.maxsize)
    return django_application(environ, start_response)
