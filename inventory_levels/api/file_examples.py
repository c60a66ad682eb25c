"""The documentation's examples of imports and exports; a test checks them against real answers."""

import json

from inventory_levels.api.examples import (
    CREATED,
    LEVEL_REQUEST,
    LOCATION,
    PRODUCT,
    Example,
    bulk,
    error,
    result,
)
from inventory_levels.api.uploads import SPLIT_IT, TAKE_THE_COMMAND

FILE_TOO_LARGE = {
    noun: error("PAYLOAD_TOO_LARGE", f"The file is larger than 32 MiB. {advice}")
    for noun, advice in {
        "level": TAKE_THE_COMMAND,
        "product": SPLIT_IT,
        "location": SPLIT_IT,
    }.items()
}
IMPORT_REQUESTS = {
    "level": 'sku,locationId,minQuantity\nSKU-123,loc_123,50\nSKU-123,loc_456,"12,5"\n',
    "product": 'id,unitCost\nprod_123,12.5\nprod_124,"12,5"\n',
    "location": "id,type\nbin_123,BIN\nbin_124,CAR\n",
}
_BAD_CELLS = {"type": "must be one of WAREHOUSE, STORE, SUPPLIER, BIN, OTHER"}


def imported(public_id: str, column: str) -> Example:
    """What became of such a file with onError=skip: a row that changes nothing, and a bad one."""
    problem = _BAD_CELLS.get(column, "must be a number with a decimal point and without commas")
    refused = {"error": f"{column}: {problem}", "code": "VALIDATION_ERROR"}
    unchanged = result(0, "unchanged", id=public_id)
    failed = result(1, "failed", **refused, details={column: [problem]})
    results = [{**unchanged, "row": 2}, {**failed, "row": 3}]
    return {**bulk(public_id, column), "results": results}


def import_refused(public_id: str, column: str) -> Example:
    """The same with onError=abort."""
    sentence = "1 of 2 rows were refused; nothing was written."
    refused = imported(public_id, column)
    refused |= {"unchanged": 0, "results": refused["results"][1:]}
    return {"error": sentence, "code": "VALIDATION_ERROR", **refused}


_EXPORTED_LEVEL: Example = {
    **LEVEL_REQUEST,
    "sku": "SKU-123",
    "productName": "Widget",
    "locationName": "Main warehouse",
    "id": "level_123",
    "version": 1,
    **CREATED,
}
_AT_THE_TOP = {"parentId": None, **CREATED}
EXPORTED: dict[str, list[Example]] = {
    "level": [_EXPORTED_LEVEL],
    "product": [PRODUCT],
    "location": [
        {"id": "loc_123", "name": "Main warehouse", "type": "WAREHOUSE", **_AT_THE_TOP},
        {"id": "loc_456", "name": "Supplier", "type": "SUPPLIER", **_AT_THE_TOP},
        LOCATION,
    ],
}
EXPORTS = {
    noun: "\n".join(
        ",".join("" if cell is None else str(cell) for cell in line)
        for line in [[*records[0]], *([*record.values()] for record in records)]
    )
    + "\n"
    for noun, records in EXPORTED.items()
}
EXPORTED_LINES = {
    noun: "".join(f"{json.dumps(record, separators=(',', ':'))}\n" for record in records)
    for noun, records in EXPORTED.items()
}
