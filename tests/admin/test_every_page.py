"""Every page of the admin: who may open it, and that another organization's objects aren't there.

A page that is not in the table fails the first test; a line there gives it all the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from inventory_levels.models import LevelChange
from organizations.models import ApiKey, Invitation
from tests import factories
from tests.admin.browser import Browser, browser, text_of
from tests.conftest import FULL_EXAMPLE, Acme, Api, issue_key, make_acme

ROLES = ("viewer", "editor", "manager", "root")
ALL, WRITERS, MANAGERS, ROOT, NOBODY = 0, 1, 2, 3, 4
GONE = 999_999


@dataclass(frozen=True)
class Page:
    """A page: from which role on it opens, and which kind of object it is about."""

    name: str
    opens_for: int
    of: str | None = None
    # What it answers to a role that may open it, where that isn't the page itself.
    status: int = 200

    def __str__(self) -> str:
        return self.name


def pages_of(model: str, *, see: int, add: int, change: int, delete: int) -> list[Page]:
    return [
        Page(f"{model}_changelist", see),
        Page(f"{model}_add", add),
        Page(f"{model}_change", change, of=model),
        Page(f"{model}_delete", delete, of=model),
        Page(f"{model}_history", see, of=model),
    ]


LEVEL, CHANGE = "inventory_levels_inventorylevel", "inventory_levels_levelchange"
KEY, USER = "organizations_apikey", "auth_user"
FILED = (LEVEL, "inventory_levels_productmaster", "inventory_levels_location")
PAGES = [
    Page("index", ALL),
    Page("jsi18n", ALL),
    Page("password_change", ALL),
    Page("password_change_done", ALL),
    *pages_of(LEVEL, see=ALL, add=WRITERS, change=ALL, delete=WRITERS),
    Page(f"{LEVEL}_picture", ALL),
    Page(f"{LEVEL}_recommendation", ALL),
    Page(f"{LEVEL}_report", ALL),
    Page(f"{LEVEL}_abc", ALL),
    Page("inventory_levels_planningsettings_changelist", ALL),
    *(Page(f"{model}_import", WRITERS) for model in FILED),
    *(Page(f"{model}_export_{format_}", ALL) for model in FILED for format_ in ("csv", "xlsx")),
    *pages_of("inventory_levels_productmaster", see=ALL, add=WRITERS, change=ALL, delete=WRITERS),
    *pages_of("inventory_levels_location", see=ALL, add=WRITERS, change=ALL, delete=WRITERS),
    Page(f"{CHANGE}_changelist", ALL),
    Page(f"{CHANGE}_add", NOBODY),
    *(
        Page(f"{CHANGE}_{what}", ALL, of=CHANGE, status=302)
        for what in ("change", "delete", "history")
    ),
    *pages_of(
        "organizations_membership", see=MANAGERS, add=NOBODY, change=MANAGERS, delete=MANAGERS
    ),
    *pages_of(
        "organizations_invitation", see=MANAGERS, add=MANAGERS, change=MANAGERS, delete=MANAGERS
    ),
    *pages_of(KEY, see=MANAGERS, add=MANAGERS, change=MANAGERS, delete=NOBODY),
    Page(f"{KEY}_revoke", MANAGERS, of=KEY),
    *pages_of("organizations_organization", see=ROOT, add=ROOT, change=ROOT, delete=NOBODY),
    *pages_of(USER, see=ROOT, add=ROOT, change=ROOT, delete=NOBODY),
    Page(f"{USER}_password_change", ROOT, of=USER),
]
# Answered without an object or a right of one's own, or only to a POST; other tests have them.
ELSEWHERE = {"login", "logout", "workspace", "search", "autocomplete", "view_on_site", "app_list"}
ELSEWHERE |= {"leave"}  # of members, whom superusers need not be: test_who_gets_in.py
ELSEWHERE |= {f"{LEVEL}_bulk", f"{LEVEL}_classify"}
# Of the person who uploaded a file, and nobody else's: test_import.py.
ELSEWHERE |= {f"{model}_import_{page}" for model in FILED for page in ("draft", "refused")}
SCOPED = [page for page in PAGES if page.of and page.of not in ("organizations_organization", USER)]


def names(patterns: Any, inside: bool = False) -> Iterator[str]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from names(pattern.url_patterns, inside or str(pattern.pattern) == "admin/")
        elif inside and pattern.name:
            yield pattern.name


def test_the_table_names_every_page():
    listed = [page.name for page in PAGES]
    assert len(listed) == len(set(listed))
    assert {*listed, *ELSEWHERE} == set(names(get_resolver().url_patterns))


def objects_of(acme: Acme) -> dict[str, int]:
    """One object of each kind."""
    Api(issue_key(acme.organization)).post("/inventory-levels", FULL_EXAMPLE)
    level = factories.LevelFactory._meta.model._base_manager.get(organization=acme.organization)
    member = factories.MembershipFactory(organization=acme.organization)
    invitation = Invitation._base_manager.create(
        organization=acme.organization, email="anna@example.com"
    )
    return {
        LEVEL: level.pk,
        CHANGE: LevelChange._base_manager.get(organization=acme.organization).pk,
        "inventory_levels_productmaster": acme.product.pk,
        "inventory_levels_location": acme.location.pk,
        "organizations_membership": member.pk,
        "organizations_invitation": invitation.pk,
        KEY: ApiKey.objects.get(organization=acme.organization).pk,
        "organizations_organization": acme.organization.pk,
        USER: member.user_id,
    }


@pytest.fixture
def ours(acme) -> dict[str, int]:
    return objects_of(acme)


@pytest.fixture
def theirs(ours) -> dict[str, int]:
    return objects_of(make_acme())


@pytest.fixture
def people(acme) -> dict[str, Browser]:
    members = {role: browser(acme.organization, role) for role in ROLES[:3]}
    return members | {"root": browser(is_superuser=True)}


def address(page: Page, objects: dict[str, int]) -> str:
    return reverse(f"admin:{page.name}", args=[objects[page.of]] if page.of else [])


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_opens_from_its_role_on_and_is_a_403_before(page, people, ours):
    for rank, role in enumerate(ROLES):
        answer = people[role].get(address(page, ours))
        expected = page.status if rank >= page.opens_for else 403
        assert answer.status_code == expected, role
        list(answer)  # a download, too, to its end


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_nobody_opens_a_page_unsigned(page, ours):
    answer = Client().get(address(page, ours))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize("page", SCOPED, ids=str)
@pytest.mark.parametrize("method", ["get", "post"])
def test_anothers_object_is_answered_like_one_that_was_never_there(
    page, method, people, ours, theirs
):
    for role in ROLES:
        answers = []
        for pk in (theirs[page.of], GONE):
            send = getattr(people[role].client, method)
            answer = send(address(page, {page.of: pk}), {"post": "yes"}, follow=True)
            said = text_of(answer).replace(f"“{pk}”", "(id)")
            answers.append((answer.status_code, said, answer.redirect_chain))
        assert answers[0] == answers[1], role
        assert "SKU-123" not in answers[0][1].partition("(id)")[0]


@pytest.mark.parametrize("page", [page for page in PAGES if page.of], ids=str)
def test_too_low_a_role_learns_not_even_what_there_is(page, people, ours):
    for rank, role in enumerate(ROLES):
        if rank < page.opens_for:
            answers = [
                people[role].get(address(page, {page.of: pk})) for pk in (ours[page.of], GONE)
            ]
            assert answers[0].content == answers[1].content
            assert [answer.status_code for answer in answers] == [403, 403]


@pytest.mark.parametrize("field", ["product", "location", "preferred_bin_location"])
def test_autocompletes_offer_nothing_of_another_organization(field, people, acme, theirs):
    asked = {"app_label": "inventory_levels", "model_name": "inventorylevel", "field_name": field}
    place = theirs["inventory_levels_location"]
    for role in ROLES:
        found = people[role].get("/admin/autocomplete/", **asked, location=place).json()["results"]
        offered = {int(one["id"]) for one in found}
        own = {acme.product.pk, acme.location.pk, acme.supplier.pk, acme.bin.pk}
        assert offered <= own


def test_autocompletes_answer_only_for_fields_that_have_one(people):
    for model, field, status in (
        ("organizations.membership", "user", {403}),
        ("organizations.membership", "organization", {403}),
        ("inventory_levels.inventorylevel", "organization", {403}),
        ("inventory_levels.inventorylevel", "comments", {403}),
        ("auth.user", "groups", {403}),
    ):
        app, name = model.split(".")
        asked = {"app_label": app, "model_name": name, "field_name": field}
        assert {
            people[role].get("/admin/autocomplete/", **asked).status_code for role in ROLES[:3]
        } == status
