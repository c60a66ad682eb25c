"""A real browser at a running server, for what only a browser shows.

Nothing here touches Django's database connection: Playwright's loop runs in this thread. The
server has a database of its own, filled by a script.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.live import Database, Server

PASSWORD = "a long way to Tipperary"
# An organization with the demo's products, places and levels, and its people.
PREPARE = f"""
import django; django.setup()
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from inventory_levels import demo
from organizations.models import Membership, Organization
from organizations.tenancy import organization_scope
meridian = Organization.objects.create(name="Meridian")
elsewhere = Organization.objects.create(name="Elsewhere")
with organization_scope(meridian):
    demo.load()
password = make_password({PASSWORD!r})  # once for all: it takes its time
get_user_model().objects.create(
    username="root", email="root@example.com", password=password, is_staff=True, is_superuser=True
)
for name, organization, role in (
    ("vera", meridian, "viewer"),
    ("edda", meridian, "editor"),
    ("emil", meridian, "editor"),
    ("mona", meridian, "manager"),
    ("stranger", elsewhere, "manager"),
):
    user = get_user_model().objects.create(
        username=name, email=f"{{name}}@example.com", password=password
    )
    Membership.objects.create(user=user, organization=organization, role=role)
"""


def chromium() -> str:
    """Where Debian's chromium is: the one that never draws a window takes a quarter less CPU.

    Fails, rather than skips, where both are missing.
    """
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert found, "Chromium is needed: install it, e.g. sudo apt-get install chromium"
    return found


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


@pytest.fixture(scope="module")
def site(original: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running product with Meridian in it. DEBUG: static files as they are."""
    database = Database(tmp_path_factory.mktemp("site"), original)
    database.run(PREPARE)
    log = tmp_path_factory.mktemp("site-server") / "log"
    settings = "tests.admin.browser_settings"
    server = Server(database, log, DEBUG="1", DJANGO_SETTINGS_MODULE=settings)
    yield f"http://127.0.0.1:{server.port}"
    complaints = server.complaints()
    server.stop()
    database.drop()
    assert complaints == []


@pytest.fixture(scope="module")
def engine() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Containers have neither the sandbox's rights nor much shared memory.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(site: str) -> dict[str, Any]:
    """The cookies of who signed in before, by name: passwords take their time."""
    return {}


@pytest.fixture
def open_as(engine: Browser, site: str, signed_in: dict[str, Any]) -> Iterator[Callable[..., Page]]:
    """Sign somebody in, in a window of their own; no page may complain on the console."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_as(name: str, **options: Any) -> Page:
        context = engine.new_context(
            base_url=site,
            viewport=options.pop("viewport", {"width": 1440, "height": 900}),
            storage_state=signed_in.get(name),
            **options,
        )
        contexts.append(context)
        page: Page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/admin/")
        if "/login/" in page.url:  # at first, and after signing out
            sign_in(page, name)
            signed_in[name] = context.storage_state()
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []
