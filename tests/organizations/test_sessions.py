"""Signed-in members at the API: roles, CSRF, and which organization they act for."""

from __future__ import annotations

import pytest
from django.test import Client

from inventory_levels.models import LevelChange, ProductMaster
from tests import factories
from tests.conftest import Api, issue_key, signed_in
from tests.organizations.test_authentication import assert_refused

NEW = {"globalSku": "NEW", "productName": "New"}
TOKEN = "t" * 32


@pytest.fixture
def globex(db):
    """Another organization, with a product of its own."""
    organization = factories.OrganizationFactory(name="Globex")
    factories.ProductFactory(
        organization=organization, public_id="prod_globex", product_name="Globex's"
    )
    return organization


def browser() -> Client:
    """A browser, whose requests are checked for CSRF."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def products_seen_by(api: Api, **headers: str) -> list[str]:
    response = api.get("/products", **headers)
    assert response.status_code == 200, response.content
    return [product["id"] for product in response.json()["items"]]


# Roles.


@pytest.mark.parametrize(
    ("role", "may_write"), [("viewer", False), ("editor", True), ("manager", True)]
)
def test_what_each_role_may_do(acme, role, may_write):
    member = signed_in(acme.organization, role)
    assert products_seen_by(member) == ["prod_123"]
    response = member.post("/products", NEW)
    if may_write:
        assert response.status_code == 201
    else:
        assert_refused(response, 403, "INSUFFICIENT_ROLE")
    assert ProductMaster._base_manager.filter(global_sku="NEW").exists() is may_write


def test_a_role_that_is_taken_away_counts_from_the_next_request_on(acme):
    member = signed_in(acme.organization, "editor")
    membership = acme.organization.memberships.get()
    membership.role = "viewer"
    membership.save()
    assert_refused(member.post("/products", NEW), 403, "INSUFFICIENT_ROLE")
    membership.delete()
    assert_refused(member.get("/products"), 403, "INSUFFICIENT_ROLE")


@pytest.mark.parametrize("staff", [False, True])
def test_someone_without_any_membership_may_nothing(acme, staff):
    stranger = signed_in(is_staff=staff)
    for response in (stranger.get("/products"), stranger.post("/products", NEW)):
        assert_refused(response, 403, "INSUFFICIENT_ROLE")


def test_nobody_signed_in_is_told_to_send_a_key(acme):
    member = signed_in(acme.organization)
    member.client.logout()
    assert_refused(member.get("/products"), 401, "MISSING_AUTHORIZATION")


def test_a_disabled_user_is_nobody(acme):
    member = signed_in(acme.organization, "manager")
    user = acme.organization.memberships.get().user
    user.is_active = False
    user.save()
    assert_refused(member.get("/products"), 401, "MISSING_AUTHORIZATION")


def test_the_history_names_the_user(acme, example):
    member = signed_in(acme.organization, "editor", username="ada")
    assert member.post("/inventory-levels", example).status_code == 201
    change = LevelChange._base_manager.get()
    user = acme.organization.memberships.get().user
    assert (change.actor_type, change.actor_id, change.actor_name) == ("user", str(user.pk), "ada")
    assert change.source == "api"


# CSRF.


def test_reading_needs_no_csrf_token(acme):
    member = signed_in(acme.organization, "editor", client=browser())
    assert products_seen_by(member) == ["prod_123"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/products"),
        ("PATCH", "/products/prod_123"),
        ("DELETE", "/products/prod_123"),
        ("POST", "/inventory-levels"),
        ("PATCH", "/inventory-levels/level_1"),
        ("DELETE", "/inventory-levels/level_1"),
    ],
)
@pytest.mark.parametrize(
    ("cookie", "header"),
    [(None, None), (TOKEN, None), (None, TOKEN), (TOKEN, "x" * 32), (TOKEN, "short"), (TOKEN, "")],
)
def test_a_write_without_the_right_csrf_token_is_refused(acme, method, path, cookie, header):
    member = signed_in(acme.organization, "manager", client=browser())
    if cookie is not None:
        member.client.cookies["csrftoken"] = cookie
    headers = {} if header is None else {"X-CSRFToken": header}
    assert_refused(member.request(method, path, NEW, **headers), 403, "CSRF_FAILED")
    assert list(ProductMaster._base_manager.values_list("global_sku", flat=True)) == ["SKU-123"]


def test_a_write_with_the_csrf_token_is_done(acme):
    member = signed_in(acme.organization, "editor", client=browser())
    member.client.cookies["csrftoken"] = TOKEN
    assert member.post("/products", NEW, **{"X-CSRFToken": TOKEN}).status_code == 201


def test_the_token_that_the_sign_in_page_hands_out_is_understood(acme):
    user = factories.UserFactory(is_staff=True)
    user.set_password("correct horse")
    user.save()
    factories.MembershipFactory(user=user, organization=acme.organization, role="editor")
    member = Api(client=browser())
    member.client.get("/admin/login/")
    sent = {
        "username": user.username,
        "password": "correct horse",
        "csrfmiddlewaretoken": member.client.cookies["csrftoken"].value,
    }
    assert member.client.post("/admin/login/?next=/healthz", sent).status_code == 302
    token = member.client.cookies["csrftoken"].value
    assert member.post("/products", NEW, **{"X-CSRFToken": token}).status_code == 201


def test_a_key_needs_no_csrf_token(acme):
    api = Api(issue_key(acme.organization), client=browser())
    assert api.post("/products", NEW).status_code == 201


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"{}", "text/plain"),
        (b'{"id": "' + b"x" * 2_000_000 + b'"}', "application/json"),
    ],
    ids=["no JSON", "empty", "another media type", "too large"],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_the_role_is_checked_before_the_body(acme, method, body, content_type):
    viewer = signed_in(acme.organization, "viewer", client=browser())
    viewer.client.cookies["csrftoken"] = TOKEN
    path = "/products" if method == "POST" else "/products/prod_123"
    headers = {"Content-Type": content_type, "X-CSRFToken": TOKEN}
    assert_refused(viewer.request(method, path, body, **headers), 403, "INSUFFICIENT_ROLE")


# Which organization.


def member_of(*organizations, role: str = "viewer", **user) -> Api:
    member = factories.UserFactory(**user)
    for organization in organizations:
        factories.MembershipFactory(user=member, organization=organization, role=role)
    api = Api()
    api.client.force_login(member)
    return api


def named(public_id: str) -> dict[str, str]:
    return {"X-Organization-Id": public_id}


def test_the_only_membership_needs_no_header_and_may_have_it(acme, globex):
    member = member_of(acme.organization)
    assert products_seen_by(member) == ["prod_123"]
    assert products_seen_by(member, **named(acme.organization.public_id)) == ["prod_123"]


def test_of_several_memberships_the_header_names_one(acme, globex):
    member = member_of(acme.organization, globex)
    assert products_seen_by(member, **named(acme.organization.public_id)) == ["prod_123"]
    assert products_seen_by(member, **named(globex.public_id)) == ["prod_globex"]


def test_with_several_memberships_the_header_is_required(acme, globex):
    response = member_of(acme.organization, globex).get("/products")
    assert response.status_code == 400
    assert response.json()["code"] == "VALIDATION_ERROR"
    assert response.json()["details"].keys() == {"X-Organization-Id"}


def test_the_role_is_the_one_in_the_named_organization(acme, globex):
    member = member_of(acme.organization, globex, role="viewer")
    globex.memberships.update(role="editor")
    assert member.post("/products", NEW, **named(globex.public_id)).status_code == 201
    response = member.post("/products", NEW, **named(acme.organization.public_id))
    assert_refused(response, 403, "INSUFFICIENT_ROLE")
    assert ProductMaster._base_manager.get(global_sku="NEW").organization == globex


@pytest.mark.parametrize("memberships", [1, 2], ids=["one membership", "several"])
def test_a_foreign_organization_is_answered_like_an_unknown_one(acme, globex, memberships):
    third = factories.OrganizationFactory()
    member = member_of(*[acme.organization, third][:memberships], role="manager")
    inactive = factories.OrganizationFactory(is_active=False)
    answers = set()
    for public_id in (
        globex.public_id,
        inactive.public_id,
        "org_01jzzzzzzzzzzzzzzzzzzzzzzz",
        globex.public_id.upper(),
        globex.public_id[:-1],
        f"{acme.organization.public_id},{globex.public_id}",
        str(globex.pk),
        "Globex",
        "*",
        "org/../x",
        "\x00",
        "\xff",
        "x" * 5_000,
    ):
        for method, body in (("GET", None), ("POST", NEW)):
            response = member.request(method, "/products", body, **named(public_id))
            assert_refused(response, 404, "NOT_FOUND")
            assert public_id not in response.content.decode()
            answers.add(response.content)
    assert len(answers) == 1


def test_someone_without_membership_can_not_name_an_organization_either(acme, globex):
    response = member_of().get("/products", **named(globex.public_id))
    assert_refused(response, 404, "NOT_FOUND")


def test_members_of_an_inactive_organization_are_refused(acme):
    member = member_of(acme.organization, role="manager")
    acme.organization.is_active = False
    acme.organization.save()
    for headers in ({}, named(acme.organization.public_id)):
        assert_refused(member.get("/products", **headers), 403, "INACTIVE_ORGANIZATION")
        assert_refused(member.post("/products", NEW, **headers), 403, "INACTIVE_ORGANIZATION")


def test_a_superuser_acts_for_any_organization_by_its_name_in_the_header(acme, globex):
    superuser = member_of(is_superuser=True)
    assert products_seen_by(superuser, **named(acme.organization.public_id)) == ["prod_123"]
    assert products_seen_by(superuser, **named(globex.public_id)) == ["prod_globex"]
    assert superuser.post("/products", NEW, **named(globex.public_id)).status_code == 201
    assert ProductMaster._base_manager.get(global_sku="NEW").organization == globex
    assert superuser.get("/products").status_code == 400
    assert_refused(superuser.get("/products", **named("org_none")), 404, "NOT_FOUND")


def test_a_superuser_of_the_only_organization_needs_no_header(acme):
    assert products_seen_by(member_of(is_superuser=True)) == ["prod_123"]


def test_a_viewers_membership_does_not_hold_a_superuser_back(acme):
    superuser = member_of(acme.organization, role="viewer", is_superuser=True)
    assert superuser.post("/products", NEW).status_code == 201


# Key and session together.


def test_the_key_wins_over_the_session(acme, globex):
    api = signed_in(acme.organization, "manager", client=browser())
    api.key = issue_key(globex, "inventory:read")
    assert products_seen_by(api) == ["prod_globex"]
    assert_refused(api.post("/products", NEW), 403, "INSUFFICIENT_SCOPE")


def test_the_header_does_not_take_a_key_to_another_organization(acme, globex):
    api = member_of(acme.organization, globex)
    api.key = issue_key(globex)
    assert products_seen_by(api, **named(acme.organization.public_id)) == ["prod_globex"]


@pytest.mark.parametrize("credentials", ["Bearer", "Bearer wrong", "bearer ilk_"])
def test_a_wrong_key_is_refused_although_somebody_is_signed_in(acme, credentials):
    api = signed_in(acme.organization, "manager")
    response = api.get("/products", Authorization=credentials)
    assert_refused(response, 401, "INVALID_API_KEY")
