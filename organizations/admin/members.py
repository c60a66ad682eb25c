"""The organization's people, for its managers: who is a member, and who is invited.

Nobody can look up accounts here: an invitation reads the same whether there is one or not.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from organizations import invitations
from organizations.admin.base import WorkspaceAdmin
from organizations.models import Invitation, Membership, Role
from organizations.tenancy import current_organization
from organizations.workspace import workspace_of


class ForManagers(WorkspaceAdmin):
    def may_see(self, request: HttpRequest) -> bool:
        return self.may_change(request)

    def may_change(self, request: HttpRequest) -> bool:
        workspace = workspace_of(request)
        return workspace is not None and workspace.may_manage

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        """With one button to save: what is made here is shown, and told of, by the next page."""
        if kwargs.get("add"):
            context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, **kwargs)


@admin.register(Membership)
class MembershipAdmin(ForManagers):
    list_display = ("person", "email", "role")
    ordering = ("user__username", "pk")
    fields = ("person", "email", "role")
    readonly_fields = ("person", "email")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people are invited

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody takes their own rights away by accident."""
        own = obj is not None and obj.user_id == request.user.pk
        return super().has_change_permission(request, obj) and not own

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")

    def rows_with(self, keys: list[int], queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().rows_with(keys, queryset).select_related("user")

    @admin.display(description="Name")
    def person(self, membership: Membership) -> str:
        user = membership.user
        full_name = user.get_full_name()
        return f"{full_name} ({user.get_username()})" if full_name else user.get_username()

    @admin.display(description="E-mail")
    def email(self, membership: Membership) -> str:
        return membership.user.email


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        help_texts: ClassVar[Any] = {"email": "Capital and small letters make no difference."}

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        members = Membership.objects.filter(organization=current_organization())
        if members.filter(user__email__iexact=email).exists():
            raise forms.ValidationError("This person is a member already: change the role there.")
        return email


@admin.register(Invitation)
class InvitationAdmin(ForManagers):
    form = InvitationForm
    list_display = ("email", "role", "created_at")
    ordering = ("email",)
    fields = ("email", "role")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # inviting again changes the role

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = invitations.invite(email=obj.email, role=obj.role).pk

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        role = Role(obj.role).name.lower()
        messages.success(
            request,
            f"{obj.email} is invited as {role}. Whoever signs in with this address is a member "
            "from then on. Somebody without an account needs one from your administrator first.",
        )
        return redirect("admin:organizations_invitation_changelist")
