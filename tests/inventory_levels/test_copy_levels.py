"""copy_levels: a location gets the levels of another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory_levels import imports
from inventory_levels.models import SETTINGS, InventoryLevel, LevelChange, Location
from inventory_levels.services import LevelRow, Origin, save_level
from organizations.actors import Actor
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.bulk import everything

ORIGIN = Origin(Actor.of_command("tests"), LevelChange.Source.COMMAND)


@pytest.fixture(autouse=True)
def ours(acme) -> Iterator[None]:
    """loc_new is a new store, with a shelf in it that is nested in loc_123 too."""
    factories.LocationFactory(organization=acme.organization, public_id="loc_new", name="New store")
    with organization_scope(acme.organization):
        yield


@pytest.fixture
def copy(acme, capsys):
    """Runs the command and returns what it prints: on stdout, on stderr."""

    def run(**options: Any) -> tuple[str, str]:
        organization = acme.organization.public_id
        defaults = {"organization": organization, "source": "loc_123", "target": "loc_new"}
        call_command("copy_levels", **{**defaults, **options})
        out, err = capsys.readouterr()
        return out, err

    return run


FULL = {
    "min_quantity": Decimal(5),
    "max_quantity": Decimal("7.5"),
    "status": "Stock",
    "abc_class": "C",
    "expected_lead_time_days": 0,
    "replenishment_period_days": 14,
    "forecast_period_days": 30,
    "forecast_quantity": Decimal("0.0001"),
    "replenishment_location": "loc_456",
    "comments": "Straße",
}


def save(product: str, location: str = "loc_123", **settings: Any) -> InventoryLevel:
    row = LevelRow(settings, product=product, location=location)
    return save_level(row, origin=ORIGIN).saved


def new_product(acme: Any, public_id: str) -> str:
    factories.ProductFactory(
        organization=acme.organization, public_id=public_id, global_sku=f"S-{public_id}"
    )
    return public_id


def settings_at(location: str) -> dict[str, dict[str, Any]]:
    levels = InventoryLevel.objects.with_references().filter(location__public_id=location)
    return {
        level.product.public_id: {name: getattr(level, name) for name in SETTINGS.values()}
        for level in levels
    }


def test_all_settings_of_all_levels_are_copied(copy, acme):
    save("prod_123", **FULL)
    save(new_product(acme, "bare"))
    save(new_product(acme, "elsewhere"), "loc_456")
    out, err = copy()
    assert err == ""
    assert out == (
        "Copied 2 levels from loc_123 to loc_new: 2 created, 0 updated; 0 alike already, "
        "0 kept as they were.\n"
    )
    assert settings_at("loc_new") == settings_at("loc_123")
    entry = LevelChange.objects.filter(location_public_id="loc_new").first()
    assert entry
    assert (entry.source, entry.actor_name, entry.reason) == (
        *("command", "copy_levels", "copied from loc_123"),
    )


def test_what_is_there_stays_unless_it_is_to_be_overwritten(copy, acme):
    save("prod_123", **FULL)
    save(new_product(acme, "other"), min_quantity=Decimal(1))
    save("prod_123", "loc_new", min_quantity=Decimal(2), max_quantity=Decimal(3), comments="ours")
    before = settings_at("loc_new")
    out, _ = copy()
    assert "1 created, 0 updated; 0 alike already, 1 kept as they were." in out
    assert settings_at("loc_new")["prod_123"] == before["prod_123"]
    out, _ = copy(overwrite=True)
    assert "0 created, 1 updated; 1 alike already, 0 kept as they were." in out
    assert settings_at("loc_new") == settings_at("loc_123")
    stored = everything()
    assert "0 created, 0 updated; 2 alike already" in copy(overwrite=True)[0]
    assert everything() == stored


def test_a_bin_outside_and_a_source_equal_to_the_target_are_left_out_and_listed(copy, acme):
    save("prod_123", preferred_bin_location="bin_123", replenishment_location="loc_new")
    save(new_product(acme, "fits"), replenishment_location="loc_456")
    out, err = copy()
    assert err.splitlines() == [
        "SKU-123: left out, preferred bin bin_123 is outside the location",
        "SKU-123: left out, source loc_new is the location itself",
    ]
    assert out.startswith("Copied 2 levels")
    copied = settings_at("loc_new")
    assert copied["prod_123"]["preferred_bin_location"] is None
    assert copied["prod_123"]["replenishment_location"] is None
    assert copied["fits"]["replenishment_location"].public_id == "loc_456"


def test_overwriting_leaves_the_targets_own_bin_and_source_where_the_copied_ones_do_not_fit(
    copy, acme
):
    new_store = Location.objects.get(public_id="loc_new")
    factories.LocationFactory(organization=acme.organization, public_id="own", parent=new_store)
    save("prod_123", preferred_bin_location="bin_123", replenishment_location="loc_new")
    own = {"preferred_bin_location": "own", "replenishment_location": "loc_456"}
    save("prod_123", "loc_new", comments="old", **own)
    save(new_product(acme, "unset"))
    save("unset", "loc_new", **own)
    out, err = copy(overwrite=True)
    assert err.splitlines() == [
        "SKU-123: left out, preferred bin bin_123 is outside the location; its own, own, stays",
        "SKU-123: left out, source loc_new is the location itself; its own, loc_456, stays",
    ]
    assert "0 created, 2 updated" in out
    copied = settings_at("loc_new")
    assert {name: copied["prod_123"][name].public_id for name in own} == own
    assert copied["prod_123"]["comments"] is None
    assert [copied["unset"][name] for name in own] == [None, None]


def test_a_bin_that_is_inside_both_locations_is_kept(copy, acme):
    hall = factories.LocationFactory(
        organization=acme.organization, public_id="hall", parent=acme.location
    )
    factories.LocationFactory(organization=acme.organization, public_id="deep", parent=hall)
    save("prod_123", preferred_bin_location="deep")
    _, err = copy(target="hall")
    assert err == ""
    assert settings_at("hall")["prod_123"]["preferred_bin_location"].public_id == "deep"


def test_a_dry_run_lists_and_counts_and_writes_nothing(copy):
    save("prod_123", preferred_bin_location="bin_123")
    before = everything()
    out, err = copy(dry_run=True)
    assert out.startswith("Dry run: would copy 1 level from loc_123 to loc_new: 1 created")
    assert "bin_123" in err
    assert everything() == before


def test_scripts_get_the_counts_as_json(copy):
    save("prod_123", preferred_bin_location="bin_123")
    out, _ = copy(as_json=True)
    assert json.loads(out) == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "failed": 0,
        "kept": 0,
        "leftOut": {"bins": 1, "sources": 0},
        "dryRun": False,
        "refused": [],
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"source": "nowhere"}, r"^--from: no location has the id 'nowhere'\.$"),
        ({"target": "nowhere"}, r"^--to: no location has the id 'nowhere'\.$"),
        ({"target": "loc_theirs"}, "no location has the id 'loc_theirs'"),
        ({"source": "\udcff"}, r"^--from: no location has the id '\\udcff'\.$"),
        ({"target": "loc_123"}, "the same location"),
    ],
)
def test_locations_that_are_not_there_are_refused(copy, options, told):
    factories.LocationFactory(public_id="loc_theirs")
    save("prod_123")
    before = everything()
    with pytest.raises(CommandError, match=told):
        copy(**options)
    assert everything() == before


def test_a_level_that_somebody_has_just_made_there_is_not_overwritten(copy, capsys, monkeypatch):
    save("prod_123", **FULL)
    hold = imports._hold

    def meddle(first: int, last: int) -> Any:
        monkeypatch.setattr(imports, "_hold", hold)
        save("prod_123", "loc_new", comments="theirs")
        return hold(first, last)

    monkeypatch.setattr(imports, "_hold", meddle)
    with pytest.raises(CommandError, match="1 level could not be copied; nothing was written"):
        copy()
    assert "SKU-123 at Main warehouse" in capsys.readouterr().err


def test_nothing_to_copy_is_no_error(copy):
    assert copy()[0].startswith("Copied 0 levels")
