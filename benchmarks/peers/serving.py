"""How to start each peer: ``serve(name, database_url, port, workers)`` says the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

PEERS = ("fast", "fast-granian", "idiomatic")


def python() -> str:
    """The Python of the peers' own environment (PEERS_PYTHON, else var/peers), made on demand."""
    if given := os.environ.get("PEERS_PYTHON"):
        return given
    folder = ROOT / "var" / "peers"
    made_for = folder / "made-for"
    wanted = f"{sys.base_prefix} {sys.version}\n{REQUIREMENTS.read_text()}"
    if not made_for.exists() or made_for.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "-r"]
        # The product's as well, to serve it in another way.
        for file in (ROOT / "requirements.txt", REQUIREMENTS):
            subprocess.run([*pip, str(file)], check=True)
        made_for.write_text(wanted)
    return str(folder / "bin" / "python")


def granian(port: int, workers: int, interface: str, *options: str) -> list[str]:
    """The command that serves an application, whose name is still to follow."""
    return [
        *[python(), "-m", "granian", "--interface", interface, *options],
        *["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)],
        *["--no-access-log", "--log-level", "warning"],
    ]


def serve(
    name: str, database_url: str, port: int, workers: int = 2
) -> tuple[list[str], dict[str, str]]:
    """The command that serves a peer on 127.0.0.1, and the environment it needs.

    To be run in ROOT; SIGTERM ends it. It answers 401 to ``GET /api/inventory-levels`` once it
    is ready. ``idiomatic`` runs with the product's Python, the others with the peers'.
    """
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    where = f"127.0.0.1:{port}"
    commands = {
        "fast": lambda: [
            *[python(), "-m", "benchmarks.peers.fast.server", str(port), str(workers)]
        ],
        "fast-granian": lambda: [
            *granian(port, workers, "asgi", "--loop", "uvloop"),
            "benchmarks.peers.fast.app:app",
        ],
        "idiomatic": lambda: [
            *[sys.executable, "-m", "gunicorn", "--bind", where, "--workers", str(workers)],
            *["--worker-class", "gthread", "--threads", "4", "--log-level", "warning"],
            *["--config", "python:benchmarks.peers", "benchmarks.peers.idiomatic.wsgi"],
        ],
    }
    return commands[name](), environment
