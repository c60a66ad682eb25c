"""In which organization somebody works in the admin, and as what: always exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from organizations.models import Membership, Organization, Role
from organizations.public_ids import PUBLIC_ID

# Where the session keeps the id of the organization that was chosen last.
SESSION_KEY = "organization"
# Organizations that the switcher offers; superusers reach the others by their list.
MAX_CHOICES = 20


@dataclass(frozen=True, slots=True)
class Workspace:
    """The organization that a request works in, the role in it, and those to switch to."""

    organization: Organization
    role: str
    choices: tuple[Organization, ...]

    @property
    def may_write(self) -> bool:
        return self.role in (Role.EDITOR, Role.MANAGER)

    @property
    def may_manage(self) -> bool:
        return self.role == Role.MANAGER


def workspace_of(request: HttpRequest) -> Workspace | None:
    """The request's workspace, found once; None for whoever has no business here."""
    if not hasattr(request, "_workspace"):
        request._workspace = _find(request)  # type: ignore[attr-defined]
    return request._workspace  # type: ignore[attr-defined,no-any-return]


def choose(request: HttpRequest, public_id: str) -> bool:
    """Work in another organization from now on; False where that isn't one's own."""
    if not PUBLIC_ID.match(public_id):
        return False
    wanted = _open_to(request.user).filter(public_id=public_id).first()
    if wanted is None:
        return False
    request.session[SESSION_KEY] = wanted.public_id
    return True


def leave(membership: Membership) -> bool:
    """End a membership for good; False where nobody would be left to manage the organization.

    Locks the memberships of the organization's managers.
    """
    with transaction.atomic():
        managers = Membership.objects.select_for_update().order_by("pk")
        managers = managers.filter(organization=membership.organization, role=Role.MANAGER)
        if [one.pk for one in managers] == [membership.pk]:
            return False
        membership.delete()
    return True


def _open_to(user: Any) -> Any:
    organizations = Organization.objects.order_by("name", "pk")
    if user.is_superuser:
        return organizations
    return organizations.filter(is_active=True, memberships__user=user)


def _find(request: HttpRequest) -> Workspace | None:
    user: Any = request.user
    if not user.is_active:
        return None
    oldest: Organization | None = None
    if user.is_superuser:
        roles = dict.fromkeys(_open_to(user)[:MAX_CHOICES], Role.MANAGER.value)
    else:
        memberships = Membership.objects.filter(user=user, organization__is_active=True)
        memberships = memberships.select_related("organization")
        by_age = list(memberships.order_by("pk"))
        oldest = by_age[0].organization if by_age else None
        by_name = sorted(by_age, key=lambda one: (one.organization.name, one.organization_id))
        roles = {membership.organization: membership.role for membership in by_name}
    choices = tuple(roles)
    chosen = request.session.get(SESSION_KEY)
    organization = next((one for one in choices if one.public_id == chosen), None)
    if organization is None and chosen and user.is_superuser:
        organization = Organization.objects.filter(public_id=chosen).first()
    if organization is None:
        # Whoever invites somebody moves no work of theirs into another organization.
        organization = oldest or next(iter(choices), None)
    if organization is None:
        return None
    return Workspace(organization, roles.get(organization, Role.MANAGER.value), choices)
