"""apply_recommendations: the recommended quantities of many levels, written by command."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory_levels.models import InventoryLevel, LevelChange, PlanningSettings
from inventory_levels.planning import NOT_REORDERED
from organizations.tenancy import organization_scope
from tests import factories
from tests.inventory_levels.planned import PLANNED, add_level, changes_of, quantities


@pytest.fixture
def apply(acme, capsys):
    """Runs the command for Acme and returns what it prints."""

    def apply(*where: str, **options: Any) -> str:
        organization = acme.organization.public_id
        call_command("apply_recommendations", organization=organization, where=where, **options)
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return apply


def test_it_writes_the_recommended_quantities_and_says_how_many(apply, acme):
    first = add_level(acme.organization, **PLANNED, abc_class="A")
    second = add_level(acme.organization, **PLANNED)
    already = add_level(
        acme.organization,
        **PLANNED,
        abc_class="C",
        min_quantity=9,
        reorder_quantity=56,
        max_quantity=149,
    )
    lacking = add_level(acme.organization, min_quantity=3, forecast_quantity=7)
    assert apply() == (
        "Updated 2 levels; 1 already as recommended, 1 left alone for want of data.\n"
    )
    assert quantities(first) == (15, 61, 155)
    assert quantities(second) == (12, 58, 152)
    assert quantities(already) == (9, 56, 149)
    assert quantities(lacking) == (3, None, None)
    assert (changes_of(already), changes_of(lacking)) == ([], [])
    assert apply() == (
        "Updated 0 levels; 3 already as recommended, 1 left alone for want of data.\n"
    )


def test_the_history_tells_who_why_and_from_what_to_what(apply, acme):
    level = add_level(acme.organization, **PLANNED, abc_class="A", min_quantity=50)
    apply()
    (change,) = changes_of(level)
    assert (change.action, change.version, change.source) == ("UPDATE", 2, "command")
    assert (change.actor_type, change.actor_name) == ("command", "apply_recommendations")
    assert change.reason == "recommended: 98 % service level"
    assert change.changes == {
        "minQuantity": {"old": 50, "new": 15},
        "reorderQuantity": {"old": None, "new": 61},
        "maxQuantity": {"old": None, "new": 155},
    }


def test_the_organizations_planning_settings_decide(apply, acme):
    with organization_scope(acme.organization):
        PlanningSettings.objects.create(
            organization=acme.organization, service_level_other=Decimal("99.5"), decimals=2
        )
    level = add_level(acme.organization, **PLANNED)
    apply()
    # z 2.5758 × 6.8313 = 17.5962
    assert quantities(level) == (Decimal("17.60"), Decimal("64.27"), Decimal("157.60"))
    assert changes_of(level)[0].reason == "recommended: 99.5 % service level"


def test_other_organizations_keep_theirs(apply, acme):
    foreign = add_level(factories.OrganizationFactory(), **PLANNED)
    apply()
    assert quantities(foreign) == (None, None, None)


WHERE = [
    ("productMasterId=prod_123", {"product"}),
    ("productId=prod_123,prod_123", {"product"}),
    ("locationId=loc_123", {"location"}),
    ("status=stock", {"status"}),
    ("status=In-Active,STOCK", {"status"}),
    ("abcClass=b", {"class"}),
    ("preferredBinLocationId=bin_123", {"location"}),
    ("replenishmentLocationId=loc_456", {"source"}),
    ("sku=SKU-123", {"product"}),
    ("sku=sku-123", set()),
    ("search=WIDG", {"product"}),
    ("search=every WINTER", {"comments"}),
    ("updatedSince=2026-01-01T00:00:00Z", {"status"}),
    ("updatedBefore=2026-01-01T00:00:00Z", {"product", "location", "class", "source", "comments"}),
    ("missing=abcClass", {"product", "location", "status", "source", "comments"}),
    ("missing=comments", {"product", "location", "status", "class", "source"}),
]


@pytest.fixture
def levels(acme) -> dict[str, InventoryLevel]:
    """One level that differs from the others in one thing each."""
    old = "2020-01-01T00:00:00Z"
    organization = acme.organization
    places = {"preferred_bin_location": acme.bin, "location": acme.location}
    return {
        "product": add_level(organization, acme.product, **PLANNED, updated_at=old),
        "location": add_level(organization, **PLANNED, **places, updated_at=old),
        "status": add_level(organization, **PLANNED, status="Stock"),
        "class": add_level(organization, **PLANNED, abc_class="B", updated_at=old),
        "source": add_level(
            organization, **PLANNED, replenishment_location=acme.supplier, updated_at=old
        ),
        "comments": add_level(organization, **PLANNED, comments="Every winter", updated_at=old),
    }


@pytest.mark.parametrize(("condition", "names"), WHERE)
def test_conditions_choose_the_levels(apply, levels, condition, names):
    assert apply(condition).startswith(f"Updated {len(names)} level")
    changed = {name for name, level in levels.items() if quantities(level) != (None, None, None)}
    assert changed == names


def test_levels_that_are_not_reordered_match_like_any_other(apply, acme):
    idle = [add_level(acme.organization, **PLANNED, status=one) for one in NOT_REORDERED]
    assert apply("status=Supported,Stock,Formulary").startswith("Updated 0 levels;")
    assert apply().startswith("Updated 3 levels;")
    assert {quantities(level) for level in idle} == {(12, 58, 152)}


def test_all_conditions_must_hold(apply, levels):
    assert apply("missing=abcClass", "status=Supported", "sku=SKU-123").startswith(
        "Updated 1 level;"
    )
    assert apply("abcClass=B", "abcClass=A").startswith("Updated 0 levels;")


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("status", "status: write FIELD=VALUE."),
        ("colour=red", "colour: unknown field; there are productMasterId,"),
        ("status=", "status: must not be empty."),
        ("status=sold", "status: must be one of Supported, NotSupported"),
        ("abcClass=A,D", "abcClass: must be one of A, B, C."),
        ("missing=status", "missing: must be one of minQuantity,"),
        ("productId=prod_none,prod_123", "productId: no product has the id 'prod_none'."),
        ("locationId=loc_none", "locationId: no location has the id 'loc_none'."),
        ("productMasterId=a b", "productMasterId: no product has the id 'a b'."),
        ("sku=a\0b", "sku: must not hold control characters"),
        ("updatedSince=yesterday", "updatedSince: must be a time such as"),
        ("updatedSince=2026-01-01", "updatedSince: must be a time such as"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_and_nothing_is_written(
    acme, levels, condition, sentence
):
    with pytest.raises(CommandError) as refused:
        call_command("apply_recommendations", where=["sku=SKU-123", condition])
    assert str(refused.value).startswith(sentence)
    assert quantities(levels["product"]) == (None, None, None)


def test_a_dry_run_counts_and_writes_nothing(apply, acme):
    level = add_level(acme.organization, **PLANNED)
    assert apply(dry_run=True).startswith("Dry run: would update 1 level; 0 already")
    assert quantities(level) == (None, None, None)
    assert changes_of(level) == []


def test_counts_come_as_json_for_scripts(apply, acme):
    add_level(acme.organization, **PLANNED)
    add_level(acme.organization)
    counts = {"created": 0, "unchanged": 0, "failed": 0, "insufficientData": 1, "results": []}
    assert json.loads(apply(json=True, dry_run=True)) == counts | {"updated": 1, "dryRun": True}
    assert json.loads(apply(json=True)) == counts | {"updated": 1, "dryRun": False}


def test_what_is_too_large_is_told_while_the_others_are_written(acme, capsys):
    level = add_level(acme.organization, **PLANNED)
    huge = add_level(
        acme.organization,
        **PLANNED | {"forecast_quantity": Decimal(99999999999), "forecast_period_days": 1},
    )
    with pytest.raises(CommandError) as refused:
        call_command("apply_recommendations")
    assert str(refused.value) == "1 level could not be updated."
    assert capsys.readouterr().err == f"{huge.public_id}: the result has more than 11 digits\n"
    assert quantities(level) == (12, 58, 152)
    assert quantities(huge) == (None, None, None)


def test_thousands_take_a_few_statements_each(acme, django_assert_max_num_queries):
    location = factories.LocationFactory(organization=acme.organization)
    products = factories.ProductFactory.build_batch(2_500, organization=acme.organization)
    type(products[0])._base_manager.bulk_create(products)
    InventoryLevel._base_manager.bulk_create(
        InventoryLevel(
            organization=acme.organization, product=product, location=location, **PLANNED
        )
        for product in products
    )
    with django_assert_max_num_queries(40):
        call_command("apply_recommendations")
    assert LevelChange._base_manager.count() == 2_500


def test_from_the_shell_it_exits_1_where_a_condition_is_refused(shell):
    shell("create_organization", "--name", "Acme")
    done = shell("apply_recommendations", "--where", "status=Stock", "--where", "abcClass=A")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Updated 0 levels; 0 already as recommended, 0 left alone for want of data.\n"
    )
    refused = shell("apply_recommendations", "--where", "colour=red")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "colour: unknown field" in refused.stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_shows_how_far_it_is(acme, monkeypatch):
    for _ in range(3):
        add_level(acme.organization, **PLANNED)
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    call_command("apply_recommendations")
    assert "Writing" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
