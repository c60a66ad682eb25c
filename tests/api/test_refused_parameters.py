"""Query parameters of GET /api/inventory-levels that are refused, by name."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.api.answers import assert_invalid
from tests.api.oracle import FITS, NULLABLE, VALUES

PATH = "/inventory-levels"

TIMES = ["yesterday", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "1772366400"]
TIMES += ["2026-03-01T25:00:00Z", "2026-02-30T00:00:00Z", "2026-03-01T12:00:00 01:00", "12:00:00Z"]
TIMES += ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-01T12:00:00Zz", "\x00"]
IDS = [
    "a b",
    "prod/1",
    "p" * 65,
    "prod_1,",
    ",prod_1",
    "prod_1,,prod_2",
    "bulk",
    "..",
    "é",
    "a\x00",
]
WORDS = ["", "Gone", "Supported,Gone", "Supported,", ",", "D", "null", "A,,B", "0"]
TEXTS = ["\x00", "a\x07", "\x1b", "\ufffe", "x" * 256]
MALFORMED = [
    *(
        (name, text)
        for name in ("productMasterId", "productId", "locationId", "preferredBinLocationId")
        for text in IDS
    ),
    *(("replenishmentLocationId", text) for text in IDS),
    *((name, text) for name in ("status", "abcClass") for text in WORDS),
    *((name, text) for name in ("sku", "search") for text in TEXTS),
    *((name, text) for name in ("updatedSince", "updatedBefore") for text in TIMES),
    *(
        ("missing", text)
        for text in ["status", "sku", "MinQuantity", "min_quantity", "minQuantity,comments", "id"]
    ),
    *(
        ("ordering", text)
        for text in ["", "name", "SKU", "updated_at", "--sku", "+sku", "sku,location", "-", "sku "]
    ),
]


@pytest.mark.parametrize(("name", "text"), MALFORMED)
def test_a_malformed_value_is_refused_by_name(reader, name, text):
    assert_invalid(reader.get(f"{PATH}?{urlencode({name: text})}"), name)


@pytest.mark.parametrize("name", FITS)
def test_an_empty_or_repeated_filter_is_refused_by_name(reader, name):
    assert_invalid(reader.get(f"{PATH}?{name}="), name)
    value = VALUES[name][0]
    assert_invalid(reader.get(f"{PATH}?{urlencode([(name, value), (name, value)])}"), name)


@pytest.mark.parametrize("name", ["ordering", "limit", "page", "cursor"])
def test_any_other_parameter_is_refused_if_it_is_repeated(reader, name):
    value = {"ordering": "sku", "cursor": ""}.get(name, "1")
    assert_invalid(reader.get(f"{PATH}?{name}={value}&{name}={value}"), name)


def test_the_refusal_of_a_choice_lists_the_choices(reader):
    (message,) = assert_invalid(reader.get(f"{PATH}?status=Gone"), "status")["details"]["status"]
    assert all(status in message for status in ("NotSupported", "SupportedNonInventory", "Stock"))
    (message,) = assert_invalid(reader.get(f"{PATH}?missing=x"), "missing")["details"]["missing"]
    assert all(name in message for name in NULLABLE)


def test_every_malformed_filter_is_named_at_once(reader):
    query = "status=x&abcClass=D&missing=status&updatedSince=now&locationId=a+b"
    answer = reader.get(f"{PATH}?{query}")
    assert_invalid(answer, "status", "abcClass", "missing", "updatedSince", "locationId")


UNKNOWN = ["Status", "abc_class", "productMasterID", "minQuantity", "q", "format", "pageSize", "id"]


@pytest.mark.parametrize("name", [*UNKNOWN, "search[]", "status__in", "organization", "größe"])
def test_an_unknown_filter_is_refused_by_name(reader, name):
    assert_invalid(reader.get(f"{PATH}?{urlencode({name: 'A', 'status': 'Stock'})}"), name)
