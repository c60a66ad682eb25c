"""The organization's API keys, for its managers. A key's text is shown once, when it is made."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from organizations import once
from organizations.admin.members import ForManagers
from organizations.models import ApiKey, normalized_network
from organizations.tenancy import current_organization

ACCESS = (
    ("inventory:read", "Reads: levels, products, locations, history"),
    ("inventory:write", "Reads and writes"),
)


class ExpiryField(forms.SplitDateTimeField):
    """A date alone means its end."""

    def clean(self, value: Any) -> Any:
        if value and value[0] and not value[1]:
            value = [value[0], "23:59:59"]
        return super().clean(value)


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    once = forms.CharField(required=False, widget=forms.HiddenInput)
    scope = forms.ChoiceField(
        label="May",
        choices=ACCESS,
        initial="inventory:read",
        widget=UnfoldAdminRadioSelectWidget,
    )
    networks = forms.CharField(
        label="Only from",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="IP addresses or ranges such as 10.0.0.0/8, one a line or with commas. "
        "Empty: from everywhere.",
    )

    def clean_networks(self) -> list[str]:
        return [
            normalized_network(text)
            for text in self.cleaned_data["networks"].replace(",", " ").split()
        ]

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise ValidationError("This is in the past.")
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(ForManagers):
    form = KeyForm
    list_display = ("name", "key", "may", "state", "last_used_at", "created_at")
    ordering = ("-pk",)
    formfield_overrides: ClassVar[Any] = {models.DateTimeField: {"form_class": ExpiryField}}
    fields = ("name", "key", "may", "networks_allowed", "state")
    readonly_fields: ClassVar[Any] = fields
    add_fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "scope", "expires_at", "networks")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a key is revoked, never changed

    has_delete_permission = has_change_permission

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        name = "organizations_apikey_revoke"
        return [path("<int:pk>/revoke/", revoke, name=name), *super().get_urls()]

    @admin.display(description="Key")
    def key(self, key: ApiKey) -> str:
        return f"{key.prefix}…{key.last_characters}"

    @admin.display(description="May")
    def may(self, key: ApiKey) -> str:
        return "read and write" if key.may_write else "read"

    @admin.display(description="Only from")
    def networks_allowed(self, key: ApiKey) -> str:
        return ", ".join(key.allowed_ips) or "everywhere"

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return f"Revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC"
        if key.is_expired:
            return f"Expired {key.expires_at:%Y-%m-%d %H:%M} UTC"
        return f"Valid until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "Valid"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str]:
        return {"once": once.opened(request)}

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Reloading the page that shows a key must not make another one."""
        try:
            answer: HttpResponse = super().add_view(request, *args, **kwargs)
        except once.SentBefore:
            messages.info(request, "No other key was made: the form had been sent before.")
            return redirect("admin:organizations_apikey_changelist")
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        once.spend(request, form.cleaned_data["once"])
        issued, obj.text = ApiKey.objects.issue(
            organization=current_organization(),
            name=obj.name,
            scopes=[form.cleaned_data["scope"]],
            expires_at=obj.expires_at,
            allowed_ips=form.cleaned_data["networks"],
        )
        obj.pk = issued.pk

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Shown by this very answer: the text is kept nowhere, not even until a redirect."""
        return self._page(request, "issued", key=obj, text=obj.text, title="Copy the key now")

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        key = self.get_queryset(request).filter(pk=pk).first()
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        if request.method != "POST":
            return self._page(request, "revoke", key=key, title=f"Revoke {key.name}?")
        key.revoke()
        self.log_change(request, key, "Revoked.")
        messages.success(request, f"{key.name} is revoked: it opens nothing any more.")
        return redirect("admin:organizations_apikey_changelist")

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        frame = self.admin_site.each_context(request)
        template = f"admin/organizations/apikey/{name}.html"
        return render(request, template, {**frame, "opts": self.opts, **context})
