"""What managers do: invite people, change roles, issue and revoke keys. And what they can't."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from organizations.models import ApiKey, Invitation, Membership
from tests import factories
from tests.admin.browser import errors_in, text_of
from tests.conftest import Api

MEMBERS = "/admin/organizations/membership/"
INVITATIONS = "/admin/organizations/invitation/"
KEYS = "/admin/organizations/apikey/"
ACCOUNTS = "/admin/auth/user/"
ORGANIZATIONS = "/admin/organizations/organization/"


def test_an_invitation_reads_the_same_whether_there_is_an_account_or_not(manager, acme):
    factories.UserFactory(email="anna@example.com")
    answers = []
    for email in ("Anna@example.com", "none@example.com"):
        answer = manager.edit(f"{INVITATIONS}add/", email=email, role="editor")
        answers.append(text_of(answer).replace(email.lower(), "(address)"))
        listed = manager.read(INVITATIONS).replace(email.lower(), "(address)")
        answers.append(re.sub(r"\d\d:\d\d|\d+ (a|p)\.m\.|noon|midnight", "", listed))
        Invitation._base_manager.all().delete()
    assert "(address) is invited as editor." in answers[0]
    assert answers[:2] == answers[2:]
    assert Membership.objects.count() == 1


def test_an_invitation_costs_the_same_whether_there_is_an_account_or_not(
    manager, acme, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    factories.UserFactory(email="anna@example.com")
    fields = manager.form(f"{INVITATIONS}add/")
    counts = []
    for email in ("warm-up@example.com", "anna@example.com", "none@example.com"):
        with CaptureQueriesContext(connection) as queries:
            manager.send(f"{INVITATIONS}add/", fields, email=email, role="viewer")
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_inviting_again_changes_the_role_and_an_invitation_can_be_withdrawn(manager, acme):
    for role in ("viewer", "editor"):
        manager.edit(f"{INVITATIONS}add/", email="anna@example.com", role=role)
    invitation = Invitation._base_manager.get()
    assert invitation.role == "editor"
    address = f"{INVITATIONS}{invitation.pk}/delete/"
    manager.send(address, manager.form(address, "delete-form"))
    assert not Invitation._base_manager.exists()


def test_somebody_who_is_a_member_is_not_invited(manager, acme):
    user = factories.UserFactory(email="anna@example.com")
    factories.MembershipFactory(user=user, organization=acme.organization)
    answer = manager.edit(f"{INVITATIONS}add/", email="ANNA@example.com", role="editor")
    assert "is a member already" in errors_in(answer)
    assert not Invitation._base_manager.exists()


def test_a_manager_changes_and_ends_memberships_of_the_organization(manager, acme):
    member = factories.MembershipFactory(organization=acme.organization, role="viewer")
    manager.edit(f"{MEMBERS}{member.pk}/change/", role="editor")
    member.refresh_from_db()
    assert member.role == "editor"
    address = f"{MEMBERS}{member.pk}/delete/"
    manager.send(address, manager.form(address, "delete-form"))
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert get_user_model().objects.filter(pk=member.user_id).exists()


def test_nobody_changes_or_ends_their_own_membership(manager, acme):
    own = Membership.objects.get(user__username="mona")
    assert "Save" not in manager.read(f"{MEMBERS}{own.pk}/change/").partition("E-mail")[2]
    assert manager.send(f"{MEMBERS}{own.pk}/change/", {"role": "viewer"}).status_code == 403
    assert manager.get(f"{MEMBERS}{own.pk}/delete/").status_code == 403


def test_memberships_of_other_organizations_are_as_good_as_none(manager, acme):
    foreign = factories.MembershipFactory()
    for what in ("change", "delete", "history"):
        answers = [
            manager.client.get(f"{MEMBERS}{pk}/{what}/", follow=True)
            for pk in (foreign.pk, 999_999)
        ]
        said = [text_of(answer).replace(str(foreign.pk), "999999") for answer in answers]
        assert said[0] == said[1]
        assert "Perhaps it was deleted?" in said[0]
    assert foreign.user.username not in manager.read(MEMBERS)


def test_a_manager_browses_no_accounts_and_changes_no_password(manager, acme):
    member = factories.MembershipFactory(organization=acme.organization)
    for path in (
        ACCOUNTS,
        f"{ACCOUNTS}add/",
        f"{ACCOUNTS}{member.user_id}/change/",
        f"{ACCOUNTS}{member.user_id}/password/",
        ORGANIZATIONS,
        f"{ORGANIZATIONS}{acme.organization.pk}/change/",
        "/admin/autocomplete/?app_label=organizations&model_name=membership&field_name=user",
    ):
        assert manager.get(path).status_code == 403, path


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_other_roles_see_neither_members_nor_keys(request, role, acme):
    somebody = request.getfixturevalue(role)
    member = factories.MembershipFactory(organization=acme.organization)
    key, _ = ApiKey.objects.issue(organization=acme.organization, name="ERP", scopes=["*"])
    for path in (
        MEMBERS,
        f"{MEMBERS}{member.pk}/change/",
        f"{MEMBERS}{member.pk}/history/",
        INVITATIONS,
        f"{INVITATIONS}add/",
        KEYS,
        f"{KEYS}add/",
        f"{KEYS}{key.pk}/change/",
        f"{KEYS}{key.pk}/history/",
        f"{KEYS}{key.pk}/revoke/",
    ):
        assert somebody.get(path).status_code == 403, path
    assert "API keys" not in somebody.read("/admin/")


def test_a_key_is_shown_once_and_works(manager, acme):
    answer = manager.edit(f"{KEYS}add/", name="Till", scope="inventory:write", networks="")
    text = re.search(r"ilk_\w{8}_[\w-]{43}", answer.content.decode())[0]
    assert answer.redirect_chain == []
    assert "no-store" in answer["Cache-Control"]
    for path in (KEYS, f"{KEYS}{ApiKey.objects.get().pk}/change/"):
        assert text not in manager.get(path).content.decode()
    body = {"productMasterId": "prod_123", "locationId": "loc_123"}
    assert Api(text).post("/inventory-levels", body).status_code == 201


def test_reloading_the_page_of_a_new_key_makes_no_other(manager, acme):
    fields = manager.form(f"{KEYS}add/") | {"name": "Till", "networks": ""}
    refused = manager.send(f"{KEYS}add/", fields | {"name": ""})
    assert "This field is required." in errors_in(refused)
    first, second = (manager.send(f"{KEYS}add/", fields) for _ in range(2))
    assert "It is shown this once" in text_of(first)
    assert second.redirect_chain == [(KEYS, 302)]
    assert "No other key was made" in text_of(second)
    assert ApiKey.objects.count() == 1


def test_several_forms_of_keys_may_be_open_at_once(manager, acme):
    forms = [manager.form(f"{KEYS}add/") for _ in range(2)]
    for fields in forms:
        manager.send(f"{KEYS}add/", fields | {"name": "Till"})
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("page", [KEYS, INVITATIONS])
def test_what_is_told_of_once_has_one_button_to_save(manager, page):
    content = manager.get(f"{page}add/").content.decode()
    assert 'name="_save"' in content
    assert "_addanother" not in content
    assert "_continue" not in content


def test_networks_may_be_separated_by_commas(manager, acme):
    manager.edit(f"{KEYS}add/", name="Till", networks="10.0.0.0/8, 1.2.3.4,\n10.1.0.0/16")
    assert ApiKey.objects.get().allowed_ips == ["10.0.0.0/8", "1.2.3.4/32", "10.1.0.0/16"]


def test_a_date_alone_lets_a_key_expire_at_its_end(manager, acme):
    manager.edit(f"{KEYS}add/", name="Till", expires_at_0="2999-01-01", expires_at_1="")
    assert f"{ApiKey.objects.get().expires_at:%Y-%m-%d %H:%M}" == "2999-01-01 23:59"


def test_a_key_that_reads_expires_and_is_bound_to_addresses(manager, acme):
    answer = manager.edit(
        f"{KEYS}add/",
        name="Dashboard",
        scope="inventory:read",
        networks="10.0.0.0/8\n192.168.1.7",
        expires_at_0="2999-01-01",
        expires_at_1="00:00",
    )
    key = ApiKey.objects.get()
    assert "Dashboard" in text_of(answer)
    assert (key.scopes, key.allowed_ips) == (["inventory:read"], ["10.0.0.0/8", "192.168.1.7/32"])
    assert key.expires_at.year == 2999


def test_impossible_keys_are_refused_next_to_the_field(manager, acme):
    answer = manager.edit(
        f"{KEYS}add/",
        name="",
        networks="everywhere",
        expires_at_0="2000-01-01",
        expires_at_1="00:00",
    )
    said = errors_in(answer)
    assert "This field is required." in said
    assert "'everywhere' is neither an IP address nor a range." in said
    assert "This is in the past." in said
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing_any_more(manager, acme):
    key, text = ApiKey.objects.issue(organization=acme.organization, name="ERP", scopes=["*"])
    address = f"{KEYS}{key.pk}/revoke/"
    assert "Revoke ERP" in manager.read(address)
    key.refresh_from_db()
    assert key.revoked_at is None  # asking changes nothing
    answer = manager.send(address, manager.form(address, "revoke-form"))
    assert "ERP is revoked" in text_of(answer)
    key.refresh_from_db()
    assert key.revoked_at <= timezone.now()
    assert Api(text).get("/inventory-levels").json()["code"] == "REVOKED_API_KEY"


def test_keys_of_other_organizations_are_as_good_as_none(manager, acme):
    other = factories.OrganizationFactory()
    key, _ = ApiKey.objects.issue(organization=other, name="Theirs", scopes=["*"])
    assert "Theirs" not in manager.read(KEYS)
    for what in ("change", "history", "revoke"):
        answers = [
            manager.client.get(f"{KEYS}{pk}/{what}/", follow=True) for pk in (key.pk, 999_999)
        ]
        said = [text_of(answer).replace(f"“{key.pk}”", "“999999”") for answer in answers]
        assert said[0] == said[1]
        assert "Perhaps it was deleted?" in said[0]
    manager.send(f"{KEYS}{key.pk}/revoke/", {})
    key.refresh_from_db()
    assert key.revoked_at is None


def test_keys_are_neither_changed_nor_deleted(manager, acme):
    key, _ = ApiKey.objects.issue(organization=acme.organization, name="ERP", scopes=["*"])
    assert manager.send(f"{KEYS}{key.pk}/change/", {"name": "x"}).status_code == 403
    assert manager.send(f"{KEYS}{key.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_superuser_makes_organizations_accounts_and_memberships(root, acme):
    answer = root.edit(
        f"{ACCOUNTS}add/",
        username="new",
        email="new@example.com",
        usable_password="true",
        password1="a long way to T",
        password2="a long way to T",
    )
    assert answer.status_code == 200
    assert get_user_model().objects.filter(username="new", is_superuser=False).exists()
    assert "Acme" in root.read(ORGANIZATIONS)
    assert root.get(f"{ORGANIZATIONS}{acme.organization.pk}/delete/").status_code == 403
