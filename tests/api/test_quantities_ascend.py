"""min ≤ reorder ≤ max for every combination of stored and sent quantities, checked in three
places (API, model, database) against an oracle that knows only the sentence of the contract."""

from decimal import Decimal
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from inventory_levels.models import InventoryLevel
from tests import factories
from tests.api.answers import OUT_OF_ORDER

# Low is zero, which must not pass for unset; and as texts "10" < "9.5".
LOW, MID, HIGH = 0, 9.5, 10
VALUES = (None, LOW, MID, HIGH)
TRIPLES = list(product(VALUES, repeat=3))
NAMES = ("minQuantity", "reorderQuantity", "maxQuantity")
COLUMNS = ("min_quantity", "reorder_quantity", "max_quantity")
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
PATH = "/inventory-levels"


def ascends(triple):
    """Those that are set stand in ascending order, equal being fine."""
    numbers = [number for number in triple if number is not None]
    return numbers == sorted(numbers)


IN_ORDER = [triple for triple in TRIPLES if ascends(triple)]


def columns(triple):
    return {
        column: None if number is None else Decimal(str(number))
        for column, number in zip(COLUMNS, triple, strict=True)
    }


def test_the_oracle_knows_the_plain_cases():
    assert len(TRIPLES) == 64
    assert len(IN_ORDER) == 38
    assert ascends((LOW, LOW, HIGH))
    assert not ascends((HIGH, None, LOW))


def test_the_model_agrees_for_every_triple(acme):
    wrong = []
    for triple in TRIPLES:
        level = InventoryLevel(organization=acme.organization, **columns(triple))
        try:
            level.clean()
        except ValidationError as error:
            accepted = False
            assert set(error.message_dict) <= set(COLUMNS)
        else:
            accepted = True
        if accepted != ascends(triple):
            wrong.append(triple)
    assert wrong == []


def test_the_database_agrees_for_every_row_inserted(acme):
    wrong = []
    for triple in TRIPLES:
        place = factories.LocationFactory(organization=acme.organization)
        try:
            with transaction.atomic():
                factories.LevelFactory(
                    organization=acme.organization,
                    product=acme.product,
                    location=place,
                    **columns(triple),
                )
            accepted = True
        except IntegrityError as error:
            assert "quantities_ascend" in str(error)
            accepted = False
        if accepted != ascends(triple):
            wrong.append(triple)
    assert wrong == []


def test_the_database_agrees_for_every_row_updated(acme):
    level = factories.LevelFactory(
        organization=acme.organization, product=acme.product, location=acme.location
    )
    table = InventoryLevel._meta.db_table
    sql = f"UPDATE {table} SET min_quantity=%s, reorder_quantity=%s, max_quantity=%s WHERE id=%s"
    wrong = []
    with connection.cursor() as cursor:
        for old, new in product(IN_ORDER, TRIPLES):
            cursor.execute(sql, [*map(str_or_none, old), level.pk])
            try:
                with transaction.atomic():
                    cursor.execute(sql, [*map(str_or_none, new), level.pk])
                accepted = True
            except IntegrityError:
                accepted = False
            if accepted != ascends(new):
                wrong.append((old, new))
    assert wrong == []


def str_or_none(number):
    return None if number is None else str(number)


def test_the_api_agrees_for_every_triple_created(api):
    wrong = []
    for triple in TRIPLES:
        body = dict(zip(NAMES, triple, strict=True))
        response = api.post(PATH, PAIR | body)
        if problem := disagreement(response, triple, stored=None, accepted_status=201):
            wrong.append((triple, problem))
        InventoryLevel._base_manager.all().delete()
    assert wrong == []


def disagreement(response, result, *, stored, accepted_status=200):
    """What is wrong with an answer to a request that leads to these quantities, if anything."""
    body = response.json()
    if ascends(result):
        if response.status_code != accepted_status:
            return f"{response.status_code} {body}"
        answered = tuple(body[name] for name in NAMES)
        return None if answered == result else f"answered {answered}"
    if (response.status_code, body.get("error")) != (400, OUT_OF_ORDER):
        return f"{response.status_code} {body}"
    found = InventoryLevel._base_manager.values_list(*COLUMNS).first()
    return None if found == stored else f"stored {found}"


OUT = object()  # a field that is not named


def disagreements(api, acme, method, stored_triples, sent_triples):
    """Send each triple over each stored one; lists where the answer is not the oracle's."""
    level = factories.LevelFactory(
        organization=acme.organization, product=acme.product, location=acme.location
    )
    row = InventoryLevel._base_manager.filter(pk=level.pk)
    wrong = []
    for old, sent in product(stored_triples, sent_triples):
        row.update(**columns(old))
        body = {name: number for name, number in zip(NAMES, sent, strict=True) if number is not OUT}
        result = tuple(o if s is OUT else s for o, s in zip(old, sent, strict=True))
        if method == "PATCH":
            response = api.patch(f"{PATH}/{level.public_id}", body)
        else:
            response = api.post(PATH, PAIR | body)
        if problem := disagreement(response, result, stored=tuple(columns(old).values())):
            wrong.append((old, body, problem))
    return wrong


def with_unset_as(unset):
    return [tuple(unset if s is None else s for s in sent) for sent in TRIPLES]


@pytest.mark.parametrize("low", VALUES)
def test_the_api_agrees_for_every_triple_over_every_stored_one(api, acme, low):
    stored = [triple for triple in IN_ORDER if triple[0] == low]
    assert disagreements(api, acme, "PATCH", stored, with_unset_as(OUT)) == []


FEW = [(LOW, MID, HIGH), (MID, None, MID)]


@pytest.mark.parametrize(
    ("method", "unset"),
    [("PATCH", None), ("POST", None), ("POST", OUT)],
    ids=["patch-null", "post-null", "post-omitted"],
)
def test_clearing_and_posting_obey_the_same_rule(api, acme, method, unset):
    assert disagreements(api, acme, method, FEW, with_unset_as(unset)) == []


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_what_is_cleared_and_what_is_left_out_are_told_apart(api, acme, method):
    mixed = [s for s in product((OUT, None, HIGH), repeat=3) if OUT in s and None in s]
    assert disagreements(api, acme, method, FEW, mixed) == []
