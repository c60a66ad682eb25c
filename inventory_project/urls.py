"""Where everything is."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.generic import RedirectView, TemplateView

from inventory_levels.api import urls as api
from inventory_levels.api.public import IndexView
from inventory_project import errors

# Each path below /api/ is one of this list's own, see handler.py: no include() comes before them.
urlpatterns: list[URLPattern | URLResolver] = [
    *api.urlpatterns,
    path("api", IndexView.as_view()),
    path("", TemplateView.as_view(template_name="start.html"), name="start"),
    re_path(r"^api(?:/[\s\S]*)?$", errors.unknown_path),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
