"""The admin's site: open to members, and every page of it inside one organization's scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_POST
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from organizations import invitations, workspace
from organizations.models import Membership
from organizations.tenancy import enter_organization
from organizations.workspace import workspace_of

# Every form that adds something says for which organization it was opened: the session may
# have moved on to another one since, in another tab.
OPENED_FOR = "_organization"

NOT_SIGNED_IN = "Nothing was saved: you were signed out meanwhile. Sign in, and type it again."

View = Callable[..., HttpResponseBase]


class SignInForm(AuthenticationForm):
    """Lets in members and superusers; is_staff means nothing here."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Please enter the correct username and password. "
        "Capital and small letters differ.",
    }

    def confirm_login_allowed(self, user: Any) -> None:
        # The same answer as to a wrong password, counted alike: it tells nothing of the account.
        if not (user.is_active and (user.is_superuser or invitations.belongs_somewhere(user))):
            named = {"username": user.get_username()}
            user_login_failed.send(__name__, credentials=named, request=self.request)
            raise self.get_invalid_login_error()

    def clean_username(self) -> str:
        """The log of failed attempts has no room for a longer one."""
        username: str = self.cleaned_data["username"]
        if len(username) > self.fields["username"].max_length:
            raise self.get_invalid_login_error()
        return username

    def get_invalid_login_error(self) -> ValidationError:
        if getattr(self.request, "axes_locked_out", False):
            return ValidationError("Too many failed attempts. Try again in 15 minutes.")
        return super().get_invalid_login_error()


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The sign-in page, which says so by the form's error."""
    response.status_code = 429
    response.headers["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return response


class Site(UnfoldAdminSite):
    """Whoever is a member of an active organization, and superusers."""

    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser) or workspace_of(request) is not None

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().login(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated:
            had_one = request.user.memberships.exists()
            for organization in invitations.accept(request.user):
                also = " also" if had_one else ""
                messages.info(request, f"You are now{also} a member of {organization}.")
        return response

    def get_urls(self) -> list[URLPattern | URLResolver]:
        switch = path("workspace/", self.admin_view(require_POST(self.switch)), name="workspace")
        leave = path("leave/", self.admin_view(self.leave), name="leave")
        return [switch, leave, *super().get_urls()]

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        return self._telling(super().admin_view(self._in_workspace(view), cacheable))

    def _telling(self, view: Any) -> Any:
        """The page to sign in, where a form leads of whose sender the session has ended."""

        @wraps(view)
        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            is_lost = request.method == "POST" and not self.has_permission(request)
            response: HttpResponseBase = view(request, *args, **kwargs)
            if is_lost:
                messages.warning(request, NOT_SIGNED_IN)
            return response

        return told

    def _in_workspace(self, view: View) -> View:
        """The scope stays open for the page's template; TenancyMiddleware takes it away."""

        @wraps(view)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            current = workspace_of(request)
            if current is not None:
                enter_organization(current.organization)
                opened_for = request.POST.get(OPENED_FOR, current.organization.public_id)
                if opened_for != current.organization.public_id:
                    return self._moved_on(request, current.organization.name)
            return view(request, *args, **kwargs)

        return scoped

    def _moved_on(self, request: HttpRequest, name: str) -> HttpResponseBase:
        messages.error(
            request,
            f"Nothing was saved: meanwhile you switched to {name}, "
            "and the page was opened for another organization.",
        )
        return redirect("admin:index")

    def switch(self, request: HttpRequest) -> HttpResponseBase:
        if not workspace.choose(request, request.POST.get("organization", "")):
            messages.error(request, "There is no such organization.")
        return redirect("admin:index")

    def leave(self, request: HttpRequest) -> HttpResponseBase:
        """Whoever was invited here may go again; that this is meant is asked first."""
        current = workspace_of(request)
        own = Membership.objects.filter(user=request.user.pk).select_related("organization")
        membership = own.filter(organization=current.organization if current else None).first()
        if membership is None:  # a superuser
            raise Http404
        if request.method != "POST":
            context = {**self.each_context(request), "title": f"Leave {membership.organization}?"}
            return TemplateResponse(request, "admin/leave.html", context)
        name = membership.organization.name
        if workspace.leave(membership):
            messages.success(request, f"You are no member of {name} any more.")
        else:
            messages.error(request, f"{name} has no other manager: make somebody one first.")
        return redirect("admin:index")

    def search(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The theme's search keeps its answers per person, whatever the organization."""
        raise Http404

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        current = workspace_of(request) if request.user.is_authenticated else None
        return {**super().each_context(request), "workspace": current}
