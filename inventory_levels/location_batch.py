"""What becomes of the rows of a batch of locations: names beside each other, moves in the tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, ClassVar

from inventory_levels import catalog_storage
from inventory_levels.catalog_batch import CatalogBatch, CatalogRow, require
from inventory_levels.models import Location
from inventory_levels.refusals import Conflict, NotFound, counted
from inventory_levels.results import Result
from inventory_levels.tree import Tree


def _key(location: Location | None) -> int | None:
    return location.pk if location else None


class LocationBatch(CatalogBatch[Location]):
    model = Location
    updates: ClassVar[list[str]] = ["name", "type", "parent", "path"]

    def relevant(self, rows: Sequence[CatalogRow]) -> Iterable[Location]:
        ids = {row.public_id for row in rows}
        ids |= {row.values.get("parent") for row in rows}
        named = Location.objects.filter(public_id__in=ids - {None}).select_related("parent")
        # A location that moves without a new name takes its old one along.
        names = {row.values.get("name") for row in rows} | {place.name for place in named}
        alike = Location.objects.filter(name__in=names - {None}).select_related("parent")
        return {place.pk: place for place in (*named, *alike)}.values()

    def key_of(self, record: Location) -> Any:
        return (record.parent.public_id if record.parent else None, record.name)

    def key_in(self, row: CatalogRow, record: Location | None = None) -> Any:
        parent, name = self.key_of(record) if record else (None, None)
        name = row.values.get("name", name)
        if name is None or (row.problem and "parentId" in (row.problem.details or {})):
            return None
        return (row.values.get("parent", parent), name)

    def lock(self) -> None:
        """Lock what moves, with all that is inside: level writers hold where a bin is."""
        moving = [
            location.pk
            for row in self.rows
            if row.public_id is not None
            and "parent" in row.values
            and (location := self.by_id.get(row.public_id))
            and row.values["parent"] != (location.parent and location.parent.public_id)
        ]
        self.tree = Tree.around(self.by_id.values())
        if moving:
            # One of them may have gone since it was read, where nothing was locked.
            self.tree = Tree(self.tree.parents | catalog_storage.parents())
        affected = self.tree.inside(*moving)
        self.lock_records(affected)
        self.preferences = catalog_storage.preferences(affected)
        self.moved: set[int] = set()
        self.keys: Iterator[int] = count(-1, -1)  # stand-ins for rows that are never written
        if self.writes:
            self.keys = iter(catalog_storage.new_keys(Location, len(self.rows)))

    def save_row(self, row: CatalogRow) -> Result[Location]:
        if row.public_id is None:
            require(row.values, name="name")
        location = self.find(row)
        values = dict(row.values)
        if "parent" in values:
            values["parent"] = self._parent(values["parent"])
        if location is None:
            require(values, name="name")
            values["id"] = next(self.keys)
        place = location or Location(**{"type": Location().type, **values})
        values = {"parent": place.parent, "name": place.name, **values}
        parent: Location | None = values["parent"]
        self.tree.check(place.pk, _key(parent), values.get("type", place.type))
        taken = self.by_key.get((parent and parent.public_id, values["name"]), location)
        if taken is not location:
            raise Conflict("A location next to it has this name", {"name": ["is taken"]})
        self._put_into(place.pk, parent)
        return self.put(row, location, values)

    def _parent(self, public_id: str | None) -> Location | None:
        if public_id is None:
            return None
        parent = self.by_id.get(public_id)
        if parent is None:
            raise NotFound("Product or location not found", {"parentId": ["not found"]})
        return parent

    def _put_into(self, key: int, parent: Location | None) -> None:
        """Raises Conflict where a level prefers a bin that would leave the level's location."""
        if key not in self.tree.parents:
            self.tree.put(key, _key(parent))
        if self.tree.parents[key] == _key(parent):
            return
        moving = self.tree.inside(key)
        around = moving.union(self.tree.above(_key(parent)))
        stranded = sum(
            levels
            for bin_ in moving & self.preferences.keys()
            for location, levels in self.preferences[bin_].items()
            if location not in around
        )
        if stranded:
            raise Conflict(
                f"It would take the preferred bin of {counted(stranded, 'level')} "
                "out of the location",
                {"levels": stranded},
            )
        if parent is not None and parent.public_id in self.created:
            self.finish()  # nothing can be moved into what isn't there yet
        self.tree.put(key, _key(parent))
        self.moved |= moving

    def write(self) -> None:
        for location in (*self.created.values(), *self.updated.values()):
            location.path = self.tree.path(location.pk)
            self.moved.discard(location.pk)
        super().write()
        catalog_storage.update_paths({key: self.tree.path(key) for key in self.moved})
        self.moved.clear()
