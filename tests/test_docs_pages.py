"""The start page, the index of the API, and its documentation."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from tests.api.answers import assert_error

PAGES = ["/", "/api/docs"]


class Page(HTMLParser):
    """What a page shows as text, and every address that it makes a browser load or offers."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.titles: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = ("href", "src", "action", "data", "poster", "srcset")
        self.addresses += [value for name, value in attributes if name in names and value]
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "title" in self.inside:
            self.titles.append(data)

    @property
    def text(self) -> str:
        return unescape("".join(self.texts))


def page_at(path: str, **headers: str) -> tuple[Any, Page]:
    response = Client().get(path, headers=headers)
    assert response.status_code == 200, response.content[:300]
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return response, Page(response.content.decode())


def assert_answers(address: str, base: str) -> None:
    """Somebody who follows the address from the page finds something, on this server."""
    url = urlsplit(urljoin(f"http://testserver{base}", address))
    assert url.netloc == "testserver", address
    if url.path.startswith(settings.STATIC_URL):
        name = url.path.removeprefix(settings.STATIC_URL)
        assert finders.find(name), f"there is no static file {name}"
        return
    response = Client().get(f"{url.path}?{url.query}", follow=True)
    assert response.status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_loads_or_links_to_is_there(db, path):
    _, page = page_at(path)
    links = [address for address in page.addresses if not address.startswith(("#", "data:"))]
    assert len(links) >= 2
    for address in links:
        assert_answers(address, path)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_no_other_server(db, path):
    response, page = page_at(path)
    scripts = [urljoin(path, address) for address in page.addresses if "script=" in address]
    assert len(scripts) == (1 if path == "/api/docs" else 0)
    texts = [response.content.decode()]
    texts += [Client().get(script).content.decode() for script in scripts]
    for text in texts:
        hosts = re.findall(r"""(?:https?:)?//([\w.:-]+\.\w+)""", text)
        assert {host for host in hosts if host != "www.w3.org"} == set()
        assert not re.search(r"\bcdn\b", text, re.IGNORECASE)  # a CSRF token may hold these letters


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_same_for_whoever_asks(db, path):
    """No key, no login, and whatever the client accepts."""
    for accept in ("text/html", "*/*", "application/json", "image/png"):
        response, page = page_at(path, Accept=accept)
        assert "".join(page.titles).strip()
    assert Client().post(path).status_code == 405
    assert response.headers["X-Request-Id"]


def test_the_start_page_shows_where_everything_is(db):
    _, page = page_at("/")
    links = {urlsplit(urljoin("http://testserver/", address)).path for address in page.addresses}
    assert {"/api/docs", "/admin/"} <= {
        link if link == "/admin/" else link.rstrip("/") for link in links
    }
    assert {"/api/schema"} <= {link.rstrip("/") for link in links}
    assert "curl" in page.text


def test_the_first_request_of_the_start_page_works_as_it_stands(api):
    _, page = page_at("/")
    command = page.text[page.text.index("curl ") :]
    url = re.search(r"curl -X POST (\S+)", command)
    body = re.search(r"-d '([^']+)'", command)
    assert url
    assert body
    assert urlsplit(url[1])[:3] == ("http", "testserver", "/api/inventory-levels")
    assert '-H "Authorization: Bearer $KEY"' in command
    assert '-H "Content-Type: application/json"' in command
    response = api.post("/inventory-levels", body[1].encode())
    assert response.status_code == 201
    assert json.loads(body[1]).items() <= response.json().items()
    again = api.post("/inventory-levels", body[1].encode())
    assert (again.status_code, again.json()) == (200, response.json())


def test_the_start_page_names_the_host_it_is_asked_at(db, settings):
    settings.ALLOWED_HOSTS = ["stock.example"]
    response = Client(SERVER_NAME="stock.example").get("/", secure=True)
    text = Page(response.content.decode()).text
    assert "https://stock.example/api/inventory-levels" in text


def test_a_hostile_host_is_not_repeated(db, settings):
    settings.ALLOWED_HOSTS = ["stock.example"]
    response = Client(SERVER_NAME='x"><script>').get("/")
    assert response.status_code == 400
    assert b"<script>" not in response.content


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_index_tells_what_there_is(db, path):
    response = Client().get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    index = response.json()
    paths = {value for value in index.values() if value.startswith("/")}
    assert paths >= {
        *("/api/inventory-levels", "/api/inventory-levels/history", "/api/products"),
        *("/api/locations", "/api/schema", "/api/docs"),
    }
    for address in paths:
        # What needs a key says so; nothing that the index names is missing.
        answer = Client().get(address)
        if answer.status_code != 200:
            assert_error(answer, 401, "MISSING_AUTHORIZATION")


def test_the_index_links_lead_there_with_a_key(api, level):
    index = Client().get("/api").json()
    for address in index.values():
        if address.startswith("/"):
            assert api.get(address.removeprefix("/api")).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/schema", "/api/docs"])
def test_the_index_and_the_documentation_are_only_read(db, method, path):
    assert_error(Client().generic(method, path), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/", "/api/schema", "/api/schema/"])
def test_the_documentation_answers_with_and_without_a_trailing_slash(db, path):
    assert Client().get(path).status_code == 200


def test_the_docs_page_tries_out_the_schema_of_this_server(db):
    _, page = page_at("/api/docs")
    script = next(address for address in page.addresses if "script" in urlsplit(address).query)
    text = Client().get(urljoin("/api/docs", script)).content.decode()
    assert "SwaggerUIBundle" in text
    assert "/api/schema" in text


def test_the_schema_is_an_openapi_3_document_of_every_path(db):
    response = Client().get("/api/schema")
    assert response.status_code == 200
    document = yaml.safe_load(response.content)
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"]
    assert set(document["paths"]) >= {
        "/api/inventory-levels",
        "/api/inventory-levels/{id}",
        "/api/inventory-levels/{id}/history",
        "/api/inventory-levels/bulk",
        "/api/inventory-levels/history",
        "/api/locations",
        "/api/locations/{id}",
        "/api/locations/bulk",
        "/api/products",
        "/api/products/{id}",
        "/api/products/{id}/inventory-levels",
        "/api/products/bulk",
    }
    schemes = document["components"]["securitySchemes"].values()
    assert any((s["type"], s.get("scheme")) == ("http", "bearer") for s in schemes)
