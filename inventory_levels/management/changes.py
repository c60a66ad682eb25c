"""What commands that write many levels have in common: the writing, and what is told of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from inventory_levels.imports import Counts, FileRow, Interrupted, RowResult, import_levels
from inventory_levels.management.progress import Bar
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.refusals import Conflict, PreconditionFailed, Refusal, Unfinished, counted
from inventory_levels.results import OnError
from inventory_levels.services import Origin
from inventory_levels.storage import CHUNK
from organizations.actors import Actor
from organizations.commands import OrganizationCommand

# The columns that say which level a line is about.
NAMED = ("pk", "public_id", "product__global_sku", "location__name")
# Of what is refused so many are told one by one; all of them are with --json.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Named:
    """What a row is about, for people and as data for scripts."""

    text: str
    data: Mapping[str, Any]


def as_rows(numbers: Sequence[int]) -> list[Named]:
    """Rows of a file, by their numbers."""
    return [Named(f"row {number}", {"row": number}) for number in numbers]


def as_levels(numbers: Sequence[int]) -> list[Named]:
    """Levels, by their keys."""
    columns = (*NAMED, "product__public_id", "location__public_id")
    found = {
        level.pk: Named(
            name_of(level),
            {
                "id": level.public_id,
                "productMasterId": level.product__public_id,
                "locationId": level.location__public_id,
            },
        )
        for level in InventoryLevel.objects.filter(pk__in=numbers).values_list(*columns, named=True)
    }
    nobody = dict.fromkeys(("id", "productMasterId", "locationId"))
    return [found.get(n, Named("A level that has been deleted", nobody)) for n in numbers]


class LevelChanges:
    """The changes that a command makes; ``names`` tells what the numbers of its rows are."""

    def __init__(
        self,
        command: OrganizationCommand,
        name: str,
        *,
        as_json: bool,
        reason: str | None = None,
        names: Callable[[Sequence[int]], list[Named]] = as_levels,
        noun: str = "level",
    ) -> None:
        self.command, self.as_json, self.names, self.noun = command, as_json, names, noun
        self.origin = Origin(Actor.of_command(name), LevelChange.Source.COMMAND, reason)
        self.rows = self.failed = self.changed_meanwhile = 0
        self._refused: list[RowResult] = []

    def write(
        self,
        rows: Iterable[FileRow],
        *,
        on_error: OnError,
        dry_run: bool,
        file: BinaryIO | None = None,
    ) -> Counts:
        """Write them, all or none with ``abort``. Raises CommandError where it is interrupted.

        ``file``: where the rows are read from, if that tells how far it is.
        """
        with closing(Bar()) as self.bar:
            try:
                counts = import_levels(
                    self._counting(rows, file),
                    origin=self.origin,
                    on_error=on_error,
                    dry_run=dry_run,
                    tell=self._tell,
                    tell_all=False,
                    on_progress=self._advance,
                )
            except Interrupted as interrupted:
                raise CommandError(self._interrupted(interrupted, on_error)) from None
            except Unfinished as unfinished:
                why = str(unfinished.__cause__).partition("\n")[0]
                raise CommandError(f"{why}. {unfinished}: run it again to finish.") from unfinished
        if self.failed > SHOWN and not self.as_json:
            self.command.say(f"... and {self.failed - SHOWN:,} more; --json tells all of them.")
        return counts

    def refused(self) -> list[dict[str, Any]]:
        """What was refused and why, as data: all of it."""
        told: list[dict[str, Any]] = []
        for start in range(0, len(self._refused), CHUNK):
            some = self._refused[start : start + CHUNK]
            for named, result in zip(self.names([r.number for r in some]), some, strict=True):
                assert result.refusal
                error = {"error": result.refusal.sentence, "code": result.refusal.code}
                told.append({**named.data, **error, "details": result.refusal.details})
        return told

    def _counting(self, rows: Iterable[FileRow], file: BinaryIO | None) -> Iterator[FileRow]:
        size = os.fstat(file.fileno()).st_size if file and file.seekable() else None
        for row in rows:
            if self.rows % 1_000 == 0:
                position = file.tell() if file and size else 0
                self.bar.show(f"Reading {self.rows:,}", position, size)
            self.rows += 1
            yield row
        self.bar.show("Checking", 0, None)

    def _advance(self, done: int, total: int) -> None:
        self.bar.show("Writing", done, total)

    def _tell(self, result: RowResult) -> None:
        if result.refusal is None:
            return
        self.failed += 1
        self.changed_meanwhile += isinstance(result.refusal, (Conflict, PreconditionFailed))
        if self.as_json:
            self._refused.append(result)
        elif self.failed <= SHOWN:
            (named,) = self.names([result.number])
            self.command.say(on_one_line(f"{named.text}: {reasons(result.refusal)}"))

    def _interrupted(self, at: Interrupted, on_error: OnError) -> str:
        if at.done and at.done == at.total:
            done = f"all {counted(at.total, self.noun)} were done, with their history"
            return f"Interrupted when {done}. Run it again to see what it would have said."
        if at.unsure and on_error == "abort":
            return "Interrupted; it may have been written, all or nothing: run it again to see."
        if not at.done and not at.unsure:
            return "Interrupted; nothing was written."
        perhaps = ", perhaps more" if at.unsure else ""
        done = f"{at.done:,} of {counted(at.total, self.noun)} done{perhaps}, with their history"
        return f"Interrupted; {done}. Run it again to finish."


def name_of(level: Any) -> str:
    """Which level it is, of something with the columns NAMED."""
    name = f"{level.product__global_sku} at {level.location__name} ({level.public_id})"
    return on_one_line(name)


def on_one_line(text: str) -> str:
    """The text as one line of output, whatever the names in it hold."""
    return " ".join(text.splitlines())


def reasons(refusal: Refusal) -> str:
    """What is wrong in each field."""
    fields = [
        f"{name}: {', '.join(messages)}"
        for name, messages in (refusal.details or {}).items()
        if not isinstance(messages, int)
    ]
    return "; ".join(fields) or refusal.sentence
