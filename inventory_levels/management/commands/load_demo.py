"""Loads the demo once, and says at each run how to sign in and which key to call with."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from inventory_levels import demo
from inventory_levels.refusals import Refusal
from organizations.commands import OrganizationCommand, one_transaction
from organizations.models import ApiKey, Organization
from organizations.tenancy import organization_scope

ORGANIZATION_ID = "org_demo"
ADMIN = "admin"
# A file with more than this holds no key or password: it is not ours to replace.
LONGEST_SECRET = 200

EXAMPLE = (
    '{"productMasterId": "prod_123", "locationId": "loc_123", "minQuantity": 50, '
    '"reorderQuantity": 100, "maxQuantity": 500}'
)


class Command(OrganizationCommand):
    help = "Loads the demo organization, unless it is there, and prints how to use it."
    writes = True
    for_one_organization = False
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--key-file",
            metavar="PATH",
            default=str(settings.VAR_DIR / "demo_api_key"),
            help="Keeps the API key, and the admin's password beside it (default: %(default)s).",
        )

    def run(self, *, key_file: str, dry_run: bool) -> None:
        path = Path(key_file)
        with one_transaction(dry_run=dry_run):
            # Locked, so that of two runs at once the second one finds what the first one made.
            organization, is_new = Organization.objects.select_for_update().get_or_create(
                public_id=ORGANIZATION_ID, defaults={"name": "Demo"}
            )
            with organization_scope(organization):
                loaded = demo.load() if is_new else {}
            # Files come before the commit: a secret that was committed is never lost.
            key = valid_key(path, organization, dry_run=dry_run)
            password = admin_password(path.with_name("demo_admin_password"), dry_run=dry_run)
        counts = ", ".join(f"{number} {what}" for what, number in loaded.items())
        if dry_run:
            load = f"load {counts}" if loaded else "load nothing, as the demo was loaded before"
            issue = "" if key == read_secret(path) else f", and issue a key into {path}"
            self.stdout.write(f"Dry run: would {load}{issue}.")
            return
        self.stdout.write(
            f"Loaded the demo: {counts}."
            if loaded
            else "The demo was loaded before; nothing was loaded twice."
        )
        self.stdout.write(how_to_use_it(key, password))


def how_to_use_it(key: str, password: str | None) -> str:
    address = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    sign_in = f"password {password}"
    if password is None:
        sign_in = f"whose password is not kept here (manage.py changepassword {ADMIN} sets one)"
    return f"""
Address:  {address}
Admin:    {address}/admin/  user {ADMIN}, {sign_in}
API key:  {key}

curl -X POST {address}/api/inventory-levels \
-H "Authorization: Bearer {key}" \
-H "Content-Type: application/json" \
-d '{EXAMPLE}'
"""


def valid_key(path: Path, organization: Organization, *, dry_run: bool) -> str:
    """The text of the key in the file, if this database accepts it, else of a new one."""
    kept = read_secret(path)
    key, _ = ApiKey.objects.with_text(kept) if kept else (None, ())
    if (
        kept is None
        or key is None
        or key.organization != organization
        or key.revoked_at
        or key.is_expired
    ):
        _, kept = ApiKey.objects.issue(
            organization=organization, name="Demo key", scopes=["inventory:*"]
        )
    if not dry_run:
        keep_secret(path, kept)
    return kept


def admin_password(path: Path, *, dry_run: bool) -> str | None:
    """The admin's password, or None where the file does not know it.

    Never changes that of an account that exists: it may be somebody's own. One account is
    made for each database, all with the password in the file.
    """
    kept = read_secret(path)
    users = get_user_model().objects
    user = users.filter(username=ADMIN).first()
    if user is not None and not (kept and user.check_password(kept)):
        return None
    kept = kept or secrets.token_urlsafe(15)
    if user is None:
        users.create_superuser(ADMIN, password=kept)
    if not dry_run:
        keep_secret(path, kept)
    return kept


def read_secret(path: Path) -> str | None:
    """What the file holds, None where it is missing or empty. Raises CommandError, OSError."""
    if not path.exists():
        return None
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(LONGEST_SECRET + 1).strip()
    if len(text) > LONGEST_SECRET:
        raise CommandError(f"{path} holds something else than a key or password: name another.")
    return text or None


def keep_secret(path: Path, text: str) -> None:
    """Write the file so that only its owner can ever read it, unless it is so already."""
    if path.exists() and not path.stat().st_mode & 0o077 and read_secret(path) == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp creates it with mode 0600; renamed when whole, so that it is never half a key.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
