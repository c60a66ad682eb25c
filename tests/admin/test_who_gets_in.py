"""Who gets into the admin, for which organization, and out of sight of all others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from inventory_levels.models import InventoryLevel
from organizations.models import ApiKey, Invitation, Membership
from organizations.tenancy import NoOrganization
from tests import factories
from tests.admin.browser import LEVELS, PRODUCTS, Browser, browser, forms_of, text_of
from tests.conftest import make_acme

PASSWORD = "a long way to Tipperary"


def account(**fields: Any) -> Any:
    user = factories.UserFactory(**fields)
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(user: Any, password: str = PASSWORD) -> Any:
    client = Client()
    fields = {"username": user.get_username(), "password": password}
    return client.post("/admin/login/", fields, follow=True)


def in_two() -> tuple[Browser, Any]:
    """Somebody who edits at Acme and reads at Zenith, both with products of their own."""
    acme = make_acme().organization
    zenith = factories.OrganizationFactory(name="Zenith")
    factories.ProductFactory(organization=zenith, global_sku="ZEN-1")
    both = browser(acme, "editor")
    user = get_user_model().objects.get(memberships__organization=acme)
    factories.MembershipFactory(user=user, organization=zenith, role="viewer")
    return both, zenith


def test_a_member_signs_in_without_being_staff_and_lands_on_the_start_page(acme):
    user = account(is_staff=False)
    factories.MembershipFactory(user=user, organization=acme.organization)
    answer = sign_in(user)
    assert answer.redirect_chain == [("/admin/", 302)]
    assert "Needs a look" in text_of(answer)


def test_whoever_belongs_nowhere_reads_the_same_as_after_a_wrong_password(acme):
    stranger, staff = account(), account(is_staff=True)
    inactive = factories.MembershipFactory(
        user=account(), organization=factories.OrganizationFactory(is_active=False)
    ).user
    member = factories.MembershipFactory(user=account(), organization=acme.organization).user
    switched_off = account(is_active=False)
    wrong = sign_in(member, "wrong")
    for user in (stranger, staff, inactive, switched_off):
        answer = sign_in(user)
        assert answer.redirect_chain == []
        said = text_of(answer).replace(user.get_username(), member.get_username())
        assert said == text_of(wrong)


def test_a_membership_that_ends_ends_the_visit(editor, acme):
    assert editor.get(LEVELS).status_code == 200
    Membership.objects.all().delete()
    answer = editor.get(LEVELS)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_members_of_an_inactive_organization_are_refused(editor, acme):
    acme.organization.is_active = False
    acme.organization.save()
    assert editor.get("/admin/").status_code == 302
    assert editor.get(LEVELS).status_code == 302


def test_nobody_gets_in_unsigned(acme):
    for path in ("/admin/", LEVELS, f"{LEVELS}1/change/", "/admin/autocomplete/", PRODUCTS):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_somebody_in_two_organizations_works_in_one_and_switches(db):
    both, zenith = in_two()
    assert "SKU-123" in both.read(PRODUCTS)
    assert "ZEN-1" not in both.read(PRODUCTS)
    answer = both.send("/admin/workspace/", {"organization": zenith.public_id})
    assert answer.redirect_chain == [("/admin/", 302)]
    assert "ZEN-1" in both.read(PRODUCTS)
    assert "SKU-123" not in both.read(PRODUCTS)
    assert both.get(f"{PRODUCTS}add/").status_code == 403  # a viewer there


def test_nobody_switches_to_an_organization_that_is_not_theirs(editor, acme):
    other = factories.OrganizationFactory(name="Globex")
    foreign = editor.send("/admin/workspace/", {"organization": other.public_id})
    missing = editor.send("/admin/workspace/", {"organization": "org_none"})
    assert "There is no such organization." in text_of(foreign)
    assert text_of(foreign) == text_of(missing)
    assert "SKU-123" in editor.read(PRODUCTS)


def test_switching_needs_a_post(editor, acme):
    query = {"organization": acme.organization.public_id}
    assert editor.get("/admin/workspace/", **query).status_code == 405


def test_a_form_opened_for_one_organization_is_not_saved_into_another(db):
    both, zenith = in_two()
    fields = both.form(f"{PRODUCTS}add/", "productmaster_form")
    both.send("/admin/workspace/", {"organization": zenith.public_id})
    Membership.objects.update(role="editor")
    answer = both.send(
        f"{PRODUCTS}add/", fields, global_sku="NEW-1", product_name="New", _save="Save"
    )
    assert "Nothing was saved: meanwhile you switched to Zenith" in text_of(answer)
    assert "NEW-1" not in both.read(PRODUCTS)


def test_a_superuser_works_in_any_organization_one_at_a_time(root, acme):
    other = make_acme().organization
    other.name = "Globex"
    other.save()
    factories.ProductFactory(organization=other, global_sku="GLO-1")
    assert "GLO-1" not in root.read(PRODUCTS)
    root.send("/admin/workspace/", {"organization": other.public_id})
    assert "GLO-1" in root.read(PRODUCTS)
    assert "Globex" in root.read("/admin/organizations/organization/")


def test_a_superuser_gets_in_before_there_is_any_organization(db):
    root = browser(is_superuser=True)
    assert "Add the first one." in root.read("/admin/")
    for path in (LEVELS, PRODUCTS, "/admin/inventory_levels/levelchange/"):
        assert root.get(path).status_code == 403
    for path in (f"{LEVELS}1/change/", f"{LEVELS}1/history/", f"{PRODUCTS}1/delete/"):
        assert root.get(path).status_code in (302, 403)


def test_the_scope_ends_with_the_request(editor, acme):
    editor.get(LEVELS)
    with pytest.raises(NoOrganization):
        InventoryLevel.objects.count()


def test_an_invitation_becomes_a_membership_when_its_addressee_signs_in(acme):
    user = account(email="Anna@Example.com")
    Invitation._base_manager.create(
        organization=acme.organization, email="anna@example.com", role="editor"
    )
    answer = sign_in(user)
    assert "Needs a look" in text_of(answer)
    membership = Membership.objects.get()
    assert (membership.user, membership.role) == (user, "editor")
    assert not Invitation._base_manager.exists()


def test_an_invitation_takes_no_role_away(acme):
    user = account(email="anna@example.com")
    factories.MembershipFactory(user=user, organization=acme.organization, role="manager")
    Invitation._base_manager.create(
        organization=acme.organization, email="anna@example.com", role="viewer"
    )
    sign_in(user)
    assert Membership.objects.get().role == "manager"


def test_an_account_without_an_address_takes_nobodys_invitation(acme):
    user = account(email="")
    Invitation._base_manager.create(organization=acme.organization, email="", role="viewer")
    assert sign_in(user).redirect_chain == []
    assert not Membership.objects.exists()


def sent_after_a_switch(path: str, form: str, **more: Any) -> str:
    """What a page says that was opened at Acme and is sent when its person works at Zenith."""
    both, zenith = in_two()
    Membership.objects.update(role="manager")
    acme = Membership.objects.exclude(organization=zenith).get().organization
    factories.LevelFactory(organization=acme, forecast_quantity=9, expected_lead_time_days=9)
    key, _ = ApiKey.objects.issue(organization=acme, name="ERP", scopes=["*"])
    level = InventoryLevel._base_manager.get()
    product = factories.ProductFactory(organization=acme)
    path = path.format(level=level.pk, product=product.pk, key=key.pk)
    fields = both.form(path, form)
    if "action" in more:
        page = both.send(path, fields, **more, _selected_action=[level.pk])
        path, fields, more = f"{LEVELS}bulk/status/", forms_of(page)["bulk-form"], {}
    both.send("/admin/workspace/", {"organization": zenith.public_id})
    return text_of(both.send(path, fields, **more))


@pytest.mark.parametrize(
    ("path", "form", "more"),
    [
        (LEVELS, "changelist-form", {"_save": "Save"}),
        (LEVELS, "changelist-form", {"action": "status", "index": "0"}),
        (f"{LEVELS}{{level}}/delete/", "delete-form", {}),
        (f"{PRODUCTS}{{product}}/delete/", "delete-form", {}),
        (f"{LEVELS}recommended/", "report-form", {}),
        ("/admin/organizations/apikey/{key}/revoke/", "revoke-form", {}),
    ],
)
def test_no_page_opened_for_one_organization_does_anything_in_another(db, path, form, more):
    said = sent_after_a_switch(path, form, **more)
    assert "Nothing was saved: meanwhile you switched to Zenith" in said


def test_an_invitation_moves_nobody_and_is_told(acme):
    user = account(email="anna@example.com")
    factories.MembershipFactory(user=user, organization=acme.organization, role="editor")
    first = factories.OrganizationFactory(name="AAA Traders")
    Invitation._base_manager.create(organization=first, email="anna@example.com", role="editor")
    answer = sign_in(user)
    assert "You are now also a member of AAA Traders." in text_of(answer)
    assert 'class="name">Acme<' in answer.content.decode()


def test_whoever_is_new_is_told_where(acme):
    user = account(email="anna@example.com")
    Invitation._base_manager.create(organization=acme.organization, email="anna@example.com")
    assert "You are now a member of Acme." in text_of(sign_in(user))


def test_members_leave_once_they_have_said_yes(db):
    both, zenith = in_two()
    assert "Leave Acme…" in both.read("/admin/")
    assert "Leave Acme?" in both.read("/admin/leave/")
    assert Membership.objects.count() == 2
    fields = both.form("/admin/leave/", "leave-form")
    answer = both.send("/admin/leave/", fields)
    assert "You are no member of Acme any more." in text_of(answer)
    assert Membership.objects.get().organization == zenith
    assert "ZEN-1" in both.read(PRODUCTS)
    # Sent again it ends nothing else.
    assert "Nothing was saved" in text_of(both.send("/admin/leave/", fields))
    assert Membership.objects.count() == 1


def test_the_only_manager_does_not_leave(manager, acme, root):
    fields = manager.form("/admin/leave/", "leave-form")
    assert "no other manager" in text_of(manager.send("/admin/leave/", fields))
    factories.MembershipFactory(organization=acme.organization, role="manager")
    assert manager.send("/admin/leave/", fields).status_code == 200
    assert not Membership.objects.filter(user__username="mona").exists()
    assert root.get("/admin/leave/").status_code == 404
    assert Client().get("/admin/leave/").status_code == 302
