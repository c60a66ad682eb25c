"""What an integrator writes with the generated client: typed throughout, as mypy checks.

The package ``inventory_client`` is there once test_generated_client.py has generated it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from inventory_client import AuthenticatedClient
from inventory_client.api.inventory_levels import (
    bulk_save_levels,
    delete_level,
    get_level,
    list_changes,
    list_levels,
    save_level,
    update_level,
)
from inventory_client.models import (
    BulkAnswer,
    Change,
    ChangePage,
    Deleted,
    Error,
    Level,
    LevelBulkRequest,
    LevelOrdering,
    LevelPage,
    LevelRequest,
    OnError,
    PatchedLevelRequest,
)
from inventory_client.types import UNSET, Response


class Refused(Exception):
    """The API answered with an error."""

    def __init__(self, status: int, error: Error) -> None:
        super().__init__(error.error)
        self.status, self.error = status, error


class Levels:
    """The levels of the organization that the key belongs to."""

    def __init__(self, address: str, key: str) -> None:
        self.client = AuthenticatedClient(
            base_url=address, token=key, raise_on_unexpected_status=True
        )

    def save(self, wanted: LevelRequest) -> tuple[bool, Level]:
        """Whether it was created, and the level."""
        response = save_level.sync_detailed(client=self.client, body=wanted)
        return response.status_code == 201, self._level(response)

    def change(self, level_id: str, changes: PatchedLevelRequest, etag: str | None = None) -> Level:
        response = update_level.sync_detailed(
            level_id, client=self.client, body=changes, if_match=etag or UNSET
        )
        return self._level(response)

    def read(self, level_id: str) -> tuple[Level, str]:
        """The level and its ETag."""
        response = get_level.sync_detailed(level_id, client=self.client)
        return self._level(response), response.headers["ETag"]

    def is_current(self, level_id: str, etag: str) -> bool:
        response = get_level.sync_detailed(level_id, client=self.client, if_none_match=etag)
        return response.status_code == 304

    def page(self, product_id: str, page: int, limit: int) -> LevelPage:
        listed = list_levels.sync(
            client=self.client,
            product_master_id=product_id,
            ordering=LevelOrdering.LOCATION_DESCENDING,
            page=page,
            limit=limit,
        )
        assert isinstance(listed, LevelPage)
        return listed

    def walk(self, product_id: str, limit: int) -> Iterator[Level]:
        cursor: str | None = ""
        while cursor is not None:
            listed = list_levels.sync(
                client=self.client, product_master_id=product_id, cursor=cursor, limit=limit
            )
            assert isinstance(listed, LevelPage)
            yield from listed.items
            cursor = listed.pagination.next_cursor

    def changes(self, since: datetime) -> tuple[list[Change], datetime]:
        """What changed, newest first, and where to go on."""
        listed = list_changes.sync(client=self.client, updated_since=since)
        assert isinstance(listed, ChangePage)
        assert isinstance(listed.changed_until, datetime)
        return listed.items, listed.changed_until

    def save_many(self, wanted: list[LevelRequest]) -> BulkAnswer:
        saved = bulk_save_levels.sync(
            client=self.client, body=LevelBulkRequest(items=wanted, on_error=OnError.SKIP)
        )
        assert isinstance(saved, BulkAnswer)
        return saved

    def delete(self, level_id: str) -> Deleted:
        response = delete_level.sync_detailed(level_id, client=self.client)
        if isinstance(response.parsed, Error):
            raise Refused(response.status_code, response.parsed)
        assert isinstance(response.parsed, Deleted)
        return response.parsed

    def _level(self, response: Response[Error | Level] | Response[object]) -> Level:
        if isinstance(response.parsed, Error):
            raise Refused(response.status_code, response.parsed)
        assert isinstance(response.parsed, Level)
        return response.parsed
