"""Export, then import: whatever the levels hold, nothing changes, and nothing is lost."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inventory_levels.files import copying, exporting
from inventory_levels.models import (
    SETTINGS,
    AbcClass,
    InventoryLevel,
    LevelChange,
    LevelStatus,
    Location,
    ProductMaster,
)
from tests import factories
from tests.api.answers import stored
from tests.api.bulk import everything
from tests.api.files import CSV, LEVELS, XLSX, assert_imported, export, records, send, table
from tests.conftest import Api, issue_key

pytestmark = pytest.mark.django_db

TYPES = {"csv": CSV, "xlsx": XLSX}
FORMATS = ["csv", "xlsx", "ndjson"]

# What files break on, more often than chance would have it.
ODD = [
    *("null", "'null", "''", "'", "=1+1", "'=1", "+", "-", "@x", "\t", "\rx", "'\r", "\n=1"),
    *('"', '""', ",", ";", "a;b\tc,d", '"quoted"', "\r\n", "a\rb", "a\nb", " ", " x ", "\u00a0"),
    *("_x0041_", "_x005F_x0041_", "_x005f_x0041_", "_x000D_", "_", "_x0041", "x0041_"),
    *("0", "00123", "1e5", "12,5", "TRUE", "2026-05-01", "#N/A", "NULL", "Null", "None"),
    *("&lt;", "<b>", "]]>", "&", "\\", "\\.", "\\N", "\ufeff", "\u2028", "é", "😀"),
]
letters = st.characters(
    exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\t\n\r"
)
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(letters, min_size=1, max_size=30),
    st.lists(st.sampled_from(ODD), min_size=1, max_size=4).map("".join),
)
public_ids = st.one_of(
    st.sampled_from(["null", "-x", "-", "1", "00123", "1e5", "1.50", "_x0041_", "a:b.c-d"]),
    st.from_regex(r"[A-Za-z0-9_.:-]{1,12}", fullmatch=True).filter(
        lambda text: text.strip(".") and not text.startswith("export")
    ),
)
quantities = st.one_of(
    st.sampled_from([Decimal(0), Decimal("0.0001"), Decimal("99999999999.9999")]),
    st.integers(0, 10**15 - 1).map(lambda number: Decimal(number).scaleb(-4)),
)
days = st.one_of(st.none(), st.sampled_from([0, 1, 36_500]), st.integers(0, 36_500))


@st.composite
def levels(draw: st.DrawFn) -> dict[str, Any]:
    ascending = sorted(draw(st.tuples(quantities, quantities, quantities)))
    low, middle, high = (draw(st.sampled_from([None, quantity])) for quantity in ascending)
    return {
        "min_quantity": low,
        "reorder_quantity": middle,
        "max_quantity": high,
        "status": draw(st.sampled_from(LevelStatus.values)),
        "abc_class": draw(st.sampled_from([None, *AbcClass.values])),
        "expected_lead_time_days": draw(days),
        "replenishment_period_days": draw(days),
        "forecast_period_days": draw(st.one_of(st.none(), st.integers(1, 36_500))),
        "forecast_quantity": draw(st.one_of(st.none(), quantities)),
        "comments": draw(st.one_of(st.none(), texts)),
    }


def tables(format_: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Levels, each with its own product at its own location, and what both are called.

    A workbook knows no carriage returns: in comments they become line feeds.
    """

    def comes_back(row: dict[str, Any]) -> bool:
        return format_ != "xlsx" or "\r" not in (row["settings"]["comments"] or "")

    return _tables().filter(lambda rows: all(map(comes_back, rows)))


@st.composite
def _tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    number = draw(st.integers(1, 5))

    def distinct(values: Any) -> list[str]:
        return draw(st.lists(values, min_size=number, max_size=number, unique=True))

    return [
        {
            "product": {"public_id": id_, "global_sku": sku, "product_name": draw(texts)},
            "location": {"public_id": place, "name": name},
            "settings": draw(levels()),
        }
        for id_, sku, place, name in zip(
            *(distinct(values) for values in (public_ids, texts, public_ids, texts)), strict=True
        )
    ]


def store(organization: Any, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        product = factories.ProductFactory(organization=organization, **row["product"])
        location = factories.LocationFactory(organization=organization, **row["location"])
        inside = factories.LocationFactory(organization=organization, parent=location)
        factories.LevelFactory(
            organization=organization,
            product=product,
            location=location,
            preferred_bin_location=inside,
            replenishment_location=factories.LocationFactory(organization=organization),
            **row["settings"],
        )


def values(organization: Any) -> list[tuple[Any, ...]]:
    """What the levels are, but for ids and times that are given anew."""
    rows = InventoryLevel._base_manager.filter(organization=organization)
    fields = ["product__public_id", "location__public_id", *SETTINGS.values()]
    fields = [f"{name}__public_id" if name.endswith("location") else name for name in fields]
    return list(rows.order_by(*fields[:2]).values_list(*fields))


@contextmanager
def organization() -> Any:
    """An organization that is gone afterwards, with a client of its API."""
    made = factories.OrganizationFactory()
    try:
        yield made, Api(issue_key(made))
    finally:
        for model in (LevelChange, InventoryLevel, ProductMaster):
            model._base_manager.filter(organization=made).delete()
        Location._base_manager.filter(organization=made, parent__isnull=False).delete()
        Location._base_manager.filter(organization=made).delete()


def imported(api: Api, made: Any, content: bytes, format_: str, tmp_path: Any) -> None:
    """Through the API, or where it takes no such file by the command."""
    if format_ in TYPES:
        response = send(api, content, type_=TYPES[format_])
        assert response.status_code == 200, response.content
        return
    file = tmp_path / f"levels.{format_}"
    file.write_bytes(content)
    call_command("import_levels", str(file), organization=made.public_id)


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Carriage returns become line feeds in a workbook."""
    return tuple(
        value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value
        for value in row
    )


@pytest.mark.parametrize("format_", FORMATS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_table_comes_back_as_it_was(format_, tmp_path, data):
    rows = data.draw(tables(format_))
    with organization() as (made, api):
        store(made, rows)
        before = values(made)
        states = list(InventoryLevel._base_manager.filter(organization=made).values())
        content = export(api, format_)
        imported(api, made, content, format_, tmp_path)
        assert states == list(InventoryLevel._base_manager.filter(organization=made).values())
        assert not LevelChange._base_manager.filter(organization=made).exists()
        InventoryLevel._base_manager.filter(organization=made).delete()
        imported(api, made, content, format_, tmp_path)
        assert values(made) == before


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(comments=texts)
@example(comments="\r=1+1")
@example(comments="'\r")
@example(comments="_x005F_x0041_")
@example(comments="\ufeff")
def test_any_comment_comes_back_as_it_was(api, level, format_, comments):
    path = f"{LEVELS}/{level['id']}"
    assert api.patch(path, {"comments": comments}).status_code == 200
    content = export(api, format_)
    api.patch(path, {"comments": None})
    # The export's columns that are compared are as they were.
    assert_imported(send(api, content, type_=TYPES[format_]), updated=1)
    expected = plain((comments,))[0] if format_ == "xlsx" else comments
    assert api.get(path).json()["comments"] == expected


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_the_lines_that_a_database_writes_are_those_of_python(monkeypatch, format_):
    """PostgreSQL writes its own; in CSV it may quote what Python need not, and the reverse."""
    quantities = [None, Decimal(0), Decimal("0.0001"), Decimal("12.5")]
    rows = [
        {
            "product": {"public_id": f"-{n}", "global_sku": text, "product_name": text},
            "location": {"public_id": f"{n}", "name": text},
            "settings": {"comments": text, "forecast_quantity": quantities[n % 4]},
        }
        for n, text in enumerate(["", *ODD])
    ]
    rows[0]["product"]["public_id"] = rows[0]["location"]["public_id"] = "null"
    rows[0]["settings"] = {"comments": None, "abc_class": None}
    with organization() as (made, api):
        store(made, rows)
        written = export(api, format_)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(exporting, "connection", SimpleNamespace(vendor="sqlite"))
            expected = export(api, format_)
    if format_ == "csv":
        assert records(written) == records(expected)
    else:
        assert written == expected


@pytest.mark.parametrize("format_", FORMATS)
def test_an_untouched_export_changes_nothing(api, population, monkeypatch, tmp_path, format_):
    monkeypatch.setattr(exporting, "CHUNK", 40)
    monkeypatch.setattr(copying, "CSV_CHUNK", 40)
    monkeypatch.setattr(copying, "JSON_CHUNK", 40)
    before = stored()
    content = export(api, format_, query="?ordering=-updatedAt")
    if format_ in TYPES:
        assert_imported(send(api, content, type_=TYPES[format_]), unchanged=150)
    else:
        imported(api, population.products[0].organization, content, format_, tmp_path)
    assert stored() == before


def test_a_file_that_an_editor_saved_with_semicolons_changes_nothing_else(api, population):
    rows = records(export(api, "csv"))
    header = list(rows[0])
    rows[0]["comments"] = "edited"
    content = table(header, *(list(row.values()) for row in rows), separator=";")
    results = assert_imported(send(api, content), updated=1, unchanged=149)
    assert results[0]["outcome"] == "updated"


@pytest.mark.parametrize("path", ["/products", "/locations"])
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_products_and_locations_come_back_too(api, population, path, format_):
    content = export(api, format_, path)
    number = len(api.get(f"{path}?limit=500").json()["items"])
    before = api.get(f"{path}?limit=500").json()
    response = send(api, content, path, TYPES[format_])
    assert_imported(response, unchanged=number)
    assert api.get(f"{path}?limit=500").json() == before


@pytest.mark.parametrize("path", ["/products", "/locations", LEVELS])
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_names_with_carriage_returns_come_back_too(api, acme, level, path, format_):
    name = "one\rtwo\r\nthree"
    product = {"globalSku": f"S{name}", "productName": name}
    assert api.patch("/products/prod_123", product).status_code == 200
    assert api.patch("/locations/loc_123", {"name": name}).status_code == 200
    before = everything()
    content = export(api, format_, path)
    answer = send(api, content, path, TYPES[format_])
    assert_imported(answer, unchanged=3 if path == "/locations" else 1)
    assert everything() == before


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_whole_organization_moves_by_its_files(api, population, format_):
    files = {path: export(api, format_, path) for path in ("/products", "/locations", LEVELS)}
    elsewhere = factories.OrganizationFactory()
    their_api = Api(issue_key(elsewhere))
    for path, content in files.items():
        response = send(their_api, content, path, TYPES[format_])
        assert response.status_code == 200, response.content[:400]
    assert values(elsewhere) == values(population.products[0].organization)
