"""Importing in the admin as a person does: choose a file, look at the preview, say yes."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.admin.browser import LEVELS, Browser, forms_of
from tests.api.files import table

IMPORT = "import-form"
HEADER = ["SKU", "Location name", "Minimum", "Reorder point", "Maximum"]


def levels_file(*rows: list[Any]) -> str:
    return table(HEADER, *rows)


def upload(
    browser: Browser,
    content: bytes | str,
    path: str = LEVELS,
    name: str = "levels.csv",
    **chosen: str,
) -> Any:
    """Send the form of the import's page with this file, and follow to the preview."""
    address = f"{path}import/"
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    fields = forms_of(browser.get(address))[IMPORT] | chosen
    return browser.send(address, fields, file=file)


def address_of(page: Any) -> str:
    """Where the preview is that an upload led to."""
    address: str = page.redirect_chain[-1][0]
    return address


def say_yes(browser: Browser, page: Any, on_error: str = "abort", address: str = "") -> Any:
    """Press the preview's button, with what that page carried along."""
    fields = forms_of(page)[IMPORT]
    return browser.send(address or address_of(page), fields, apply=on_error)
