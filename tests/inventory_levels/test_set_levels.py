"""set_levels: settings of many levels at once, set or scaled, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory_levels import imports
from inventory_levels.models import InventoryLevel, LevelChange
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.bulk import everything
from tests.inventory_levels.planned import add_level, changes_of, quantities


@pytest.fixture
def set_levels(acme, capsys):
    """Runs the command for Acme and returns what it prints on stdout."""

    def run(**options: Any) -> str:
        call_command("set_levels", organization=acme.organization.public_id, **options)
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return run


@pytest.fixture
def ours(acme) -> Iterator[None]:
    with organization_scope(acme.organization):
        yield


def test_it_sets_what_matches_and_says_how_many(set_levels, acme, ours):
    here = [add_level(acme.organization, location=acme.location) for _ in range(3)]
    there = add_level(acme.organization, location=acme.supplier)
    theirs = factories.LevelFactory()
    here[0].abc_class = "B"
    here[0].save()
    out = set_levels(
        where=["locationId=loc_123"],
        sets=["abcClass=b", "status=not supported", "comments=null", "expectedLeadTimeDays=3"],
    )
    assert out == "Updated 3 levels of 3 that match; 0 were so already, 0 rounded.\n"
    for level in here:
        now = InventoryLevel.objects.get(pk=level.pk)
        assert (now.abc_class, now.status, now.comments) == ("B", "NotSupported", None)
        assert (now.expected_lead_time_days, now.version) == (3, 2)
    for level in (there, theirs):
        assert InventoryLevel._base_manager.get(pk=level.pk).version == 1
    out = set_levels(where=["locationId=loc_123"], sets=["abcClass=B"])
    assert out == "Updated 0 levels of 3 that match; 3 were so already, 0 rounded.\n"


def test_the_history_names_the_command_and_what_it_was_told(set_levels, acme):
    level = add_level(acme.organization, max_quantity=Decimal(10))
    set_levels(sets=["comments=50 % off"], scale=["maxQuantity=1.1"])
    (change,) = changes_of(level)
    assert (change.source, change.actor_type, change.actor_name) == (
        *("command", "command", "set_levels"),
    )
    assert change.reason == "comments=50 % off, maxQuantity × 1.1"
    assert change.changes == {
        "maxQuantity": {"old": 10, "new": 11},
        "comments": {"old": None, "new": "50 % off"},
    }


@pytest.mark.parametrize(
    ("factor", "options", "scaled", "rounded"),
    [
        ("1.1", {}, ("1.1", "11", "110.00011"), 1),
        ("1.1", {"round_to": "whole"}, ("1", "11", "110"), 1),
        ("0.5", {}, ("0.5", "5", "50.0001"), 1),
        ("0.5", {"round_to": "whole"}, ("1", "5", "50"), 1),
        ("2", {}, ("2", "20", "200.0002"), 0),
        ("0", {}, ("0", "0", "0"), 0),
    ],
)
def test_scaling_rounds_half_up_and_says_how_many(
    set_levels, acme, factor, options, scaled, rounded
):
    stored = dict(zip(NAMES, map(Decimal, ("1", "10", "100.0001")), strict=True))
    level = add_level(acme.organization, **stored)
    unset = add_level(acme.organization)
    fields = ("minQuantity", "reorderQuantity", "maxQuantity")
    out = set_levels(scale=[f"{name}={factor}" for name in fields], **options)
    assert f"Updated 1 level of 2 that match; 1 was so already, {rounded} rounded." in out
    expected = tuple(Decimal(text).quantize(Decimal("1.0000")) for text in scaled)
    assert quantities(level) == expected
    assert quantities(unset) == (None, None, None)


NAMES = ("min_quantity", "reorder_quantity", "max_quantity")


def test_a_thousandth_rounds_up_in_the_middle(set_levels, acme):
    level = add_level(acme.organization, max_quantity=Decimal("0.0001"))
    assert "1 rounded" in set_levels(scale=["maxQuantity=0.5"])
    assert quantities(level)[2] == Decimal("0.0001")


def test_one_level_that_would_break_a_rule_keeps_all_from_being_written(acme, ours, capsys):
    for least in (1, 2, 6):
        add_level(acme.organization, location=acme.location, min_quantity=Decimal(least))
    before = everything()
    with pytest.raises(CommandError, match="1 of 3 levels would break a rule; nothing was"):
        call_command("set_levels", sets=["maxQuantity=5"])
    out, err = capsys.readouterr()
    assert out == ""
    assert "at Main warehouse" in err
    assert "maxQuantity: must not be below min (6)" in err
    assert everything() == before


def test_a_number_that_grows_too_long_is_refused_by_level(acme, ours, capsys):
    add_level(acme.organization, max_quantity=Decimal(99999999999))
    before = everything()
    with pytest.raises(CommandError, match="1 of 1 level would break"):
        call_command("set_levels", scale=["maxQuantity=1.01"])
    assert "maxQuantity: must have at most 11 digits" in capsys.readouterr().err
    assert everything() == before


def test_a_dry_run_says_what_would_be_and_writes_nothing(set_levels, acme, ours):
    add_level(acme.organization)
    before = everything()
    out = set_levels(sets=["status=Inactive"], dry_run=True)
    assert out.startswith("Dry run: would update 1 level of 1 that match;")
    assert everything() == before


def test_scripts_get_the_counts_as_json(set_levels, acme, capsys):
    level = add_level(acme.organization, min_quantity=Decimal(1))
    counts = {"matched": 1, "updated": 1, "unchanged": 0, "failed": 0, "rounded": 0}
    out = set_levels(scale=["minQuantity=2"], as_json=True)
    assert json.loads(out) == counts | {"dryRun": False, "refused": []}
    with pytest.raises(CommandError):
        call_command("set_levels", sets=["maxQuantity=1"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        **counts,
        "updated": 0,
        "failed": 1,
        "dryRun": False,
        "refused": [
            {
                "id": level.public_id,
                "productMasterId": level.product.public_id,
                "locationId": level.location.public_id,
                "error": "Invalid quantities: min ≤ reorder ≤ max required",
                "code": "INVALID_QUANTITIES",
                "details": {"maxQuantity": ["must not be below min (2)"]},
            }
        ],
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "Say with --set or --scale"),
        ({"sets": ["minQuantity"]}, "write FIELD=VALUE"),
        ({"sets": ["minQuanity=5"]}, "minQuanity: unknown field"),
        ({"sets": ["minQuantity=5", "minQuantity=6"]}, "minQuantity: is given more than once"),
        ({"sets": ["minQuantity=5"], "scale": ["minQuantity=2"]}, "is to be set and scaled"),
        ({"sets": ["minQuantity=12,5"]}, "minQuantity: must be a number with a decimal point"),
        ({"sets": ["minQuantity=-1"]}, "minQuantity: must not be negative"),
        ({"sets": ["minQuantity="]}, "minQuantity: must not be empty; null clears it"),
        ({"sets": ["minQuantity= "]}, "minQuantity: must not be blank; null clears it"),
        ({"sets": ["status=Sold"]}, "status: must be one of Supported"),
        ({"sets": ["locationId=loc_456"]}, "locationId: unknown field"),
        ({"sets": ["expectedLeadTimeDays=1.5"]}, "must be a whole number"),
        ({"scale": ["expectedLeadTimeDays=2"]}, "expectedLeadTimeDays: unknown field"),
        ({"scale": ["minQuantity=-1"]}, "minQuantity: the factor must be a number such as 1.1"),
        ({"scale": ["minQuantity=10%"]}, "the factor must be a number such as 1.1"),
        ({"sets": ["replenishmentLocationId=no"]}, "replenishmentLocationId: no location has the"),
        ({"sets": ["preferredBinLocationId=loc_9"]}, "no location has the id 'loc_9'."),
        ({"where": ["locationId=loc_123,no"], "sets": ["minQuantity=5"]}, "no location has the"),
        ({"where": ["productMasterId=no"], "sets": ["minQuantity=5"]}, "no product has the id"),
        ({"where": ["locationId=\udcff"], "sets": ["minQuantity=5"]}, "must not hold control"),
        ({"where": ["colour=red"], "sets": ["minQuantity=5"]}, "colour: unknown field"),
    ],
)
def test_what_it_does_not_understand_is_refused_by_name(acme, ours, options, told):
    add_level(acme.organization)
    before = everything()
    with pytest.raises(CommandError) as refused:
        call_command("set_levels", **options)
    assert told in str(refused.value)
    assert everything() == before


def test_what_is_wrong_with_a_level_is_told_once(acme, ours, capsys):
    add_level(acme.organization, location=acme.location)
    with pytest.raises(CommandError, match="1 of 1 level would break a rule"):
        call_command("set_levels", sets=["preferredBinLocationId=loc_456"])
    problem = "preferredBinLocationId: must be inside the level's location"
    assert capsys.readouterr().err.partition("): ")[2] == f"{problem}\n"


def test_nothing_that_matches_is_no_error(set_levels, acme):
    out = set_levels(where=["sku=none"], sets=["minQuantity=1"])
    assert out == "Updated 0 levels of 0 that match; 0 were so already, 0 rounded.\n"


def test_interrupted_it_says_that_nothing_was_written(acme, ours, interrupt):
    add_level(acme.organization)
    before = everything()
    interrupt("Writing")
    with pytest.raises(CommandError, match=r"^Interrupted; nothing was written\.$"):
        call_command("set_levels", sets=["minQuantity=1"])
    assert everything() == before


def test_a_level_that_changes_meanwhile_is_not_overwritten(acme, ours, monkeypatch, capsys):
    """Its new quantity would have been reckoned from the old one."""
    level = add_level(acme.organization, max_quantity=Decimal(10))
    hold = imports._hold

    def meddle(first: int, last: int) -> Any:
        InventoryLevel.objects.filter(pk=level.pk).update(max_quantity=Decimal(99), version=2)
        return hold(first, last)

    monkeypatch.setattr(imports, "_hold", meddle)
    told = r"^1 level changed meanwhile, run it again; nothing was written\.$"
    with pytest.raises(CommandError, match=told):
        call_command("set_levels", scale=["maxQuantity=2"])
    assert capsys.readouterr().err.endswith(
        f"({level.public_id}): The level has changed meanwhile\n"
    )
    assert LevelChange.objects.count() == 0


def test_more_levels_than_a_page_are_all_changed(set_levels, acme, ours, monkeypatch):
    monkeypatch.setattr("inventory_levels.walk.PAGE", 3)
    for _ in range(7):
        add_level(acme.organization, location=acme.location, min_quantity=Decimal(1))
    assert "Updated 7 levels of 7" in set_levels(scale=["minQuantity=3"])
    assert {level.min_quantity for level in InventoryLevel.objects.all()} == {Decimal(3)}


def test_from_a_shell_it_exits_1_where_it_refused(shell):
    shell("create_organization", "--name", "Acme")
    done = shell("set_levels", "--set", "minQuantity=1", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["matched"] == 0
    assert shell("set_levels", "--set", "minQuantity=x").returncode == 1
