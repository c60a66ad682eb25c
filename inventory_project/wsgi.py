"""The WSGI application that gunicorn serves."""

import os
from typing import Any

from django.core.wsgi import get_wsgi_application

from inventory_project import uploads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    with uploads.prepared(environ):
        return django_application(environ, start_response)
