"""The examples of the API's documentation; a test checks them against real answers."""

from typing import Any

Example = dict[str, Any]

THEN, LATER = "2026-11-02T08:30:00.000000Z", "2026-11-03T09:00:00.000000Z"
CREATED = {"createdAt": THEN, "updatedAt": THEN}

INDEX = {
    "name": "Inventory Levels",
    "inventoryLevels": "/api/inventory-levels",
    "history": "/api/inventory-levels/history",
    "products": "/api/products",
    "locations": "/api/locations",
    "schema": "/api/schema",
    "docs": "/api/docs",
}

LEVEL_REQUEST: Example = {
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
LEVEL: Example = {
    "id": "level_123",
    **LEVEL_REQUEST,
    "version": 1,
    **CREATED,
    "product": {"id": "prod_123", "sku": "SKU-123", "name": "Widget"},
    "productMaster": {"id": "prod_123", "globalSku": "SKU-123", "productName": "Widget"},
    "location": {"id": "loc_123", "name": "Main warehouse"},
}
LEVEL_PATCH = {"reorderQuantity": 150}
LEVEL_PATCHED = {**LEVEL, **LEVEL_PATCH, "version": 2, "updatedAt": LATER}
LEVEL_DELETED = {"success": True, "message": "Inventory level deleted"}

CHANGE: Example = {
    "action": "UPDATE",
    "at": LATER,
    "actor": {"type": "apiKey", "id": "key_01kbcdefghjkmnpqrstvwxyz00", "name": "ERP"},
    "source": "api",
    "reason": None,
    "version": 2,
    "levelId": "level_123",
    "productMasterId": "prod_123",
    "locationId": "loc_123",
    "changes": {"reorderQuantity": {"old": 100, "new": 150}},
}
CREATION: Example = CHANGE | {
    "action": "CREATE",
    "at": THEN,
    "version": 1,
    "changes": {
        name: {"old": None, "new": value}
        for name, value in LEVEL_REQUEST.items()
        if name not in ("productMasterId", "locationId")
    },
}

PRODUCT_REQUEST: Example = {
    "id": "prod_123",
    "globalSku": "SKU-123",
    "productName": "Widget",
    "unitCost": 12.5,
    "status": "Active",
}
PRODUCT: Example = {**PRODUCT_REQUEST, **CREATED}
PRODUCT_PATCH = {"unitCost": 13}
PRODUCT_PATCHED = {**PRODUCT, **PRODUCT_PATCH, "updatedAt": LATER}
PRODUCT_DELETED = {"success": True, "message": "Product deleted"}

LOCATION_REQUEST: Example = {
    "id": "bin_123",
    "name": "A-01",
    "type": "BIN",
    "parentId": "loc_123",
}
LOCATION: Example = {**LOCATION_REQUEST, **CREATED}
LOCATION_PATCH = {"name": "A-02"}
LOCATION_PATCHED = {**LOCATION, **LOCATION_PATCH, "updatedAt": LATER}
LOCATION_DELETED = {"success": True, "message": "Location deleted"}


def page(*items: Example) -> Example:
    """The only page."""
    counts = {"page": 1, "pageSize": 50, "total": len(items), "totalPages": 1}
    return {"items": [*items], "pagination": {**counts, "nextCursor": None}}


def cursor_page(item: Example) -> Example:
    """A page of a walk, with more to come."""
    return {"items": [item], "pagination": {"pageSize": 1, "nextCursor": "WyJhNDVl…"}}


def synced(listing: Example) -> Example:
    """The page as it is with updatedSince."""
    return {**listing, "changedUntil": LATER}


def bulk_request(item: Example, field: str) -> Example:
    """One item that is there already, and another with a number where ``field`` is a text."""
    key = "id" if "id" in item else "productMasterId"
    another = {**item, key: item[key].replace("123", "124"), field: 1}
    return {"items": [item, another], "onError": "skip", "dryRun": False}


def bulk(public_id: str, field: str) -> Example:
    """What became of them."""
    refused = {"error": f"{field}: must be a string", "code": "VALIDATION_ERROR"}
    return {
        "created": 0,
        "updated": 0,
        "unchanged": 1,
        "failed": 1,
        "dryRun": False,
        "results": [
            result(0, "unchanged", id=public_id),
            result(1, "failed", **refused, details={field: ["must be a string"]}),
        ],
    }


def result(index: int, outcome: str, **more: Any) -> Example:
    told = {"id": None, "error": None, "code": None, "details": None}
    return {"index": index, "outcome": outcome, **told, **more}


def bulk_refused(public_id: str, field: str) -> Example:
    """The same with onError=abort."""
    sentence = "1 of 2 items were refused; nothing was written."
    refused = bulk(public_id, field)
    refused |= {"unchanged": 0, "results": refused["results"][1:]}
    return {"error": sentence, "code": "VALIDATION_ERROR", **refused}


def error(code: str, error: str, **details: Any) -> Example:
    return {"error": error, "code": code} | ({"details": details} if details else {})


UNKNOWN_PARAMETER = error(
    "VALIDATION_ERROR", "colour: unknown parameter", colour=["unknown parameter"]
)
INVALID_QUANTITIES = error(
    "INVALID_QUANTITIES",
    "Invalid quantities: min ≤ reorder ≤ max required",
    reorderQuantity=["must not be below min (50)"],
)
NOT_A_NUMBER = error(
    "VALIDATION_ERROR", "unitCost: must be a number", unitCost=["must be a number"]
)
NOT_A_STOCK = error(
    "VALIDATION_ERROR",
    "items[0].quantityOnHand: must be a number",
    **{"items[0].quantityOnHand": ["must be a number"]},
)
UNKNOWN_FILTER = error("VALIDATION_ERROR", "colour: unknown field", colour=["unknown field"])
BIN_WITHOUT_PARENT = error(
    "VALIDATION_ERROR", "parentId: is required for a bin", parentId=["is required for a bin"]
)
MISSING_AUTHORIZATION = error(
    "MISSING_AUTHORIZATION", "Send the header Authorization: Bearer <API key>."
)
INVALID_API_KEY = error("INVALID_API_KEY", "The API key is not valid.")
INACTIVE_ORGANIZATION = error("INACTIVE_ORGANIZATION", "This organization is inactive.")
INSUFFICIENT_SCOPE = error("INSUFFICIENT_SCOPE", "The API key lacks the scope inventory:write.")
ORGANIZATION_NOT_FOUND = error("NOT_FOUND", "Organization not found")
LEVEL_NOT_FOUND = error("NOT_FOUND", "Inventory level not found")
PRODUCT_NOT_FOUND = error("NOT_FOUND", "Product not found")
LOCATION_NOT_FOUND = error("NOT_FOUND", "Location not found")
REFERENCE_NOT_FOUND = error("NOT_FOUND", "Product or location not found", locationId=["not found"])
PARENT_NOT_FOUND = error("NOT_FOUND", "Product or location not found", parentId=["not found"])
IN_USE = error("CONFLICT", "In use by 1 level", levels=1)
SKU_TAKEN = error("CONFLICT", "Another product has this SKU", globalSku=["is taken"])
NAME_TAKEN = error("CONFLICT", "A location next to it has this name", name=["is taken"])
PRECONDITION_FAILED = error(
    "PRECONDITION_FAILED", "The inventory level is not in the expected state."
)
PAYLOAD_TOO_LARGE = error("PAYLOAD_TOO_LARGE", "The body is larger than 1 MiB.")
BULK_TOO_LARGE = error("PAYLOAD_TOO_LARGE", "The body is larger than 32 MiB.")
UNSUPPORTED_MEDIA_TYPE = error(
    "UNSUPPORTED_MEDIA_TYPE", 'Unsupported media type "text/plain" in request.'
)
RATE_LIMITED = error("RATE_LIMITED", "This key has made its 600 requests of the minute.")
INTERNAL_ERROR = error("INTERNAL_ERROR", "Something went wrong on our side; the log has it.")
UNAVAILABLE = error(
    "UNAVAILABLE", "The database is busy or out of reach; nothing was written. Try again."
)
