"""import_levels: what holds for a file, whatever its format: its keys, chunks, modes and words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from inventory_levels import catalog, imports, services
from inventory_levels.imports import Counts, FileRow, RowResult, import_levels
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.services import LevelRow, Origin
from organizations.actors import Actor
from organizations.tenancy import current_organization, organization_scope
from tests import factories
from tests.api.bulk import everything

ORIGIN = Origin(Actor.of_command("import_levels"), LevelChange.Source.IMPORT)
ONE = {"min_quantity": Decimal(1)}

Results = dict[int, RowResult]


@pytest.fixture(autouse=True)
def ours(acme) -> Iterator[None]:
    with organization_scope(acme.organization):
        yield


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 5)


def run(*rows: FileRow, on_error: Any = "abort", **options: Any) -> tuple[Counts, Results]:
    told: list[RowResult] = []
    counts = import_levels(rows, origin=ORIGIN, on_error=on_error, tell=told.append, **options)
    results = {result.number: result for result in told}
    assert len(results) == len(told), "told twice"
    return counts, results


def details(result: RowResult) -> Any:
    assert (result.outcome, result.id) == ("failed", None)
    assert result.refusal
    return result.refusal.details


def pairs(number: int, **settings: Any) -> list[FileRow]:
    """So many rows on new products, in the opposite order of their keys."""
    for n in range(number):
        factories.ProductFactory(
            organization=current_organization(),
            public_id=f"p-{n}",
            global_sku=f"S-{n}",
            product_name="P",
        )
    return [
        FileRow(2 + n, {**ONE, **settings}, product=f"p-{number - 1 - n}", location="loc_123")
        for n in range(number)
    ]


# --- what a row names


def test_products_and_locations_are_found_by_sku_and_name(acme):
    counts, results = run(
        FileRow(2, ONE, sku="SKU-123", location="loc_123"),
        FileRow(3, ONE, product="prod_123", location_name="Supplier"),
        FileRow(4, ONE, sku="SKU-123", location_name="A-01"),
    )
    assert counts == Counts(created=3)
    levels = InventoryLevel.objects.order_by("location_id").select_related("product", "location")
    assert [(level.product.public_id, level.location.public_id) for level in levels] == [
        ("prod_123", "loc_123"),
        ("prod_123", "loc_456"),
        ("prod_123", "bin_123"),
    ]
    assert {result.id for result in results.values()} == {level.public_id for level in levels}
    entries = LevelChange.objects.values_list("product_public_id", "location_public_id")
    assert set(entries) == {("prod_123", place) for place in ("loc_123", "loc_456", "bin_123")}


def test_what_a_row_says_twice_must_agree(acme):
    other = factories.ProductFactory(organization=acme.organization, global_sku="OTHER")
    _, made = run(FileRow(2, ONE, product="prod_123", location="loc_456"))
    level = made[2].id
    agreeing = {
        "product": "prod_123",
        "sku": "SKU-123",
        "product_name": "Widget",
        "location": "loc_456",
        "location_name": "Supplier",
        "level": level,
    }
    counts, _ = run(FileRow(2, ONE, **agreeing))
    assert counts == Counts(unchanged=1)
    before = everything()
    for column, name, value in [
        ("sku", "sku", "OTHER"),
        ("sku", "sku", "nothing"),
        ("productName", "product_name", "Gadget"),
        ("locationName", "location_name", "supplier"),
        ("id", "level", "level_other"),
        ("sku", "product", other.public_id),
        ("locationName", "location", "loc_123"),
    ]:
        counts, results = run(FileRow(2, {"min_quantity": Decimal(2)}, **agreeing | {name: value}))
        assert counts == Counts(failed=1, aborted=True)
        assert column in details(results[2]), (name, value)
    assert everything() == before


def test_the_id_of_a_deleted_level_is_no_contradiction_and_anothers_is(acme):
    _, made = run(FileRow(2, ONE, product="prod_123", location="loc_123"))
    gone = made[2].id or ""
    services.delete_level(gone, origin=ORIGIN)
    counts, made = run(FileRow(2, ONE, product="prod_123", location="loc_123", level=gone))
    assert counts == Counts(created=1)
    assert made[2].id != gone
    _, results = run(FileRow(2, ONE, product="prod_123", location="loc_456", level=made[2].id))
    assert list(details(results[2])) == ["id"]


def test_a_name_that_fits_several_locations_is_refused_and_an_id_beside_it_helps(acme):
    factories.LocationFactory(organization=acme.organization, parent=acme.location, name="Supplier")
    _, results = run(FileRow(2, ONE, product="prod_123", location_name="Supplier"))
    assert list(details(results[2])) == ["locationName"]
    counts, _ = run(
        FileRow(2, ONE, product="prod_123", location="loc_456", location_name="Supplier")
    )
    assert counts == Counts(created=1)


def test_what_is_missing_is_told_by_the_column_that_names_it(acme):
    theirs = factories.ProductFactory(public_id="theirs", global_sku="THEIRS")
    factories.LocationFactory(organization=theirs.organization, name="Theirs")
    _, results = run(
        FileRow(2, ONE, sku="THEIRS", location_name="Theirs"),
        FileRow(3, ONE, product="theirs", location="loc_123"),
        FileRow(4, ONE, sku="SKU-123", location="nowhere"),
        FileRow(5, {"preferred_bin_location": "nowhere"}, sku="none", location="loc_123"),
        FileRow(6, ONE, sku="", location_name=""),
        FileRow(7, ONE),
    )
    assert [list(details(results[number])) for number in range(2, 8)] == [
        ["sku", "locationName"],
        ["productMasterId"],
        ["locationId"],
        ["sku", "preferredBinLocationId"],
        ["sku", "locationName"],
        ["productMasterId", "locationId"],
    ]
    codes = [results[number].refusal.code for number in range(2, 8)]
    assert codes == ["NOT_FOUND"] * 5 + ["VALIDATION_ERROR"]


def test_what_the_reader_found_is_told_as_it_is(acme):
    found = {"minQuantity": ["must be a number"], "sku": ["must not be empty"]}
    _, results = run(
        FileRow(2, {}, location="loc_123", problems=found),
        FileRow(3, {}, product="prod_123", problems={"locationId": ["is odd"]}),
        FileRow(4, {}, product="none", problems={"abcClass": ["must be one of A, B, C"]}),
    )
    assert details(results[2]) == found
    assert details(results[3]) == {"locationId": ["is odd"]}
    assert list(details(results[4])) == ["abcClass", "locationId"]


# --- the same pair twice


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_rows_for_one_level_all_fail_however_far_apart_and_however_it_is_named(acme, on_error):
    rows = pairs(23)
    again = [
        FileRow(100, {}, sku="S-3", location="loc_123"),
        FileRow(101, ONE, product="p-3", location_name="Main warehouse"),
        FileRow(102, {}, product="p-9", location="loc_123", problems={"status": ["is odd"]}),
    ]
    counts, results = run(*rows, *again, on_error=on_error)
    first = {row.product: row.number for row in rows}
    bad = {first["p-3"], first["p-9"], 100, 101, 102}
    assert {n for n, result in results.items() if result.outcome == "failed"} == bad
    sentences = {results[n].refusal.sentence for n in bad - {102}}
    assert sentences == {"The same product and location comes more than once"}
    assert details(results[102]) == {"status": ["is odd"]}
    if on_error == "abort":
        assert counts == Counts(failed=5, aborted=True)
        assert InventoryLevel.objects.count() == 0
    else:
        assert counts == Counts(created=21, failed=5)
        assert InventoryLevel.objects.count() == LevelChange.objects.count() == 21


def test_rows_that_name_nothing_that_exists_are_not_the_same(acme):
    _, results = run(
        FileRow(2, ONE, product="none", location="loc_123"),
        FileRow(3, ONE, product="nothing", location="loc_123"),
        FileRow(4, ONE, sku="nothing", location="loc_123"),
    )
    assert {result.refusal.code for result in results.values()} == {"NOT_FOUND"}


# --- modes


def test_abort_tells_every_bad_row_and_what_would_have_been_and_writes_nothing(acme):
    rows = pairs(12)
    for index in (1, 4, 11):
        rows[index].settings = {"min_quantity": Decimal(2), "max_quantity": Decimal(1)}
    before = everything()
    counts, results = run(*rows)
    assert counts == Counts(failed=3, aborted=True)
    assert everything() == before
    outcomes = [results[row.number].outcome for row in rows]
    assert outcomes == ["failed" if index in (1, 4, 11) else "created" for index in range(12)]
    assert details(results[3]) == {"maxQuantity": ["must not be below min (2)"]}


def test_skip_writes_the_good_rows_and_running_it_again_finishes_the_job(acme):
    rows = pairs(12)
    good = rows[4].settings
    rows[4].settings = {"min_quantity": Decimal(2), "max_quantity": Decimal(1)}
    counts, results = run(*rows, on_error="skip")
    assert counts == Counts(created=11, failed=1)
    assert {result.outcome for result in results.values()} == {"created", "failed"}
    rows[4].settings = good
    counts, again = run(*rows, on_error="skip")
    assert counts == Counts(created=1, unchanged=11)
    kept = {number: result.id for number, result in results.items() if result.id}
    assert {number: again[number].id for number in kept} == kept
    assert LevelChange.objects.count() == 12


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_a_dry_run_answers_exactly_what_the_import_then_does(acme, on_error):
    rows = pairs(14)
    run(*rows[:6])
    for row in rows[:3]:
        row.settings = {"comments": "new"}
    if on_error == "skip":
        rows[7].product = "nothing"
    before = everything()
    dry, told = run(*rows, on_error=on_error, dry_run=True)
    assert everything() == before
    real, results = run(*rows, on_error=on_error)
    assert dry == real
    assert real.total == 14
    for number, result in results.items():
        assert told[number].outcome == result.outcome
        if result.outcome == "created":
            assert told[number].id is None
            assert result.id
        else:
            assert told[number].id == result.id


def test_importing_what_is_stored_moves_no_version_and_writes_no_history(acme):
    rows = pairs(12, status="Stock", comments="Ünïcode", forecast_quantity=Decimal("0.1"))
    run(*rows)
    before = everything()
    counts, results = run(*reversed(rows))
    assert counts == Counts(unchanged=12)
    assert all(result.id for result in results.values())
    assert everything() == before


def test_only_bad_rows_are_told_where_only_they_are_asked_for(acme):
    rows = [*pairs(7), FileRow(99, ONE)]
    _, results = run(*rows, on_error="skip", tell_all=False)
    assert list(results) == [99]


def test_progress_comes_once_a_chunk(acme):
    seen: list[tuple[int, int]] = []
    run(*pairs(12), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(5, 12), (10, 12), (12, 12)]


def test_an_empty_file_is_no_trouble(acme):
    assert run() == (Counts(), {})


def test_the_origin_is_in_the_history(acme):
    origin = Origin(Actor("user", "u_1", "Ann"), LevelChange.Source.IMPORT, "100 % of %s")
    row = FileRow(2, ONE, product="prod_123", location="loc_123")
    for number in (1, 2):
        row.settings = {"min_quantity": Decimal(number)}
        import_levels([row], origin=origin, on_error="abort")
    for entry in LevelChange.objects.all():
        assert (entry.actor_type, entry.actor_id, entry.actor_name) == ("user", "u_1", "Ann")
        assert (entry.source, entry.reason) == ("import", "100 % of %s")
    assert [entry.version for entry in LevelChange.objects.order_by("version")] == [1, 2]


def test_times_of_a_level_and_of_its_history_agree(acme):
    run(*pairs(7))
    run(FileRow(2, {"min_quantity": Decimal(2)}, product="p-3", location="loc_123"))
    for level in InventoryLevel.objects.select_related("latest_change"):
        assert level.latest_change.at == level.updated_at >= level.created_at
        assert (level.updated_at > level.created_at) == (level.version == 2)


# --- others, at the same time


@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_what_others_change_between_the_check_and_the_writing_counts(acme, monkeypatch, on_error):
    """One level is made, one deleted, one moved out of order, one product is deleted."""
    rows = pairs(9)
    for row in rows:
        row.settings = {"min_quantity": Decimal(5), "comments": "imported"}
    by_product = {row.product: row for row in rows}
    base = [LevelRow({}, product=f"p-{n}", location="loc_123") for n in (1, 2, 3)]
    levels = [result.saved.public_id for result in services.save_levels(base, origin=ORIGIN)]
    hold = imports._hold

    def meddle(first: int, last: int) -> Any:
        monkeypatch.setattr(imports, "_hold", hold)
        services.save_levels(
            [
                LevelRow({"comments": "theirs"}, product="p-0", location="loc_123"),
                LevelRow({"max_quantity": Decimal(4)}, level=levels[0]),
                LevelRow({"min_quantity": Decimal(5), "comments": "imported"}, level=levels[2]),
            ],
            origin=ORIGIN,
        )
        services.delete_level(levels[1], origin=ORIGIN)
        if on_error == "skip":
            catalog.delete_product("p-8")
        return hold(first, last)

    monkeypatch.setattr(imports, "_hold", meddle)
    counts, results = run(*rows, on_error=on_error)
    bad = by_product["p-1"].number
    assert details(results[bad]) == {"maxQuantity": ["must not be below min (5)"]}
    if on_error == "abort":
        assert counts == Counts(failed=1, aborted=True)
        assert not InventoryLevel.objects.filter(comments="imported", version=1).exists()
        return
    assert details(results[by_product["p-8"].number]) == {"productMasterId": ["not found"]}
    assert counts == Counts(created=5, updated=1, unchanged=1, failed=2)
    outcomes = {product: results[row.number].outcome for product, row in by_product.items()}
    assert outcomes["p-0"] == "updated"
    assert outcomes["p-2"] == "created"
    assert outcomes["p-3"] == "unchanged"
    theirs = LevelChange.objects.filter(product_public_id="p-0").order_by("version")
    assert [entry.changes.get("comments") for entry in theirs] == [
        {"old": None, "new": "theirs"},
        {"old": "theirs", "new": "imported"},
    ]


def test_nothing_of_an_import_is_left_behind_where_it_breaks(acme):
    def rows() -> Iterator[FileRow]:
        yield FileRow(2, ONE, product="prod_123", location="loc_123")
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk"):
        import_levels(rows(), origin=ORIGIN, on_error="skip")
    assert InventoryLevel.objects.count() == 0
    assert run(FileRow(2, ONE, product="prod_123", location="loc_123"))[0] == Counts(created=1)


def test_a_row_made_from_a_version_is_refused_once_the_level_has_another(acme):
    new = FileRow(2, ONE, product="prod_123", location="loc_123", version=1)
    assert run(new)[0] == Counts(failed=1, aborted=True), "there is no level yet"
    new.version = 0
    assert run(new)[0] == Counts(created=1)
    change = FileRow(2, {"min_quantity": Decimal(2)}, product="prod_123", location="loc_123")
    before = everything()
    for version in (0, 2):
        change.version = version
        counts, results = run(change)
        assert counts == Counts(failed=1, aborted=True)
        assert results[2].refusal.code == "PRECONDITION_FAILED"
    assert everything() == before
    change.version = 1
    assert run(change)[0] == Counts(updated=1)


def test_a_row_made_from_a_version_is_also_refused_where_it_moves_on_after_the_check(
    acme, monkeypatch
):
    rows = pairs(4)
    base = [LevelRow({}, product=f"p-{n}", location="loc_123") for n in (1, 2)]
    changed, deleted = (r.saved.public_id for r in services.save_levels(base, origin=ORIGIN))
    versions = {"p-1": 1, "p-2": 1, "p-3": 0}
    for row in rows:
        row.version = versions.get(row.product or "")
    hold = imports._hold

    def meddle(first: int, last: int) -> Any:
        monkeypatch.setattr(imports, "_hold", hold)
        services.save_level(LevelRow({"comments": "theirs"}, level=changed), origin=ORIGIN)
        services.delete_level(deleted, origin=ORIGIN)
        theirs = LevelRow({"comments": "theirs"}, product="p-3", location="loc_123")
        services.save_level(theirs, origin=ORIGIN)
        return hold(first, last)

    monkeypatch.setattr(imports, "_hold", meddle)
    counts, results = run(*rows, on_error="skip")
    assert counts == Counts(created=1, failed=3)
    for row in rows:
        if row.product != "p-0":
            assert results[row.number].refusal.code == "PRECONDITION_FAILED"
    levels = InventoryLevel.objects.order_by("product_id")
    assert [(level.comments, level.min_quantity) for level in levels] == [
        (None, Decimal(1)),
        ("theirs", None),
        ("theirs", None),
    ]
