"""An organization's planning settings: their defaults, and what can't be set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from inventory_levels.models import PlanningSettings
from inventory_levels.planning import Policy
from organizations.tenancy import NoOrganization, all_organizations, organization_scope
from tests import factories


@pytest.fixture
def organization(acme) -> Any:
    with organization_scope(acme.organization):
        yield acme.organization


def test_an_organization_that_has_chosen_nothing_has_the_contracts_figures(organization):
    assert PlanningSettings.objects.current().policy == Policy()
    assert not PlanningSettings.objects.exists()


def test_what_was_chosen_is_used_in_shares_of_one(organization):
    PlanningSettings.objects.create(
        organization=organization,
        service_level_a=Decimal("99.99"),
        service_level_c=Decimal(50),
        a_percent=Decimal("33.3"),
        decimals=4,
    )
    policy = PlanningSettings.objects.current().policy
    assert policy.service_levels == {
        "A": Decimal("0.9999"),
        "B": Decimal("0.95"),
        "C": Decimal("0.5"),
        None: Decimal("0.95"),
    }
    assert (policy.a_share, policy.b_share) == (Decimal("0.333"), Decimal("0.95"))
    assert policy.decimals == 4


def test_they_are_those_of_the_organization_in_scope_and_of_no_other(organization):
    other = factories.OrganizationFactory()
    PlanningSettings(organization=other, decimals=3).save()
    assert PlanningSettings.objects.current().policy.decimals == 0
    with organization_scope(other):
        assert PlanningSettings.objects.current().policy.decimals == 3
    with all_organizations(), pytest.raises(NoOrganization):
        PlanningSettings.objects.current()


BAD = [
    ({"service_level_a": "49.99"}, "service_level_a"),
    ({"service_level_b": "100"}, "service_level_b"),
    ({"service_level_c": "0"}, "service_level_c"),
    ({"service_level_other": "99.991"}, "service_level_other"),
    ({"a_percent": "-1"}, "a_percent"),
    ({"b_percent": "100.01"}, "b_percent"),
    ({"a_percent": "96"}, "b_percent"),
    ({"decimals": 5}, "decimals"),
]


@pytest.mark.parametrize(("values", "field"), BAD)
def test_what_makes_no_sense_is_refused_with_the_field(organization, values, field):
    settings = PlanningSettings(organization=organization, **values)
    with pytest.raises(ValidationError) as refused:
        settings.full_clean()
    assert field in refused.value.message_dict


@pytest.mark.parametrize(
    "values", [values for values, _ in BAD if values != {"service_level_other": "99.991"}]
)
def test_the_database_refuses_it_too(organization, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanningSettings.objects.create(organization=organization, **values)


def test_there_is_one_for_each_organization(organization):
    PlanningSettings.objects.create(organization=organization)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanningSettings.objects.create(organization=organization)
