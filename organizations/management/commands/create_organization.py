"""Creates an organization and prints its id."""

from django.core.management.base import CommandParser

from organizations.commands import OrganizationCommand, checked_name, one_transaction
from organizations.models import Organization


class Command(OrganizationCommand):
    help = "Creates an organization and prints its id."
    writes = True
    for_one_organization = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, help="What people call it.")

    def run(self, *, name: str, dry_run: bool) -> None:
        organization = Organization(name=checked_name(name))
        with one_transaction(dry_run=dry_run):
            organization.save()
        if dry_run:
            self.say(f"Dry run: would create the organization {name!r}.")
            return
        self.stdout.write(organization.public_id)
        self.say(
            f"Created the organization {name!r}. Next: "
            f"create_api_key --organization {organization.public_id} "
            "--name NAME --scope inventory:write"
        )
