"""The API's table of contents. Every path answers with and without its trailing slash."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from inventory_levels.api import public, views
from inventory_levels.api.planning import PlanningViewSet

router = SimpleRouter()
router.trailing_slash = "/?"  # a regular expression, like all of the router's parts
# What most requests ask first: to go through all paths takes a tenth of a small request.
router.routes = [SimpleRouter.routes[place] for place in (0, 2, 1, 3)]  # lists, then one of them
# In full: each level of paths that include others takes a twentieth of such a request.
router.register("api/inventory-levels", views.LevelViewSet, basename="inventory-level")
router.register("api/inventory-levels", PlanningViewSet, basename="planning")
router.register("api/products", views.ProductViewSet, basename="product")
router.register("api/locations", views.LocationViewSet, basename="location")

urlpatterns = [
    *router.urls,
    re_path(r"^api/$", public.IndexView.as_view(), name="index"),
    re_path(r"^api/schema/?$", public.SchemaView.as_view(), name="schema"),
    re_path(r"^api/docs/?$", public.DocsView.as_view(), name="docs"),
]
