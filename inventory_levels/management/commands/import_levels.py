"""Creates and updates levels from a file of any size: CSV, XLSX or NDJSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from django.core.management.base import CommandError, CommandParser

from inventory_levels.files.importing import level_rows
from inventory_levels.files.refusals import BadFile
from inventory_levels.files.rows import Format
from inventory_levels.management.changes import LevelChanges, as_rows
from inventory_levels.management.formats import STANDARD, add_format, format_of
from inventory_levels.management.options import add_json
from inventory_levels.refusals import Refusal
from inventory_levels.results import OnError
from organizations.commands import OrganizationCommand
from organizations.models import Organization

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
        add_json(parser)
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
        changes = LevelChanges(self, "import_levels", as_json=as_json, names=as_rows, noun="row")
        with opened(file, format_) as content:
            try:
                rows = level_rows(content, format_)
                counts = changes.write(rows, on_error=on_error, dry_run=dry_run, file=content)
            except BadFile as refusal:
                if as_json:
                    told = {"error": refusal.sentence, "code": refusal.code}
                    self.stdout.write(json.dumps({**told, "details": refusal.details}))
                raise
        done = {name: 0 if counts.aborted else getattr(counts, name) for name in OUTCOMES}
        done["failed"] = counts.failed
        if as_json:
            summary = {**done, "dryRun": dry_run, "refused": changes.refused()}
            self.stdout.write(json.dumps(summary, ensure_ascii=False))
        elif not counts.aborted:
            numbers = ", ".join(f"{number:,} {name}" for name, number in done.items())
            self.stdout.write(f"{'Dry run: ' if dry_run else ''}{numbers}.")
        if counts.failed:
            refused = f"{counts.failed:,} of {changes.rows:,} rows were refused"
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
