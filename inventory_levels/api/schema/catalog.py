"""The documentation of products and locations: the same operations on each."""

from typing import Any

from drf_spectacular.utils import extend_schema_view

from inventory_levels.api import examples
from inventory_levels.api.schema import shapes
from inventory_levels.api.schema.files import file_operations
from inventory_levels.api.schema.operations import (
    BODY,
    WRITE,
    answer,
    bulk,
    by_id,
    listing,
    operation,
)
from inventory_levels.api.serializers import LevelSerializer, LocationSerializer, ProductSerializer


def _catalog(
    noun: str,
    shape: Any,
    *,
    key: str,
    field: str,
    column: str,
    record: examples.Example,
    request: Any,
    patch: Any,
    patched: examples.Example,
    deleted: examples.Example,
    not_found: examples.Example,
    invalid: examples.Example,
    taken: examples.Example,
    create_not_found: examples.Example = examples.ORGANIZATION_NOT_FOUND,
    **more: Any,
) -> Any:
    of_this = (by_id(noun),)
    return extend_schema_view(
        bulk=bulk(f"bulk_save_{noun}s", f"{noun}s", shape, request, record["id"], field),
        **file_operations(noun, record["id"], column),
        **more,
        list=listing(
            f"list_{noun}s",
            f"List {noun}s",
            f"The organization's {noun}s, in the order of their ids.",
            shape,
            record,
        ),
        retrieve=operation(
            f"get_{noun}",
            f"Read a {noun}",
            f"One {noun} by its id.",
            {200: answer(shape, f"The {noun}.", record)},
            refusals={404: not_found},
            parameters=of_this,
        ),
        create=operation(
            f"save_{noun}",
            f"Create or update a {noun}",
            f"By `id`, or by {key} where no id is given. Omitted fields stay as they are.",
            {
                200: answer(shape, "Updated, or unchanged.", record),
                201: answer(shape, "Created.", record),
            },
            refusals={**BODY, 400: invalid, 404: create_not_found, 409: taken},
            request=request,
        ),
        partial_update=operation(
            f"update_{noun}",
            f"Change a {noun}",
            "Changes the fields it names.",
            {200: answer(shape, f"The {noun} as it is now.", patched)},
            refusals={**BODY, 400: invalid, 404: not_found, 409: taken},
            request=patch,
            parameters=of_this,
        ),
        destroy=operation(
            f"delete_{noun}",
            f"Delete a {noun}",
            "Refused while levels refer to it.",
            {200: answer(shapes.DeletedSerializer, "Deleted.", deleted)},
            refusals={**WRITE, 404: not_found, 409: examples.IN_USE},
            parameters=of_this,
        ),
    )


products = _catalog(
    "product",
    ProductSerializer,
    key="`globalSku`",
    field="status",
    column="unitCost",
    record=examples.PRODUCT,
    request=examples.PRODUCT_REQUEST,
    patch=examples.PRODUCT_PATCH,
    patched=examples.PRODUCT_PATCHED,
    deleted=examples.PRODUCT_DELETED,
    not_found=examples.PRODUCT_NOT_FOUND,
    invalid=examples.NOT_A_NUMBER,
    taken=examples.SKU_TAKEN,
    levels=listing(
        "list_product_levels",
        "List a product's levels",
        "The same shape and filters as the list of all levels.",
        LevelSerializer,
        examples.LEVEL,
        synced=True,
        refusals={404: examples.PRODUCT_NOT_FOUND},
        parameters=(by_id("product"),),
    ),
)
locations = _catalog(
    "location",
    LocationSerializer,
    key="`parentId` and `name`",
    field="type",
    column="type",
    record=examples.LOCATION,
    request=examples.LOCATION_REQUEST,
    patch=examples.LOCATION_PATCH,
    patched=examples.LOCATION_PATCHED,
    deleted=examples.LOCATION_DELETED,
    not_found=examples.LOCATION_NOT_FOUND,
    create_not_found=examples.PARENT_NOT_FOUND,
    invalid=examples.BIN_WITHOUT_PARENT,
    taken=examples.NAME_TAKEN,
)
