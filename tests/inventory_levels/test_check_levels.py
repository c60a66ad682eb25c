"""check_levels: what is suspicious or contradictory, a line each, and what it mends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory_levels.checkup import CHECKS
from inventory_levels.models import InventoryLevel
from inventory_levels.refusals import counted
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.bulk import everything
from tests.inventory_levels.planned import PLANNED, add_level, changes_of

SOUND: dict[str, Any] = {
    **PLANNED,
    "min_quantity": Decimal(5),
    "reorder_quantity": Decimal(10),
    "max_quantity": Decimal(20),
    "abc_class": "A",
}


@pytest.fixture(autouse=True)
def ours(acme) -> Iterator[None]:
    with organization_scope(acme.organization):
        yield


@pytest.fixture
def check(capsys):
    """Runs the command and returns the lines that it prints."""

    def run(**options: Any) -> list[str]:
        call_command("check_levels", **options)
        out, err = capsys.readouterr()
        assert err == ""
        return out.splitlines()

    return run


def level(acme: Any, **settings: Any) -> InventoryLevel:
    return add_level(acme.organization, location=acme.location, **{**SOUND, **settings})


def test_sound_levels_give_no_finding(check, acme):
    level(acme)
    level(acme, status="Stock", preferred_bin_location=acme.bin)
    assert check() == ["0 findings in 2 levels; 0 left."]
    assert check(strict=True) == ["0 findings in 2 levels; 0 left."]


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({"reorder_quantity": None}, ["No reorder point"]),
    ({"min_quantity": None}, ["No minimum"]),
    ({"max_quantity": None}, ["No maximum"]),
    ({"expected_lead_time_days": None}, ["No lead time"]),
    ({"replenishment_period_days": None}, ["No replenishment period"]),
    ({"forecast_quantity": None}, ["No forecast"]),
    ({"forecast_period_days": None}, ["Forecast without a period"]),
    ({"forecast_quantity": None, "forecast_period_days": None}, ["No forecast"]),
    ({"abc_class": None}, ["No ABC class"]),
    (
        dict.fromkeys(["min_quantity", "reorder_quantity", "max_quantity"], Decimal(7)),
        ["Min, reorder point and max are the same"],
    ),
    (
        {"min_quantity": None, "max_quantity": None, "abc_class": None},
        ["No minimum", "No maximum", "No ABC class"],
    ),
    ({"min_quantity": None, "status": "Inactive"}, []),
    ({"expected_lead_time_days": None, "status": "NotSupported"}, []),
]


@pytest.mark.parametrize(("settings", "labels"), FOUND)
def test_each_finding_is_a_line_that_names_the_level(check, acme, settings, labels):
    one = level(acme, **settings)
    *lines, summary = check()
    name = f"{one.product.global_sku} at Main warehouse ({one.public_id})"
    assert lines == [f"{name}: {label}" for label in labels]
    assert summary == f"{counted(len(labels), 'finding')} in 1 level; {len(labels)} left."


def test_a_finding_is_one_line_whatever_the_names_hold(check, acme):
    product = factories.ProductFactory(organization=acme.organization, global_sku="A\r\nB\u2028C")
    one = add_level(acme.organization, product=product, **SOUND | {"min_quantity": None})
    assert check()[0].startswith(f"A B C at {one.location.name} (level_")
    assert len(check()) == 2


def test_an_inactive_product_and_a_bin_outside_are_found(check, acme):
    sold_out = factories.ProductFactory(organization=acme.organization, status="Inactive")
    add_level(acme.organization, product=sold_out, location=acme.location, **SOUND)
    level(acme, preferred_bin_location=acme.supplier)  # no request could write this
    *lines, _ = check()
    assert sorted(line.split(": ")[1] for line in lines) == [
        "Preferred bin is outside the location",
        "Product is inactive",
    ]


def test_fix_mends_what_has_one_right_answer_and_leaves_the_rest(check, acme):
    sold_out = factories.ProductFactory(organization=acme.organization, status="Inactive")
    inactive = add_level(
        acme.organization,
        product=sold_out,
        location=acme.location,
        **SOUND | {"forecast_period_days": None, "min_quantity": None},
    )
    outside = level(acme, preferred_bin_location=acme.supplier)
    no_period = level(acme, forecast_period_days=None, max_quantity=None)
    *_, summary = check(fix=True, dry_run=True)
    assert summary == "6 findings in 3 levels; would fix 3 levels, 1 left."
    *_, summary = check(fix=True)
    assert summary == "6 findings in 3 levels; fixed 3 levels, 1 left."
    for changed, expected in [
        (
            inactive,
            {
                "forecastPeriodDays": {"old": None, "new": 30},
                "status": {"old": "Supported", "new": "Inactive"},
            },
        ),
        (outside, {"preferredBinLocationId": {"old": "loc_456", "new": None}}),
        (no_period, {"forecastPeriodDays": {"old": None, "new": 30}}),
    ]:
        (change,) = changes_of(changed)
        assert change.changes == expected
        assert (change.source, change.actor_name) == ("command", "check_levels")
        assert change.reason == "mended by check_levels"
    stored = everything()
    *_, summary = check(fix=True)
    assert summary == "1 finding in 3 levels; fixed 0 levels, 1 left."
    assert everything() == stored


def test_findings_alone_exit_0_and_strictly_1(check, acme):
    level(acme, forecast_period_days=None)
    assert check()[-1] == "1 finding in 1 level; 1 left."
    with pytest.raises(CommandError, match=r"^1 finding left\.$"):
        call_command("check_levels", strict=True)
    call_command("check_levels", strict=True, fix=True)


def test_a_dry_run_says_what_would_be_fixed_and_writes_nothing(check, acme):
    level(acme, forecast_period_days=None)
    before = everything()
    assert check(fix=True, dry_run=True)[-1] == ("1 finding in 1 level; would fix 1 level, 0 left.")
    assert everything() == before


def test_one_kind_of_finding_may_be_asked_for(check, acme):
    level(acme, min_quantity=None, abc_class=None)
    assert len(check(only=["no-min"])) == 2
    assert check(only=["no-lead-time"]) == ["0 findings in 1 level; 0 left."]
    before = everything()
    check(only=["no-class"], fix=True)
    assert everything() == before


def test_scripts_get_the_counts_as_json(check, acme):
    level(acme, min_quantity=None, forecast_period_days=None)
    (line,) = check(as_json=True, fix=True)
    assert json.loads(line) == {
        "levels": 1,
        "findings": {
            **{one.slug: 0 for one in CHECKS},
            "no-min": 1,
            "no-forecast-period": 1,
        },
        "fixed": 1,
        "failed": 0,
        "left": 1,
        "dryRun": False,
        "refused": [],
    }


def test_only_this_organizations_levels_are_looked_at(acme, check):
    factories.LevelFactory()
    assert check(organization=acme.organization.public_id) == ["0 findings in 0 levels; 0 left."]


def test_more_levels_than_a_page_are_all_looked_at(acme, check, monkeypatch):
    monkeypatch.setattr("inventory_levels.walk.PAGE", 3)
    for _ in range(7):
        level(acme, forecast_period_days=None)
    assert check(fix=True)[-1] == "7 findings in 7 levels; fixed 7 levels, 0 left."


def test_interrupted_it_says_what_was_written(acme, monkeypatch, interrupt):
    monkeypatch.setattr("inventory_levels.imports.CHUNK", 2)
    interrupt("Writing", 4)
    levels = [level(acme, forecast_period_days=None) for _ in range(7)]
    with pytest.raises(CommandError, match=r"^Interrupted; 4 of 7 levels done, with their history"):
        call_command("check_levels", fix=True)
    assert sum(len(changes_of(one)) for one in levels) == 4
