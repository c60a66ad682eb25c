"""A cursor walk over 20,000 levels while others update, insert, delete and rename."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count, cycle
from urllib.parse import urlencode

import pytest
from django.db import connection

from inventory_levels import catalog, services
from inventory_levels.catalog import CatalogRow
from inventory_levels.models import InventoryLevel, LevelChange, Location, ProductMaster
from inventory_levels.services import LevelRow, Origin
from organizations.actors import Actor
from organizations.models import Organization
from organizations.tenancy import organization_scope
from tests import factories
from tests.api.population import START, add_levels
from tests.conftest import Acme, Api, is_postgresql

PATH = "/inventory-levels"
PRODUCTS, LOCATIONS = 200, 100
ORIGIN = Origin(Actor.of_command("writer"), LevelChange.Source.COMMAND)
# Levels of every tenth product and location are touched, the others are not.
RESTLESS_PRODUCTS = [f"item-{n}" for n in range(0, PRODUCTS, 10)]
RESTLESS_LOCATIONS = [f"place-{n}" for n in range(0, LOCATIONS, 10)]


@pytest.fixture
def untouched(acme: Acme) -> set[str]:
    """20,000 levels; the ids of those that the writer lets be."""
    chance = random.Random(20_000)
    products = [
        factories.ProductFactory.build(
            organization=acme.organization, public_id=f"item-{n}", global_sku=f"{name:04} {n}"
        )
        for n, name in enumerate(chance.sample(range(10_000), PRODUCTS))
    ]
    locations = [
        factories.LocationFactory.build(
            organization=acme.organization, public_id=f"place-{n}", name=f"{name:04} {n}"
        )
        for n, name in enumerate(chance.sample(range(10_000), LOCATIONS))
    ]
    ProductMaster._base_manager.bulk_create(products)
    Location._base_manager.bulk_create(locations)
    levels = []
    for product in products:
        for location in locations:
            at = START + timedelta(seconds=chance.randrange(5_000))  # four at a time
            levels.append(
                InventoryLevel(
                    organization=acme.organization,
                    product=product,
                    location=location,
                    created_at=at,
                    updated_at=at,
                )
            )
    add_levels(levels)
    if is_postgresql():  # which plans by statistics that it would gather in its own time
        connection.cursor().execute("ANALYZE")
    return {
        level.public_id
        for level in levels
        if level.product.public_id not in RESTLESS_PRODUCTS
        and level.location.public_id not in RESTLESS_LOCATIONS
    }


class Writer(threading.Thread):
    """Writes with a connection of its own until it is told to stop."""

    def __init__(self, organization: Organization) -> None:
        super().__init__(daemon=True)
        self.organization = organization
        self.done = threading.Event()
        self.writes: Counter[str] = Counter()
        self.error: Exception | None = None
        self.chance = random.Random(1)
        self.numbers = count()

    def run(self) -> None:
        kinds: list[Callable[[], None]] = [
            *(self.update, self.update, self.insert, self.insert, self.delete),
            *(self.rename_product, self.rename_location),
        ]
        try:
            with organization_scope(self.organization):
                for kind in cycle(kinds):
                    if self.done.is_set():
                        return
                    kind()
                    self.writes[kind.__name__] += 1
                    time.sleep(0.002)
        except Exception as error:  # noqa: BLE001  # the test's own thread raises it
            self.error = error
        finally:
            connection.close()

    def come_in_between(self) -> None:
        """Wait until it has written once more."""
        before = self.writes.total()
        while self.writes.total() == before and self.is_alive():
            time.sleep(0.001)

    def pairs(self) -> list[tuple[str, str]]:
        """Up to five pairs that may be touched."""
        pairs = set()
        for _ in range(5):
            product, location = f"item-{self._number(PRODUCTS)}", f"place-{self._number(LOCATIONS)}"
            if self.chance.random() < 0.5:
                product = self.chance.choice(RESTLESS_PRODUCTS)
            else:
                location = self.chance.choice(RESTLESS_LOCATIONS)
            pairs.add((product, location))
        return sorted(pairs)

    def _number(self, below: int) -> int:
        return self.chance.randrange(below)

    def update(self) -> None:
        quantity = Decimal(next(self.numbers) + 1)
        rows = [
            LevelRow({"min_quantity": quantity}, product=product, location=location)
            for product, location in self.pairs()
        ]
        for result in services.save_levels(rows, origin=ORIGIN):
            result.or_raise()

    def insert(self) -> None:
        number = next(self.numbers)
        values = {"global_sku": f"{self._number(10_000):04} n{number}", "product_name": "New"}
        (product,) = catalog.save_products([CatalogRow(values)])
        rows = [
            LevelRow({}, product=product.or_raise().saved.public_id, location=f"place-{place}")
            for place in self.chance.sample(range(LOCATIONS), 5)
        ]
        for result in services.save_levels(rows, origin=ORIGIN):
            assert result.or_raise().outcome == "created"

    def delete(self) -> None:
        product, location = self.pairs()[0]
        level = InventoryLevel.objects.filter(
            product__public_id=product, location__public_id=location
        ).first()
        if level is not None:
            services.delete_level(level.public_id, origin=ORIGIN)

    def rename_product(self) -> None:
        name = f"{self._number(10_000):04} r{next(self.numbers)}"
        row = CatalogRow({"global_sku": name}, public_id=self.chance.choice(RESTLESS_PRODUCTS))
        catalog.save_products([row])[0].or_raise()

    def rename_location(self) -> None:
        name = f"{self._number(10_000):04} r{next(self.numbers)}"
        row = CatalogRow({"name": name}, public_id=self.chance.choice(RESTLESS_LOCATIONS))
        catalog.save_locations([row])[0].or_raise()


@contextmanager
def writing(organization: Organization) -> Iterator[Writer]:
    writer = Writer(organization)
    writer.start()
    try:
        yield writer
    finally:
        writer.done.set()
        writer.join()
    if writer.error:
        raise writer.error


def walk(
    api: Api, cursor: str | None = "", between: Callable[[], None] = lambda: None, **query: str
) -> Counter[str]:
    """How often each level came; ``between`` two pages something may happen."""
    seen: Counter[str] = Counter()
    while cursor is not None:
        response = api.get(f"{PATH}?{urlencode(query | {'limit': 500, 'cursor': cursor})}")
        assert response.status_code == 200, response.content
        body = response.json()
        seen.update(item["id"] for item in body["items"])
        cursor = body["pagination"]["nextCursor"]
        between()
    return seen


@pytest.mark.usefixtures("committed")
def test_a_walk_over_20_000_levels_sees_every_untouched_one_exactly_once(acme, api, untouched):
    assert len(untouched) == 180 * 90
    with writing(acme.organization) as writer:
        for ordering in (None, "updatedAt", "sku", "-location"):
            before = writer.writes.copy()
            query = {"ordering": ordering} if ordering else {}
            seen = walk(api, between=writer.come_in_between, **query)
            assert {seen[id_] for id_ in untouched} == {1}, ordering
            # The writer came to everything meanwhile.
            assert len(writer.writes - before) == 5, writer.writes - before
    assert writer.writes.total() > 100
    assert_the_deepest_page_goes_on_by_cursor(api)


def assert_the_deepest_page_goes_on_by_cursor(api: Api) -> None:
    body = api.get(f"{PATH}?page=20&limit=500").json()
    ids = {item["id"] for item in body["items"]}
    assert len(ids) == 500
    rest = walk(api, body["pagination"]["nextCursor"])
    assert not rest.keys() & ids
    assert len(rest) == rest.total() == body["pagination"]["total"] - 10_000 > 5_000
