"""Registers the app with its system checks, and the admin with its own site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class OrganizationsConfig(AppConfig):
    name = "organizations"
    default = True

    def ready(self) -> None:
        from organizations import checks  # noqa: F401  (registering is the import's effect)


class SiteConfig(admin.AdminConfig):
    """django.contrib.admin with the site that members may enter."""

    default_site = "organizations.site.Site"
    default = False
