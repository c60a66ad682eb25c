"""Whether a caller may do what a request asks. Closed by default."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from organizations.authentication import Caller, Refused


class HasScope(BasePermission):
    """Safe methods need to read, the others to write.

    A view whose POST only reads names that action in ``read_only_actions``. A view that
    has no ``scope`` at all answers nobody.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.auth
        scope = getattr(view, "scope", None)
        if not isinstance(caller, Caller) or scope is None:
            return False
        reads = request.method in SAFE_METHODS or view.action in view.read_only_actions
        if caller.may_read if reads else caller.may_write:
            return True
        needed = f"{scope}:{'read' if reads else 'write'}"
        if caller.actor.type == "user":
            raise Refused("INSUFFICIENT_ROLE", "Your role in this organization may not do this.")
        raise Refused("INSUFFICIENT_SCOPE", f"The API key lacks the scope {needed}.")
