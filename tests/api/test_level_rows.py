"""A list shows a level to the byte as a GET does, whoever writes the JSON."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from inventory_levels.models import InventoryLevel, LevelStatus, Location, ProductMaster
from organizations.tenancy import all_organizations
from tests.api.files import export

PATH = "/inventory-levels"
TEXTS = [
    "plain",
    "quotes \" and ' and \\ and /",
    "".join(map(chr, range(1, 32))),
    "\x7f\x80\xa0\u2028\u2029\ufeff\uffff",
    "Zürich, 東京, 😀",
    "100 % of %1$s and %s and {} and $1",
]
QUANTITIES = ["0", "0.0001", "1", "12.5", "100", "1000000.001", "99999999999.9999", None]
MICROSECONDS = [0, 1, 9, 10, 100_000, 123_450, 123_456, 999_990, 999_999]
TIMES = [datetime(1999, 12, 31, 23, 59, 59, part, tzinfo=UTC) for part in MICROSECONDS]
TIMES += [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]


@pytest.fixture
def level(api):
    made = api.post(PATH, {"productMasterId": "prod_123", "locationId": "loc_123"}).json()
    return made["id"]


def assert_the_same(api, level):
    shown = api.get(f"{PATH}/{level}").content
    for query in ("cursor=", "page=1", "cursor=&locationId=loc_123", "cursor=&ordering=sku"):
        listed = api.get(f"{PATH}?{query}").content
        assert listed.startswith(b'{"items":[' + shown + b"]"), query


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_texts(api, level, text):
    with all_organizations():
        ProductMaster.objects.filter(public_id="prod_123").update(
            product_name=text, global_sku=text
        )
        Location.objects.filter(public_id="loc_123").update(name=text)
        InventoryLevel.objects.filter(public_id=level).update(comments=text)
    assert_the_same(api, level)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_quantities(api, level, quantity):
    exact = quantity and Decimal(quantity)
    with all_organizations():
        InventoryLevel.objects.filter(public_id=level).update(
            min_quantity=exact, max_quantity=exact, forecast_quantity=exact
        )
    assert_the_same(api, level)


@pytest.mark.parametrize("moment", TIMES, ids=str)
def test_times(api, level, moment):
    with all_organizations():
        InventoryLevel.objects.filter(public_id=level).update(created_at=moment)
    assert_the_same(api, level)
    shown = api.get(f"{PATH}/{level}").json()["createdAt"]
    assert shown == f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")
    for format_ in ("csv", "ndjson"):
        assert shown in export(api, format_).decode()


def test_references_and_words(api, level):
    everything = {
        "abcClass": "C",
        "expectedLeadTimeDays": 0,
        "replenishmentPeriodDays": 14,
        "forecastPeriodDays": 30,
        "preferredBinLocationId": "bin_123",
        "replenishmentLocationId": "loc_456",
    }
    assert api.patch(f"{PATH}/{level}", everything).status_code == 200
    assert_the_same(api, level)


@pytest.mark.parametrize("status", LevelStatus.values)
def test_statuses(api, level, status):
    assert api.patch(f"{PATH}/{level}", {"status": status}).status_code == 200
    assert_the_same(api, level)
