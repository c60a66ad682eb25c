"""Options that several commands take alike."""

from django.core.management.base import CommandParser


def add_where(parser: CommandParser) -> None:
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="Only levels where this holds, named as in the API's filters; may be repeated.",
    )


def add_json(parser: CommandParser) -> None:
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="Prints the counts for scripts."
    )
