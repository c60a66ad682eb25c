"""Settings: what the environment may say, and what keeps the process from starting."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # each starts a process that is told another database, or none

ROOT = Path(__file__).resolve().parents[2]
SECRET = secrets.token_urlsafe(48)
PRODUCTION = {"DEBUG": "0", "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "inventory.example"}
# Any sane place: the settings only make its folder.
DATABASE = {"DATABASE_URL": "sqlite://:memory:"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **DATABASE, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def read(*names: str, **environment: str) -> dict[str, object]:
    """The settings of these names in a process with this environment alone."""
    script = (
        "import json; from inventory_project import settings; "
        f"print(json.dumps({{n: getattr(settings, n, None) for n in {names!r}}}, default=str))"
    )
    started = run("-c", script, **environment)
    assert started.returncode == 0, started.stderr
    return json.loads(started.stdout)


def refusal(**environment: str) -> str:
    """The last line of what a process says that refuses to start."""
    started = run("-c", "import inventory_project.settings", **environment)
    assert started.returncode != 0
    assert started.stdout == ""
    return started.stderr.strip().splitlines()[-1]


# Production.


def test_unconfigured_it_starts_for_development():
    started = run("manage.py", "check")
    assert started.returncode == 0, started.stderr


def test_in_production_it_refuses_to_start_and_names_all_that_is_missing():
    started = run("manage.py", "check", DEBUG="0")
    assert started.returncode != 0
    assert "SECRET_KEY" in started.stderr.strip().splitlines()[-1]
    assert "ALLOWED_HOSTS" in started.stderr.strip().splitlines()[-1]


def test_the_server_refuses_to_start_likewise():
    started = run("-c", "import inventory_project.wsgi", DEBUG="0")
    assert started.returncode != 0
    assert "SECRET_KEY, ALLOWED_HOSTS" in started.stderr


def test_in_production_it_starts_once_nothing_is_missing():
    started = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize("empty", [None, "", "  "])
@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_in_production_each_is_named_alone_where_it_alone_is_missing(name, empty):
    environment = {**PRODUCTION, name: empty or ""}
    if empty is None:
        del environment[name]
    last = refusal(**environment)
    (other,) = {"SECRET_KEY", "ALLOWED_HOSTS"} - {name}
    assert name in last
    assert other not in last


def test_hosts_that_are_only_commas_are_no_hosts():
    assert "ALLOWED_HOSTS" in refusal(**{**PRODUCTION, "ALLOWED_HOSTS": " , ,"})


def test_the_development_secret_is_never_used_in_production():
    assert read("SECRET_KEY", **PRODUCTION)["SECRET_KEY"] == SECRET
    assert "development" in str(read("SECRET_KEY")["SECRET_KEY"])


def test_production_is_https_unless_told_otherwise():
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    assert read(*names, **PRODUCTION) == dict.fromkeys(names, True)
    assert read(*names, **PRODUCTION, HTTPS="0") == dict.fromkeys(names, False)
    assert read(*names) == dict.fromkeys(names, False)


# Words and numbers.


@pytest.mark.parametrize(
    ("value", "debug"),
    [
        ("1", True),
        ("true", True),
        ("TRUE", True),
        ("Yes", True),
        ("on", True),
        (" 1 ", True),
        ("", True),  # as if it were not set
        ("0", False),
        ("false", False),
        ("False", False),
        ("no", False),
        ("OFF", False),
    ],
)
def test_booleans_are_understood_in_the_usual_words(value, debug):
    environment = {**PRODUCTION, "DEBUG": value}
    assert read("DEBUG", **environment) == {"DEBUG": debug}


@pytest.mark.parametrize("value", ["2", "ture", "none", "-1", "0.0", "y", "disabled", "[]"])
@pytest.mark.parametrize("name", ["DEBUG", "HTTPS"])
def test_other_words_for_a_boolean_are_refused_by_name(name, value):
    last = refusal(**{**PRODUCTION, name: value})
    assert "ImproperlyConfigured" in last
    assert name in last


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "1e3", "0x10", "1 0", "10s", "½"])
@pytest.mark.parametrize("name", ["LOCK_TIMEOUT", "TRUSTED_PROXIES"])
def test_what_is_no_whole_number_is_refused_by_name(name, value):
    last = refusal(**{name: value})
    assert "ImproperlyConfigured" in last
    assert name in last


def test_a_write_that_waits_no_time_at_all_for_a_lock_is_refused():
    assert "LOCK_TIMEOUT must be a whole number, 1 or more" in refusal(LOCK_TIMEOUT="0")


def test_an_unknown_log_level_is_refused_by_name():
    assert "LOG_LEVEL must be one of DEBUG, INFO" in refusal(LOG_LEVEL="chatty")
    assert read("LOG_LEVEL", LOG_LEVEL=" debug ") == {"LOG_LEVEL": "DEBUG"}


def test_how_long_browsers_remember_https_can_be_set():
    names = ("SECURE_HSTS_SECONDS", "SECURE_HSTS_PRELOAD")
    assert read(*names) == dict(zip(names, (0, False), strict=True))
    assert read(*names, **PRODUCTION) == dict(zip(names, (31_536_000, True), strict=True))
    unset = read(*names, **PRODUCTION, HSTS_SECONDS="0")
    assert unset == dict(zip(names, (0, False), strict=True))


def test_numbers_and_lists_are_read():
    assert read(
        "LOCK_TIMEOUT",
        "TRUSTED_PROXIES",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        LOCK_TIMEOUT="3",
        TRUSTED_PROXIES=" 2 ",
        ALLOWED_HOSTS="a.example, b.example,",
        CSRF_TRUSTED_ORIGINS="https://a.example,https://b.example",
    ) == {
        "LOCK_TIMEOUT": 3,
        "TRUSTED_PROXIES": 2,
        "ALLOWED_HOSTS": ["a.example", "b.example"],
        "CSRF_TRUSTED_ORIGINS": ["https://a.example", "https://b.example"],
    }


def test_the_defaults_are_the_documented_ones():
    assert read("LOCK_TIMEOUT", "TRUSTED_PROXIES", "MAX_BODY", "MAX_BULK_BODY", "DEBUG") == {
        "LOCK_TIMEOUT": 10,
        "TRUSTED_PROXIES": 0,
        "MAX_BODY": 1024 * 1024,
        "MAX_BULK_BODY": 32 * 1024 * 1024,
        "DEBUG": True,
    }


@pytest.mark.parametrize(("proxies", "header"), [("0", None), ("1", "HTTP_X_FORWARDED_PROTO")])
def test_only_behind_a_trusted_proxy_a_header_says_that_it_was_https(proxies, header):
    stored = read("SECURE_PROXY_SSL_HEADER", TRUSTED_PROXIES=proxies)["SECURE_PROXY_SSL_HEADER"]
    assert stored == (None if header is None else [header, "https"])


# Databases.


def database(**environment: str) -> dict:
    databases = read("DATABASES", **environment)["DATABASES"]
    assert isinstance(databases, dict)
    return databases["default"]


@pytest.mark.parametrize("empty", [None, ""])
def test_by_default_the_database_is_sqlite_in_var(monkeypatch, empty):
    if empty is None:
        monkeypatch.delitem(DATABASE, "DATABASE_URL")
        config = database()
    else:
        config = database(DATABASE_URL=empty)
    assert config["ENGINE"] == "django.db.backends.sqlite3"
    assert Path(config["NAME"]) == ROOT / "var" / "inventory.sqlite3"


def test_sqlite_is_set_up_for_real_use(tmp_path):
    path = tmp_path / "new folder" / "db.sqlite3"
    config = database(DATABASE_URL=f"sqlite:///{path}", LOCK_TIMEOUT="7")
    assert config["ENGINE"] == "django.db.backends.sqlite3"
    assert config["NAME"] == str(path)
    assert path.parent.is_dir()
    options = config["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 7
    assert "journal_mode=WAL" in options["init_command"].replace(" ", "")


def test_sqlite_really_works_that_way(tmp_path):
    script = """
import django; django.setup()
from django.db import connection, transaction
with connection.cursor() as cursor:
    for pragma in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous"):
        print(cursor.execute(f"PRAGMA {pragma}").fetchone()[0])
connection.queries_log.clear(); connection.force_debug_cursor = True
with transaction.atomic():
    pass
print(connection.queries[0]["sql"])
"""
    done = run(
        "-c",
        script,
        DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}",
        LOCK_TIMEOUT="7",
        DJANGO_SETTINGS_MODULE="inventory_project.settings",
    )
    assert done.stdout.split("\n")[:5] == ["wal", "7000", "1", "1", "BEGIN IMMEDIATE"], done.stderr


def test_postgresql_is_set_up_for_real_use():
    config = database(DATABASE_URL="postgres://ada:p%40ss@db.example:5433/stock", LOCK_TIMEOUT="7")
    assert config["ENGINE"] == "inventory_project.postgresql"
    assert [config[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ada",
        "p@ss",
        "db.example",
        5433,
        "stock",
    ]
    assert "-c lock_timeout=7000" in config["OPTIONS"]["options"]
    assert config["CONN_MAX_AGE"] == 60
    assert config["CONN_HEALTH_CHECKS"] is True
    assert config["OPTIONS"]["connect_timeout"] == 5


def test_the_urls_own_options_are_kept_beside_ours():
    config = database(DATABASE_URL="postgres://ada@db.example/stock?options=-c%20work_mem%3D8MB")
    assert config["OPTIONS"]["options"].startswith("-c work_mem=8MB -c lock_timeout=10000")


def test_how_long_postgresql_connections_live_can_be_set():
    url = "postgres://ada@db.example/stock"
    assert database(DATABASE_URL=url, CONN_MAX_AGE="0")["CONN_MAX_AGE"] == 0
    assert "CONN_MAX_AGE" in refusal(DATABASE_URL=url, CONN_MAX_AGE="forever")


@pytest.mark.parametrize(
    "url", ["mysql://a@b/c", "oracle://a@b/c", "nonsense", "http://db.example/stock"]
)
def test_other_databases_are_refused_by_name(url):
    assert "DATABASE_URL" in refusal(DATABASE_URL=url)


@pytest.mark.parametrize("setting", ["ATOMIC_REQUESTS", "AUTOCOMMIT"])
@pytest.mark.parametrize("url", ["sqlite://:memory:", "postgres://ada@db.example/stock"])
def test_a_read_opens_no_transaction(setting, url):
    expected = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True}[setting]
    assert database(DATABASE_URL=url).get(setting, expected) is expected
