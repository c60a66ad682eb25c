"""Creates and updates levels from a file of any size: CSV, XLSX or NDJSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser

from inventory_levels.files.importing import level_rows
from inventory_levels.files.rows import Format
from inventory_levels.imports import Counts, FileRow, RowResult, import_levels
from inventory_levels.management.formats import STANDARD, add_format, format_of
from inventory_levels.management.progress import Bar
from inventory_levels.models import LevelChange
from inventory_levels.refusals import Refusal, counted
from inventory_levels.results import OnError
from inventory_levels.services import Origin
from organizations.actors import Actor
from organizations.commands import OrganizationCommand
from organizations.models import Organization

# Refused rows that are told one by one; all of them are with --json.
SHOWN = 20
OUTCOMES = ("created", "updated", "unchanged", "failed")


class Command(OrganizationCommand):
    help = "Creates and updates levels from a file: CSV, XLSX or NDJSON, by its name."
    writes = True
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="- for stdin.")
        parser.add_argument(
            "--on-error",
            choices=["abort", "skip"],
            default="abort",
            help="abort: all or nothing; skip: the good rows are written, 5,000 at a time "
            "(default: %(default)s).",
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="The summary for scripts."
        )
        add_format(parser)

    def run(
        self,
        *,
        organization: Organization,
        file: str,
        on_error: OnError,
        as_json: bool,
        format_: Format | None,
        dry_run: bool,
    ) -> None:
        format_ = format_of(file, format_)
        report = _Report(self, as_json=as_json)
        try:
            with opened(file, format_) as content:
                counts = import_levels(
                    report.counting(level_rows(content, format_), content),
                    origin=Origin(Actor.of_command("import_levels"), LevelChange.Source.COMMAND),
                    on_error=on_error,
                    dry_run=dry_run,
                    tell=report.tell,
                    tell_all=False,
                    on_progress=report.advance,
                )
        except KeyboardInterrupt:
            raise CommandError(report.interrupted(on_error)) from None
        finally:
            report.bar.close()
        report.sum_up(counts, dry_run=dry_run)
        if counts.failed:
            refused = f"{counts.failed} of {report.rows} rows were refused"
            end = "; nothing was written." if counts.aborted else "."
            raise CommandError(refused + end)


@contextmanager
def opened(file: str, format_: Format) -> Iterator[BinaryIO]:
    if file != STANDARD:
        with Path(file).open("rb") as content:
            yield content
    elif format_ == "xlsx":  # is read from its end
        with TemporaryFile() as content:
            shutil.copyfileobj(sys.stdin.buffer, content)
            yield content
    else:
        yield sys.stdin.buffer


class _Report:
    """Tells how far it is, the first refused rows, and what became of all of them in the end."""

    def __init__(self, command: OrganizationCommand, *, as_json: bool) -> None:
        self.command, self.as_json = command, as_json
        self.rows = self.written = self.failed = 0
        self.refused: list[dict[str, Any]] = []
        self.bar = Bar()

    def counting(self, rows: Iterable[FileRow], content: BinaryIO) -> Iterator[FileRow]:
        """The rows as they are read, with a look at how far that is."""
        size = os.fstat(content.fileno()).st_size if content.seekable() else None
        for row in rows:
            if self.rows % 1_000 == 0:
                self.bar.show("Reading", content.tell() if size else 0, size)
            self.rows += 1
            yield row
        self.bar.show("Checking", 0, None)

    def advance(self, done: int, total: int) -> None:
        self.written = done
        self.bar.show("Writing", done, total)

    def tell(self, result: RowResult) -> None:
        if (refusal := result.refusal) is None:
            return
        self.failed += 1
        if self.as_json:
            told = {"row": result.number, "error": refusal.sentence, "code": refusal.code}
            self.refused.append({**told, "details": refusal.details})
        elif self.failed <= SHOWN:
            self.command.say(f"row {result.number}: {_reasons(refusal)}")

    def sum_up(self, counts: Counts, *, dry_run: bool) -> None:
        done = {name: 0 if counts.aborted else getattr(counts, name) for name in OUTCOMES}
        done["failed"] = counts.failed
        if self.as_json:
            summary = {**done, "dryRun": dry_run, "refused": self.refused}
            self.command.stdout.write(json.dumps(summary, ensure_ascii=False))
            return
        if self.failed > SHOWN:
            self.command.say(f"... and {self.failed - SHOWN} more; --json tells all of them.")
        if not counts.aborted:
            numbers = ", ".join(f"{number} {name}" for name, number in done.items())
            self.command.stdout.write(f"{'Dry run: ' if dry_run else ''}{numbers}.")

    def interrupted(self, on_error: OnError) -> str:
        if on_error == "abort" or not self.written:
            return "Interrupted; nothing was written."
        done = f"{self.written} of {counted(self.rows, 'row')}"
        return f"Interrupted; {done} done, with their history. Run it again to finish."


def _reasons(refusal: Refusal) -> str:
    """What is wrong in each column."""
    reasons = [
        f"{column}: {', '.join(messages)}"
        for column, messages in (refusal.details or {}).items()
        if not isinstance(messages, int)
    ]
    return "; ".join(reasons) or refusal.sentence
