"""Many levels, and rows that other connections see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inventory_levels.models import InventoryLevel, Location, ProductMaster
from tests import factories
from tests.api.population import Population, populate
from tests.conftest import Acme

# Their assertions show values too, like those in the tests.
pytest.register_assert_rewrite("tests.api.bulk", "tests.api.answers", "tests.api.catalog")


@pytest.fixture
def population(acme: Acme) -> Population:
    """Acme's levels, and those of somebody else with the same products and places."""
    population = populate(acme.organization)
    populate(factories.OrganizationFactory(), 40, called="theirs_")
    return population


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """No transaction around the test, for what several connections do at once.

    Cleaning up goes from what refers to what it refers to: a flush knows no order.
    """
    yield
    for model in (InventoryLevel, Location, ProductMaster):
        model._base_manager.all()._raw_delete("default")
