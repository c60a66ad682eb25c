"""Many levels."""

from __future__ import annotations

import pytest

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
