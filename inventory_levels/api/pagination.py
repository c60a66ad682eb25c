"""Pages of a list."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

DEFAULT_LIMIT, MAX_LIMIT = 50, 500


def _whole(parameters: Any, name: str, default: int, most: int | None = None) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise ValidationError({name: ["must be a whole number from 1"]})
    if most is not None and int(text) > most:
        raise ValidationError({name: [f"must be at most {most}"]})
    return int(text)


class Pages(BasePagination):
    """``?page=1&limit=50``, with totals."""

    parameters = frozenset({"page", "limit"})

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.page = _whole(request.query_params, "page", 1)
        self.limit = _whole(request.query_params, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        self.total = queryset.count()
        start = (self.page - 1) * self.limit
        return list(queryset[start : start + self.limit]) if start < self.total else []

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1}
        return [
            {"name": "page", "in": "query", "required": False, "schema": {**whole, "default": 1}},
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "schema": {**whole, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            },
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        example = {"page": 1, "pageSize": DEFAULT_LIMIT, "total": 1, "totalPages": 1}
        return {
            "type": "object",
            "required": ["items", "pagination"],
            "properties": {
                "items": schema,
                "pagination": {
                    "type": "object",
                    "required": list(example),
                    "properties": {
                        name: {"type": "integer", "example": number}
                        for name, number in example.items()
                    },
                },
            },
        }

    def get_paginated_response(self, data: Any) -> Response:
        pagination = {
            "page": self.page,
            "pageSize": self.limit,
            "total": self.total,
            "totalPages": -(-self.total // self.limit),
        }
        return Response({"items": data, "pagination": pagination})
