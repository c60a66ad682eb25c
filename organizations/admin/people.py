"""Organizations and accounts, for superusers: the only pages that look across organizations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from organizations.admin.base import ChoosesByKey
from organizations.models import Membership, Organization
from organizations.texts import may_be_found


class ForSuperusers:
    """Rights that no role and no Django permission gives."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_change_permission = has_view_permission

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if not may_be_found(search_term):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refused before it is looked for, so that nobody learns what there is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, *args, **kwargs)  # type: ignore[misc]


class MembershipInline(ForSuperusers, ChoosesByKey, TabularInline):
    model = Membership
    autocomplete_fields: ClassVar[Any] = ["user", "organization"]
    extra = 0

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The column's head is no label to a screen reader."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.widget.attrs["aria-label"] = field.label
        return field


@admin.register(Organization)
class OrganizationAdmin(ForSuperusers, ModelAdmin):
    """Organizations are switched off, never deleted: their history stays."""

    list_display = ("name", "public_id", "is_active", "created_at", "work_here")
    list_filter = ("is_active",)
    search_fields = ("name", "public_id")
    readonly_fields = ("public_id", "created_at")
    inlines = (MembershipInline,)
    compressed_fields = True

    @admin.display(description="Workspace")
    def work_here(self, organization: Organization) -> str:
        return format_html(
            '<button type="submit" form="workspace-form" name="organization" value="{}" '
            'class="link-button">Work here</button>',
            organization.public_id,
        )


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ForSuperusers, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # no types
    """Accounts. What somebody may do is said by memberships, or by being a superuser."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
    )
