"""Commands are also run from a shell, and interrupted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory_levels.management.progress import Bar
from tests.organizations.shell import migrated_database, shell

__all__ = ["migrated_database", "shell"]


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``interrupt("Writing", 4)``: Ctrl-C as soon as a command shows that it is so far."""

    def at(step: str, done: int | None = None) -> None:
        def show(bar: Bar, shown: str, shown_done: int, total: int | None) -> None:
            if shown == step and done in (None, shown_done):
                raise KeyboardInterrupt

        monkeypatch.setattr(Bar, "show", show)

    return at
