"""A batch that is staged comes to what a single row comes to: the same table of cases for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_levels import services
from inventory_levels.imports import FileRow, RowResult, import_levels
from inventory_levels.models import SETTINGS, InventoryLevel, LevelChange
from inventory_levels.quantities import public
from inventory_levels.refusals import Refusal
from inventory_levels.services import LevelRow, Origin
from organizations.actors import Actor
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.answers import case

ORIGIN = Origin(Actor("user", "u_1", "Ann"), LevelChange.Source.IMPORT, reason='"Ünïcode" \\ %s')

Settings = dict[str, Any]
# Outcome, why, the level as it is stored, and the history.
Found = tuple[str, Any, Any, list[Any]]


@pytest.fixture
def cast(acme) -> Iterator[None]:
    """A shelf in loc_123, a bin on it, and another organization with the same ids."""
    shelf = factories.LocationFactory(
        organization=acme.organization, public_id="shelf", parent=acme.location
    )
    factories.LocationFactory(
        organization=acme.organization, public_id="bin_deep", type="BIN", parent=shelf
    )
    other = factories.OrganizationFactory()
    factories.ProductFactory(organization=other, public_id="prod_theirs")
    factories.LocationFactory(organization=other, public_id="loc_theirs")
    with organization_scope(acme.organization):
        yield


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def by_itself(row: LevelRow) -> tuple[str, Any]:
    (result,) = services.save_levels([row], origin=ORIGIN)
    return result.outcome, result.refusal


def in_a_file(row: LevelRow) -> tuple[str, Any]:
    results: list[RowResult] = []
    file_row = FileRow(7, row.settings, product=row.product, location=row.location)
    counts = import_levels([file_row], origin=ORIGIN, on_error="abort", tell=results.append)
    (result,) = results
    assert getattr(counts, result.outcome) == counts.total == 1
    assert (result.id is None) == (result.outcome == "failed")
    return result.outcome, result.refusal


def in_a_long_batch(row: LevelRow) -> tuple[str, Any]:
    (result,) = services.save_many_levels([row], origin=ORIGIN)
    assert (result.id is None) == (result.outcome == "failed")
    return result.outcome, result.refusal


def in_a_dry_run(row: LevelRow) -> tuple[str, Any]:
    """What would be, and then that it was not."""
    results: list[RowResult] = []
    file_row = FileRow(7, row.settings, product=row.product, location=row.location)
    import_levels([file_row], origin=ORIGIN, on_error="skip", dry_run=True, tell=results.append)
    (result,) = results
    return result.outcome, result.refusal


def stored() -> Any:
    """The levels with all columns but those that differ by what made them."""
    levels = InventoryLevel.objects.order_by("product_id", "location_id")
    different = {"id", "public_id", "created_at", "updated_at"}
    return [
        {name: value for name, value in level.items() if name not in different}
        for level in levels.values()
    ]


def entries() -> list[Any]:
    different = {"id", "level_public_id", "at"}
    return [
        {name: value for name, value in entry.items() if name not in different}
        for entry in LevelChange.objects.order_by("pk").values()
    ]


def found(before: Settings | None, row: LevelRow, way: Callable[[LevelRow], Any]) -> Found:
    with taken_back():
        if before is not None:
            base = LevelRow(before, product="prod_123", location="loc_123")
            services.save_level(base, origin=ORIGIN)
        outcome, refusal = way(row)
        told = refusal and (refusal.sentence, refusal.code, dict(refusal.details or {}))
        return outcome, told, stored(), entries()


def assert_the_same(before: Settings | None, row: LevelRow) -> str:
    expected = found(before, row, by_itself)
    assert found(before, row, in_a_file) == expected
    assert found(before, row, in_a_long_batch) == expected
    assert found(before, row, in_a_dry_run)[:2] == expected[:2]
    return expected[0]


@pytest.fixture(autouse=True)
def long(monkeypatch):
    """Every batch counts as a long one."""
    monkeypatch.setattr(services, "LONG", 1)


def q(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text).quantize(Decimal("1.0000"))


def quantities(*texts: str | None) -> Settings:
    names = ("min_quantity", "reorder_quantity", "max_quantity")
    return {name: q(text) for name, text in zip(names, texts, strict=True)}


FULL: Settings = {
    **quantities("50", "100.5", "500"),
    "status": "Stock",
    "abc_class": "A",
    "expected_lead_time_days": 7,
    "replenishment_period_days": 14,
    "forecast_period_days": 30,
    "forecast_quantity": q("200.0001"),
    "preferred_bin_location": "bin_deep",
    "replenishment_location": "loc_456",
    "comments": 'Straße, "quoted"\t\\N and\nNULL 🚚',
}
CLEARED: Settings = dict.fromkeys(FULL)

CASES: list[tuple[str, Settings | None, Settings, str]] = [
    ("created with nothing", None, {}, "created"),
    ("created whole", None, FULL, "created"),
    ("created with a cleared status", None, {"status": None}, "created"),
    ("created with all cleared", None, CLEARED, "created"),
    ("the largest number", None, {"max_quantity": q("99999999999.9999")}, "created"),
    ("the smallest numbers", None, quantities("0", "0.0001", "0.0002"), "created"),
    ("unchanged", FULL, FULL, "unchanged"),
    ("unchanged by nothing", FULL, {}, "unchanged"),
    ("unchanged by null where nothing is", {}, CLEARED, "unchanged"),
    (
        "the same number otherwise written",
        {"min_quantity": q("5")},
        {"min_quantity": Decimal("5.0")},
        "unchanged",
    ),
    ("zero is no null", {"min_quantity": None}, {"min_quantity": q("0")}, "updated"),
    ("null is no zero", {"min_quantity": q("0")}, {"min_quantity": None}, "updated"),
    ("all cleared", FULL, CLEARED, "updated"),
    ("all set", {}, FULL, "updated"),
    ("the status goes back", {"status": "Inactive"}, {"status": None}, "updated"),
    ("the status stays", {"status": "Inactive"}, {"comments": "x"}, "updated"),
    ("comments by case alone", {"comments": "a"}, {"comments": "A"}, "updated"),
    ("comments cleared", {"comments": "a"}, {"comments": None}, "updated"),
    ("equal quantities", {}, quantities("5", "5", "5"), "updated"),
    ("out of order by itself", None, quantities("5", "4", None), "failed"),
    ("min over max without reorder", None, quantities("5", None, "4"), "failed"),
    ("all out of order", FULL, quantities("3", "2", "1"), "failed"),
    ("out of order with what is stored", FULL, {"min_quantity": q("100.5001")}, "failed"),
    (
        "over what is stored, without reorder",
        quantities("1", None, "9"),
        {"min_quantity": q("10")},
        "failed",
    ),
    ("in order, as what is in the way is cleared", FULL, quantities("501", None, None), "updated"),
    ("a bin deep inside", {}, {"preferred_bin_location": "bin_deep"}, "updated"),
    ("a bin elsewhere", {}, {"preferred_bin_location": "loc_456"}, "failed"),
    ("the location as its bin", None, {"preferred_bin_location": "loc_123"}, "failed"),
    ("no such bin", FULL, {"preferred_bin_location": "bin_none"}, "failed"),
    ("another's bin", FULL, {"preferred_bin_location": "loc_theirs"}, "failed"),
    ("a source", FULL, {"replenishment_location": "shelf"}, "updated"),
    ("the location as its source", FULL, {"replenishment_location": "loc_123"}, "failed"),
    ("no such source", None, {"replenishment_location": "loc_none"}, "failed"),
    (
        "two wrong places",
        FULL,
        {"preferred_bin_location": "loc_456", "replenishment_location": "loc_123"},
        "failed",
    ),
    (
        "a missing and a wrong place",
        {},
        {"preferred_bin_location": "x", "replenishment_location": "loc_123"},
        "failed",
    ),
    (
        "a wrong place before wrong quantities",
        {},
        {"preferred_bin_location": "loc_456", **quantities("3", "2", "1")},
        "failed",
    ),
]


def test_each_case_comes_to_the_same_whichever_way_it_takes(cast):
    for name, before, row, outcome in CASES:
        with case(name):
            wanted = LevelRow(row, product="prod_123", location="loc_123")
            assert assert_the_same(before, wanted) == outcome


@pytest.mark.parametrize("product", ["prod_123", "prod_none", "prod_theirs"])
@pytest.mark.parametrize("location", ["loc_123", "loc_none", "loc_theirs", "bin_deep"])
def test_what_is_missing_or_anothers_is_missed_whichever_way_it_takes(cast, product, location):
    row = LevelRow({"preferred_bin_location": "nowhere"}, product=product, location=location)
    assert assert_the_same({}, row) == "failed"
    row = LevelRow({"min_quantity": q("1")}, product=product, location=location)
    ours = product == "prod_123" and location in ("loc_123", "bin_deep")
    assert assert_the_same(None, row) == ("created" if ours else "failed")


numbers = st.one_of(st.none(), st.integers(0, 4).map(lambda n: q(str(n / 2))))
days = st.one_of(st.none(), st.integers(1, 3))
places = st.sampled_from([None, "loc_123", "loc_456", "bin_123", "bin_deep", "shelf", "nowhere"])
ANY = {
    "min_quantity": numbers,
    "reorder_quantity": numbers,
    "max_quantity": numbers,
    "status": st.sampled_from([None, "Supported", "Inactive"]),
    "abc_class": st.sampled_from([None, "A", "B"]),
    "expected_lead_time_days": days,
    "replenishment_period_days": days,
    "forecast_period_days": days,
    "forecast_quantity": numbers,
    "preferred_bin_location": places,
    "replenishment_location": places,
    "comments": st.one_of(
        st.none(), st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=3)
    ),
}
assert ANY.keys() == set(SETTINGS.values())
some_settings = st.fixed_dictionaries({}, optional=ANY)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.one_of(st.none(), some_settings), row=some_settings)
def test_any_row_on_any_level_comes_to_the_same_whichever_way_it_takes(cast, before, row):
    if before is not None:
        try:
            with taken_back():
                base = LevelRow(before, product="prod_123", location="loc_123")
                services.save_level(base, origin=ORIGIN)
        except Refusal:
            before = None
    assert_the_same(before, LevelRow(row, product="prod_123", location="loc_123"))


def test_a_batch_of_all_cases_comes_to_what_they_come_to_one_by_one(cast, acme):
    """Chunks of a few rows, each on a product of its own."""
    rows = []
    for number, (_, before, row, _) in enumerate(CASES):
        product = factories.ProductFactory(organization=acme.organization, public_id=f"p-{number}")
        if before is not None:
            base = LevelRow(before, product=product.public_id, location="loc_123")
            services.save_level(base, origin=ORIGIN)
        rows.append(LevelRow(row, product=product.public_id, location="loc_123"))
    rows.reverse()
    outcomes: list[Any] = []
    for save in (services.save_levels, services.save_many_levels):
        with taken_back():
            results = save(rows, origin=ORIGIN, on_error="skip")
            changes = sorted(
                (entry["product_public_id"], entry["version"], str(public(entry["changes"])))
                for entry in entries()
            )
            outcomes.append(([result.outcome for result in results], stored(), changes))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == [outcome for *_, outcome in reversed(CASES)]
