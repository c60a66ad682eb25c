"""The examples of the API's documentation; a test checks them against real answers."""

from typing import Any

LEVEL_REQUEST: dict[str, Any] = {
    "productMasterId": "prod_123",
    "locationId": "loc_123",
    "minQuantity": 50,
    "reorderQuantity": 100,
    "maxQuantity": 500,
    "status": "Supported",
    "abcClass": "A",
    "expectedLeadTimeDays": 7,
    "replenishmentPeriodDays": 14,
    "forecastPeriodDays": 30,
    "forecastQuantity": 200,
    "preferredBinLocationId": "bin_123",
    "replenishmentLocationId": "loc_456",
    "comments": "High priority item",
}
LEVEL = {
    "id": "level_123",
    **LEVEL_REQUEST,
    "version": 1,
    "createdAt": "2026-11-02T08:30:00.000000Z",
    "updatedAt": "2026-11-02T08:30:00.000000Z",
    "product": {"id": "prod_123", "sku": "SKU-123", "name": "Widget"},
    "productMaster": {"id": "prod_123", "globalSku": "SKU-123", "productName": "Widget"},
    "location": {"id": "loc_123", "name": "Main warehouse"},
}
LEVEL_PATCH = {"reorderQuantity": 150}
LEVEL_PATCHED = {
    **LEVEL,
    **LEVEL_PATCH,
    "version": 2,
    "updatedAt": "2026-11-03T09:00:00.000000Z",
}
LEVEL_DELETED = {"success": True, "message": "Inventory level deleted"}

CHANGE = {
    "action": "UPDATE",
    "at": "2026-11-03T09:00:00.000000Z",
    "actor": {"type": "apiKey", "id": "key_01kbcdefghjkmnpqrstvwxyz00", "name": "ERP"},
    "source": "api",
    "reason": None,
    "version": 2,
    "levelId": "level_123",
    "productMasterId": "prod_123",
    "locationId": "loc_123",
    "changes": {"reorderQuantity": {"old": 100, "new": 150}},
}

PRODUCT_REQUEST: dict[str, Any] = {
    "id": "prod_123",
    "globalSku": "SKU-123",
    "productName": "Widget",
    "unitCost": 12.5,
    "status": "Active",
}
PRODUCT = {
    **PRODUCT_REQUEST,
    "createdAt": "2026-11-02T08:30:00.000000Z",
    "updatedAt": "2026-11-02T08:30:00.000000Z",
}
PRODUCT_PATCH = {"unitCost": 13}
PRODUCT_DELETED = {"success": True, "message": "Product deleted"}

LOCATION_REQUEST = {"id": "bin_123", "name": "A-01", "type": "BIN", "parentId": "loc_123"}
LOCATION = {
    **LOCATION_REQUEST,
    "createdAt": "2026-11-02T08:30:00.000000Z",
    "updatedAt": "2026-11-02T08:30:00.000000Z",
}
LOCATION_PATCH = {"name": "A-02"}
LOCATION_DELETED = {"success": True, "message": "Location deleted"}


def bulk_request(item: dict[str, Any]) -> dict[str, Any]:
    return {"items": [item], "onError": "skip", "dryRun": False}


def bulk(public_id: str) -> dict[str, Any]:
    """One item written, one refused."""
    return {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "failed": 1,
        "dryRun": False,
        "results": [
            {
                "index": 0,
                "outcome": "created",
                "id": public_id,
                "error": None,
                "code": None,
                "details": None,
            },
            {
                "index": 1,
                "outcome": "failed",
                "id": None,
                "error": "status: must be a string",
                "code": "VALIDATION_ERROR",
                "details": {"status": ["must be a string"]},
            },
        ],
    }


# What each refusal looks like, by status.
ERRORS = {
    400: {
        "error": "Invalid quantities: min ≤ reorder ≤ max required",
        "code": "INVALID_QUANTITIES",
        "details": {"reorderQuantity": ["must not be below min (50)"]},
    },
    401: {"error": "The API key is not valid.", "code": "INVALID_API_KEY"},
    403: {
        "error": "The API key lacks the scope inventory:write.",
        "code": "INSUFFICIENT_SCOPE",
    },
    404: {"error": "Product or location not found", "code": "NOT_FOUND"},
    409: {"error": "In use by 3 levels", "code": "CONFLICT", "details": {"levels": 3}},
    412: {
        "error": "The inventory level is not in the expected state.",
        "code": "PRECONDITION_FAILED",
    },
    413: {"error": "The body is larger than 1024 KiB.", "code": "PAYLOAD_TOO_LARGE"},
    415: {
        "error": 'Unsupported media type "text/plain" in request.',
        "code": "UNSUPPORTED_MEDIA_TYPE",
    },
    429: {"error": "Too many requests.", "code": "RATE_LIMITED"},
    500: {
        "error": "Something went wrong on our side; the log has it.",
        "code": "INTERNAL_ERROR",
    },
    503: {
        "error": "The database is busy or out of reach; nothing was written. Try again.",
        "code": "UNAVAILABLE",
    },
}
