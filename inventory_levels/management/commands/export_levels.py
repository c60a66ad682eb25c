"""Writes all levels of an organization into a file: CSV, XLSX or NDJSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from django.core.management.base import CommandParser

from inventory_levels.files.columns import LEVELS
from inventory_levels.files.exporting import Export
from inventory_levels.files.rows import Format
from inventory_levels.management.formats import STANDARD, add_format, format_of
from inventory_levels.management.locations import locations
from inventory_levels.management.progress import Bar
from inventory_levels.models import InventoryLevel
from inventory_levels.refusals import Refusal, counted
from organizations.commands import OrganizationCommand
from organizations.models import Organization


class Command(OrganizationCommand):
    help = "Writes the organization's levels into a file: CSV, XLSX or NDJSON, by its name."
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="Is replaced if it exists; - for stdout.")
        parser.add_argument(
            "--location",
            action="append",
            default=[],
            metavar="ID",
            help="Only the levels of this location; may be given several times.",
        )
        parser.add_argument(
            "--for-people",
            action="store_true",
            help="Friendly headers instead of the API's names; in CSV a byte order mark for Excel.",
        )
        add_format(parser)

    def run(
        self,
        *,
        organization: Organization,
        file: str,
        location: list[str],
        for_people: bool,
        format_: Format | None,
    ) -> None:
        format_ = format_of(file, format_)
        levels = InventoryLevel.objects.all()
        if location:
            levels = levels.filter(location__in=locations("--location", location))
        written = 0
        total = levels.count()
        with output(file) as out, closing(Bar()) as bar:

            def tell(rows: int) -> None:
                nonlocal written
                written += rows
                bar.show("Exporting", written, total)

            export = Export(LEVELS, levels, for_people=for_people, tell=tell)
            export.write(format_, out)
        if file != STANDARD:
            self.stdout.write(
                f"Exported {counted(written, 'level')} of {organization.name} to {file}."
            )


@contextmanager
def output(file: str) -> Iterator[BinaryIO]:
    """Where to write. A file is there under its name only once it is whole."""
    path = Path(file)
    if file == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():  # a pipe or a device, which can't be replaced
        with path.open("wb") as out:
            yield out
    else:
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with partial.open("xb") as out:
                yield out
            partial.replace(path)
        except OSError as error:  # nobody has asked for the temporary file that it may name
            raise OSError(error.errno, error.strerror, file) from error
        finally:
            partial.unlink(missing_ok=True)
