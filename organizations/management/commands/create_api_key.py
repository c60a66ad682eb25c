"""Issues an API key and prints its text, which nobody can read again later."""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from organizations.commands import OrganizationCommand, checked_name, one_transaction
from organizations.models import SCOPES, ApiKey, Organization


class Command(OrganizationCommand):
    help = "Issues an API key and prints it, this once."
    writes = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, help="Who uses it: histories show this name.")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help=f"What it may do, one of {', '.join(SCOPES)}; may be given several times.",
        )
        parser.add_argument(
            "--expires-at",
            metavar="TIME",
            help="ISO 8601, in UTC unless it says otherwise, e.g. 2030-01-31T18:00:00Z.",
        )
        parser.add_argument(
            "--allow-ip",
            action="append",
            default=[],
            metavar="RANGE",
            help="An address or range such as 10.0.0.0/8; may be given several times.",
        )

    def run(
        self,
        *,
        organization: Organization,
        name: str,
        scope: list[str],
        expires_at: str | None,
        allow_ip: list[str],
        dry_run: bool,
    ) -> None:
        if not scope:
            raise CommandError(f"--scope is needed, one of {', '.join(SCOPES)}.")
        with one_transaction(dry_run=dry_run):
            key, text = ApiKey.objects.issue(
                organization=organization,
                name=checked_name(name),
                scopes=scope,
                expires_at=None if expires_at is None else future_time(expires_at),
                allowed_ips=allow_ip,
            )
        about = f"the key {name!r} for {organization.name} ({', '.join(key.scopes)}{limits(key)})"
        if dry_run:
            self.say(f"Dry run: would create {about}.")
            return
        self.stdout.write(text)
        self.say(f"Created {about}. It is not shown again; revoke_api_key {key.public_id} ends it.")
        if not organization.is_active:
            self.say(
                "The organization is inactive: the key works once set_organization changes it."
            )


def limits(key: ApiKey) -> str:
    expiry = f", until {key.expires_at.isoformat()}" if key.expires_at else ""
    return expiry + (f", from {', '.join(key.allowed_ips)}" if key.allowed_ips else "")


def future_time(text: str) -> datetime:
    """The time that an ISO 8601 text means, in UTC. Raises CommandError, also for the past."""
    try:
        time = datetime.fromisoformat(text.strip().upper())
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"--expires-at must be a time such as 2030-01-31T18:00:00Z, not {text!r}."
        ) from error
    if time <= timezone.now():
        raise CommandError(f"--expires-at must be in the future, and {text} is not.")
    return time
