"""manage.py as people and scripts run it: another process, on a database of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


def manage(database: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` with arguments, and environment variables besides the usual ones."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{database}", **environment},
        stdin=subprocess.DEVNULL,  # a command that prompts fails
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to copy: migrating once is enough."""
    database = tmp_path_factory.mktemp("shell") / "migrated.sqlite3"
    migrated = manage(database, "migrate", "--noinput", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    return database


@pytest.fixture
def shell(migrated_database: Path, tmp_path: Path) -> Shell:
    """``shell("create_organization", "--name", "Acme")``, and so on."""
    database = tmp_path / "shell.sqlite3"
    shutil.copy(migrated_database, database)
    return lambda *arguments, **environment: manage(database, *arguments, **environment)
