"""Acme's people at their browsers, and a level for them to work on."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_levels.models import InventoryLevel
from tests.admin.browser import Browser, browser
from tests.conftest import Acme

pytest.register_assert_rewrite("tests.admin.chromium")


@pytest.fixture
def viewer(acme: Acme) -> Browser:
    return browser(acme.organization, "viewer", username="vera")


@pytest.fixture
def editor(acme: Acme) -> Browser:
    return browser(acme.organization, "editor", username="edda")


@pytest.fixture
def manager(acme: Acme) -> Browser:
    return browser(acme.organization, "manager", username="mona")


@pytest.fixture
def root(acme: Acme) -> Browser:
    return browser(username="root", is_superuser=True)


@pytest.fixture
def widget(level: dict[str, Any]) -> InventoryLevel:
    """The level of the published example, version 1: min 50, reorder 100, max 500."""
    return InventoryLevel._base_manager.get(public_id=level["id"])
