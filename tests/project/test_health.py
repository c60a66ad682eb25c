"""The probes: up, and able to work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from inventory_project import health

ROOT = Path(__file__).resolve().parents[2]
PROBES = ["/healthz", "/healthz/", "/readyz", "/readyz/"]


@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
def test_healthz_does_no_io(client, db, path, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/readyz", "/readyz/"])
def test_readyz_says_ready(client, db, path):
    response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("path", PROBES)
def test_probes_ask_for_no_key_and_set_no_cookie(client, db, path):
    response = client.get(path, headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("path", PROBES)
def test_probes_are_read_only(db, path):
    client = Client()
    assert client.head(path).status_code == 200
    for method in ("post", "put", "patch", "delete"):
        response = getattr(client, method)(path)
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PROBES)
def test_probes_answer_over_plain_http_where_users_need_https(db, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code == 200
    assert Client().get("/admin/login/").status_code == 301


@pytest.mark.parametrize(
    "error", [OperationalError, InterfaceError, DatabaseError], ids=lambda e: e.__name__
)
@pytest.mark.parametrize("moment", ["connecting", "asking"])
def test_readyz_is_a_503_while_the_database_is_out_of_reach(db, monkeypatch, error, moment):
    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def execute(self, sql):
            raise error("password=hunter2")

    class Unreachable:
        def cursor(self):
            if moment == "connecting":
                raise error("password=hunter2")
            return Cursor()

    monkeypatch.setattr(health, "connection", Unreachable())
    client = Client(raise_request_exception=False)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json().keys() == {"status"}
    assert "hunter2" not in response.content.decode()
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("app", ["inventory_levels", "organizations", "sessions"])
def test_readyz_is_a_503_while_a_migration_is_missing(client, db, app):
    recorder = MigrationRecorder(connection)
    name = max(name for label, name in recorder.applied_migrations() if label == app)
    recorder.record_unapplied(app, name)
    assert client.get("/readyz").status_code == 503
    recorder.record_applied(app, name)
    assert client.get("/readyz").status_code == 200


def test_readyz_does_not_mind_the_migration_of_a_newer_version(client, db):
    """Which is applied while this one still serves."""
    MigrationRecorder(connection).record_applied("inventory_levels", "9999_newer")
    assert client.get("/readyz").status_code == 200


@pytest.mark.once
@pytest.mark.parametrize(
    "url",
    ["postgres://nobody:hunter2@127.0.0.1:1/none", "sqlite:////proc/no/such/place/db.sqlite3"],
    ids=["PostgreSQL is down", "no such folder"],
)
def test_a_process_without_a_database_starts_and_says_so(url, tmp_path):
    if url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'gone' / 'db.sqlite3'}"
    script = f"""
import django, shutil
django.setup()
shutil.rmtree({str(tmp_path / "gone")!r}, ignore_errors=True)
from django.test import Client
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
for path in ("/healthz", "/readyz", "/api/inventory-levels", "/api/nowhere"):
    headers = {{"Authorization": "Bearer ilk_x"}}
    response = client.get(path, headers=headers)
    print(response.status_code, response.headers.get("Retry-After"), response.content.decode())
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "inventory_project.settings",
            "DATABASE_URL": url,
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 0, run.stderr
    answers = run.stdout.splitlines()
    assert [answer[:3] for answer in answers] == ["200", "503", "503", "404"]
    assert '"code":"UNAVAILABLE"' in answers[2]
    assert answers[2].split()[1].isdigit()
    assert "hunter2" not in run.stdout


@pytest.mark.parametrize("path", PROBES)
def test_probes_answer_for_whatever_host_an_orchestrator_calls(db, settings, path):
    settings.ALLOWED_HOSTS = ["inventory.example"]
    assert Client().get(path, headers={"Host": "10.0.3.7:8000"}).status_code == 200
    assert Client().get("/", headers={"Host": "10.0.3.7:8000"}).status_code == 400
