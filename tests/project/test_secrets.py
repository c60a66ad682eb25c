"""What nobody may read who reads a log, an error, or an object's name: keys, passwords, tokens."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, IntegrityError, OperationalError
from django.test import Client

from inventory_levels.api.views import LevelViewSet
from inventory_project.logs import log_lines
from organizations.models import ApiKey
from organizations.permissions import HasScope
from tests import factories
from tests.conftest import issue_key
from tests.live import ROOT

PASSWORD, TOKEN = "a-long-password-of-ada", "a-token-for-prometheus"


@pytest.fixture(params=["line", "json"])
def lines(request) -> Iterator[list[str]]:
    """The log as it would be on standard error, in each of its formats."""
    config = log_lines("DEBUG", request.param)
    formatter = logging.config.DictConfigurator(config).configure_formatter(
        dict(config["formatters"][request.param])
    )
    written: list[str] = []

    class Written(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(formatter.format(record))

    (stderr,) = [h for h in logging.getLogger().handlers if h.name == "stderr"]
    handler = Written()
    handler.filters = stderr.filters
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def boom(*secrets: str) -> Callable[..., Any]:
    """What fails with secrets in its message, in its cause, and in its local variables."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        local = secrets
        try:
            raise KeyError(*local)
        except KeyError as error:
            raise RuntimeError(f"failed with {local}") from error

    return fail


@pytest.fixture
def key(acme) -> str:
    return issue_key(acme.organization)


def send(key: str, **changed: Any) -> Any:
    """A request with the key where it belongs, or wherever ``changed`` has it."""
    asked = {"method": "GET", "path": "/api/inventory-levels", "headers": {}, "body": b""}
    asked |= {"content_type": "application/json"} | changed
    headers = {"Authorization": f"Bearer {key}", **asked.pop("headers")}
    client = Client(raise_request_exception=False)
    return client.generic(
        asked["method"], asked["path"], asked["body"], asked["content_type"], headers=headers
    )


REQUESTS: dict[str, tuple[int, Callable[[str], Any]]] = {
    "served": (200, lambda key: send(key)),
    "another scheme": (401, lambda key: send(key, headers={"Authorization": key})),
    "twice": (401, lambda key: send(key, headers={"Authorization": f"Bearer {key} {key}"})),
    "one character more": (401, lambda key: send(key + "x")),
    "in the query": (400, lambda key: send(key, path=f"/api/inventory-levels?key={key}")),
    "as a parameter's name": (400, lambda key: send(key, path=f"/api/inventory-levels?{key}=1")),
    "in the path": (404, lambda key: send(key, path=f"/api/inventory-levels/{key}")),
    "an unknown path": (404, lambda key: send(key, path=f"/api/{key}")),
    "no page": (404, lambda key: send(key, path=f"/{key}")),
    "a page": (302, lambda key: send(key, path=f"/admin/?key={key}")),
    "another method": (405, lambda key: send(key, method="PUT")),
    "as a request id": (200, lambda key: send(key, headers={"X-Request-Id": key})),
    "as the host": (200, lambda key: send(key, headers={"X-Forwarded-Host": key})),
    "as a cookie": (200, lambda key: send(key, headers={"Cookie": f"sessionid={key}"})),
    "no JSON": (400, lambda key: send(key, method="POST", body=key.encode())),
    "in a field": (
        400,
        lambda key: send(key, method="POST", body=f'{{"locationId": "{key}"}}'.encode()),
    ),
    "another type": (415, lambda key: send(key, method="POST", content_type=f"a/{key}")),
    "a scraper": (401, lambda key: send(key, path=f"/metrics?token={key}")),
}


def assert_untold(key: str, *texts: str) -> None:
    secret = key[13:] if key.startswith("ilk_") else key
    for text in texts:
        assert key not in text
        assert secret[:12] not in text


@pytest.mark.parametrize("name", REQUESTS)
def test_no_request_brings_its_key_into_the_log(name, key, lines, settings):
    settings.METRICS_TOKEN = TOKEN
    status, ask = REQUESTS[name]
    assert ask(key).status_code == status
    assert lines or name == "a scraper"
    assert_untold(key, *lines)


@pytest.mark.parametrize("change", ["revoked_at", "expires_at"])
def test_a_key_that_has_ended_is_not_repeated(key, lines, change):
    ApiKey.objects.update(**{change: "2020-01-01T00:00:00Z"})
    answer = send(key)
    assert answer.status_code == 401
    assert_untold(key, *lines, answer.content.decode(), str(answer.headers))


ERRORS: dict[str, Callable[[str], Exception]] = {
    "RuntimeError": lambda key: RuntimeError(f"no such key: {key}"),
    "KeyError": lambda key: KeyError(key),
    "DatabaseError": lambda key: DatabaseError(f"near {key}"),
    "IntegrityError": lambda key: IntegrityError(f"duplicate\nDETAIL: ({key}) exists"),
    "OperationalError": lambda key: OperationalError(f"no route\nDETAIL: {key}"),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("debug", [False, True])
def test_no_error_brings_a_key_into_the_log_or_the_answer(
    key, lines, monkeypatch, settings, error, debug
):
    settings.DEBUG = debug

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise ERRORS[error](key) from ValueError(key)

    monkeypatch.setattr(LevelViewSet, "list", fail)
    answer = send(key, headers={"Cookie": f"sessionid={'s' * 32}"})
    assert answer.status_code in (409, 500, 503)
    assert len(lines) >= 2
    assert_untold(key, *lines, answer.content.decode(), str(answer.headers))
    assert_untold("s" * 32, *lines)


@pytest.mark.parametrize("place", ["authentication", "permission", "middleware"])
def test_no_failure_on_the_way_to_a_view_tells_the_key(key, lines, monkeypatch, place):
    where = {
        "authentication": "organizations.models.ApiKeyManager.with_text",
        "permission": f"{HasScope.__module__}.HasScope.has_permission",
        "middleware": "inventory_project.pages._has_key",
    }[place]
    monkeypatch.setattr(where, boom(key, f"Bearer {key}"))
    answer = send(key)
    assert answer.status_code == 500
    assert any("Traceback" in line for line in lines)
    assert_untold(key, *lines, answer.content.decode())


@pytest.mark.parametrize("fails", [False, True])
def test_no_password_and_no_session_comes_into_the_log(acme, lines, monkeypatch, fails):
    ada = factories.UserFactory(username="ada")
    ada.set_password(PASSWORD)
    ada.save()
    factories.MembershipFactory(user=ada, organization=acme.organization, role="manager")
    client = Client(raise_request_exception=False)
    if fails:
        monkeypatch.setattr("django.contrib.auth.login", lambda *args, **kwargs: 1 / 0)
        monkeypatch.setattr("django.contrib.auth.views.auth_login", lambda *args: 1 / 0)
    for typed in (f"{PASSWORD}x", PASSWORD):
        answer = client.post("/admin/login/", {"username": "ada", "password": typed})
        assert PASSWORD not in answer.content.decode()
    assert answer.status_code == (500 if fails else 302)
    sessions = [session.session_key for session in Session.objects.all()]
    assert bool(sessions) != fails
    assert lines
    for secret in (PASSWORD, *sessions, ada.password):
        assert_untold(secret, *lines)


def test_nothing_that_holds_a_key_tells_it_by_its_name(acme, key):
    stored = ApiKey.objects.get()
    seen: list[Any] = []

    class Looking(HasScope):
        def has_permission(self, request: Any, view: Any) -> bool:
            seen.extend([request, request._request, request.auth, request.user])
            return super().has_permission(request, view)

    patched = pytest.MonkeyPatch()
    patched.setattr(LevelViewSet, "permission_classes", [Looking])
    assert send(key).status_code == 200
    patched.undo()
    assert len(seen) >= 4
    for one in (stored, *seen):
        for text in (repr(one), str(one)):
            assert_untold(key, text)
            assert stored.digest not in text
    assert str(stored) == f"ERP ({key[:12]}…{key[-4:]})"


def test_a_key_is_only_its_digest_to_the_database(acme, key):
    row = ApiKey.objects.values().get()
    assert_untold(key, str(row))


@pytest.mark.once
@pytest.mark.parametrize(
    "url",
    [
        "postgres://ada:{}@127.0.0.1:1/none",
        "postgres://ada:x/{}@127.0.0.1/none",  # a password that no URL can have
        "postgres://ada:x@127.0.0.1:{}/none",
        "mysql://ada:{}@127.0.0.1/none",
        "{}://ada@127.0.0.1/none",
    ],
)
def test_a_database_that_can_not_be_reached_is_told_without_its_password(url):
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": url.format("hunter2hunter2"),
            "SECRET_KEY": "s" * 60,
            "METRICS_TOKEN": TOKEN,
            "DEBUG": "0",
            "ALLOWED_HOSTS": "localhost",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert re.search("Error|Improperly", told)
    for secret in ("hunter2", "s" * 60, TOKEN):
        assert secret not in told
