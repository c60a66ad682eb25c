"""The API's table of contents. Every path answers with and without its trailing slash."""

from typing import Any

from django.urls import re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from inventory_levels.api import views

router = SimpleRouter()
router.trailing_slash = "/?"  # a regular expression, like all of the router's parts
router.register("inventory-levels", views.LevelViewSet, basename="inventory-level")
router.register("products", views.ProductViewSet, basename="product")
router.register("locations", views.LocationViewSet, basename="location")

PUBLIC: dict[str, Any] = {"authentication_classes": [], "permission_classes": []}

urlpatterns = [
    re_path(r"^$", views.IndexView.as_view(), name="index"),
    *router.urls,
    re_path(r"^schema/?$", SpectacularAPIView.as_view(**PUBLIC), name="schema"),
    re_path(
        r"^docs/?$",
        SpectacularSwaggerSplitView.as_view(url_name="schema", **PUBLIC),
        name="docs",
    ),
]
