"""classify_abc: ABC classes by value of use, over all levels or each location alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory_levels import abc_classes
from inventory_levels.models import InventoryLevel, LevelChange, PlanningSettings, ProductMaster
from organizations.tenancy import organization_scope
from tests import factories
from tests.inventory_levels.planned import add_level, changes_of


@pytest.fixture
def classify(acme, capsys):
    """Runs the command for Acme and returns what it prints."""

    def classify(**options: Any) -> str:
        call_command("classify_abc", organization=acme.organization.public_id, **options)
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return classify


def used(organization: Any, value: Any, days: int = 1, cost: Any = 1, **more: Any) -> Any:
    """A level of which this value is used in so many days."""
    quantity = Decimal(str(value))
    return add_level(
        organization, forecast_quantity=quantity, forecast_period_days=days, cost=cost, **more
    )


def class_of(level: InventoryLevel) -> str | None:
    return InventoryLevel._base_manager.get(pk=level.pk).abc_class


def test_it_ranks_by_use_a_day_times_cost(classify, acme):
    levels = [
        used(acme.organization, 10, cost=8),  # 80 a day
        used(acme.organization, 450, days=30),  # 15
        used(acme.organization, 150, days=None),  # 5, over 30 days
    ]
    assert classify() == (
        "A 1, B 1, C 1; 0 without cost or forecast keep their class. Changed 3 levels.\n"
    )
    assert [class_of(level) for level in levels] == ["A", "B", "C"]
    assert classify().endswith("Changed 0 levels.\n")


def test_only_levels_whose_class_changes_are_written_and_the_history_says_why(classify, acme):
    right = used(acme.organization, 80, abc_class="A")
    wrong = used(acme.organization, 20, abc_class="A")
    classify()
    assert changes_of(right) == []
    (change,) = changes_of(wrong)
    assert change.changes == {"abcClass": {"old": "A", "new": "B"}}
    assert (change.actor_name, change.source, change.version) == ("classify_abc", "command", 2)
    assert change.reason == "ABC by value of use: A to 80 %, B to 95 %"


def test_unknown_cost_or_forecast_keeps_the_class_and_no_use_is_c(classify, acme):
    organization = acme.organization
    kept = [
        used(organization, 10, cost=None, abc_class="A"),
        add_level(organization, cost=5, abc_class="B"),
        add_level(organization, cost=5),
    ]
    idle = [used(organization, 0, cost=5), used(organization, 10, cost=0, abc_class="A")]
    assert classify().startswith("A 0, B 0, C 2; 3 without cost or forecast keep their class.")
    assert [class_of(level) for level in kept] == ["A", "B", None]
    assert [class_of(level) for level in idle] == ["C", "C"]


def test_ties_go_by_product_then_location(classify, acme):
    organization = acme.organization
    places = [factories.LocationFactory(organization=organization, public_id=name) for name in "zy"]
    levels = {}
    for name in "qp":
        product = factories.ProductFactory(
            organization=organization, public_id=name, unit_cost=Decimal(1)
        )
        for place in places:
            levels[name, place.public_id] = add_level(
                organization, product, place, forecast_quantity=Decimal(1)
            )
    with organization_scope(organization):
        PlanningSettings.objects.create(
            organization=organization, a_percent=Decimal(25), b_percent=Decimal(75)
        )
    classify()
    classes = {pair: class_of(level) for pair, level in levels.items()}
    assert classes == {("p", "y"): "A", ("p", "z"): "B", ("q", "y"): "B", ("q", "z"): "C"}
    assert changes_of(levels["p", "y"])[0].reason == "ABC by value of use: A to 25 %, B to 75 %"


def test_per_location_each_location_is_ranked_alone(classify, acme):
    organization = acme.organization
    big, small = (factories.LocationFactory(organization=organization) for _ in range(2))
    levels = [
        used(organization, value, location=place)
        for place, value in ((big, 9000), (small, 9), (big, 1000), (small, 1))
    ]
    classify()
    assert [class_of(level) for level in levels] == ["A", "C", "B", "C"]
    assert classify(per_location=True).startswith("A 2, B 2, C 0;")
    assert [class_of(level) for level in levels] == ["A", "A", "B", "B"]
    assert changes_of(levels[1])[-1].reason == (
        "ABC by value of use at its location: A to 80 %, B to 95 %"
    )


def test_other_organizations_neither_change_nor_count(classify, acme):
    foreign = used(factories.OrganizationFactory(), 1_000_000)
    ours = used(acme.organization, 1)
    classify()
    assert (class_of(ours), class_of(foreign)) == ("A", None)


def test_a_dry_run_counts_and_writes_nothing(classify, acme):
    level = used(acme.organization, 1)
    assert classify(dry_run=True).endswith("Dry run: would change 1 level.\n")
    assert class_of(level) is None
    assert not LevelChange._base_manager.exists()


def test_counts_come_as_json_for_scripts(classify, acme):
    used(acme.organization, 80)
    used(acme.organization, 20)
    add_level(acme.organization)
    expected = {"A": 1, "B": 1, "C": 0, "unknown": 1, "changed": 2, "movedOn": 0}
    assert json.loads(classify(json=True, dry_run=True)) == expected | {"dryRun": True}
    assert json.loads(classify(json=True)) == expected | {"dryRun": False}


def interrupt(monkeypatch, times: int, interruption: Any) -> None:
    """Let somebody do something between the ranking and the writing, so many times."""
    rank, left = abc_classes._ranked, [times]

    def ranked(*args: Any, **options: Any) -> Any:
        found = rank(*args, **options)
        if left[0]:
            left[0] -= 1
            interruption()
        return found

    monkeypatch.setattr(abc_classes, "_ranked", ranked)


def test_a_level_that_somebody_changes_meanwhile_is_ranked_again(classify, acme, api, monkeypatch):
    top, other = used(acme.organization, 80), used(acme.organization, 20)

    def change() -> None:
        answer = api.patch(f"/inventory-levels/{other.public_id}", {"forecastQuantity": 500})
        assert answer.status_code == 200

    interrupt(monkeypatch, 1, change)
    assert classify().startswith("A 1, B 1, C 0;")
    assert (class_of(top), class_of(other)) == ("B", "A")
    assert [change.version for change in changes_of(other)] == [2, 3]


def test_a_level_that_is_deleted_meanwhile_is_no_trouble(classify, acme, api, monkeypatch):
    top, other = used(acme.organization, 80), used(acme.organization, 20)
    interrupt(
        monkeypatch, 1, lambda: api.delete(f"/inventory-levels/{other.public_id}").status_code
    )
    assert classify().startswith("A 1, B 0, C 0;")
    assert class_of(top) == "A"


def test_a_level_that_never_rests_is_left_alone_and_told(acme, api, monkeypatch):
    restless = used(acme.organization, 80)
    numbers = iter(range(1, 10))
    path = f"/inventory-levels/{restless.public_id}"
    interrupt(
        monkeypatch, 9, lambda: api.patch(path, {"comments": f"turn {next(numbers)}"}).status_code
    )
    with pytest.raises(CommandError) as refused:
        call_command("classify_abc")
    assert str(refused.value) == "1 level kept changing meanwhile; run it again."
    assert class_of(restless) is None


def test_thousands_take_a_few_statements_each(acme, django_assert_max_num_queries):
    location = factories.LocationFactory(organization=acme.organization)
    products = factories.ProductFactory.build_batch(
        2_500, organization=acme.organization, unit_cost=1
    )
    ProductMaster._base_manager.bulk_create(products)
    InventoryLevel._base_manager.bulk_create(
        InventoryLevel(
            organization=acme.organization, product=product, location=location, forecast_quantity=1
        )
        for product in products
    )
    with django_assert_max_num_queries(40):
        call_command("classify_abc")
    assert LevelChange._base_manager.count() == 2_500
