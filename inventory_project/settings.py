"""Every setting, driven by the environment; the README has the table.

With DEBUG on (the default) everything works unconfigured; with DEBUG off the
process refuses to start without its secrets and says which are missing.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from inventory_project.logs import log_lines
from inventory_project.theme import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


def env_bool(name: str, default: bool) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False, "": default}
    value = os.environ.get(name, "").strip().lower()
    if value not in words:
        raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no, on, off")
    return words[value]


def env_int(name: str, default: int, *, least: int = 0) -> int:
    value = os.environ.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdecimal() and int(value) >= least):
        raise ImproperlyConfigured(f"{name} must be a whole number, {least} or more")
    return int(value)


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


DEBUG = env_bool("DEBUG", True)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS")

if DEBUG:
    SECRET_KEY = SECRET_KEY or "development-only-" + "x" * 50
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
else:
    required = {"SECRET_KEY": SECRET_KEY.strip(), "ALLOWED_HOSTS": ALLOWED_HOSTS}
    if missing := [name for name, value in required.items() if not value]:
        raise ImproperlyConfigured(
            f"DEBUG is off, so these environment variables must be set: {', '.join(missing)}"
        )

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "organizations.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "organizations",
    "inventory_levels",
]

MIDDLEWARE = [
    "inventory_project.requests.RequestIdMiddleware",
    "inventory_project.metrics.MetricsMiddleware",
    "inventory_project.policy.PolicyMiddleware",
    "inventory_project.health.ProbeMiddleware",
    "inventory_project.requests.BodyMiddleware",
    "inventory_project.errors.HostMiddleware",
    "organizations.tenancy.TenancyMiddleware",
    "inventory_project.pages.BeginMiddleware",
    "inventory_project.errors.BusyMiddleware",
    # For its redirect to HTTPS: what it and the next one tell browsers, PolicyMiddleware does.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
    "inventory_project.pages.EndMiddleware",
]
# Every API path answers with and without its slash, and a redirect would lose a written body.
APPEND_SLASH = False

ROOT_URLCONF = "inventory_project.urls"
WSGI_APPLICATION = "inventory_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Seconds a write waits for another writer's lock before it answers 503.
LOCK_TIMEOUT = env_int("LOCK_TIMEOUT", 10, least=1)
# Seconds one statement may take on PostgreSQL, 0 for any time. gunicorn.conf.py sets one for
# requests, of which exports and imports are free; commands have none.
STATEMENT_TIMEOUT = env_int("STATEMENT_TIMEOUT", 0)


def database() -> dict[str, Any]:
    """The one database, set up for real use on either engine."""
    url = os.environ.get("DATABASE_URL", "").strip() or f"sqlite:///{VAR_DIR / 'inventory.sqlite3'}"
    scheme = url.partition(":")[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite: or postgres:")
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:  # which may quote a part of the password
        raise ImproperlyConfigured("DATABASE_URL is no URL of a database") from None
    options = config.setdefault("OPTIONS", {})
    if scheme == "sqlite":
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE: a transaction that reads before it writes can't fail at its first write.
        options["transaction_mode"] = "IMMEDIATE"
        options["timeout"] = LOCK_TIMEOUT
        options["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"
        # Tests use threads and a second process: an in-memory database knows neither.
        config["TEST"] = {"NAME": f"{config['NAME']}.test"}
    else:
        config["ENGINE"] = "inventory_project.postgresql"
        ours = {
            "lock_timeout": LOCK_TIMEOUT * 1000,
            "statement_timeout": STATEMENT_TIMEOUT * 1000,
            # Prepared statements are looked up by keys: a plan serves for all of them.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",  # no statement runs for long enough to pay for its compilation
            "random_page_cost": 1.1,  # the default is a guess of turning disks
        }
        # A server that takes connections and says nothing is out of reach, too.
        options.setdefault("connect_timeout", 5)
        given = options.get("options", "")
        options["options"] = " ".join([given, *(f"-c {k}={v}" for k, v in ours.items())]).strip()
        # A new connection costs about 10 ms of the server's CPU.
        config["CONN_MAX_AGE"] = env_int("CONN_MAX_AGE", 60)
        config["CONN_HEALTH_CHECKS"] = True
    return config


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Five wrong passwords from one address shut a name out there, for a quarter of an hour.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "organizations.authentication.client_address"
AXES_LOCKOUT_CALLABLE = "organizations.site.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

LANGUAGE_CODE = "en-us"
USE_I18N = False
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "inventory_project.formats"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "inventory_project" / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# HTTPS says how users reach the product; off only where that is plain HTTP on purpose.
HTTPS = env_bool("HTTPS", not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# The API refuses what comes over plain HTTP: a redirected write would lose its body.
SECURE_REDIRECT_EXEMPT = [r"^api(/|$)"]
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "inventory_project.errors.csrf_failure"
# How many proxies stand in front and append to X-Forwarded-For; 0 ignores that header.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Requests a minute with one key, 0 for any number; counted in Redis where there are many hosts.
RATE_LIMIT_PER_MINUTE = env_int("RATE_LIMIT_PER_MINUTE", 0 if DEBUG else 600)
REDIS_URL = os.environ.get("REDIS_URL", "").strip()
# What Prometheus must send to read /metrics, which is off without.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "").strip()

# Bytes a request body may have: one object, and many at once (bulk, import, evaluate).
MAX_BODY = 1 * 1024 * 1024
MAX_BULK_BODY = 32 * 1024 * 1024

REST_FRAMEWORK = {
    # Closed by default: a view answers nobody until it says which scope it needs.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "organizations.authentication.ApiKeyAuthentication",
        "organizations.authentication.MemberSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["organizations.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["organizations.rate_limits.KeyRate"],
    "DEFAULT_PARSER_CLASSES": ["inventory_project.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["inventory_project.rest.ExactJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "inventory_project.rest.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "inventory_project.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Inventory Levels",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "Min, reorder point, max and all that decides replenishment, per product and location. "
        "Send your key as `Authorization: Bearer ilk_…`; it fixes the organization."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "PREPROCESSING_HOOKS": ["inventory_levels.api.schema.without_trailing_slash"],
    "ENUM_NAME_OVERRIDES": {
        "LevelStatus": "inventory_levels.models.LevelStatus.values",
        "AbcClass": "inventory_levels.models.AbcClass.values",
        "ProductStatus": "inventory_levels.models.ProductStatus.values",
        "LocationType": "inventory_levels.models.LocationType.values",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOGIN_REDIRECT_URL = "admin:index"

LOG_LEVEL = os.environ.get("LOG_LEVEL", "").strip().upper() or "INFO"
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL")

LOG_FORMAT = os.environ.get("LOG_FORMAT", "").strip().lower() or "line"
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured("LOG_FORMAT must be line or json")

LOGGING = log_lines(LOG_LEVEL, LOG_FORMAT)
