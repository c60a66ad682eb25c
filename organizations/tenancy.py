"""For whom a piece of code runs, and the models that can't be read without saying so.

The scope is a context variable. Authentication opens it for one organization; without
a scope every query of a tenant model raises. The database underneath holds the same
rule with composite foreign keys, see ``organizations.constraints``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models
from django.http import HttpRequest, HttpResponseBase

if TYPE_CHECKING:
    from organizations.models import Organization

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


class NoOrganization(RuntimeError):
    """A tenant model was used where nobody said for which organization."""


class _AllOrganizations:
    """The scope of superusers and of upkeep that spans organizations."""


_ALL = _AllOrganizations()
_scope: ContextVar[Organization | _AllOrganizations | None] = ContextVar(
    "organization_scope", default=None
)


def current_organization() -> Organization:
    """The one organization in scope.

    Raises NoOrganization where there is none, or where all of them are in scope.
    """
    scope = _scope.get()
    if scope is None or isinstance(scope, _AllOrganizations):
        raise NoOrganization("Open organization_scope(organization) around this code first")
    return scope


@contextmanager
def organization_scope(organization: Organization) -> Iterator[None]:
    """Run a block for one organization."""
    token = _scope.set(organization)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def all_organizations() -> Iterator[None]:
    """Run a block across organizations: the explicit word to grep for."""
    token = _scope.set(_ALL)
    try:
        yield
    finally:
        _scope.reset(token)


def enter_organization(organization: Organization) -> None:
    """Set the scope for the rest of this request; TenancyMiddleware takes it away again."""
    _scope.set(organization)


class TenancyMiddleware:
    """Starts every request without a scope and leaves none behind on a reused thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _scope.set(None)
        try:
            return self.get_response(request)
        finally:
            _scope.reset(token)


class TenantManager(models.Manager[_Row]):
    """Rows of the organization in scope; raises NoOrganization without one."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        scope = _scope.get()
        if scope is None:
            raise NoOrganization(
                f"{self.model.__name__} belongs to an organization: "
                "open organization_scope(organization) around this code first"
            )
        rows = super().get_queryset()
        if isinstance(scope, _AllOrganizations):
            return rows
        return rows.filter(organization_id=scope.pk)

    def none(self) -> models.QuerySet[_Row]:
        """No rows: nobody's, so it needs no scope."""
        return super().get_queryset().none()


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]  # not generic at run time
    """A foreign key between tenant tables that joins on the organization as well as the id.

    ``get_joining_fields`` is semi-public; a test pins the SQL it makes.
    """

    def get_joining_fields(
        self, reverse_join: bool = False
    ) -> tuple[tuple[models.Field[Any, Any], models.Field[Any, Any]], ...]:
        ours = self.model._meta.get_field("organization")
        theirs = self.remote_field.model._meta.get_field("organization")
        pair = (theirs, ours) if reverse_join else (ours, theirs)
        joined: tuple[Any, ...] = super().get_joining_fields(reverse_join)
        return (*joined, pair)


class TenantModel(models.Model):
    """Base of every table whose rows belong to one organization, for good."""

    # No index of its own: a composite one that begins with it leads in every table.
    organization = models.ForeignKey(
        "organizations.Organization",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def _do_update(self, base_qs: Any, using: Any, pk_val: Any, values: Any, *more: Any) -> Any:
        """Update within the row's organization only: save() can't move a row to another."""
        values = [value for value in values if value[0].name != "organization"]
        rows = base_qs.filter(organization_id=self.organization_id)
        return super()._do_update(rows, using, pk_val, values, *more)
