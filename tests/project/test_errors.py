"""The one error shape, on whatever goes wrong under /api."""

from __future__ import annotations

import logging

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection
from django.http import Http404
from django.test import Client

from inventory_levels.api.views import LevelViewSet
from tests.conftest import Api, is_postgresql, issue_key, signed_in
from tests.organizations.test_sessions import browser
from tests.routes import IDS, ROUTES, Route, api_patterns, make_world, methods_of

PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
SECRET = "password=hunter2"


def assert_error(response, status: int, code: str) -> None:
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body["code"] == code
    assert isinstance(body["error"], str)
    assert body["error"]
    assert body.keys() <= {"error", "code", "details"}
    assert body.get("details", True), "details are left out where there are none"


@pytest.fixture(params=[False, True], ids=["DEBUG off", "DEBUG on"])
def debug(request, settings) -> bool:
    settings.DEBUG = request.param
    return request.param


# 404: unknown paths.

UNKNOWN_PATHS = [
    "/nowhere",
    "/nowhere/",
    "//",
    "//inventory-levels",
    "/inventory-levels//",
    "/inventory-levels/a/b",
    "/inventory-levels/a/b/",
    "/inventory-levels/with%20space",
    "/inventory-levels/" + "x" * 65,
    "/inventory-levels/%00",
    "/inventory-levels/%ff%fe",
    "/inventory-levels/level_1%0A",
    "/inventory-levels/<script>alert(1)</script>",
    "/products/%E2%82%AC",
    "/%0A",
    "/one%0Atwo",
    "/%2e%2e/admin/",
    "/schema.json",
    "/inventory-levels.json",
]


@pytest.mark.parametrize("path", UNKNOWN_PATHS)
def test_an_unknown_path_is_a_404_of_the_one_shape_before_anybody_asks_for_a_key(
    db, debug, path, django_assert_num_queries
):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"):
        with django_assert_num_queries(0):
            response = Api().request(method, path, None if method == "GET" else {})
        assert_error(response, 404, "NOT_FOUND")
        assert "details" not in response.json()
        assert "script" not in response.content.decode()


def test_all_unknown_paths_are_answered_alike(acme):
    api = Api(issue_key(acme.organization))
    bodies = {api.get(path).content for path in UNKNOWN_PATHS}
    bodies |= {Api().get(path).content for path in UNKNOWN_PATHS}
    bodies |= {signed_in(acme.organization).post(path, {}).content for path in UNKNOWN_PATHS}
    assert len(bodies) == 1


def test_an_unknown_path_is_a_404_also_for_clients_that_know_nothing_of_csrf(acme, debug):
    for api in (
        Api(issue_key(acme.organization), client=browser()),
        signed_in(acme.organization, client=browser()),
        Api(client=browser()),
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert_error(api.request(method, "/nowhere", {}), 404, "NOT_FOUND")


def test_a_head_request_of_an_unknown_path_has_no_body(db):
    response = Api().request("HEAD", "/nowhere")
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("path", ["/apis", "/apiary/x", "/API/inventory-levels", "/nowhere"])
def test_paths_that_are_not_below_api_are_answered_for_people(db, path):
    response = Client().get(path)
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_a_known_path_with_an_unknown_id_is_a_404_of_the_same_shape(api):
    response = api.get("/inventory-levels/level_none")
    assert_error(response, 404, "NOT_FOUND")
    assert response.json() == {"error": "Inventory level not found", "code": "NOT_FOUND"}


# 405.

REFUSED_METHODS = ["PUT", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FOO"]
ENTRIES: dict[str, Route] = {route.entry[1]: route for route in ROUTES if "?" not in route.path}
METHODS = {route: methods_of(pattern) for route, pattern in api_patterns()}


@pytest.mark.parametrize("name", ENTRIES, ids=lambda name: ENTRIES[name].path)
def test_a_method_that_a_path_does_not_have_is_a_405_with_those_it_has(acme, debug, name):
    api = Api(issue_key(acme.organization, "*"))
    methods = METHODS[name] | ({"HEAD"} if "GET" in METHODS[name] else set())
    refused = [*REFUSED_METHODS, *({"GET", "POST", "PATCH", "DELETE"} - methods)]
    for method in refused:
        response = api.request(method, ENTRIES[name].path_with(IDS))
        assert_error(response, 405, "METHOD_NOT_ALLOWED")
        assert set(response.headers["Allow"].split(", ")) == methods, method


def test_the_method_is_checked_after_the_key_and_before_the_scope(acme, reader):
    assert_error(Api().request("PUT", "/products"), 401, "MISSING_AUTHORIZATION")
    assert_error(reader.request("PUT", "/products"), 405, "METHOD_NOT_ALLOWED")
    assert_error(reader.delete("/products"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "name",
    [name for name in ENTRIES if "GET" in METHODS[name]],
    ids=lambda name: ENTRIES[name].path,
)
def test_head_is_get_without_the_body(db, name):
    world = make_world(IDS, called="Acme")
    path = ENTRIES[name].path_with(IDS)
    answers = [world.api.request(method, path) for method in ("GET", "HEAD")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].getvalue() == b""
    for header in ("Content-Type", "Content-Length", "ETag"):
        if header == "Content-Length" and "/export." in path:  # known once the file is made
            assert header not in answers[1].headers
        else:
            assert answers[1].headers.get(header) == answers[0].headers.get(header)
    answers[0].close()


# 400 by Django itself.


@pytest.mark.parametrize("path", ["/inventory-levels", "/nowhere", "/schema"])
@pytest.mark.parametrize("host", ["evil.example", "localhost:port", "a b", "_", ""])
def test_a_forged_host_is_a_400_of_the_one_shape(acme, settings, path, host):
    settings.ALLOWED_HOSTS = ["inventory.example"]
    api = Api(issue_key(acme.organization))
    response = api.get(path, Host=host or " ")
    assert_error(response, 400, "VALIDATION_ERROR")
    assert "evil" not in response.content.decode()


# 500.


class Unforeseen(Exception):
    pass


def raising(error: Exception):
    def call(*args, **kwargs):
        raise error

    return call


def errors_logged(caplog) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "error",
    [
        Unforeseen(SECRET),
        ValueError(SECRET),
        KeyError(SECRET),
        AttributeError(SECRET),
        RecursionError(SECRET),
        AssertionError(SECRET),
        UnicodeDecodeError("utf-8", b"x", 0, 1, SECRET),
        DatabaseError(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unforeseen_exception_is_a_500_that_tells_nothing_and_is_logged_once(
    api, debug, monkeypatch, caplog, error
):
    monkeypatch.setattr("inventory_levels.services.save_level", raising(error))
    response = api.post("/inventory-levels", PAIR)

    assert_error(response, 500, "INTERNAL_ERROR")
    assert response.json().keys() == {"error", "code"}
    for detail in ("hunter2", type(error).__name__, "Traceback", ".py", "services"):
        assert detail not in response.content.decode() + str(response.headers)

    (record,) = errors_logged(caplog)
    assert record.request_id == response.headers["X-Request-Id"]
    assert record.exc_info[1] is error


def test_an_exception_on_the_way_to_the_view_is_a_500_of_the_same_shape(api, monkeypatch, caplog):
    error = Unforeseen(SECRET)
    monkeypatch.setattr("organizations.models.ApiKeyManager.with_text", raising(error))
    response = api.get("/inventory-levels")
    assert_error(response, 500, "INTERNAL_ERROR")
    assert "hunter2" not in response.content.decode()
    (record,) = errors_logged(caplog)
    assert record.request_id == response.headers["X-Request-Id"]


def test_an_exception_outside_of_any_view_is_a_500_of_the_same_shape(api, monkeypatch, caplog):
    error = Unforeseen(SECRET)
    monkeypatch.setattr("inventory_project.pages._has_key", raising(error))
    for path in ("/inventory-levels", "/nowhere", ""):
        caplog.clear()
        response = Api(api.key, client=Client(raise_request_exception=False)).get(path)
        assert_error(response, 500, "INTERNAL_ERROR")
        assert "hunter2" not in response.content.decode()
        (record,) = errors_logged(caplog)
        assert record.request_id == response.headers["X-Request-Id"]


def test_after_a_500_the_next_request_is_answered(api, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(LevelViewSet, "list", raising(Unforeseen(SECRET)))
        assert_error(api.get("/inventory-levels"), 500, "INTERNAL_ERROR")
    assert api.get("/inventory-levels").status_code == 200


def test_what_the_client_did_wrong_is_no_error_in_the_log(api, caplog):
    for response in (
        api.post("/inventory-levels", b"{"),
        api.post("/inventory-levels", {}),
        api.get("/inventory-levels/level_none"),
        api.get("/nowhere"),
        api.request("PUT", "/inventory-levels"),
        Api().get("/inventory-levels"),
        Api("wrong").get("/inventory-levels"),
    ):
        assert 400 <= response.status_code < 500
    assert errors_logged(caplog) == []


# What the database refuses.


@pytest.mark.parametrize("error", [OperationalError(SECRET), InterfaceError(SECRET)])
@pytest.mark.parametrize(
    "place",
    [
        "inventory_levels.services.save_level",
        "organizations.models.ApiKeyManager.with_text",
    ],
)
def test_a_database_out_of_reach_is_a_503_that_says_when_to_try_again(
    api, debug, monkeypatch, caplog, error, place
):
    monkeypatch.setattr(place, raising(error))
    response = api.post("/inventory-levels", PAIR)
    assert_error(response, 503, "UNAVAILABLE")
    assert int(response.headers["Retry-After"]) >= 1
    assert "hunter2" not in response.content.decode()
    about = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(about) == 1
    assert about[0].request_id == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("cause", "unsure"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.CrashShutdown("terminating connection"), True),
        (psycopg.errors.LockNotAvailable("lock timeout"), False),
        (psycopg.errors.QueryCanceled("statement timeout"), False),
        (psycopg.errors.CannotConnectNow("starting up"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_connection_that_ends_in_the_middle_leaves_open_whether_it_was_written(
    api, monkeypatch, cause, unsure
):
    error = OperationalError(str(cause))
    error.__cause__ = cause
    monkeypatch.setattr("inventory_levels.services.save_level", raising(error))
    response = api.post("/inventory-levels", PAIR)
    assert_error(response, 503, "UNAVAILABLE")
    assert ("may be done or not" in response.json()["error"]) == unsure
    assert ("nothing was written" in response.json()["error"]) != unsure


def test_a_statement_that_can_never_work_is_a_500_and_not_something_to_try_again(
    api, monkeypatch, caplog
):
    """Too large, or of a table that isn't there: a client would come back for ever."""

    def call(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT " + "(" * 200_000 + "1" + ")" * 200_000
                if is_postgresql()
                else "SELECT * FROM nowhere"
            )

    monkeypatch.setattr("inventory_levels.services.save_level", call)
    response = api.post("/inventory-levels", PAIR)
    assert_error(response, 500, "INTERNAL_ERROR")
    assert "Retry-After" not in response.headers
    (record,) = errors_logged(caplog)
    assert record.exc_info


def test_a_database_out_of_reach_for_the_session_is_a_503_too(acme, monkeypatch):
    member = signed_in(acme.organization)
    store = "django.contrib.sessions.backends.db.SessionStore._get_session_from_db"
    monkeypatch.setattr(store, raising(OperationalError(SECRET)))
    response = member.get("/inventory-levels")
    assert_error(response, 503, "UNAVAILABLE")
    assert "Retry-After" in response.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_says_that_the_database_is_out_of_reach(acme, debug, monkeypatch, caplog, method):
    member = signed_in(acme.organization, "manager")
    store = "django.contrib.sessions.backends.db.SessionStore._get_session_from_db"
    monkeypatch.setattr(store, raising(OperationalError(SECRET)))
    page = member.client.generic(method, "/admin/inventory_levels/inventorylevel/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert ("Nothing was saved" in page.content.decode()) == (method == "POST")
    assert "hunter2" not in page.content.decode()
    assert errors_logged(caplog) == []


def test_a_constraint_that_only_the_database_saw_broken_is_a_409(api, monkeypatch):
    monkeypatch.setattr("inventory_levels.services.save_level", raising(IntegrityError(SECRET)))
    response = api.post("/inventory-levels", PAIR)
    assert_error(response, 409, "CONFLICT")
    assert "hunter2" not in response.content.decode()


def test_djangos_404_in_a_view_has_the_one_shape(api, debug, monkeypatch):
    monkeypatch.setattr(LevelViewSet, "list", raising(Http404(SECRET)))
    response = api.get("/inventory-levels")
    assert_error(response, 404, "NOT_FOUND")
    assert "hunter2" not in response.content.decode()


# Details.


def test_details_map_each_bad_field_to_its_messages_and_the_sentence_counts_them(api):
    response = api.post("/inventory-levels", {"minQuantity": "x", "comments": 1, "nope": 1})
    assert_error(response, 400, "VALIDATION_ERROR")
    body = response.json()
    assert body["details"].keys() == {
        "minQuantity",
        "comments",
        "nope",
        "productMasterId",
        "locationId",
    }
    for messages in body["details"].values():
        assert messages
        assert all(isinstance(message, str) for message in messages)
    assert "\n" not in body["error"]


def test_a_page_that_says_what_is_wrong_needs_no_files_besides(client, db, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    page = client.get("/nowhere")
    assert (page.status_code, "There is nothing here" in page.content.decode()) == (404, True)
