"""What the OpenAPI document says beyond what the serializers tell."""

from drf_spectacular.utils import extend_schema_view

levels = extend_schema_view()
products = extend_schema_view()
locations = extend_schema_view()
