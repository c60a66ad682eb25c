"""Who calls the API and for which organization: by API key, or by a signed-in session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication

from organizations import tenancy
from organizations.actors import Actor
from organizations.models import ApiKey, Membership, Organization
from organizations.public_ids import PUBLIC_ID
from organizations.statements import Question

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request may do: REST framework's ``request.auth``."""

    organization: Organization
    actor: Actor
    may_read: bool
    may_write: bool
    answer: Sequence[Any]  # to the view's question


class Unauthenticated(exceptions.AuthenticationFailed):
    """401 with one of the published codes."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__({"error": sentence, "code": code})


class Refused(exceptions.PermissionDenied):
    """403 with one of the published codes."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__({"error": sentence, "code": code})


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, seen past as many proxies as are trusted.

    Each proxy appends the address it saw to X-Forwarded-For, so only the last
    TRUSTED_PROXIES entries are not the caller's own invention. Empty where there are fewer:
    the request came around the proxies.
    """
    if not settings.TRUSTED_PROXIES:
        return str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if len(forwarded) < settings.TRUSTED_PROXIES:
        return ""
    return str(forwarded[-settings.TRUSTED_PROXIES]).strip()


def _enter(organization: Organization) -> None:
    if not organization.is_active:
        raise Refused("INACTIVE_ORGANIZATION", "This organization is inactive.")
    tenancy.enter_organization(organization)


def _question(request: Request) -> Question | None:
    """What the view asks of the organization besides, whichever that is."""
    view: Any = (request.parser_context or {}).get("view")
    question: Question | None = view.question() if hasattr(view, "question") else None
    return question


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer <API key>``; the key fixes the organization."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, *credentials = header.encode("latin-1").split() or [b""]
        if scheme.lower() != b"bearer":
            return None
        key, answer = None, ()  # type: tuple[ApiKey | None, Sequence[Any]]
        if len(credentials) == 1:
            text = credentials[0].decode("latin-1")
            key, answer = ApiKey.objects.with_text(text, _question(request))
        if key is None:
            raise Unauthenticated("INVALID_API_KEY", "The API key is not valid.")
        if key.revoked_at is not None:
            raise Unauthenticated("REVOKED_API_KEY", "The API key was revoked.")
        if key.is_expired:
            raise Unauthenticated("EXPIRED_API_KEY", "The API key has expired.")
        _enter(key.organization)
        if key.allowed_ips and not key.allows_ip(client_address(request)):
            raise Refused("IP_RESTRICTION", "The API key may not be used from this IP address.")
        key.touch()
        return AnonymousUser(), Caller(
            organization=key.organization,
            actor=key.actor,
            may_read=key.may_read,
            may_write=key.may_write,
            answer=answer,
        )

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MemberSessionAuthentication(SessionAuthentication):
    """A signed-in member, CSRF-checked on writes.

    Someone with several organizations names one in the header X-Organization-Id.
    """

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        signed_in = super().authenticate(request)
        if signed_in is None:
            return None
        user = signed_in[0]
        organization, may_write = self._membership(user, request.headers.get("X-Organization-Id"))
        _enter(organization)
        lookup, parameters = _question(request) or (None, ())
        return user, Caller(
            organization=organization,
            actor=Actor.of_user(user),
            may_read=True,
            may_write=may_write,
            answer=lookup.row(organization.pk, parameters) if lookup else (),
        )

    def enforce_csrf(self, request: Request) -> None:
        # Only the header counts. A search of the body would read it before anything else is
        # checked, and a body can be large, or slow to come.
        http_request: Any = request._request
        http_request.POST = QueryDict()
        try:
            super().enforce_csrf(http_request)
        except exceptions.PermissionDenied as error:
            raise Refused("CSRF_FAILED", f"{error.detail}.".replace("..", ".")) from error

    def _membership(self, user: Any, named: str | None) -> tuple[Organization, bool]:
        """The organization that the user acts for, and whether the role writes."""
        if named is not None and not PUBLIC_ID.match(named):
            raise exceptions.NotFound("Organization not found")
        if user.is_superuser:
            organizations = Organization.objects.filter(**_only(named, "public_id"))
            theirs = [(organization, True) for organization in organizations[:2]]
        else:
            memberships = Membership.objects.filter(
                user=user, **_only(named, "organization__public_id")
            )
            theirs = [
                (membership.organization, membership.may_write)
                for membership in memberships.select_related("organization")[:2]
            ]
        if len(theirs) > 1:
            raise exceptions.ValidationError(
                {"X-Organization-Id": ["is required: there are several organizations to choose"]}
            )
        if theirs:
            return theirs[0]
        if named is not None:
            raise exceptions.NotFound("Organization not found")
        raise Refused("INSUFFICIENT_ROLE", "You are not a member of any organization.")


def _only(value: str | None, field: str) -> dict[str, str]:
    return {} if value is None else {field: value}
