"""Quantities are exact in every hop: JSON in, database, history, JSON out."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_levels.models import InventoryLevel, LevelChange
from organizations.tenancy import all_organizations
from tests.api.answers import assert_error, assert_invalid, history, stored

PATH = "/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
QUANTITIES = ("minQuantity", "reorderQuantity", "maxQuantity", "forecastQuantity")


def body_with(**numbers: str) -> bytes:
    """The least body with these number literals, letter by letter."""
    members = [f'"{name}": {json.dumps(value)}' for name, value in PAIR.items()]
    members += [f'"{name}": {literal}' for name, literal in numbers.items()]
    return ("{" + ", ".join(members) + "}").encode()


def literals(content: bytes) -> dict:
    """The JSON text read with its numbers as they are written."""
    return json.loads(content, parse_float=str, parse_int=str)


def exact(content: bytes) -> dict:
    return json.loads(content, parse_float=Decimal, parse_int=Decimal)


def canonical(number: Decimal) -> str:
    """The shortest plain spelling: 50, 12.5, 0.0001."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


# Any number of 11 digits before and 4 after the point, the edges of a double's precision included.
numbers = st.one_of(
    st.integers(0, 10**15 - 1),
    st.integers(10**15 - 10**5, 10**15 - 1),
    st.integers(0, 10**6),
).map(lambda units: Decimal(units).scaleb(-4))


@st.composite
def spellings(draw):
    """A number, and one of the many ways to write it in JSON."""
    number = draw(numbers)
    plain = canonical(number)
    zeros = "0" * draw(st.integers(0, 30))
    with_point = plain if "." in plain else f"{plain}.0"
    exponent = draw(st.integers(0, 20))
    shifted = f"{number.scaleb(exponent):f}"
    return number, draw(
        st.sampled_from([plain, f"{number:f}", with_point + zeros, f"{shifted}e-{exponent}"])
    )


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(spelled=spellings())
def test_any_quantity_comes_out_as_the_number_that_went_in(api, spelled):
    number, literal = spelled
    with all_organizations():
        LevelChange.objects.all().delete()
        InventoryLevel.objects.all().delete()

    created = api.post(PATH, body_with(**dict.fromkeys(QUANTITIES, literal)))
    assert created.status_code == 201, created.content
    read = api.get(f"{PATH}/{created.json()['id']}")
    listed = api.get(PATH)

    for level in (
        exact(created.content),
        exact(read.content),
        exact(listed.content)["items"][0],
    ):
        assert {name: level[name] for name in QUANTITIES} == dict.fromkeys(QUANTITIES, number)
    for level in (literals(created.content), literals(listed.content)["items"][0]):
        assert {level[name] for name in QUANTITIES} == {canonical(number)}
    assert created.content == read.content
    (entry,) = history()
    for name in QUANTITIES:
        change = entry.changes[name]
        assert change["old"] is None
        assert canonical(Decimal(repr(change["new"]))) == canonical(number)

    # Sent back, it is the number that is stored: no rounding hides in the comparison.
    again = api.post(PATH, body_with(**dict.fromkeys(QUANTITIES, canonical(number))))
    assert (again.status_code, again.content) == (200, created.content)


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(old=numbers, new=numbers)
def test_an_update_is_exact_in_the_answer_and_in_the_history(api, old, new):
    level = api.post(PATH, body_with(forecastQuantity=canonical(old))).json()
    before = len(history())
    body = f'{{"forecastQuantity": {canonical(new)}}}'.encode()
    answer = api.patch(f"{PATH}/{level['id']}", body)
    assert literals(answer.content)["forecastQuantity"] == canonical(new)
    if old == new:
        assert len(history()) == before
    else:
        change = history()[-1].changes["forecastQuantity"]
        spelled = {end: canonical(Decimal(repr(change[end]))) for end in ("old", "new")}
        assert spelled == {"old": canonical(old), "new": canonical(new)}


@pytest.mark.parametrize(
    ("literal", "out"),
    [
        ("50", "50"),
        ("50.0", "50"),
        ("50.0000000000", "50"),
        ("5e1", "50"),
        ("5E+1", "50"),
        ("500000e-4", "50"),
        ("12.5", "12.5"),
        ("12.50", "12.5"),
        ("1.25e1", "12.5"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("-0e5", "0"),
        ("0e400", "0"),
        ("0.0001", "0.0001"),
        ("1e-4", "0.0001"),
        ("0.1", "0.1"),
        ("0.3" + "0" * 500, "0.3"),
        ("100000", "100000"),
        ("1e10", "10000000000"),
        ("1234567.8901", "1234567.8901"),
        ("90071992547.4099", "90071992547.4099"),
        ("99999999999", "99999999999"),
        ("99999999999.9999", "99999999999.9999"),
        ("99999999999.99990", "99999999999.9999"),
        ("99999999999.9998", "99999999999.9998"),
    ],
)
def test_a_quantity_comes_out_in_its_shortest_plain_spelling(api, literal, out):
    created = api.post(PATH, body_with(**dict.fromkeys(QUANTITIES, literal)))
    assert created.status_code == 201, created.content
    read = api.get(f"{PATH}/{created.json()['id']}")
    for response in (created, read, api.get(PATH)):
        for field in QUANTITIES:
            assert f'"{field}":{out},'.encode() in response.content.replace(b": ", b":")


REFUSED = [
    "0.00001",
    "1.00001",
    "12.34567",
    "99999999999.99995",
    "99999999999.99999",
    "0.30000000000000004",
    "1e-5",
    "1e-400",
    "1e-99999999999999999999",
    "100000000000",
    "100000000000.0",
    "1e11",
    "1e400",
    "1e999999999",
    "1e99999999999999999999",
    "1" * 5_000,
    "1" + "0" * 200_000,
    "9" * 19,
    "9" * 20,
    str(2**63),
    str(2**64),
    "-1",
    "-0.0001",
    "-0.00001",
    "-1e400",
    "-1e-99999999999999999999",
    "-" + "9" * 30,
    "true",
]


@pytest.mark.parametrize("literal", REFUSED, ids=lambda literal: literal[:24])
def test_more_digits_are_refused_and_never_rounded(api, level, literal):
    before = stored()
    created = api.post(PATH, body_with(**dict.fromkeys(QUANTITIES, literal)))
    body = f'{{"forecastQuantity": {literal}}}'.encode()
    updated = api.patch(f"{PATH}/{level['id']}", body)
    assert_invalid(created, *QUANTITIES)
    assert_invalid(updated, "forecastQuantity")
    assert stored() == before


@pytest.mark.parametrize(
    "literal",
    ["NaN", "Infinity", "-Infinity", "nan", "inf", "+5", ".5", "5.", "05", "0x10", "1_000", "5e"],
)
def test_what_is_no_json_number_is_no_json(api, level, literal):
    before = stored()
    created = api.post(PATH, body_with(minQuantity=literal))
    updated = api.patch(f"{PATH}/{level['id']}", f'{{"minQuantity": {literal}}}'.encode())
    for response in (created, updated):
        assert_error(response, 400, "INVALID_JSON", fields=set())
    assert stored() == before


@pytest.mark.parametrize("field", QUANTITIES)
def test_zero_and_unset_are_different_things(api, field):
    unset = api.post(PATH, PAIR).json()
    zero = api.post(PATH, PAIR | {field: 0}).json()
    unset_again = api.post(PATH, PAIR | {field: None}).json()
    assert [level[field] for level in (unset, zero, unset_again)] == [None, 0, None]
    assert [level["version"] for level in (unset, zero, unset_again)] == [1, 2, 3]
    assert [entry.changes.get(field) for entry in history()] == [
        None,
        {"old": None, "new": 0},
        {"old": 0, "new": None},
    ]


def test_days_of_zero_and_unset_are_different_things(api):
    unset = api.post(PATH, PAIR).json()
    zero = api.post(PATH, PAIR | {"expectedLeadTimeDays": 0}).json()
    assert (unset["expectedLeadTimeDays"], zero["expectedLeadTimeDays"]) == (None, 0)
    assert zero["version"] == 2


@pytest.mark.parametrize("literal", ["1e400", "-1e400", "1e-400", "1e99999999999999999999", "7.1"])
def test_days_beyond_reason_are_refused(api, literal):
    days = ("expectedLeadTimeDays", "replenishmentPeriodDays", "forecastPeriodDays")
    assert_invalid(api.post(PATH, body_with(**dict.fromkeys(days, literal))), *days)
    assert history() == []
