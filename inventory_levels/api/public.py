"""What anybody may read: the index, the OpenAPI document and the page to try it out in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory_levels.api import schema
from inventory_levels.api.examples import INDEX
from inventory_levels.api.viewsets import check_parameters


class PublicView(APIView):
    """What anybody may read; its errors are JSON even where it answers something else."""

    authentication_classes: Sequence[Any] = []
    permission_classes: Sequence[Any] = []
    http_method_names = ["get", "head"]

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = APIView.renderer_classes[0]()
        return super().handle_exception(exc)


class IndexView(PublicView):
    """What there is, for whoever looks at /api itself."""

    @schema.index
    def get(self, request: Request) -> Response:
        check_parameters(request)
        return Response(INDEX)


class SchemaView(PublicView):
    """The OpenAPI document."""

    schema = None

    def get(self, request: Request) -> HttpResponse:
        check_parameters(request)
        return HttpResponse(_openapi(), content_type="application/json")


@cache
def _openapi() -> bytes:
    """Takes a fifth of a second to make, and says the same to everybody."""
    document = SchemaGenerator().get_schema(public=True)
    return bytes(OpenApiJsonRenderer2().render(document))


class DocsView(PublicView, SpectacularSwaggerSplitView):
    url_name = "schema"
