"""What commands that change many levels have in common: the writing, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from django.core.management.base import CommandError

from inventory_levels.imports import Counts, FileRow, RowResult, import_levels
from inventory_levels.management.progress import Bar
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.refusals import Refusal, counted
from inventory_levels.results import OnError
from inventory_levels.services import Origin
from organizations.actors import Actor
from organizations.commands import OrganizationCommand

# The columns that say which level a line is about.
NAMED = ("pk", "public_id", "product__global_sku", "location__name")
# Refused levels that are told one by one.
SHOWN = 20


class LevelChanges:
    """The changes that a command makes, each a row numbered by the key of the level it is of."""

    def __init__(self, command: OrganizationCommand, name: str, *, reason: str) -> None:
        self.command = command
        self.origin = Origin(Actor.of_command(name), LevelChange.Source.COMMAND, reason)
        self.done = self.total = self.refused = 0

    def write(self, rows: Iterable[FileRow], *, on_error: OnError, dry_run: bool) -> Counts:
        """Write them, all or none with ``abort``. Raises CommandError where it is interrupted."""
        with closing(Bar()) as self.bar:
            try:
                return import_levels(
                    self._counting(rows),
                    origin=self.origin,
                    on_error=on_error,
                    dry_run=dry_run,
                    tell=self._tell,
                    tell_all=False,
                    on_progress=self._advance,
                )
            except KeyboardInterrupt:
                raise CommandError(self._interrupted(on_error)) from None

    def _counting(self, rows: Iterable[FileRow]) -> Iterable[FileRow]:
        for number, row in enumerate(rows):
            if number % 1_000 == 0:
                self.bar.show(f"Reading {number:,}", 0, None)
            yield row

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.bar.show("Writing", done, total)

    def _tell(self, result: RowResult) -> None:
        if result.refusal is None:
            return
        self.refused += 1
        if self.refused <= SHOWN:
            level = InventoryLevel.objects.filter(pk=result.number).values_list(*NAMED, named=True)
            found = level.first()
            name = name_of(found) if found else "A level that has been deleted"
            self.command.say(f"{name}: {reasons(result.refusal)}")
        elif self.refused == SHOWN + 1:
            self.command.say("...")

    def _interrupted(self, on_error: OnError) -> str:
        if on_error == "abort" or not self.done:
            return "Interrupted; nothing was written."
        done = f"{self.done:,} of {counted(self.total, 'level')}"
        return f"Interrupted; {done} done, with their history. Run it again to finish."


def name_of(level: object) -> str:
    """Which level it is, of something with the columns NAMED."""
    values = [getattr(level, column) for column in NAMED]
    return f"{values[2]} at {values[3]} ({values[1]})"


def reasons(refusal: Refusal) -> str:
    """The sentence, and what is wrong in each field."""
    fields = [
        f"{name} {', '.join(messages)}"
        for name, messages in (refusal.details or {}).items()
        if not isinstance(messages, int)
    ]
    return f"{refusal.sentence} ({'; '.join(fields)})" if fields else refusal.sentence
