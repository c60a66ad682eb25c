"""Plain requests are answered as Django answers any, and headers are what it makes of them."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.signals import request_finished, request_started
from django.db import (
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.http import HttpResponse
from django.http.response import BadHeaderError, ResponseHeaders
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from inventory_project import plain
from inventory_project.handler import PlainWSGIRequest, Request
from inventory_project.headers import Headers
from inventory_project.wsgi import handler
from tests.conftest import Api, issue_key, signed_in
from tests.routes import IDS, ROUTES, make_world
from tests.test_tenancy_of_routes import GENERATED


class Served(Client):
    """Asks by WSGI, as a server does, for plain requests or for any."""

    is_plain = False
    patch: pytest.MonkeyPatch

    def request(self, **sent: Any) -> Any:
        environ = self._base_environ(**sent) | {"wsgi.file_wrapper": FileWrapper}
        environ |= {plain.MARK: True} if self.is_plain else {}
        started: list[Any] = []
        ended: list[Any] = []
        asked: list[Any] = []
        self.patch.setattr(Request, "close", lambda request: asked.append(type(request)))
        answer = handler(environ, lambda *start: started.append(start))
        content = b"".join(answer)
        request_finished.connect(finish := lambda **told: ended.append(told))
        answer.close()
        request_finished.disconnect(finish)
        ((status, headers),) = started
        assert len(ended) == 1
        assert asked == [PlainWSGIRequest if self.is_plain else Request]
        if content.startswith(b"PK"):  # a workbook, which has times in it
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read("xl/worksheets/sheet1.xml")
            headers = [pair for pair in headers if pair[0] != "Content-Length"]
        told = GENERATED.sub("(generated)", f"{status} {headers} {content!r}")
        return SimpleNamespace(status_code=int(status[:3]), streaming=False, told=told)


@pytest.fixture
def served(monkeypatch) -> Served:
    client = Served(headers={"X-Request-Id": "same"})
    client.patch = monkeypatch
    return client


@pytest.fixture
def ours(db, monkeypatch):
    # After an answer it would close the connection, as it has the test's transaction.
    monkeypatch.setattr(connections["default"], "close_if_unusable_or_obsolete", lambda: None)
    return make_world(IDS, called="Acme")


def both(served: Served, ask: Any) -> tuple[Any, Any]:
    """What is answered to any request and to a plain one; what they do is undone."""
    answers = []
    for served.is_plain in (False, True):
        savepoint = transaction.savepoint()
        answers.append(ask())
        transaction.savepoint_rollback(savepoint)
    return answers[0], answers[1]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_answers_a_plain_request_as_any(ours, served, route):
    ours.api.client = served
    any_one, plain_one = both(served, lambda: route.ask(ours.api, IDS))
    assert plain_one.told == any_one.told
    assert plain_one.status_code in (200, 201)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/inventory-levels/level_none", {}, 404),
        ("GET", "/inventory-levels/level_123", {"If-None-Match": "*"}, 304),
        ("GET", "/inventory-levels?colour=red", {}, 400),
        ("GET", "/inventory-levels", {"Authorization": "Bearer ilk_nonsense"}, 401),
        ("GET", "/inventory-levels", {"Authorization": ""}, 401),
        ("GET", "/inventory-levels", {"Host": "elsewhere.example"}, 400),
        ("PATCH", "/inventory-levels", {}, 405),
        ("POST", "/inventory-levels", {"Content-Type": "text/plain"}, 415),
        ("POST", "/inventory-levels", {"Content-Type": "application/json; charset=nonsense"}, 415),
        ("POST", "/inventory-levels", {"Content-Type": "multipart/form-data; boundary=\x80"}, 415),
        ("GET", "/nowhere", {}, 404),
        ("POST", "/nowhere/", {}, 404),
        ("GET", "//inventory-levels", {}, 404),
        ("GET", "/inventory-levels//", {}, 404),
    ],
)
def test_errors_are_the_same(ours, served, method, path, headers, status):
    ours.api.client = served
    any_one, plain_one = both(served, lambda: ours.api.request(method, path, **headers))
    assert plain_one.told == any_one.told
    assert plain_one.status_code == status


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 403)])
def test_a_session_is_one_and_a_write_needs_its_token(ours, served, settings, method, status):
    settings.SESSION_SAVE_EVERY_REQUEST = settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    served.handler.enforce_csrf_checks = True
    browser = signed_in(ours.organization, "editor", client=served)
    path = "/inventory-levels"
    any_one, plain_one = both(served, lambda: browser.request(method, path, {"locationId": "x"}))
    assert plain_one.told == any_one.told
    assert plain_one.status_code == status
    assert "Set-Cookie" in plain_one.told
    assert ("CSRF_FAILED" in plain_one.told) == (status == 403)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ZeroDivisionError, 500, "INTERNAL_ERROR"),
        (OperationalError, 503, "UNAVAILABLE"),
        (SuspiciousOperation, 400, "VALIDATION_ERROR"),
    ],
)
def test_what_fails_around_a_view_is_told_in_the_api_s_shape(
    ours, served, monkeypatch, error, status, code
):
    def fail(*arguments: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr("inventory_levels.api.viewsets.ApiViewSet.dispatch", fail)
    ours.api.client = served
    any_one, plain_one = both(served, lambda: ours.api.get("/inventory-levels"))
    assert plain_one.told == any_one.told
    assert plain_one.status_code == status
    assert f'"code":"{code}"' in plain_one.told
    assert ("Retry-After" in plain_one.told) == (status == 503)


def test_with_debug_each_request_begins_with_no_queries(ours, served):
    connection.force_debug_cursor = True
    try:
        ours.api.client = served
        numbers = []
        for served.is_plain in (False, True, True):
            assert ours.api.get("/locations").status_code == 200
            numbers.append(len(connection.queries))
    finally:
        connection.force_debug_cursor = False
    assert numbers[0] == numbers[1] == numbers[2] > 0


@pytest.fixture
def unasked():
    """Django's signals are as wsgi.py leaves them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unasked")
def test_after_an_answer_the_next_one_looks_whether_the_connection_is_good(acme, served):
    api = Api(issue_key(acme.organization), client=served)
    for served.is_plain in (False, True):
        connection.ensure_connection()
        connection.health_check_done, connection.close_at = True, None
        assert api.get("/locations").status_code == 200
        assert not connection.health_check_done
        assert connection.connection is not None
        connection.close_at = 0
        assert api.get("/nowhere").status_code == 404
        assert connection.connection is None


# --- headers

(Djangos,) = Headers.__bases__

NAMES = st.sampled_from(["ETag", "etag", "X-Größe", "X-\r\nY", ""]) | st.text(max_size=5)
VALUES = (
    st.sampled_from(["plain", "Größe", "中", "a\r\nb", "a\tb", "a\x7fb", "\x85", ""])
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.integers()
    | st.none()
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "default", "get", "in", "pop"]), NAMES, VALUES), max_size=12
)


def taken(kind: type[ResponseHeaders], steps: list[tuple[str, Any, Any]]) -> Any:
    """All that comes of the steps."""
    headers, results = kind({}), []
    does: dict[str, Any] = {
        "set": headers.__setitem__,
        "default": headers.setdefault,
        "get": headers.get,
        "in": lambda name, _: name in headers,
        "pop": headers.pop,
    }
    for step, name, value in steps:
        try:
            results.append(does[step](name, value))
        except (BadHeaderError, UnicodeError) as error:
            results.append((type(error), str(error)))
    return results, list(headers.items()), len(headers), dict(headers)


@given(STEPS)
@example([("set", "ETag", '"1"'), ("default", "etag", '"2"'), ("get", "ETAG", None)])
@example([("set", "X", "a\nb"), ("set", "X\n", "a"), ("set", "X", "a\n中")])
def test_headers_are_what_django_makes_of_them(steps):
    assert taken(Headers, steps) == taken(Djangos, steps)


def test_what_an_answer_says_itself_stays_and_the_next_one_does_not_say_it():
    others = Headers({"Content-Security-Policy": "usual", "X-Frame-Options": "DENY"})
    first, second = Headers({"content-security-policy": "its own", "Retry-After": "1"}), Headers({})
    for headers in (first, second):
        headers.fill(others)
    assert first["Content-Security-Policy"] == "its own"
    assert (first["X-Frame-Options"], first["Retry-After"]) == ("DENY", "1")
    assert sorted(second.items()) == sorted(others.items()) and "Retry-After" not in others


def test_answers_have_them():
    assert type(HttpResponse().headers) is Headers
