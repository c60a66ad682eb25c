"""The documentation of imports and exports: the same on levels, products and locations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from inventory_levels.api import file_examples as examples
from inventory_levels.api import uploads
from inventory_levels.api.schema import shapes
from inventory_levels.api.schema.operations import BODY, answer, operation
from inventory_levels.api.schema.types import ExportSchema

_OPTIONS = (
    OpenApiParameter(
        "onError",
        {"$ref": "#/components/schemas/OnError"},  # which the bulk requests define
        description="abort (the default): all or nothing; skip: the good rows are written.",
    ),
    OpenApiParameter(
        "dryRun",
        {"type": "boolean", "default": False},
        description="Check everything, write nothing.",
    ),
)
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    uploads.CSV: _FILE,
    uploads.XLSX: _FILE,
    uploads.FORM: {
        "type": "object",
        "properties": {"file": _FILE},
        "required": ["file"],
        "additionalProperties": False,
    },
}


def file_operations(noun: str, public_id: str, column: str) -> dict[str, Any]:
    """By action; the example's second row holds something bad in a ``column``."""
    return {
        "import_file": operation(
            f"import_{noun}s",
            f"Import {noun}s from a file",
            f"Creates and updates {noun}s from CSV (UTF-8) or Excel (.xlsx), of up to 32 MiB. The "
            "first row names the columns, as an export does, in any order. An empty cell leaves "
            "a value, `null` clears it. Every bad row is told by its number and column.",
            {
                200: answer(
                    shapes.ImportAnswerSerializer,
                    "A result a row.",
                    examples.imported(public_id, column),
                ),
                400: answer(
                    shapes.ImportRefusalSerializer,
                    "Nothing was written.",
                    examples.import_refused(public_id, column),
                ),
            },
            refusals={**BODY, 413: examples.FILE_TOO_LARGE[noun]},
            request=OpenApiExample(
                "Request",
                examples.IMPORT_REQUESTS[noun],
                request_only=True,
                media_type=uploads.CSV,
            ),
            request_shape=_BODY,
            parameters=_OPTIONS,
        ),
        "export_csv": _export(noun, "csv", uploads.CSV, examples.EXPORTS[noun]),
        "export_ndjson": _export(
            noun, "ndjson", "application/x-ndjson", examples.EXPORTED_LINES[noun]
        ),
        "export_xlsx": _export(noun, "xlsx", uploads.XLSX, None),
    }


def _export(noun: str, format_: str, media_type: str, example: str | None) -> Any:
    shown = [OpenApiExample("The file", example, media_type=media_type)] if example else []
    shape = OpenApiTypes.STR if example else OpenApiTypes.BINARY
    return operation(
        f"export_{noun}s_{format_}",
        f"Export {noun}s as {format_.upper()}",
        "The list's filters, all that they find in one file. Importing it changes nothing.",
        {(200, media_type): OpenApiResponse(shape, "The file.", shown)},
        schema=ExportSchema,
    )
