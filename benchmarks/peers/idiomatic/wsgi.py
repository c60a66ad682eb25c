"""The settings, the URLs and the application: ``gunicorn benchmarks.peers.idiomatic.wsgi``."""

from __future__ import annotations

import os

import dj_database_url
import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ.get("SECRET_KEY") or "only-for-this-" + "x" * 50,
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    DATABASES={"default": dj_database_url.config(conn_max_age=60)},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    ROOT_URLCONF=__name__,
    APPEND_SLASH=False,
    USE_TZ=True,
    TIME_ZONE="UTC",
    REST_FRAMEWORK={"COERCE_DECIMAL_TO_STRING": False},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework.routers import SimpleRouter  # noqa: E402

from benchmarks.peers.idiomatic.api import LevelViewSet  # noqa: E402

router = SimpleRouter(trailing_slash=False)
router.register("inventory-levels", LevelViewSet, basename="level")
urlpatterns = [path("api/", include(router.urls))]
application = get_wsgi_application()
