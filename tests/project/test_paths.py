"""Every route answers with and without its trailing slash, and no write is ever redirected."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from tests.conftest import Api
from tests.routes import IDS, PUBLIC, ROUTES, make_world
from tests.test_tenancy_of_routes import GENERATED


@pytest.fixture
def ours(db):
    return make_world(IDS, called="Acme")


def answer(route, api: Api, *, slash: bool) -> tuple[int, str, str | None]:
    """Status, body and place of an answer; what the request did is undone."""
    savepoint = transaction.savepoint()
    response = route.ask(api, IDS, slash=slash)
    transaction.savepoint_rollback(savepoint)
    body = GENERATED.sub("(generated)", response.content.decode())
    if response.headers["Content-Type"].startswith("text/html"):
        body = "a page"  # may name its own address
    return response.status_code, body, response.headers.get("Location")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_with_and_without_a_slash_the_answer_is_the_same(ours, route):
    without, with_slash = (answer(route, ours.api, slash=slash) for slash in (False, True))
    assert without == with_slash
    assert without[0] in (200, 201)


@pytest.mark.parametrize("slash", [False, True])
@pytest.mark.parametrize("route", [r for r in ROUTES if r.needs != PUBLIC], ids=str)
def test_nobody_is_redirected_to_sign_in_either(ours, route, slash):
    status, _, place = answer(route, Api(), slash=slash)
    assert (status, place) == (401, None)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_to_an_unknown_path_is_not_redirected(db, method, slash):
    response = Api().request(method, f"/nowhere{slash}", {})
    assert response.status_code == 404


def test_a_write_over_plain_http_is_refused_and_not_redirected(ours, settings):
    settings.SECURE_SSL_REDIRECT = True
    api = Api(ours.api.key, client=Client(raise_request_exception=False))
    for route in ROUTES:
        if route.method != "GET":
            status, body, place = answer(route, api, slash=False)
            assert (status // 100, place) == (4, None), route
            assert '"error"' in body
