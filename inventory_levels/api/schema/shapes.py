"""The shapes of answers that no model has: errors, pages, what became of many items."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from inventory_levels.api.schema.types import ON_ERROR, OUTCOMES, DetailsField


class IndexSerializer(serializers.Serializer[Any]):
    """Where everything is, seen from this server."""

    name = serializers.CharField()
    inventoryLevels = serializers.CharField()
    history = serializers.CharField()
    products = serializers.CharField()
    locations = serializers.CharField()
    schema = serializers.CharField()
    docs = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """Every 4xx and 5xx."""

    error = serializers.CharField(help_text="One sentence.")
    code = serializers.CharField(help_text="A word for programs; there may be new ones.")
    details = DetailsField(
        required=False,
        help_text="The fields (or rows) concerned and what is wrong with each; on a conflict "
        "the counts of what is in the way.",
    )


class DeletedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    message = serializers.CharField()


class PaginationSerializer(serializers.Serializer[Any]):
    """Where in the list this is. A walk with cursor has no page and no totals."""

    page = serializers.IntegerField(required=False)
    pageSize = serializers.IntegerField(help_text="The limit.")
    total = serializers.IntegerField(required=False)
    totalPages = serializers.IntegerField(required=False)
    nextCursor = serializers.CharField(allow_null=True, help_text="null at the end.")


@cache
def page_of(shape: Any, *, synced: bool) -> Any:
    """A page of a list; a component of its own for each kind."""
    fields: dict[str, Any] = {"items": shape(many=True), "pagination": PaginationSerializer()}
    if synced:
        fields["changedUntil"] = serializers.DateTimeField(
            required=False, help_text="With updatedSince: where the next sync starts."
        )
    return inline_serializer(f"{kind(shape)}Page", fields)


def kind(shape: Any) -> str:
    name: str = shape.__name__
    return name.removesuffix("Serializer")


class BulkResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The item's place in the request, from 0.")
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    id = serializers.CharField(
        allow_null=True, help_text="null where it failed, or would be created in a dry run."
    )
    error = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    details = DetailsField(allow_null=True)


class BulkAnswerSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    dryRun = serializers.BooleanField()
    results = BulkResultSerializer(many=True)


class BulkRefusalSerializer(serializers.Serializer[Any]):
    """An aborted bulk request: the error, and every failed item. Without those: a bad request."""

    error = serializers.CharField()
    code = serializers.CharField()
    details = DetailsField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False)
    unchanged = serializers.IntegerField(required=False)
    failed = serializers.IntegerField(required=False)
    dryRun = serializers.BooleanField(required=False)
    results = BulkResultSerializer(many=True, required=False)


class ImportResultSerializer(BulkResultSerializer):
    index = serializers.IntegerField(help_text="The row's place below the header, from 0.")
    row = serializers.IntegerField(help_text="As a spreadsheet counts: the header is 1.")


class ImportAnswerSerializer(BulkAnswerSerializer):
    results = ImportResultSerializer(many=True)


class ImportRefusalSerializer(BulkRefusalSerializer):
    """An aborted import: the error, and every failed row. Without those: a bad file."""

    results = ImportResultSerializer(many=True, required=False)


def bulk_of(shape: Any) -> Any:
    """The envelope of many items."""
    return inline_serializer(
        f"{kind(shape)}Bulk",
        {
            "items": shape(many=True, min_length=1, max_length=10_000),
            "onError": serializers.ChoiceField(
                choices=ON_ERROR,
                default="abort",
                help_text="abort: all or nothing; skip: the good items are written.",
            ),
            "dryRun": serializers.BooleanField(
                default=False, help_text="Check everything, write nothing."
            ),
        },
    )
