"""The cast: Acme with its products and places, and a client for whoever calls."""

from __future__ import annotations

import gc
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest import runner
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import Client

from inventory_levels.models import InventoryLevel, Location, ProductMaster
from inventory_levels.models.drafts import ImportDraft, ImportDraftPiece
from organizations.models import ApiKey, Organization
from tests import factories

pytest_plugins = ["tests.live", "tests.replay"]


def pytest_configure() -> None:
    # Started in the background, tests and the processes they start would ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # CPython keeps its frames in chunks of 16 KiB: a call at the end of one maps the next, and
    # unmaps it when it returns, often ten thousands of times in a test. Whatever is called from
    # so big a frame has room beside it: a fifth of the time of many tests.
    test = runner.pytest_runtest_protocol
    test.__code__ = test.__code__.replace(co_stacksize=2**17)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those who run manage.py do so on an SQLite of their own, whatever the others are on."""
    for item in items:
        fixtures = {*getattr(item, "fixturenames", ())}
        if "migrated_database" in fixtures:
            item.add_marker("once")
        asks = fixtures & {"db", "transactional_db", "original"}
        if item.get_closest_marker("once") and (asks or item.get_closest_marker("django_db")):
            raise pytest.UsageError(f"{item.nodeid} is marked once, but asks for the database")


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the garbage collector need not go through them."""
    gc.collect()
    gc.freeze()


@dataclass
class Api:
    """A client of the API with one key; ``get("/inventory-levels")`` and so on."""

    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def request(self, method: str, path: str, body: Any = None, **headers: str):
        sent = {**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        if self.key is not None:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        data, content_type = b"", ""
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            content_type = "application/json"
        content_type = sent.pop("Content-Type", content_type)
        return self.client.generic(
            method, f"/api{path}", data, content_type=content_type, headers=sent
        )

    def get(self, path: str, **headers: str):
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str):
        return self.request("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str):
        return self.request("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str):
        return self.request("DELETE", path, **headers)


def issue_key(organization: Organization, *scopes: str, **options: Any) -> str:
    """The text of a new key."""
    _, text = ApiKey.objects.issue(
        organization=organization, name="ERP", scopes=scopes or ["inventory:write"], **options
    )
    return text


def signed_in(
    organization: Organization | None = None,
    role: str = "viewer",
    *,
    client: Client | None = None,
    **user: Any,
) -> Api:
    """The browser of a new user, who has this role in the organization, if one is given."""
    member = factories.UserFactory(**user)
    if organization is not None:
        factories.MembershipFactory(user=member, organization=organization, role=role)
    client = client or Client(raise_request_exception=False)
    client.force_login(member)
    return Api(client=client)


@dataclass
class Acme:
    """An organization with the places and products of the published example."""

    organization: Organization
    product: Any
    location: Any
    supplier: Any
    bin: Any


def make_acme(**names: str) -> Acme:
    organization = factories.OrganizationFactory(name="Acme", **names)
    location = factories.LocationFactory(
        organization=organization, public_id="loc_123", name="Main warehouse"
    )
    return Acme(
        organization=organization,
        product=factories.ProductFactory(
            organization=organization,
            public_id="prod_123",
            global_sku="SKU-123",
            product_name="Widget",
        ),
        location=location,
        supplier=factories.LocationFactory(
            organization=organization, public_id="loc_456", name="Supplier", type="SUPPLIER"
        ),
        bin=factories.LocationFactory(
            organization=organization,
            public_id="bin_123",
            name="A-01",
            type="BIN",
            parent=location,
        ),
    )


@pytest.fixture(scope="session", autouse=True)
def quick_hashing() -> Iterator[None]:
    """A password's million rounds are to hold up who guesses it, not the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """No transaction around the test, for what several connections do at once.

    Cleaning up goes from what refers to what it refers to: a flush knows no order.
    """
    yield
    for model in (InventoryLevel, Location, ProductMaster, ImportDraftPiece, ImportDraft):
        model._base_manager.all()._raw_delete("default")


@pytest.fixture
def acme(db) -> Acme:
    return make_acme()


@pytest.fixture
def api(acme) -> Api:
    """Acme's ERP, with a key that reads and writes."""
    key = issue_key(acme.organization)
    ApiKey.objects.update(last_used_at="2999-01-01T00:00:00Z")  # not due: one statement less
    return Api(key)


@pytest.fixture
def reader(acme) -> Api:
    """Acme's dashboard, with a key that only reads."""
    return Api(issue_key(acme.organization, "inventory:read"))


@pytest.fixture
def stranger(db) -> Api:
    """The ERP of another organization, which happens to use the same ids as Acme."""
    return Api(issue_key(make_acme().organization))


FULL_EXAMPLE: dict[str, Any] = {
    "productMasterId": "prod_123",
    "locationId": "loc_123",
    "minQuantity": 50,
    "reorderQuantity": 100,
    "maxQuantity": 500,
    "status": "Supported",
    "abcClass": "A",
    "expectedLeadTimeDays": 7,
    "replenishmentPeriodDays": 14,
    "forecastPeriodDays": 30,
    "forecastQuantity": 200,
    "preferredBinLocationId": "bin_123",
    "replenishmentLocationId": "loc_456",
    "comments": "High priority item",
}


@pytest.fixture
def example() -> dict[str, Any]:
    """The published full example."""
    return dict(FULL_EXAMPLE)


@pytest.fixture
def level(api) -> dict[str, Any]:
    """The level of Acme's widget in its main warehouse, as the API answered its creation."""
    return api.post("/inventory-levels", FULL_EXAMPLE).json()


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"
