"""What all management commands share: the organization they are for, dry runs, and refusals in
one sentence. Knows nothing of what a command does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import db
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from organizations.models import Organization
from organizations.public_ids import PUBLIC_ID
from organizations.tenancy import organization_scope

# What Django hands to every command, and uses itself.
_DJANGO_OPTIONS = frozenset(
    {"verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color"}
    | {"skip_checks", "stdout", "stderr"}
)
_LISTED = 5


class OrganizationCommand(BaseCommand):
    """A command of ours; subclasses write ``run`` with their options as typed keywords.

    What a script would capture (an id, a key, a file) goes to stdout, and ``say`` tells people
    on stderr. A refused input raises; it becomes one sentence on stderr and exit code 1.
    """

    # Checks are of the code, and load all of the API and the admin: ``check`` and ``migrate`` make
    # them, and a command takes a fifth less memory without.
    requires_system_checks = ()
    # Adds --dry-run, which run() gets as ``dry_run``.
    writes = False
    # Adds --organization; run() gets an Organization, with its scope open around it.
    for_one_organization = True
    # Exceptions of the domain, whose text is the sentence that the caller is to read.
    refusals: tuple[type[Exception], ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        if self.for_one_organization:
            parser.add_argument(
                "--organization",
                metavar="ID",
                help="The organization's id; needed where there is more than one.",
            )
        if self.writes:
            parser.add_argument(
                "--dry-run", action="store_true", help="Check and say what would be done; no more."
            )

    def handle(self, *args: Any, **options: Any) -> None:
        ours = {name: value for name, value in options.items() if name not in _DJANGO_OPTIONS}
        with self._refusals_in_one_sentence():
            if not self.for_one_organization:
                self.run(**ours)
                return
            ours["organization"] = the_organization(ours["organization"])
            with organization_scope(ours["organization"]):
                self.run(**ours)

    def run(self, *args: Any, **options: Any) -> None:
        """Do the command's work."""
        raise NotImplementedError

    def say(self, sentence: str) -> None:
        """Tell people something that a script which captures stdout should not see."""
        self.stderr.write(sentence, str)

    @contextmanager
    def _refusals_in_one_sentence(self) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except db.Error as error:
            sentence = str(error).partition("\n")[0]
            raise CommandError(f"The database refused this: {sentence}") from error
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            raise CommandError(f"{error.strerror}{where}") from error
        except self.refusals as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted before it could say what it had done.") from error


def the_organization(public_id: str | None) -> Organization:
    """The organization with this id or, without one, the only one that there is.

    Raises CommandError.
    """
    if public_id is not None:
        named = Organization.objects.filter(public_id=public_id)
        # Only what could be an id is looked up: not every text can be sent to a database.
        organization = named.first() if PUBLIC_ID.match(public_id) else None
        if organization is None:
            raise CommandError(f"There is no organization with the id {public_id!r}.")
        return organization
    organizations = list(Organization.objects.order_by("pk")[: _LISTED + 1])
    if not organizations:
        raise CommandError("There is no organization yet; create_organization makes one.")
    if len(organizations) > 1:
        names = [f"{one.public_id} ({one.name})" for one in organizations[:_LISTED]]
        more = " and more" if len(organizations) > _LISTED else ""
        raise CommandError(
            "There are several organizations, so name one with --organization: "
            f"{', '.join(names)}{more}."
        )
    return organizations[0]


@contextmanager
def one_transaction(*, dry_run: bool) -> Iterator[None]:
    """A transaction, which a dry run takes back: what it says was checked by doing it."""
    with transaction.atomic():
        yield
        if dry_run:
            transaction.set_rollback(True)


def checked_name(name: str) -> str:
    """The name of an organization or a key as it is stored. Raises CommandError."""
    longest = Organization._meta.get_field("name").max_length or 0
    if not name.strip():
        raise CommandError("The name must not be empty.")
    if len(name) > longest:
        raise CommandError(f"The name must have at most {longest} characters.")
    # Control characters and halves of surrogate pairs: some database or terminal breaks on each.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise CommandError("The name must not hold control characters or broken Unicode.")
    return name
