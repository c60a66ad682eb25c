"""The documentation of levels and their history."""

from drf_spectacular.utils import OpenApiResponse, extend_schema_view

from inventory_levels.api import examples
from inventory_levels.api.history import ChangeSerializer
from inventory_levels.api.schema import shapes
from inventory_levels.api.schema.files import file_operations
from inventory_levels.api.schema.operations import (
    BODY,
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    KNOWN,
    WRITE,
    answer,
    bulk,
    by_id,
    listing,
    operation,
)
from inventory_levels.api.serializers import LevelSerializer

LEVEL_ID = by_id("level")
_HISTORY = "Who changed what, newest first, deletions included."

levels = extend_schema_view(
    **file_operations("level", "level_123", "minQuantity"),
    list=listing(
        "list_levels",
        "List levels",
        "The organization's levels, those of one product together.",
        LevelSerializer,
        examples.LEVEL,
        synced=True,
    ),
    retrieve=operation(
        "get_level",
        "Read a level",
        "The settings of one product at one location, with their ETag.",
        {
            200: answer(LevelSerializer, "The level.", examples.LEVEL),
            304: OpenApiResponse(description="The client's copy is current."),
        },
        refusals={404: examples.LEVEL_NOT_FOUND},
        parameters=(LEVEL_ID, KNOWN, ETAG),
    ),
    create=operation(
        "save_level",
        "Create or update a level",
        "Creates the settings of a product at a location, or changes the ones there are: "
        "omitted fields stay as they are, `null` clears a field. Retrying is always safe.",
        {
            200: answer(LevelSerializer, "Updated, or unchanged.", examples.LEVEL),
            201: answer(LevelSerializer, "Created.", examples.LEVEL),
        },
        refusals={
            **BODY,
            400: examples.INVALID_QUANTITIES,
            404: examples.REFERENCE_NOT_FOUND,
            412: examples.PRECONDITION_FAILED,
        },
        request=examples.LEVEL_REQUEST,
        parameters=(IF_MATCH, IF_NONE_MATCH, ETAG),
    ),
    partial_update=operation(
        "update_level",
        "Change a level",
        "Changes the fields it names; the stored result must keep min ≤ reorder ≤ max.",
        {200: answer(LevelSerializer, "The level as it is now.", examples.LEVEL_PATCHED)},
        refusals={
            **BODY,
            400: examples.INVALID_QUANTITIES,
            404: examples.LEVEL_NOT_FOUND,
            412: examples.PRECONDITION_FAILED,
        },
        request=examples.LEVEL_PATCH,
        parameters=(LEVEL_ID, IF_MATCH, ETAG),
    ),
    destroy=operation(
        "delete_level",
        "Delete a level",
        "Deletes the settings; the history keeps them.",
        {200: answer(shapes.DeletedSerializer, "Deleted.", examples.LEVEL_DELETED)},
        refusals={
            **WRITE,
            404: examples.LEVEL_NOT_FOUND,
            412: examples.PRECONDITION_FAILED,
        },
        parameters=(LEVEL_ID, IF_MATCH),
    ),
    bulk=bulk(
        "bulk_save_levels", "levels", LevelSerializer, examples.LEVEL_REQUEST, "level_123", "status"
    ),
    history=listing(
        "list_level_changes",
        "Read a level's history",
        f"{_HISTORY} Readable after the level is gone.",
        ChangeSerializer,
        examples.CHANGE,
        examples.CREATION,
        synced=True,
        refusals={404: examples.LEVEL_NOT_FOUND},
        parameters=(LEVEL_ID,),
    ),
    organization_history=listing(
        "list_changes",
        "Read the organization's history",
        f"{_HISTORY} With updatedSince and changedUntil, deletions can be followed.",
        ChangeSerializer,
        examples.CHANGE,
        examples.CREATION,
        synced=True,
    ),
)
