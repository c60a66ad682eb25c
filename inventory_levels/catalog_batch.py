"""What becomes of the rows of a catalog batch, decided in memory on what was read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Q
from django.utils import timezone

from inventory_levels import catalog_storage
from inventory_levels.models import Location, ProductMaster
from inventory_levels.refusals import Conflict, Invalid, NotFound, Refusal, counted
from inventory_levels.results import Result
from inventory_levels.tree import Tree
from organizations.tenancy import current_organization

_Record = TypeVar("_Record", ProductMaster, Location)

READ_AT_ONCE = 10_000  # rows; SQLite takes 32,766 values a statement


@dataclass(slots=True)
class CatalogRow:
    """What somebody wants of one product or location.

    ``values`` maps model fields to values (a location's parent by public id); a field that is
    not in it stays as it is. ``must_exist`` changes the row with that id and never creates;
    a ``public_id`` among the values may then only repeat the id.
    """

    values: Mapping[str, Any]
    public_id: str | None = None
    must_exist: bool = False


def not_found(model: type[ProductMaster] | type[Location]) -> NotFound:
    return NotFound("Product not found" if model is ProductMaster else "Location not found")


class CatalogBatch(Generic[_Record]):
    """Rows decided one after the other, and written in their order.

    The order matters: a row may take the SKU or the name that an earlier one gave up. It reads
    nothing before ``save``, which the caller has locked the organization's row for.
    """

    model: ClassVar[Any]
    updates: ClassVar[list[str]]

    def __init__(self, rows: Sequence[CatalogRow]) -> None:
        self.rows = rows
        self.created: dict[str, _Record] = {}
        self.updated: dict[str, _Record] = {}
        self.written: set[str] = set()

    def relevant(self, rows: Sequence[CatalogRow]) -> Iterable[_Record]:
        """The stored records that any of these rows may be about or collide with."""
        raise NotImplementedError

    def key_of(self, record: _Record) -> Any:
        """What no two records share besides their id."""
        raise NotImplementedError

    def key_in(self, row: CatalogRow) -> Any:
        """The same, of a row without an id."""
        raise NotImplementedError

    def lock(self) -> None:
        """Lock what level writers must not hold meanwhile, in the order of the keys."""
        raise NotImplementedError

    def save_row(self, row: CatalogRow) -> Result[_Record]:
        raise NotImplementedError

    def read(self) -> None:
        self.by_id: dict[str, _Record] = {}
        self.by_key: dict[Any, _Record] = {}
        for start in range(0, len(self.rows), READ_AT_ONCE):
            for record in self.relevant(self.rows[start : start + READ_AT_ONCE]):
                self.by_id[record.public_id] = record
                self.by_key[self.key_of(record)] = record

    def save(self) -> list[Result[_Record]]:
        self.read()
        self.lock()
        identities = [self._identity(row) for row in self.rows]
        times = Counter(identities)
        results: list[Result[_Record]] = []
        for row, identity in zip(self.rows, identities, strict=True):
            try:
                if times[identity] > 1:
                    raise Refusal("The same one comes more than once")
                results.append(self.save_row(row))
            except Refusal as refusal:
                results.append(Result("failed", refusal=refusal))
        self.write()
        return results

    def write(self) -> None:
        """Write what was decided since the last time; new records get their keys.

        Updates come first: a new record may take what one of them gives up, never the reverse.
        """
        catalog_storage.update_records(list(self.updated.values()), self.updates)
        catalog_storage.insert_records(list(self.created.values()))
        self.written |= self.updated.keys() | self.created.keys()
        self.created, self.updated = {}, {}

    def _identity(self, row: CatalogRow) -> Any:
        if row.public_id is not None:
            return row.public_id
        record = self.by_key.get(self.key_in(row))
        return record.public_id if record else ("new", self.key_in(row))

    def find(self, row: CatalogRow) -> _Record | None:
        """The row's record: by id, or by its key where no id is given. Raises a Refusal."""
        if row.public_id is not None:
            record = self.by_id.get(row.public_id)
        else:
            record = self.by_key.get(self.key_in(row))
        if record is None:
            if row.must_exist:
                raise not_found(self.model)
            return None
        if any(record.public_id in ids for ids in (self.created, self.updated, self.written)):
            raise Refusal("An earlier row has written this one already")
        if row.values.get("public_id", record.public_id) != record.public_id:
            raise Invalid({"id": ["can't be changed"]})
        return record

    def put(
        self, row: CatalogRow, record: _Record | None, values: Mapping[str, Any]
    ) -> Result[_Record]:
        """Take the checked values on; they are written with the rest."""
        if record is None:
            record = self.model(organization=current_organization(), **values)
            record.public_id = row.public_id or record.new_public_id()
            record.updated_at = record.created_at
            self.created[record.public_id] = record
            result = Result("created", record)
        else:
            changed = [name for name, value in values.items() if getattr(record, name) != value]
            if not changed:
                return Result("unchanged", record)
            del self.by_key[self.key_of(record)]
            for name in changed:
                setattr(record, name, values[name])
            record.updated_at = timezone.now()
            self.updated[record.public_id] = record
            result = Result("updated", record)
        self.by_id[record.public_id] = self.by_key[self.key_of(record)] = record
        return result


def _require(values: Mapping[str, Any], **names: str) -> None:
    missing = {public: ["is required"] for name, public in names.items() if name not in values}
    if missing:
        raise Invalid(missing)


class ProductBatch(CatalogBatch[ProductMaster]):
    model = ProductMaster
    updates: ClassVar[list[str]] = ["global_sku", "product_name", "folded", "unit_cost", "status"]

    def relevant(self, rows: Sequence[CatalogRow]) -> Iterable[ProductMaster]:
        ids = {row.public_id for row in rows}
        skus = {row.values.get("global_sku") for row in rows}
        return ProductMaster.objects.filter(
            Q(public_id__in=ids - {None}) | Q(global_sku__in=skus - {None})
        )

    def key_of(self, record: ProductMaster) -> Any:
        return record.global_sku

    def key_in(self, row: CatalogRow) -> Any:
        return row.values.get("global_sku")

    def lock(self) -> None:
        """A SKU is in a unique index, so PostgreSQL changes it under the lock of a delete."""
        renamed = [
            product.pk
            for row in self.rows
            if row.public_id is not None
            and (product := self.by_id.get(row.public_id))
            and row.values.get("global_sku", product.global_sku) != product.global_sku
        ]
        catalog_storage.lock(ProductMaster, renamed)

    def save_row(self, row: CatalogRow) -> Result[ProductMaster]:
        product = self.find(row)
        if product is None:
            _require(row.values, global_sku="globalSku", product_name="productName")
        if self.by_key.get(self.key_in(row), product) is not product:
            raise Conflict("Another product has this SKU", {"globalSku": ["is taken"]})
        return self.put(row, product, row.values)


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

    def key_in(self, row: CatalogRow) -> Any:
        return (row.values.get("parent"), row.values.get("name"))

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
        self.tree = Tree(catalog_storage.parents()) if moving else Tree.around(self.by_id.values())
        affected = self.tree.inside(*moving)
        catalog_storage.lock(Location, affected)
        self.preferences = catalog_storage.preferences(affected)
        self.moved: set[int] = set()
        self.keys = iter(catalog_storage.new_keys(Location, len(self.rows)))

    def save_row(self, row: CatalogRow) -> Result[Location]:
        if row.public_id is None:
            _require(row.values, name="name")
        location = self.find(row)
        values = dict(row.values)
        if "parent" in values:
            values["parent"] = self._parent(values["parent"])
        if location is None:
            _require(values, name="name")
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
            self.write()  # nothing can be moved into what isn't there yet
        self.tree.put(key, _key(parent))
        self.moved |= moving

    def write(self) -> None:
        for location in (*self.created.values(), *self.updated.values()):
            location.path = self.tree.path(location.pk)
            self.moved.discard(location.pk)
        super().write()
        catalog_storage.update_paths({key: self.tree.path(key) for key in self.moved})
        self.moved.clear()
