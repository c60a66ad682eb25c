"""System checks that keep tenancy from being forgotten."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register

from organizations.models import ApiKey, Membership, Organization
from organizations.tenancy import TenantModel

# Looked up to find out which organization a request is for, so before there is a scope.
READ_BEFORE_THERE_IS_A_SCOPE = {ApiKey, Membership}


@register()
def models_with_an_organization_are_tenant_models(
    app_configs: Any, **kwargs: Any
) -> list[CheckMessage]:
    return [
        Error(
            f"{model.__name__} refers to Organization but is no TenantModel.",
            hint="Inherit organizations.tenancy.TenantModel, whose manager needs a scope.",
            obj=model,
            id="organizations.E001",
        )
        for model in apps.get_models()
        if not issubclass(model, TenantModel)
        and model not in READ_BEFORE_THERE_IS_A_SCOPE
        and any(field.related_model is Organization for field in model._meta.concrete_fields)
    ]
