"""What the database itself holds of organizations, members and keys."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, transaction

from organizations.models import ApiKey, Membership, Organization
from tests import factories
from tests.conftest import issue_key
from tests.constraints import (
    INSERTS,
    UPDATES,
    constraints_of,
    holds,
    names_in_the_database,
    queryset_update,
    raw_update,
)

pytestmark = pytest.mark.django_db

CONSTRAINTS = constraints_of([ApiKey, Membership, Organization])


def new_membership(**values: object) -> Membership:
    return Membership(
        **{
            "user": factories.UserFactory(),
            "organization": factories.OrganizationFactory(),
            "role": "viewer",
            **values,
        }
    )


@pytest.mark.parametrize("role", ["", "Viewer", "owner"])
def test_the_database_refuses_an_unknown_role_in_whatever_way_it_comes(role):
    rule = CONSTRAINTS["membership_role_is_known"]
    for insert in INSERTS:
        holds(rule, lambda insert=insert: insert(new_membership(role=role)))
    for update in UPDATES:
        row = new_membership()
        row.save()
        holds(rule, lambda update=update, row=row: update(row, {"role": role}))


@pytest.mark.parametrize("role", ["viewer", "editor", "manager"])
def test_the_database_accepts_the_known_roles(role):
    for insert in INSERTS:
        insert(new_membership(role=role))


def test_a_user_has_one_role_in_an_organization_and_may_have_others_elsewhere():
    rule = CONSTRAINTS["one_role_per_user_and_organization"]
    first = new_membership()
    first.save()
    same = {"user_id": first.user_id, "organization_id": first.organization_id}
    for insert in INSERTS:
        row = new_membership(**same, role="manager")
        holds(rule, lambda insert=insert, row=row: insert(row))
        insert(new_membership(user=first.user))
        insert(new_membership(organization=first.organization))
    for update in UPDATES:
        row = new_membership(role="manager")
        row.save()
        holds(rule, lambda update=update, row=row: update(row, same))


@pytest.mark.parametrize("update", [queryset_update, raw_update])
@pytest.mark.parametrize("name", ["public_id", "prefix", "digest"])
def test_ids_prefixes_and_digests_of_keys_are_unique_everywhere(update, name):
    keys = []
    for _ in range(2):
        issue_key(factories.OrganizationFactory())
        keys.append(ApiKey.objects.first())
    first, second = keys
    with pytest.raises(IntegrityError), transaction.atomic():
        update(second, {name: getattr(first, name)})


@pytest.mark.parametrize("update", [queryset_update, raw_update])
def test_ids_of_organizations_are_unique_everywhere(update):
    first, second = factories.OrganizationFactory(), factories.OrganizationFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        update(second, {"public_id": first.public_id})


def test_generated_ids_have_a_prefix_by_kind_and_are_ordered_by_time():
    organizations = [factories.OrganizationFactory() for _ in range(20)]
    ids = [organization.public_id for organization in organizations]
    assert all(re.fullmatch(r"org_[0-9a-hjkmnp-tv-z]{26}", id) for id in ids)
    assert [id[:14] for id in ids] == sorted(id[:14] for id in ids)  # the milliseconds
    assert len(set(ids)) == 20
    issue_key(organizations[0])
    assert re.fullmatch(r"key_[0-9a-hjkmnp-tv-z]{26}", ApiKey.objects.get().public_id)


def test_every_constraint_is_tested_above_and_known_to_the_database_by_name():
    assert set(CONSTRAINTS) == {"membership_role_is_known", "one_role_per_user_and_organization"}
    for name in CONSTRAINTS:
        assert re.search(rf"\b{name}\b", names_in_the_database())
