"""A browser without a screen: reads the forms of a page, fills them in, and sends them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from tests.conftest import signed_in

LEVELS = "/admin/inventory_levels/inventorylevel/"
CHANGES = "/admin/inventory_levels/levelchange/"
PRODUCTS = "/admin/inventory_levels/productmaster/"
LOCATIONS = "/admin/inventory_levels/location/"


class _Forms(HTMLParser):
    """The fields of each form, by the form's id, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, Any]] = {}
        self.fields: dict[str, Any] = {}
        self.select: str | None = None
        self.textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.fields = self.forms.setdefault(given.get("id", given.get("class", "")), {})
        elif tag == "input" and name:
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio"):
                if "checked" in given:
                    self._add(name, given.get("value", "on"), several=kind == "checkbox")
            elif kind != "submit":
                self.fields[name] = given.get("value", "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.fields[self.select] = given.get("value", "")
        elif tag == "textarea":
            self.textarea = name
            self.fields[name] = ""

    def _add(self, name: str, value: str, *, several: bool) -> None:
        if several:
            self.fields.setdefault(name, []).append(value)
        else:
            self.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.fields.setdefault(self.select or "", "")
            self.select = None
        elif tag == "textarea":
            self.textarea = None

    def handle_data(self, data: str) -> None:
        if self.textarea is not None:
            self.fields[self.textarea] += data.removeprefix("\n")


def forms_of(response: Any) -> dict[str, dict[str, Any]]:
    parser = _Forms()
    parser.feed(response.content.decode())
    return parser.forms


def text_of(response: Any) -> str:
    """What a person reads on the page, without what isn't shown."""
    page = response.content.decode()
    page = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@dataclass
class Browser:
    """Somebody signed in."""

    client: Client

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def read(self, path: str, **query: Any) -> str:
        response = self.get(path, **query)
        assert response.status_code == 200, (response.status_code, path)
        return text_of(response)

    def form(self, path: str, form: str | None = None) -> dict[str, Any]:
        """The fields of the page's form; of the only one besides the workspace's."""
        forms = forms_of(self.get(path))
        if form is None:
            names = [
                name
                for name in forms
                if name not in ("workspace-form", "workspace", "logout-form", "changelist-search")
            ]
            (form,) = names
        return forms[form]

    def send(self, path: str, fields: dict[str, Any], **changed: Any) -> Any:
        """Send a form and follow where it leads."""
        return self.client.post(path, fields | changed, follow=True)

    def edit(self, path: str, **changed: Any) -> Any:
        """Open a page, fill its form in, send it."""
        return self.send(path, self.form(path), **changed, _save="Save")


def browser(organization: Any = None, role: str = "viewer", **user: Any) -> Browser:
    return Browser(signed_in(organization, role, client=Client(), **user).client)


def errors_in(response: Any) -> str:
    """The page's complaints."""
    page = response.content.decode()
    found = re.findall(r'(?s)<ul class="errorlist[^"]*"[^>]*>(.*?)</ul>', page)
    found += re.findall(r'(?s)<div class="(?:errornote|mt-2 text-red-600)[^"]*">(.*?)</div>', page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", " ".join(found))).split())
