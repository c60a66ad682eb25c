"""Which format a file of a command has: by its name, or by the option ``--format``."""

from __future__ import annotations

from pathlib import PurePath

from django.core.management.base import CommandError, CommandParser

from inventory_levels.files.rows import FORMATS, Format

STANDARD = "-"
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}


def add_format(parser: CommandParser) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        dest="format_",
        help="Needed where the file's name does not say it, as with -.",
    )


def format_of(file: str, asked: Format | None) -> Format:
    """The format asked for, else the name's. Raises CommandError."""
    found = asked or _BY_SUFFIX.get(PurePath(file).suffix.lower())
    if found is None:
        raise CommandError(f"Say with --format which of {', '.join(FORMATS)} this is: {file}")
    return found
