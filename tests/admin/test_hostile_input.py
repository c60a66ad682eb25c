"""No request makes a page fail, whatever it sends in whichever parameter or field.

The pages are those of test_every_page.py, the fields those that the pages themselves have: what is
new is tried, too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from inventory_levels.models import InventoryLevel
from tests.admin.browser import CHANGES, LEVELS, LOCATIONS, PRODUCTS, Browser, browser, forms_of
from tests.admin.test_every_page import LEVEL, PAGES, address, objects_of
from tests.admin.uploads import address_of, levels_file, upload
from tests.conftest import Acme

# As they travel: Python itself would not encode half of a surrogate pair.
NUL, DIGITS, MANY_DIGITS = "a%00", "9" * 30, "9" * 5_000
LONG = "x" * 51_000
# In one field alone, and in all at once: a page may stop at the first fault that it finds.
ALONE = (NUL, MANY_DIGITS)
TOGETHER = (NUL, DIGITS, MANY_DIGITS, LONG, "", "-1", "%ED%A0%80", quote("'\"<%s>%"), quote("²"))
LISTS = (LEVELS, CHANGES, PRODUCTS, LOCATIONS)
OF_LISTS = ("q", "p", "o", "e", "all", "_popup", "_to_field", "location", "level")
NO_FORM = ("changelist-search", "workspace-form", "logout-form")
OF_PICTURES = (
    *("min_quantity", "max_quantity", "forecast_quantity", "forecast_period_days"),
    *("expected_lead_time_days", "replenishment_period_days", "abc_class"),
)
AUTOCOMPLETED = (
    *(("inventory_levels", "inventorylevel", name) for name in ("product", "location")),
    *(("inventory_levels", "inventorylevel", f"{name}_location") for name in ("preferred_bin",)),
    ("inventory_levels", "inventorylevel", "replenishment_location"),
    ("organizations", "membership", "user"),
    ("organizations", "membership", "organization"),
)
Fields = dict[str, Any]


@dataclass
class Attacker:
    """Somebody whom every page lets in, and who notes what failed."""

    browser: Browser
    failed: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: str = "") -> None:
        """Whatever it does is undone; what it breaks in the database, too."""
        form = "application/x-www-form-urlencoded"
        session = self.browser.client.cookies.get("sessionid")
        with transaction.atomic():
            answer = self.browser.client.generic(method, path, body, content_type=form)
            if answer.status_code < 500 and answer.streaming:
                list(answer)
            transaction.set_rollback(True)
        if session:
            self.browser.client.cookies["sessionid"] = session.value
        if answer.status_code >= 500:
            self.failed.append(f"{method} {path[:120]} {body[:120]}")

    def try_form(self, path: str, fields: Fields) -> None:
        for body in variations(fields):
            self.send("POST", path, body)

    def try_parameters(self, path: str, fields: Fields, *more: str) -> None:
        """``more`` are tried each alone: a page that knows them not refuses them."""
        alone = [f"{name}={value}" for name in more for value in (NUL, DIGITS)]
        for query in variations(fields) + alone:
            self.send("GET", f"{path}?{query}")

    def has_left_it_whole(self) -> None:
        assert self.failed == []
        assert [self.browser.get(path).status_code for path in LISTS] == [200] * len(LISTS)


def variations(fields: Fields) -> list[str]:
    """The fields as they would be sent, with hostile values in place of some or all."""
    names = [name for name in fields if not name.endswith(("csrfmiddlewaretoken", "_FORMS"))]
    each = [sent(fields, {name: value}) for name in names for value in ALONE]
    keys = [name for name in names if str(fields[name]).isdecimal()]
    each += [sent(fields, {name: DIGITS}) for name in keys]
    return each + [sent(fields, dict.fromkeys(names, value)) for value in TOGETHER]


def sent(fields: Fields, hostile: dict[str, str]) -> str:
    kept = {name: value for name, value in fields.items() if name not in hostile}
    attack = [f"{quote(name)}={value}" for name, value in hostile.items()]
    return "&".join(filter(None, [urlencode(kept, doseq=True), *attack]))


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Thousands of refusals are no news."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def objects(acme: Acme) -> dict[str, int]:
    return objects_of(acme)


@pytest.fixture
def attacker(acme: Acme) -> Attacker:
    root = browser(is_superuser=True)
    root.client.raise_request_exception = False
    return Attacker(root)


def forms_on(attacker: Attacker, path: str) -> dict[str, Fields]:
    answer = attacker.browser.get(path)
    if answer.streaming:
        list(answer)
    if answer.streaming or not answer["Content-Type"].startswith("text/html"):
        return {}
    return forms_of(answer)


def test_no_parameter_makes_a_page_fail(attacker, objects):
    for page in PAGES:
        path = address(page, objects)
        found = forms_on(attacker, path).get("changelist-search")
        if "export" in page.name:  # by the list's own parameters
            attacker.try_parameters(path, {"q": "", "location": "1"})
        elif found is not None:
            attacker.try_parameters(path, found, *OF_LISTS)
        elif page.name.endswith(("picture", "recommendation")):
            attacker.try_parameters(path, dict.fromkeys(OF_PICTURES, "1"))
        elif page.name.endswith(("history", "delete", "change", "add")):
            more = ("product", "location") if page.name.endswith("add") else ("p",)
            attacker.try_parameters(path, {}, "_to_field", *more)
    attacker.has_left_it_whole()


def test_no_parameter_makes_an_autocomplete_fail(attacker, objects):
    for app, model, name in AUTOCOMPLETED:
        fields = {"app_label": app, "model_name": model, "field_name": name}
        path = reverse("admin:autocomplete")
        attacker.try_parameters(path, {**fields, "term": "a", "location": "1", "page": "1"})
    attacker.has_left_it_whole()


def test_no_field_of_any_form_makes_a_page_fail(attacker, objects):
    for page in PAGES:
        path = address(page, objects)
        for name, fields in forms_on(attacker, path).items():
            # Hashing a password takes its time, by design.
            if name not in NO_FORM and "password" not in page.name:
                attacker.try_form(path, {**fields, "_save": "Save"})
    attacker.try_form(reverse("admin:workspace"), {"organization": "org_1"})
    attacker.has_left_it_whole()


def test_no_field_makes_the_page_of_a_conflict_fail(attacker, objects, api):
    """What was typed is compared with what was shown and with what is now."""
    paths = [reverse(f"admin:{LEVEL}_change", args=[objects[LEVEL]]), LEVELS]
    forms = ("inventorylevel_form", "changelist-form")
    pages = [forms_on(attacker, path)[form] for path, form in zip(paths, forms, strict=True)]
    level = InventoryLevel._base_manager.get(pk=objects[LEVEL])
    api.patch(f"/inventory-levels/{level.public_id}", {"minQuantity": 7, "maxQuantity": 700})
    for path, fields in zip(paths, pages, strict=True):
        known = [name for name in fields if name.startswith("initial-") or name.endswith("shown")]
        typed = {name.removeprefix("initial-"): "8" for name in known}
        gone = {name: "999999" for name in fields if name.endswith("-id")}
        for name in known:
            for value in (NUL, MANY_DIGITS):
                for more in (typed, {**typed, **gone}):
                    hostile = f"{value}@1" if name.endswith("shown") else value
                    attack = {**more, name: hostile, "_save": "Save"}
                    attacker.send("POST", path, sent(fields, attack))
    attacker.has_left_it_whole()


def test_no_number_of_rows_makes_the_list_fail(attacker, objects):
    page = {**forms_on(attacker, LEVELS)["changelist-form"], "_save": "Save"}
    for name in ("form-TOTAL_FORMS", "form-INITIAL_FORMS"):
        for value in ("", "-1", *ALONE):
            attacker.send("POST", LEVELS, sent(page, {name: value}))
    attacker.has_left_it_whole()


@pytest.mark.parametrize("slug", ["status", "class", "scale", "recommend", "copy", "delete"])
def test_no_field_makes_a_change_of_many_fail(attacker, objects, acme, slug):
    level = InventoryLevel._base_manager.get(pk=objects[LEVEL])
    asked = {"status": "Stock", "abc_class": "B", "factor": "2", "quantities": "min_quantity"}
    asked |= {"target": str(acme.supplier.pk), "overwrite": "on", "policy": "x"}
    shown = f"{level.public_id}@1"
    path = reverse(f"admin:{LEVEL}_bulk", args=[slug])
    attacker.try_form(path, {**asked, "shown": shown, "back": "", "came_from": "", "previewed": ""})
    many = [f"{shown}@5", f"{shown},{shown}", f"{shown}@0,{shown}@1", f"{shown}@1@1", "@", "x@"]
    many += [f"{start}@{end}" for start in ("a\0", level.public_id) for end in (1, "9" * 5_000)]
    many += [f"{shown}@{end}" for end in ("-1", "9" * 30, "9" * 5_000, "\0")]
    for one in many:
        fields = {**asked, "shown": one, "previewed": "", "apply": "1"}
        attacker.send("POST", path, urlencode(fields))
    attacker.has_left_it_whole()


def test_no_field_makes_an_import_or_a_sign_in_fail(attacker, objects):
    page = upload(attacker.browser, levels_file(["SKU-123", "Main warehouse", 1, 2, 3]))
    fields = forms_of(page)["import-form"]
    attacker.try_form(address_of(page), {**fields, "apply": "skip"})
    attacker.try_form(address_of(page), {**fields, "again": "1"})
    attacker.has_left_it_whole()
    stranger = Attacker(Browser(Client(raise_request_exception=False)))
    stranger.try_form(reverse("admin:login"), {"username": "u", "password": "p", "next": "/"})
    assert stranger.failed == []
