"""Every route of ``tests.routes``: with another organization's ids, and with too few rights.

A route that is not in that table fails the first test; a line there gives it all the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from organizations.models import Organization
from organizations.tenancy import TenantModel
from tests.conftest import Api, issue_key, signed_in
from tests.routes import (
    IDS,
    PUBLIC,
    READ,
    ROUTES,
    THEIRS,
    WRITE,
    Route,
    World,
    api_patterns,
    make_world,
    methods_of,
)

pytestmark = pytest.mark.django_db

PROTECTED = [route for route in ROUTES if route.needs != PUBLIC]
WRITES = [route for route in ROUTES if route.needs == WRITE]
FOREIGN = [(route, kind) for route in ROUTES for kind in route.kinds]

MAY_DIFFER = re.compile(r"(?i)Date|X-Request-Id|X-RateLimit-.*")
# Made anew by each request: ids, and times with their six decimals.
GENERATED = re.compile(r"(?<=_)[0-9a-hjkmnp-tv-z]{26}\b|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def ours() -> World:
    return make_world(IDS, called="Acme")


@pytest.fixture
def theirs() -> World:
    return make_world(THEIRS, called="Globex")


def rows_of(organization: Organization) -> dict[str, list[dict[str, Any]]]:
    """All that the database holds for an organization."""
    return {
        model.__name__: list(
            model._base_manager.filter(organization=organization).order_by("pk").values()
        )
        for model in apps.get_models()
        if issubclass(model, TenantModel)
    }


@dataclass
class Answer:
    """All that a client can see of an answer, and how much work it was."""

    status: int
    body: str
    headers: dict[str, str]
    cookies: str
    statements: int

    def __init__(self, response: HttpResponse, statements: int) -> None:
        self.status = response.status_code
        self.body = GENERATED.sub("(generated)", response.content.decode())
        self.headers = {
            name: GENERATED.sub("(generated)", value)
            for name, value in response.headers.items()
            if not MAY_DIFFER.fullmatch(name)
        }
        self.cookies = response.cookies.output()
        self.statements = statements


def ask(route: Route, api: Api, ids: dict[str, str], *, unharmed: World) -> Answer:
    """The answer to a request whose effects are undone, and which another world never feels."""
    before = rows_of(unharmed.organization)
    savepoint = transaction.savepoint()
    with CaptureQueriesContext(connection) as queries:
        response = route.ask(api, ids)
    assert rows_of(unharmed.organization) == before
    transaction.savepoint_rollback(savepoint)
    answer = Answer(response, len(queries))
    if answer.status >= 400:
        echoed = [id for id in ids.values() if id in response.content.decode()]
        assert not echoed, f"the error repeats {echoed}: {response.content.decode()}"
    return answer


def test_the_table_names_every_route_and_method_of_the_api_and_no_other():
    routed = {(method, route) for route, p in api_patterns() for method in methods_of(p)}
    assert {route.entry for route in ROUTES} == routed


def test_only_what_describes_the_api_is_public():
    public = {route.path.rstrip("/") for route in ROUTES if route.needs == PUBLIC}
    assert public == {"", "/schema", "/docs"}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_with_its_own_ids_every_route_succeeds(route, ours, theirs):
    answer = ask(route, ours.api, ours.ids, unharmed=theirs)
    assert answer.status in (200, 201), answer.body


@pytest.mark.parametrize(("route", "kind"), FOREIGN, ids=lambda value: str(value))
def test_anothers_id_is_answered_like_one_that_was_never_there(route, kind, ours, theirs):
    ids = {**ours.ids, kind: theirs.ids[kind]}
    while_it_exists = ask(route, ours.api, ids, unharmed=theirs)
    theirs.empty()
    after_it_was_removed = ask(route, ours.api, ids, unharmed=theirs)

    assert while_it_exists == after_it_was_removed
    assert "Globex" not in while_it_exists.body
    if kind in route.kinds_in_path:
        assert while_it_exists.status == 404


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_same_ids_in_another_organization_change_no_answer(route, ours):
    twin = make_world(IDS, called="Globex")
    with_twin = ask(route, ours.api, ours.ids, unharmed=twin)
    twin.empty()
    without_twin = ask(route, ours.api, ours.ids, unharmed=twin)

    assert with_twin == without_twin
    assert with_twin.status in (200, 201)
    assert "Globex" not in with_twin.body


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_without_a_key_every_route_answers_401(route, ours):
    answer = ask(route, Api(), ours.ids, unharmed=ours)
    assert answer.status == 401
    assert '"code":"MISSING_AUTHORIZATION"' in answer.body
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_without_a_key_nobody_learns_which_ids_exist(route, ours):
    answers = [ask(route, Api(), ids, unharmed=ours) for ids in (ours.ids, THEIRS)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.needs == PUBLIC], ids=str)
def test_public_routes_need_no_key(route, ours):
    assert ask(route, Api(), ours.ids, unharmed=ours).status == 200


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_the_key_of_an_inactive_organization_opens_no_route(route, ours):
    Organization.objects.update(is_active=False)
    answer = ask(route, ours.api, ours.ids, unharmed=ours)
    assert answer.status == 403
    assert '"code":"INACTIVE_ORGANIZATION"' in answer.body


@pytest.mark.parametrize("route", WRITES, ids=str)
def test_a_key_that_only_reads_writes_nowhere(route, ours):
    reader = Api(issue_key(ours.organization, "inventory:read"))
    answer = ask(route, reader, ours.ids, unharmed=ours)
    assert answer.status == 403
    assert '"code":"INSUFFICIENT_SCOPE"' in answer.body


@pytest.mark.parametrize("route", WRITES, ids=str)
def test_a_signed_in_viewer_writes_nowhere(route, ours):
    viewer = signed_in(ours.organization, "viewer")
    answer = ask(route, viewer, ours.ids, unharmed=ours)
    assert answer.status == 403
    assert '"code":"INSUFFICIENT_ROLE"' in answer.body


@pytest.mark.parametrize("route", [r for r in ROUTES if r.needs == READ], ids=str)
def test_keys_that_only_read_and_viewers_read_everywhere(route, ours):
    for caller in (
        Api(issue_key(ours.organization, "inventory:read")),
        signed_in(ours.organization, "viewer"),
    ):
        assert ask(route, caller, ours.ids, unharmed=ours).status == 200


@pytest.mark.parametrize("route", WRITES, ids=str)
def test_signed_in_editors_write_everywhere(route, ours, theirs):
    editor = signed_in(ours.organization, "editor")
    assert ask(route, editor, ours.ids, unharmed=theirs).status in (200, 201)
