"""Organizations, their members with roles, and their API keys. Knows nothing of inventory."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import string
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from organizations import public_ids
from organizations.actors import Actor
from organizations.locks import without_waiting
from organizations.statements import Instances, Lookup, Question, fetch, instances
from organizations.tenancy import TenantModel
from organizations.texts import ExactCharField, is_text


class Organization(models.Model):
    """A workspace: the tenant that all inventory data belongs to."""

    public_id = ExactCharField(
        "id",
        max_length=public_ids.MAX_LENGTH,
        unique=True,
        default=public_ids.new_organization_id,
        editable=False,
    )
    name = models.CharField(max_length=255, validators=[is_text])
    is_active = models.BooleanField(
        "active", default=True, help_text="Keys and members of an inactive organization get a 403."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do; each role includes the ones before it."""

    VIEWER = "viewer", "Viewer: reads"
    EDITOR = "editor", "Editor: edits levels, products, locations"
    MANAGER = "manager", "Manager: also keys and members"


class Membership(models.Model):
    """A user's role in an organization."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization"], name="one_role_per_user_and_organization"
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization} · {self.role}"

    @property
    def may_write(self) -> bool:
        return self.role in (Role.EDITOR, Role.MANAGER)


class Invitation(TenantModel):
    """A role that waits for whoever signs in with this e-mail address."""

    email = models.EmailField("e-mail address", help_text="In lower case.")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"], name="one_invitation_per_address"
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="invitation_role_is_known"
            ),
        ]
        indexes = [models.Index(fields=["email"], name="invitation_by_email")]

    def __str__(self) -> str:
        return self.email


SCOPES = ("inventory:read", "inventory:write", "inventory:*", "*")


def normalized_scope(text: str) -> str:
    """The scope as stored; a dot is understood for the colon. Raises ValidationError."""
    scope = text.strip().replace(".", ":")
    if scope not in SCOPES:
        raise ValidationError(f"Unknown scope {text!r}; the scopes are {', '.join(SCOPES)}.")
    return scope


def normalized_network(text: str) -> str:
    """An IP address or CIDR range as stored. Raises ValidationError."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ValidationError(f"{text!r} is neither an IP address nor a range.") from error
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    return str(network)


class ApiKeyManager(models.Manager["ApiKey"]):
    def issue(
        self,
        *,
        organization: Organization,
        name: str,
        scopes: Iterable[str],
        expires_at: datetime | None = None,
        allowed_ips: Iterable[str] = (),
    ) -> tuple[ApiKey, str]:
        """Create a key and return it with its text, which is known only now.

        Raises ValidationError for an impossible name, an unknown scope or a malformed IP range.
        """
        alphabet = string.ascii_lowercase + string.digits
        identifier = "".join(secrets.choice(alphabet) for _ in range(8))
        text = f"ilk_{identifier}_{secrets.token_urlsafe(32)}"
        key = self.model(
            organization=organization,
            name=name,
            prefix=text[:12],
            last_characters=text[-4:],
            digest=ApiKey.digest_of(text),
            scopes=sorted({normalized_scope(scope) for scope in scopes}),
            allowed_ips=[normalized_network(network) for network in allowed_ips],
            expires_at=expires_at,
        )
        key.full_clean()
        key.save(force_insert=True)
        return key, text

    def with_text(
        self, text: str, question: Question | None = None
    ) -> tuple[ApiKey | None, Sequence[Any]]:
        """The key whose text this is, its organization loaded, and the answer to a question
        about that organization, all in one query."""
        lookup, parameters = question or (None, ())
        width = len(_KEY) + len(_ORGANIZATION)
        for row in fetch(_key_statement(lookup), [*parameters, ApiKey.digest_of(text)]):
            return _key_in(row[:width]), row[width:]
        return None, ()


class ApiKey(models.Model):
    """A key of one organization. Its text is shown once; a plain SHA-256 suffices for
    256 random bits."""

    # Between two writes of last_used_at.
    LAST_USED_RESOLUTION = timedelta(seconds=60)

    public_id = ExactCharField(
        "id",
        max_length=public_ids.MAX_LENGTH,
        unique=True,
        default=public_ids.new_key_id,
        editable=False,
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=255, validators=[is_text])
    prefix = ExactCharField(max_length=12, unique=True, editable=False)
    last_characters = models.CharField(max_length=4, editable=False)
    digest = ExactCharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    allowed_ips = models.JSONField(
        "allowed IP ranges", default=list, blank=True, help_text="Empty: from everywhere."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last_characters})"

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def actor(self) -> Actor:
        return Actor.of_key(self)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def may_read(self) -> bool:
        return bool(self.scopes)  # every scope there is includes reading

    @property
    def may_write(self) -> bool:
        return not {"inventory:write", "inventory:*", "*"}.isdisjoint(self.scopes)

    def allows_ip(self, address: str) -> bool:
        """Whether a caller from this address may use the key; an unreadable address may not."""
        if not self.allowed_ips:
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in ipaddress.ip_network(network) for network in self.allowed_ips)

    def revoke(self) -> None:
        """Revoke at once and for good; revoking twice keeps the first time."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def touch(self) -> None:
        """Note that the key is in use, at most once a minute.

        Never waits for a lock and never fails: a read must not depend on this write.
        """
        now = timezone.now()
        due = now - self.LAST_USED_RESOLUTION
        if self.last_used_at is not None and self.last_used_at > due:
            return
        rows = ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=due), pk=self.pk)
        free = rows.select_for_update(skip_locked=True).order_by().values("pk")
        try:
            with without_waiting():
                ApiKey.objects.filter(pk__in=free).update(last_used_at=now)
        except DatabaseError:
            pass  # another writer is at work; the next request tries again


_KEY, _ORGANIZATION = Instances(ApiKey, "here"), Instances(Organization, "organization")


@lru_cache(1_000)  # of rows that were just read: what changes is another row
def _key_in(row: tuple[Any, ...]) -> ApiKey:
    key: ApiKey
    key, key.organization = instances(row, _KEY, _ORGANIZATION)
    return key


@cache
def _key_statement(lookup: Lookup | None) -> str:
    columns, joins = (f", {lookup.columns}", lookup.joins) if lookup else ("", "")
    organization = f"{Organization._meta.db_table} organization"
    return (
        f"SELECT {_KEY.sql}, {_ORGANIZATION.sql}{columns} FROM {ApiKey._meta.db_table} here "
        f"JOIN {organization} ON organization.id = here.organization_id {joins} "
        "WHERE here.digest = %s"
    )
