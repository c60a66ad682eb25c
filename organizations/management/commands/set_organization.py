"""Switches an organization on or off."""

from django.core.management.base import CommandError, CommandParser

from organizations.commands import OrganizationCommand, one_transaction
from organizations.models import Organization

MEANING = {"yes": True, "no": False}


class Command(OrganizationCommand):
    help = "Switches an organization on or off; the keys and members of one that is off get a 403."
    writes = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--active", required=True, metavar="yes|no", help="Whether the API answers it."
        )

    def run(self, *, organization: Organization, active: str, dry_run: bool) -> None:
        is_active = MEANING.get(active.lower())
        if is_active is None:
            raise CommandError(f"--active must be yes or no, not {active!r}.")
        name = f"{organization.name} ({organization.public_id})"
        state = "active" if is_active else "inactive"
        with one_transaction(dry_run=dry_run):
            others = Organization.objects.filter(pk=organization.pk).exclude(is_active=is_active)
            changed = others.update(is_active=is_active)
        if not changed:
            self.stdout.write(f"{name} is {state} already.")
        elif dry_run:
            self.stdout.write(f"Dry run: {name} would become {state}.")
        else:
            self.stdout.write(f"{name} is {state} now.")
