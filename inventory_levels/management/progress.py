"""A progress bar on a terminal, and silence anywhere else."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Bar:
    """One bar on stderr, for one step of some work after the other. Close it in the end."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
            console = Console(stderr=True)
            self._bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=None)

    def show(self, step: str, done: int, total: int | None) -> None:
        """How much of this step is done; ``total`` is None where nobody knows."""
        if self._bar is not None:
            self._bar.update(self._task, description=step, completed=done, total=total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
