"""What the database itself holds, whoever writes and in whatever way."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.functions import Length
from django.utils import timezone

from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from organizations.tenancy import all_organizations
from organizations.texts import ExactCharField
from tests import factories
from tests.conftest import Acme, is_postgresql, make_acme
from tests.constraints import (
    INSERTS,
    UPDATES,
    constraints_of,
    holds,
    names_in_the_database,
    quote,
    raw_insert,
    raw_update,
)

pytestmark = pytest.mark.django_db

MODELS = [InventoryLevel, LevelChange, Location, ProductMaster]
CONSTRAINTS = constraints_of(MODELS)


@pytest.fixture
def globex(db) -> Acme:
    """Another organization, with the same ids."""
    return make_acme()


def new_row(model: type, acme: Acme) -> Any:
    """A row of Acme's that breaks nothing, not yet saved."""
    organization = acme.organization
    if model is InventoryLevel:
        return InventoryLevel(
            organization=organization,
            product=factories.ProductFactory(organization=organization),
            location=acme.location,
        )
    if model is LevelChange:
        return LevelChange(
            organization=organization,
            level_public_id=f"level_{LevelChange._base_manager.count()}",
            version=1,
            changes={},
            at=timezone.now(),
        )
    if model is Location:
        return factories.LocationFactory.build(organization=organization)
    return factories.ProductFactory.build(organization=organization)


# Checks: the constraint, what it lets through, and what it must not. Values next to the limit.


@dataclass
class Check:
    model: type
    passes: list[dict[str, Any]]
    breaks: list[dict[str, Any]]


def quantities(low: Any = None, reorder: Any = None, high: Any = None) -> dict[str, Any]:
    return {"min_quantity": low, "reorder_quantity": reorder, "max_quantity": high}


QUANTITIES = ["min_quantity", "reorder_quantity", "max_quantity", "forecast_quantity"]
DAYS = {
    "expected_lead_time_days": 0,
    "replenishment_period_days": 0,
    "forecast_period_days": 1,
}
STEP = Decimal("0.0001")

CHECKS = {
    "quantities_ascend": Check(
        InventoryLevel,
        passes=[
            quantities(),
            quantities(0, 0, 0),
            quantities(5, 5, 5),
            quantities(STEP, 2 * STEP, 3 * STEP),
            quantities(1, None, 1),
            quantities(9, None, 10),  # as numbers: "9" > "10" as text
            quantities(Decimal("99999999999.9998"), None, Decimal("99999999999.9999")),
        ],
        breaks=[
            quantities(STEP, 0, None),
            quantities(2, 1, None),
            quantities(None, 2, 1),
            quantities(2, None, 1),
            quantities(1, 3, 2),
            quantities(10, None, 9),
            quantities(Decimal("99999999999.9999"), None, Decimal("99999999999.9998")),
        ],
    ),
    "quantities_not_negative": Check(
        InventoryLevel,
        passes=[{name: value} for name in QUANTITIES for value in (None, 0, STEP)],
        breaks=[{name: value} for name in QUANTITIES for value in (-STEP, -1)],
    ),
    "days_in_range": Check(
        InventoryLevel,
        passes=[{name: v} for name, least in DAYS.items() for v in (None, least, 36_500)],
        breaks=[{name: v} for name, least in DAYS.items() for v in (least - 1, -7, 36_501)],
    ),
    "level_status_is_known": Check(
        InventoryLevel,
        passes=[
            {"status": status}
            for status in (
                "Supported",
                "NotSupported",
                "SupportedNonInventory",
                "Stock",
                "Formulary",
                "Inactive",
            )
        ],
        breaks=[{"status": status} for status in ("", "supported", "NOT_SUPPORTED", "Stock ")],
    ),
    "abc_class_is_known": Check(
        InventoryLevel,
        passes=[{"abc_class": value} for value in (None, "A", "B", "C")],
        breaks=[{"abc_class": value} for value in ("", "a", "D")],
    ),
    "replenished_from_elsewhere": Check(
        InventoryLevel,
        passes=[{"replenishment_location_id": place} for place in (None, "supplier", "bin")],
        breaks=[{"replenishment_location_id": "location"}],
    ),
    "bin_has_a_parent": Check(
        Location,
        passes=[
            {"type": "BIN", "parent_id": "location"},
            {"type": "STORE", "parent_id": "location"},
            {"type": "STORE", "parent_id": None},
        ],
        breaks=[{"type": "BIN", "parent_id": None}],
    ),
    "location_type_is_known": Check(
        Location,
        passes=[{"type": kind} for kind in ("WAREHOUSE", "STORE", "SUPPLIER", "OTHER")],
        breaks=[{"type": kind} for kind in ("", "store", "SHELF")],
    ),
    "unit_cost_not_negative": Check(
        ProductMaster,
        passes=[{"unit_cost": cost} for cost in (None, 0, STEP)],
        breaks=[{"unit_cost": cost} for cost in (-STEP, -1)],
    ),
    "product_status_is_known": Check(
        ProductMaster,
        passes=[{"status": status} for status in ("Active", "Inactive")],
        breaks=[{"status": status} for status in ("", "active", "Retired")],
    ),
}


def resolved(values: dict[str, Any], acme: Acme) -> dict[str, Any]:
    """With primary keys in place of the names of Acme's places."""
    return {
        name: getattr(acme, value).pk if name.endswith("_id") and value in vars(acme) else value
        for name, value in values.items()
    }


def written(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


PASSES = [(name, values) for name, check in CHECKS.items() for values in check.passes]
BREAKS = [(name, values) for name, check in CHECKS.items() for values in check.breaks]


@pytest.mark.parametrize(
    ("name", "values"), PASSES, ids=lambda v: v if type(v) is str else written(v)
)
def test_the_database_accepts_what_the_rule_allows(acme, name, values):
    for insert in INSERTS:
        row = new_row(CHECKS[name].model, acme)
        for attribute, value in resolved(values, acme).items():
            setattr(row, attribute, value)
        insert(row)
    for update in UPDATES:
        row = new_row(CHECKS[name].model, acme)
        row.save()
        update(row, resolved(values, acme))


@pytest.mark.parametrize(
    ("name", "values"), BREAKS, ids=lambda v: v if type(v) is str else written(v)
)
def test_the_database_refuses_what_breaks_a_rule_in_whatever_way_it_comes(acme, name, values):
    for insert in INSERTS:
        row = new_row(CHECKS[name].model, acme)
        for attribute, value in resolved(values, acme).items():
            setattr(row, attribute, value)
        holds(CONSTRAINTS[name], lambda insert=insert, row=row: insert(row))
    for update in UPDATES:
        row = new_row(CHECKS[name].model, acme)
        row.save()
        breach = resolved(values, acme)
        holds(
            CONSTRAINTS[name],
            lambda update=update, row=row, breach=breach: update(row, breach),
        )


@pytest.mark.parametrize("order", [("min", "reorder"), ("reorder", "max"), ("min", "max")])
def test_two_updates_each_valid_alone_can_not_leave_a_descending_pair(acme, order):
    lower, upper = (f"{name}_quantity" for name in order)
    level = factories.LevelFactory(organization=acme.organization, **{lower: 5, upper: 10})
    rows = InventoryLevel._base_manager.filter(pk=level.pk)
    rows.update(**{lower: 8})
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**{upper: 7})


def test_model_and_database_agree_on_every_order_of_unset_low_mid_and_high(acme):
    choices = [None, Decimal(1), Decimal(2), Decimal(3)]
    for values in itertools.product(choices, repeat=3):
        level = new_row(InventoryLevel, acme)
        level.min_quantity, level.reorder_quantity, level.max_quantity = values
        known = [value for value in values if value is not None]
        ascending = known == sorted(known)

        try:
            level.clean()
            clean = True
        except ValidationError as error:
            clean = False
            assert set(error.message_dict) <= {"reorder_quantity", "max_quantity"}
        try:
            with transaction.atomic():
                raw_insert(level)
            stored = True
        except IntegrityError as error:
            assert "quantities_ascend" in str(error)
            stored = False
        assert (clean, stored) == (ascending, ascending), values


# Uniqueness: the same values a second time, and how little must differ.


@dataclass
class Unique:
    model: type
    same: dict[str, Any]
    differs: list[dict[str, Any]]
    same_elsewhere: bool = True  # another organization may have the same values
    also: dict[str, Any] = field(default_factory=dict)


UNIQUE = {
    "one_level_per_product_and_location": Unique(
        InventoryLevel,
        same={"product_id": "product", "location_id": "location"},
        differs=[{"location_id": "bin"}, {"location_id": "supplier"}],
        same_elsewhere=False,  # its product and location are Acme's
    ),
    "one_level_per_id": Unique(
        InventoryLevel, same={"public_id": "level_1"}, differs=[{"public_id": "LEVEL_1"}]
    ),
    "one_change_per_version": Unique(
        LevelChange,
        same={"level_public_id": "level_1", "version": 7},
        differs=[{"version": 8}, {"level_public_id": "level_2"}],
    ),
    "one_location_per_id": Unique(
        Location, same={"public_id": "loc_1"}, differs=[{"public_id": "Loc_1"}]
    ),
    "one_sibling_per_name": Unique(
        Location,
        same={"parent_id": "location", "name": "Aisle é"},
        differs=[
            {"name": "AISLE é"},
            {"name": "Aisle e\u0301"},
            {"name": "Aisle é "},
            {"parent_id": "bin"},
            {"parent_id": None},
        ],
        same_elsewhere=False,  # its parent is Acme's
    ),
    "one_top_level_location_per_name": Unique(
        Location,
        same={"parent_id": None, "name": "Aisle é"},
        differs=[{"name": "aisle é"}, {"name": "Aisle e\u0301"}, {"parent_id": "location"}],
    ),
    "one_product_per_id": Unique(
        ProductMaster, same={"public_id": "prod_1"}, differs=[{"public_id": "PROD_1"}]
    ),
    "one_product_per_sku": Unique(
        ProductMaster,
        same={"global_sku": "ß-1"},
        differs=[{"global_sku": "SS-1"}, {"global_sku": "ß-1 "}, {"global_sku": "ẞ-1"}],
    ),
}

# The targets of the tenant foreign keys: the primary key alone is unique already.
TARGETS = {"location_is_one_organizations", "product_is_one_organizations"}


@pytest.mark.parametrize("name", UNIQUE)
def test_the_database_refuses_the_same_twice_in_whatever_way_it_comes(acme, name):
    rule = UNIQUE[name]
    same = resolved(rule.same, acme)
    first = new_row(rule.model, acme)
    for attribute, value in same.items():
        setattr(first, attribute, value)
    first.save()
    for insert in INSERTS:
        row = new_row(rule.model, acme)
        for attribute, value in same.items():
            setattr(row, attribute, value)
        holds(CONSTRAINTS[name], lambda insert=insert, row=row: insert(row))
    for update in UPDATES:
        row = new_row(rule.model, acme)
        row.save()
        holds(CONSTRAINTS[name], lambda update=update, row=row: update(row, same))


@pytest.mark.parametrize("name", UNIQUE)
def test_what_differs_in_anything_is_not_the_same(acme, globex, name):
    rule = UNIQUE[name]
    organizations = [acme, globex] if rule.same_elsewhere else [acme]
    for organization in organizations:
        for values in (rule.same, *({**rule.same, **differs} for differs in rule.differs)):
            row = new_row(rule.model, organization)
            for attribute, value in resolved(values, organization).items():
                setattr(row, attribute, value)
            raw_insert(row)


def test_two_organizations_may_have_the_same_ids_skus_and_names(acme, globex):
    assert acme.organization != globex.organization
    for ours, theirs in ((acme.product, globex.product), (acme.location, globex.location)):
        assert ours.public_id == theirs.public_id
        assert ours.pk != theirs.pk


# What belongs to whom: every reference between tenant tables, into another organization.

REFERENCES = {
    "level_product_is_ours": (InventoryLevel, "product_id", "product"),
    "level_location_is_ours": (InventoryLevel, "location_id", "supplier"),
    "level_preferred_bin_location_is_ours": (InventoryLevel, "preferred_bin_location_id", "bin"),
    "level_replenishment_location_is_ours": (
        InventoryLevel,
        "replenishment_location_id",
        "supplier",
    ),
    "location_parent_is_ours": (Location, "parent_id", "location"),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_row_can_not_point_into_another_organization_in_whatever_way_it_is_written(
    acme, globex, name
):
    model, attribute, target = REFERENCES[name]
    for key in (getattr(globex, target).pk, 10**9):  # theirs, and one that doesn't exist
        for insert in INSERTS:
            row = new_row(model, acme)
            setattr(row, attribute, key)
            holds(CONSTRAINTS[name], lambda insert=insert, row=row: insert(row))
        for update in UPDATES:
            row = new_row(model, acme)
            row.save()
            values = {attribute: key}
            holds(
                CONSTRAINTS[name],
                lambda update=update, row=row, values=values: update(row, values),
            )


@pytest.mark.parametrize("name", REFERENCES)
def test_a_row_may_point_into_its_own_organization(acme, globex, name):
    model, attribute, target = REFERENCES[name]
    for insert in INSERTS:
        row = new_row(model, acme)
        setattr(row, attribute, getattr(acme, target).pk)
        if (model, attribute) == (InventoryLevel, "product_id"):
            row.location = factories.LocationFactory(organization=acme.organization)
        insert(row)


@pytest.mark.parametrize("name", REFERENCES)
def test_validation_says_the_same_before_the_database_does(acme, globex, name):
    model, attribute, target = REFERENCES[name]
    row = new_row(model, acme)
    setattr(row, attribute, getattr(globex, target).pk)
    with all_organizations(), pytest.raises(ValidationError) as refused:
        row.validate_constraints()
    assert refused.value.message_dict.keys() == {attribute.removesuffix("_id")}


def test_a_level_can_not_be_moved_to_another_organization_not_even_by_sql(acme, globex):
    level = factories.LevelFactory(organization=acme.organization, product=acme.product)
    for update in UPDATES[1:]:
        with pytest.raises(IntegrityError), transaction.atomic():
            update(level, {"organization_id": globex.organization.pk})


@pytest.mark.parametrize("moved", ["product", "location", "bin", "supplier"])
def test_what_a_level_refers_to_can_not_be_moved_or_removed_not_even_by_sql(acme, globex, moved):
    factories.LevelFactory(
        organization=acme.organization,
        product=acme.product,
        location=factories.LocationFactory(organization=acme.organization),
        preferred_bin_location=acme.bin,
        replenishment_location=acme.supplier,
    )
    row = getattr(acme, moved)
    for update in UPDATES[1:]:
        with pytest.raises(IntegrityError), transaction.atomic():
            update(row, {"organization_id": globex.organization.pk})
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {quote(row._meta.db_table)} WHERE id = %s", [row.pk])


def test_the_tables_that_others_refer_to_are_unique_over_organization_and_key(acme):
    for row in (acme.product, acme.location):
        with pytest.raises(IntegrityError), transaction.atomic():
            raw_insert(type(row)(**{f.attname: getattr(row, f.attname) for f in row._meta.fields}))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_belongs_to_an_organization_that_exists(acme, model):
    row = new_row(model, acme)
    row.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_update(row, {"organization_id": None})
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_update(row, {"organization_id": 10**9})
        connection.check_constraints()  # Django's own foreign keys wait for the commit


# Completeness.


def test_every_constraint_of_the_models_is_in_a_table_above():
    assert set(CONSTRAINTS) == {*CHECKS, *UNIQUE, *REFERENCES, *TARGETS}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_database_knows_every_constraint_by_its_name(name):
    assert re.search(rf"\b{name}\b", names_in_the_database())


# Quantities, as they are stored.


@pytest.mark.parametrize(
    "text", ["0", "0.0001", "0.1", "12.5", "99999999999.9999", "12345678901.2345", "1000000"]
)
def test_a_quantity_comes_back_exactly_as_it_went_in(acme, text):
    level = factories.LevelFactory(organization=acme.organization, forecast_quantity=Decimal(text))
    level.refresh_from_db()
    assert level.forecast_quantity == Decimal(text)


# Text: exact, and by code point, whatever the database's locale.

EXACT_FIELDS = [
    (model, field.name)
    for model in MODELS
    for field in model._meta.concrete_fields
    if isinstance(field, ExactCharField)
]
# By code point. In most languages "a" < "B" and "ä" < "b", digits by value, signs ignored.
TEXTS = [
    "!",
    "-1",
    "10",
    "9",
    "B",
    "Z",
    "_",
    "a",
    "a b",
    "ab",
    "a\u0301",
    "z",
    "á",
    "ä",
    "Ａ",
    "😀",
]


def test_the_texts_are_in_the_order_of_their_code_points():
    assert sorted(TEXTS) == TEXTS


def test_names_skus_and_ids_are_exact():
    assert set(EXACT_FIELDS) >= {
        (InventoryLevel, "public_id"),
        (Location, "name"),
        (Location, "public_id"),
        (ProductMaster, "global_sku"),
        (ProductMaster, "product_name"),
        (ProductMaster, "public_id"),
    }


@pytest.mark.parametrize(
    ("model", "name"), EXACT_FIELDS, ids=[f"{m.__name__}.{name}" for m, name in EXACT_FIELDS]
)
def test_exact_text_sorts_and_compares_by_code_point(acme, model, name):
    shuffled = random.Random(4).sample(TEXTS, len(TEXTS))
    keys = []
    for text in shuffled:
        row = new_row(model, acme)
        setattr(row, name, text)
        raw_insert(row)
        keys.append(model._base_manager.latest("pk").pk)
    rows = model._base_manager.filter(pk__in=keys)

    assert list(rows.order_by(name).values_list(name, flat=True)) == TEXTS
    assert list(rows.order_by(f"-{name}").values_list(name, flat=True)) == TEXTS[::-1]
    for text in TEXTS:
        assert list(rows.filter(**{name: text}).values_list(name, flat=True)) == [text]
        assert rows.filter(**{f"{name}__gt": text}).count() == len(TEXTS) - TEXTS.index(text) - 1


def test_the_database_was_told_to_compare_exact_text_by_code_point():
    with connection.cursor() as cursor:
        if not is_postgresql():  # which SQLite does unless told otherwise
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE sql LIKE '%COLLATE%'")
            assert cursor.fetchone() == (0,)
            return
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE collation_name = 'C' AND table_schema = 'public'"
        )
        exact = set(cursor.fetchall())
    for model, name in EXACT_FIELDS:
        assert (model._meta.db_table, model._meta.get_field(name).column) in exact


def test_text_is_kept_as_given(acme):
    text = " \tSpaces \r\n stay, and 😀 too "
    product = factories.ProductFactory(organization=acme.organization, product_name=text)
    product.refresh_from_db()
    assert product.product_name == text
    assert ProductMaster._base_manager.annotate(length=Length("product_name")).get(
        pk=product.pk
    ).length == len(text)


def test_too_long_an_id_is_refused_by_validation_and_by_postgresql(acme):
    product = factories.ProductFactory.build(
        organization=acme.organization, public_id="x" * 65, global_sku="LONG"
    )
    with all_organizations(), pytest.raises(ValidationError):
        product.full_clean()
    if is_postgresql():
        with pytest.raises(DatabaseError), transaction.atomic():
            raw_insert(product)
