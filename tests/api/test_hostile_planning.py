"""Input that means harm, to what takes stocks and filters in a body: a 400, nothing stored."""

from __future__ import annotations

import logging

import pytest

from inventory_levels.api.planning_query import NAMES
from inventory_levels.api.planning_serializers import StockSerializer
from tests.api.answers import assert_error, case, stored

EVALUATE, RECOMMENDATIONS = "/inventory-levels/evaluate", "/inventory-levels/recommendations"
STOCK = b'"productMasterId": "prod_123", "locationId": "loc_123", "quantityOnHand": 1'

VALUES = [
    *(b'"\\ud800"', b'"\\u0000"', b'"\\uffff"', b'["\\ud800"]', b'"\xf0\x9f\x98\x80\\u0007"'),
    *(b"1e400", b"-1e400", b"1e-99", b"123456789012345678901234567890", b"[[[[]]]]", b"{}"),
    *(b'"a,b,,"', b'["a,,b"]', b'"' + b"x" * 100_000 + b'"', b'["' + b"x," * 5_000 + b'"]'),
]
NAMES_AND_NONE = [*NAMES, "\\ud800x", "\\u0000", "__class__", ""]


@pytest.fixture(autouse=True)
def nothing_is_logged_or_stored(level, caplog):
    before = stored()
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= 40] == []
    assert stored() == before


@pytest.mark.parametrize("name", NAMES_AND_NONE)
def test_a_hostile_filter_is_a_400(api, name):
    for value in VALUES:
        body = b'{"apply": true, "%s": %s}' % (name.encode(), value)
        if name == "apply":
            body = b'{"apply": %s}' % value
        with case(body[:100]):
            response = api.post(RECOMMENDATIONS, body)
            if response.status_code != 200:  # a text that is only not found
                assert_error(response, 400, "VALIDATION_ERROR")
            else:
                assert response.json()["updated"] == 0


@pytest.mark.parametrize("name", [*StockSerializer().fields, "\\ud800x", "\\u0000", ""])
def test_a_hostile_field_of_a_stock_is_a_400(api, name):
    # Not a second time: a key that comes twice is refused for that.
    others = b", ".join(one for one in STOCK.split(b", ") if name.encode() not in one or not name)
    for value in VALUES:
        body = b'{"items": [{%s, "%s": %s}]}' % (others, name.encode(), value)
        with case(body[:200]):
            assert_error(api.post(EVALUATE, body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", [EVALUATE, RECOMMENDATIONS])
@pytest.mark.parametrize(
    "body", [b" ", b"{", b'{"items": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a": 1, "a": 1}']
)
def test_what_is_no_json_is_refused(api, path, body):
    assert_error(api.post(path, body), 400, "INVALID_JSON")
