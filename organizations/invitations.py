"""How somebody becomes a member by e-mail address, without anybody learning who has an account.

An invitation is noted whether or not there is an account, and turns into a membership when
somebody with that address signs in.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from organizations.models import Invitation, Membership, Organization
from organizations.tenancy import all_organizations, current_organization


def invite(*, email: str, role: str) -> Invitation:
    """Invite into the organization in scope; inviting again changes the role."""
    invitation, _ = Invitation.objects.update_or_create(
        organization=current_organization(), email=email.lower(), defaults={"role": role}
    )
    return invitation


def belongs_somewhere(user: Any) -> bool:
    """Whether the user is a member of an active organization, or invited to one."""
    if Membership.objects.filter(user=user, organization__is_active=True).exists():
        return True
    with all_organizations():
        return bool(_addressed_to(user).filter(organization__is_active=True).exists())


def accept(user: Any) -> list[Organization]:
    """Turn the user's invitations into memberships; a role held already stays.

    Returns the organizations that are new to the user.
    """
    joined = []
    with all_organizations(), transaction.atomic():
        invitations = list(_addressed_to(user).select_related("organization"))
        for invitation in invitations:
            _, is_new = Membership.objects.get_or_create(
                user=user,
                organization_id=invitation.organization_id,
                defaults={"role": invitation.role},
            )
            if is_new:
                joined.append(invitation.organization)
        Invitation.objects.filter(pk__in=[one.pk for one in invitations]).delete()
    return joined


def _addressed_to(user: Any) -> Any:
    email = user.email.strip().lower()
    return Invitation.objects.filter(email=email) if email else Invitation.objects.none()
