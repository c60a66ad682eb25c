"""Revokes an API key, at once and for good."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from organizations.commands import OrganizationCommand, one_transaction, the_organization
from organizations.models import ApiKey
from organizations.public_ids import PUBLIC_ID


class Command(OrganizationCommand):
    help = "Revokes an API key, at once and for good."
    writes = True
    for_one_organization = False  # a key's id is unique everywhere, so the key says which

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "key", metavar="KEY", help="The key's id (key_...) or its first 12 characters."
        )
        parser.add_argument(
            "--organization", metavar="ID", help="Refuse a key of any other organization."
        )

    def run(self, *, key: str, organization: str | None, dry_run: bool) -> None:
        with one_transaction(dry_run=dry_run):
            found = find_key(key, organization)
            was_revoked_at = found.revoked_at
            found.revoke()
        name = f"{found.public_id} ({found.name}, {found.prefix}..., of {found.organization.name})"
        if was_revoked_at is not None:
            self.stdout.write(f"{name} was revoked already, at {was_revoked_at.isoformat()}.")
        elif dry_run:
            self.stdout.write(f"Dry run: would revoke {name}.")
        else:
            self.stdout.write(f"Revoked {name}.")


def find_key(text: str, organization: str | None) -> ApiKey:
    """The key with this id or prefix, locked until the transaction ends. Raises CommandError."""
    keys = ApiKey.objects.select_related("organization").select_for_update(of=("self",))
    if organization is not None:
        keys = keys.filter(organization=the_organization(organization))
    named = Q(public_id=text) | Q(prefix=text)
    key = keys.filter(named).first() if PUBLIC_ID.match(text) else None
    if key is None:
        # Somebody may have pasted a whole key: never repeat more of it than is public.
        shown = f"{text[:12]}..." if text.startswith("ilk_") else text
        raise CommandError(
            f"There is no key {shown!r}; give its id (key_...) or its first 12 characters."
        )
    return key
