"""X-Request-Id: the client's own if it is sane, else a new one, on every kind of answer."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from inventory_levels.api.views import LevelViewSet
from tests.conftest import Api, issue_key

GENERATED = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


def boom(*args, **kwargs):
    raise RuntimeError


ANSWERS = {
    "200": (200, lambda api, _: ("GET", "/api/inventory-levels")),
    "201": (201, lambda api, _: ("POST", "/api/products")),
    "304": (304, lambda api, _: ("GET", "/api/inventory-levels/{level}")),
    "400": (400, lambda api, _: ("POST", "/api/inventory-levels")),
    "401": (401, lambda api, _: ("GET", "/api/inventory-levels")),
    "404": (404, lambda api, _: ("GET", "/api/inventory-levels/level_none")),
    "404 of an unknown path": (404, lambda api, _: ("GET", "/api/nowhere")),
    "404 of a page": (404, lambda api, _: ("GET", "/nowhere")),
    "405": (405, lambda api, _: ("PUT", "/api/inventory-levels")),
    "500": (500, lambda api, _: ("GET", "/api/inventory-levels")),
    "healthz": (200, lambda api, _: ("GET", "/healthz")),
    "readyz": (200, lambda api, _: ("GET", "/readyz")),
    "schema": (200, lambda api, _: ("GET", "/api/schema")),
    "admin": (302, lambda api, _: ("GET", "/admin/")),
    "sign-in page": (200, lambda api, _: ("GET", "/admin/login/")),
    "forged host": (400, lambda api, _: ("GET", "/api/inventory-levels")),
}


def answer(kind: str, acme, level, monkeypatch, headers: dict[str, str]):
    """An answer of this kind, to a request with these headers."""
    status, where = ANSWERS[kind]
    method, path = where(None, None)
    sent = {"Authorization": f"Bearer {issue_key(acme.organization)}", **headers}
    body = {"201": b'{"globalSku": "NEW", "productName": "New"}', "400": b"{"}.get(kind, b"")
    if kind == "304":
        path = path.format(level=level["id"])
        sent["If-None-Match"] = "*"
    if kind == "401":
        del sent["Authorization"]
    if kind == "500":
        monkeypatch.setattr(LevelViewSet, "list", boom)
    if kind == "forged host":
        sent["Host"] = "evil.example"
    client = Client(raise_request_exception=False)
    response = client.generic(method, path, body, content_type="application/json", headers=sent)
    assert response.status_code == status, response.content
    return response


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer_repeats_the_id_that_the_client_sent(acme, level, monkeypatch, kind):
    response = answer(kind, acme, level, monkeypatch, {"X-Request-Id": "order-4711/retry=2"})
    assert response.headers["X-Request-Id"] == "order-4711/retry=2"


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer_has_an_id_of_its_own_where_the_client_sent_none(
    acme, level, monkeypatch, kind
):
    ids = (
        [answer(kind, acme, level, monkeypatch, {}).headers["X-Request-Id"] for _ in range(2)]
        if (kind != "201")
        else [answer(kind, acme, level, monkeypatch, {}).headers["X-Request-Id"]]
    )
    assert all(GENERATED.fullmatch(id) for id in ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "given",
    [
        "1",
        "x" * 128,
        "7b1c5b2e-9f3d-4c55-9a8e-1f2d3c4b5a69",
        "Root=1-67891233-abcdef012345678912345678",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "a_b.c:d/e+f=g",
    ],
)
def test_a_sane_id_is_kept(client, given):
    assert client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "x" * 129,
        "x" * 100_000,
        "two words",
        "tab\there",
        "line\nbreak",
        "carriage\r\nSet-Cookie: a=b",
        "trailing\n",
        "nul\x00",
        "\x1b[31mred",
        "<script>alert(1)</script>",
        '"quoted"',
        "%0d%0aX: y",
        "comma,separated",
        "semi;colon",
        "{brace}",
        "na\xefve",
        "\u2028",
    ],
)
def test_a_hostile_id_is_replaced_and_appears_nowhere(acme, caplog, given):
    client = Client(raise_request_exception=False)
    response = client.get("/api/inventory-levels", headers={"X-Request-Id": given})
    assert response.status_code == 401
    assert GENERATED.fullmatch(response.headers["X-Request-Id"])
    if given.strip():
        assert given not in str(response.headers) + response.content.decode()
        assert given not in caplog.text


def test_log_lines_carry_the_id_of_their_request_and_none_outside_of_one(acme, monkeypatch, caplog):
    import logging

    def chatty(self, request):
        logging.getLogger("inventory_levels").info("at work")
        return boom()

    monkeypatch.setattr(LevelViewSet, "list", chatty)
    api = Api(issue_key(acme.organization))
    with caplog.at_level("INFO"):
        for name in ("first", "second"):
            api.get("/inventory-levels", **{"X-Request-Id": name})
        logging.getLogger("inventory_levels").info("between requests")
    ids = [r.request_id for r in caplog.records if r.getMessage() == "at work"]
    assert ids == ["first", "second"]
    assert [r.request_id for r in caplog.records if r.getMessage() == "between requests"] == ["-"]
    assert {r.request_id for r in caplog.records if r.levelname == "ERROR"} == {"first", "second"}


def test_each_request_is_one_line_of_the_log_without_its_query_or_its_key(acme, caplog):
    api = Api(issue_key(acme.organization))
    with caplog.at_level("INFO"):
        api.get("/inventory-levels?search=secret", **{"X-Request-Id": "first"})
        Client().get("/no%0Awhere")
    lines = [r for r in caplog.records if r.name == "inventory_project.requests"]
    told = [re.sub(r"[\d.]+ ms$", "… ms", line.getMessage()) for line in lines]
    assert told == ["GET /api/inventory-levels 200 … ms", "GET /no%0Awhere 404 … ms"]
    assert lines[0].request_id == "first"
    assert "secret" not in caplog.text
    assert api.key not in caplog.text
