"""Every route of the API, with harm in each of its places: no 5xx, one error shape, and all lists
and pages open afterwards.

The routes are those of ``tests.routes``, parameters and fields those of the OpenAPI document: what
is new is tried, too. What an answer to harm says is asserted in test_hostile_input.py.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from string import Template
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from tests.admin.browser import browser
from tests.admin.test_every_page import PAGES
from tests.api.files import workbook
from tests.openapi.document import document, operation_at
from tests.routes import IDS, ROUTES, Route, World, make_world

pytestmark = pytest.mark.django_db

NUL, HALF, BYTES, DIGITS = "a%00", "%ED%A0%80", "%ff", "9" * 5_000
IN_PATHS = (NUL, HALF, BYTES, "a%0a", "%2e%2e", "x" * 65, "'", "%F0%9F%98%80")
IN_QUERIES = (NUL, BYTES, DIGITS, "", "-1", "1e400", "%27%22%3C%25s%3E", "a,,b")
IN_HEADERS = ("\x00", "é" * 100, '"' * 5_000, ", " * 2_000, "W/", "*, *", "-1", DIGITS)
HEADERS = (
    *("If-Match", "If-None-Match", "Accept", "Accept-Encoding", "Range", "If-Range", "Expect"),
    *("If-Modified-Since", "X-Request-Id", "X-Organization-Id", "X-Forwarded-For", "Cookie"),
    *("X-Forwarded-Proto", "X-HTTP-Method-Override", "Origin", "Referer", "Content-Encoding"),
    *("Content-Type", "Authorization"),
)
# As they travel: what Python would not write itself is tried, too.
LITERALS = (
    *("null", "true", '""', '"a\\u0000"', '"\\ud800"', '"\\uffff"', "1e400", "-1e-400", "9" * 400),
    *("[]", "{}", '[[{"a":[]}]]', '["\\ud800"]', f'"{"x" * 70_000}"', '"=1+1"', "NaN"),
)
MARK = "@@"
CELLS = ("\0", "\ud800", "9" * 5_000, "x" * 70_000, "=1+1", "null", "'", "\u202e", "1e400", "-0")
FORM = "multipart/form-data; boundary=x"
PARTS = (
    *("", "--x", "--x--", "--x\r\n\r\n--x--", "--x\r\nContent-Disposition: form-data\r\n\r\na"),
    '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--x--\r\n',
    *(
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        f"{more}\r\nid\r\n--x--\r\n"
        for name, file, more in (
            ("file", "a.csv", "Content-Transfer-Encoding: base64\r\n"),
            ("file", "../../\x01.xlsx", "Content-Type: a/b; charset=bogus\r\n"),
            ("file", "x" * 5_000, ""),
            ("fi\x00le", "a.csv", ""),
            ("x" * 5_000, "a.csv", ""),
            ("file", "a.xlsx", "Content-Length: -1\r\n"),
        )
    ),
)


@dataclass
class Attacker:
    """Somebody with a key who notes what failed. What an attack stores stays; what one deletes
    comes back, for the next one."""

    world: World
    failed: list[str] = field(default_factory=list)

    def send(self, route: Route, path: str = "", body: bytes | None = None, **headers: str) -> None:
        path = path or route.path_with(IDS)
        if body is None and route.body is not None:
            body = Template(route.text).substitute(IDS).encode()
        if isinstance(route.body, str):
            headers = {"Content-Type": "text/csv", **headers}
        with transaction.atomic():
            answer = self.world.api.request(route.method, path, body, **headers)
            content = answer.getvalue() if answer.streaming else answer.content
            transaction.set_rollback(route.method == "DELETE" or answer.status_code >= 500)
        if wrong := problem(answer, content):
            what = f"{route.method} {path[:100]} {(body or b'')[:100]!r} {str(headers)[:100]}"
            self.failed.append(f"{wrong}: {what}")


def problem(answer: Any, content: bytes) -> str:
    """What is wrong with an answer, if anything is."""
    if answer.status_code >= 500:
        return str(answer.status_code)
    if answer.status_code < 400:
        return ""
    if answer.headers["Content-Type"] != "application/json":
        return answer.headers["Content-Type"]
    told = json.loads(content)
    shape = told.keys() - {"created", "updated", "unchanged", "failed", "dryRun", "results"}
    in_shape = {"error", "code"} <= shape <= {"error", "code", "details"} and told["error"]
    code = re.fullmatch("[A-Z_]+", told.get("code", ""))
    short = len(content) < 20_000 or "results" in told
    return "" if in_shape and code and short else f"{answer.status_code} {content[:200]!r}"


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Thousands of refusals are no news."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    attacker = Attacker(make_world(IDS, called="Acme"))
    yield attacker
    assert attacker.failed == []
    assert_all_opens(attacker.world)


def assert_all_opens(world: World) -> None:
    """Lists, files and pages, whatever was stored."""
    for route in ROUTES:
        if route.method == "GET":
            answer = world.api.get(route.path_with(IDS))
            assert (answer.status_code, bool(list(answer))) == (200, True), str(route)
    root = browser(is_superuser=True)
    for page in PAGES:
        if page.of is None and "password" not in page.name and page.name != "jsi18n":
            answer = root.get(reverse(f"admin:{page.name}"))
            assert (answer.status_code in (200, 403), bool(list(answer))) == (True, True)
    for model in (ProductMaster, Location, InventoryLevel, LevelChange):
        for pk in model._base_manager.order_by("-pk").values_list("pk", flat=True)[:20]:
            name = f"admin:inventory_levels_{model._meta.model_name}_change"
            assert root.get(reverse(name, args=[pk])).status_code in (200, 302)


def first_of_each() -> list[Route]:
    """One request for each method and route."""
    return list({route.entry: route for route in reversed(ROUTES)}.values())


def parameters_of(route: Route) -> list[str]:
    """Those of its query, as the document has them, and one that nobody knows."""
    if route.path.rstrip("/") in ("", "/schema", "/docs"):
        return ["nobody-knows"]
    known = operation_at(route.method, f"/api{route.path_with(IDS)}").parameters
    return [*(name for name, one in known.items() if one["in"] == "query"), "nobody-knows"]


def properties(schema: Any) -> dict[str, Any]:
    """An object's own, whatever names or parts the schema is made of."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return properties(document()["components"]["schemas"][name])
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        found |= properties(part)
    return found


def bodies_of(route: Route) -> Iterator[str]:
    """The route's body with a mark in place of each field's value, those of its items too."""
    schema = operation_at(route.method, f"/api{route.path_with(IDS)}").request_schema
    valid = json.loads(Template(route.text).substitute(IDS))
    for name, kind in properties(schema).items():
        yield json.dumps({**valid, name: MARK})
        inner = properties(kind.get("items", {}))
        for inside in inner:
            item = {**(valid.get(name) or [{}])[0], inside: MARK}
            yield json.dumps({**valid, name: [item]})
    yield json.dumps({**valid, "nobodyKnows": MARK})
    yield f'"{MARK}"'


def test_no_id_in_a_path_makes_a_route_fail(attacker):
    for route in first_of_each():
        for kind in route.kinds_in_path:
            for value in IN_PATHS:
                attacker.send(route, route.path_with({**IDS, kind: value}))


def test_no_parameter_makes_a_route_fail(attacker):
    for route in first_of_each():
        path = route.path_with(IDS).partition("?")[0]
        names = parameters_of(route)
        for value in IN_QUERIES:
            for name in names:
                attacker.send(route, f"{path}?{name}={value}")
            attacker.send(route, f"{path}?" + "&".join(f"{name}={value}" for name in names))
            attacker.send(route, f"{path}?{value}=1&{names[0]}={value}&{names[0]}={value}")


def test_no_cursor_makes_a_list_fail(attacker):
    lists = [route for route in first_of_each() if "cursor" in parameters_of(route)]
    assert len(lists) >= 6
    for route in lists:
        path = route.path_with(IDS).partition("?")[0]
        whole = attacker.world.api.get(f"{path}?limit=1").json()["pagination"]["nextCursor"] or "a"
        for cursor in (whole[:-1], whole[1:], whole + "A", whole[::-1], "%3D", whole * 100, "a.b"):
            attacker.send(route, f"{path}?cursor={cursor}")
            attacker.send(route, f"{path}?cursor={cursor}&page=1")


def test_no_header_makes_a_route_fail(attacker):
    for route in first_of_each():
        for value in IN_HEADERS:
            attacker.send(route, **dict.fromkeys(HEADERS[:-3], value))
        for name in HEADERS[-3:]:
            attacker.send(route, **{name: "é\x00"})


def test_no_header_alone_makes_a_level_fail(attacker):
    about_levels = [route for route in first_of_each() if route.path.endswith("$level")]
    assert {route.method for route in about_levels} == {"GET", "PATCH", "DELETE"}
    for route in about_levels:
        for name in HEADERS:
            for value in IN_HEADERS:
                attacker.send(route, **{name: value})


def test_no_field_of_a_body_makes_a_route_fail(attacker):
    routes = [route for route in first_of_each() if isinstance(route.body, dict)]
    assert len(routes) >= 10
    for route in routes:
        for body in bodies_of(route):
            for literal in LITERALS:
                attacker.send(route, body=body.replace(f'"{MARK}"', literal).encode())


def test_no_file_makes_an_import_fail(attacker):
    imports = [route for route in first_of_each() if isinstance(route.body, str)]
    assert len(imports) == 3
    for route in imports:
        path = route.path.partition("?")[0]
        header, *_ = Template(route.text).substitute(IDS).splitlines()
        columns = header.split(",")
        for part in PARTS:
            attacker.send(route, path, part.encode(), **{"Content-Type": FORM})
        for cell in CELLS:
            row = ",".join([cell] * len(columns))
            for content in (f"{header}\n{row}\n", f"{row}\n{row}\n", f"{header},{cell}\n"):
                for type_ in ("text/csv", "text/csv; charset=bogus", FORM):
                    sent = content.encode("utf-8", "surrogatepass")
                    attacker.send(route, f"{path}?onError=skip", sent, **{"Content-Type": type_})
        for content in (workbook(columns), workbook(columns, ["=1+1"] * 4), b"PK\x03\x04", b"\xff"):
            for type_ in ("text/csv", XLSX):
                attacker.send(route, path, content, **{"Content-Type": type_})
                attacker.send(route, path, content[:-20], **{"Content-Type": type_})


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def test_the_attacks_get_through_to_what_the_routes_do(attacker):
    """Else all of it could be refused at the door."""
    for route in first_of_each():
        if route.method != "DELETE" and "export" not in route.path:
            assert route.ask(attacker.world.api, IDS).status_code < 300, str(route)
