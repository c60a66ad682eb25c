"""What becomes of the rows of a catalog batch, decided in memory on what was read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Q
from django.utils import timezone

from inventory_levels import catalog_storage
from inventory_levels.models import Location, ProductMaster
from inventory_levels.refusals import Conflict, Invalid, NotFound, PreconditionFailed, Refusal
from inventory_levels.results import Result
from inventory_levels.values import reads_the_same
from organizations.tenancy import current_organization

_Record = TypeVar("_Record", ProductMaster, Location)

READ_AT_ONCE = 10_000  # rows; SQLite takes 32,766 values a statement


@dataclass(slots=True)
class CatalogRow:
    """What somebody wants of one product or location.

    ``values`` maps model fields to values (a location's parent by public id); a field that is
    not in it stays as it is. ``must_exist`` changes the row with that id and never creates;
    a ``public_id`` among the values may then only repeat the id. ``made_from`` is the state of
    the record that the row was made from ("": there was none), as a result tells it; the row
    is refused once it is another. ``any_line_ends``: a text that differs from what is stored in
    the kind of its line ends alone is no other text. ``problem``: why the row can't be read and
    fails.
    """

    values: Mapping[str, Any]
    public_id: str | None = None
    must_exist: bool = False
    made_from: str | None = None
    any_line_ends: bool = False
    problem: Refusal | None = None

    def meaning(self, record: ProductMaster | Location) -> CatalogRow:
        """The row with the record's own texts where it means no others."""
        if not self.any_line_ends:
            return self
        kept = {
            name: stored
            for name, text in self.values.items()
            if isinstance(text, str)
            and isinstance(stored := getattr(record, name, None), str)
            and reads_the_same(text, stored)
        }
        return replace(self, values={**self.values, **kept})


def state_of(record: ProductMaster | Location | None) -> str:
    """What tells one state of a record from another. They have no version."""
    return f"{record.public_id}@{record.updated_at.isoformat()}" if record else ""


def not_found(model: type[ProductMaster] | type[Location]) -> NotFound:
    return NotFound("Product not found" if model is ProductMaster else "Location not found")


class CatalogBatch(Generic[_Record]):
    """Rows decided one after the other, and written in their order.

    The order matters: a row may take the SKU or the name that an earlier one gave up. It reads
    nothing before ``save``, which the caller has locked the organization's row for; unless it
    ``writes`` nothing, and then takes no lock either.
    """

    model: ClassVar[Any]
    updates: ClassVar[list[str]]

    def __init__(self, rows: Sequence[CatalogRow], *, writes: bool = True) -> None:
        self.rows, self.writes = rows, writes
        self.created: dict[str, _Record] = {}
        self.updated: dict[str, _Record] = {}

    def relevant(self, rows: Sequence[CatalogRow]) -> Iterable[_Record]:
        """The stored records that any of these rows may be about or collide with."""
        raise NotImplementedError

    def key_of(self, record: _Record) -> Any:
        """What no two records share besides their id."""
        raise NotImplementedError

    def key_in(self, row: CatalogRow, record: _Record | None = None) -> Any:
        """The same, as the row makes it of the record; None where it says nothing of it."""
        raise NotImplementedError

    def lock(self) -> None:
        """Lock what level writers must not hold meanwhile."""
        raise NotImplementedError

    def lock_records(self, keys: Iterable[int]) -> None:
        if self.writes:
            catalog_storage.lock(self.model, keys)

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
        self.rows = [
            row.meaning(self.by_id[row.public_id]) if row.public_id in self.by_id else row
            for row in self.rows
        ]
        self.lock()
        repeated = self._repeated()
        results: list[Result[_Record]] = []
        for index, row in enumerate(self.rows):
            try:
                if row.problem:
                    raise row.problem
                if index in repeated:
                    raise Refusal("The same one comes more than once")
                results.append(self.save_row(row))
            except Refusal as refusal:
                results.append(Result("failed", refusal=refusal))
        self.finish()
        return results

    def finish(self) -> None:
        """Be done with what was decided since the last time."""
        if self.writes:
            self.write()
        self.created, self.updated = {}, {}

    def write(self) -> None:
        """Write it; new records get their keys.

        Updates come first: a new record may take what one of them gives up, never the reverse.
        """
        catalog_storage.update_records(list(self.updated.values()), self.updates)
        catalog_storage.insert_records(list(self.created.values()))

    def _repeated(self) -> set[int]:
        """The rows about a record that others are about too: nobody knows which is meant.

        A row is about the record with its id or, without an id, with its key. A new record may
        be named by its key in one row and get both in another.
        """
        about: defaultdict[Any, set[int]] = defaultdict(set)
        keys: dict[int, Any] = {}
        for index, row in enumerate(self.rows):
            if row.public_id is not None:
                about[row.public_id].add(index)
                keys[index] = ("new", self.key_in(row, self.by_id.get(row.public_id)))
            elif record := self.by_key.get(self.key_in(row)):
                about[record.public_id].add(index)
            elif (key := self.key_in(row)) is not None:
                about["new", key].add(index)
        for index, key in keys.items():
            if key in about:
                about[key].add(index)
        return {index for rows in about.values() if len(rows) > 1 for index in rows}

    def find(self, row: CatalogRow) -> _Record | None:
        """The row's record: by id, or by its key where no id is given. Raises a Refusal."""
        if row.public_id is not None:
            record = self.by_id.get(row.public_id)
        else:
            record = self.by_key.get(self.key_in(row))
        if record is None and row.must_exist:
            raise not_found(self.model)
        if row.made_from not in (None, state_of(record)):
            raise PreconditionFailed("It has changed meanwhile.")
        if record is None:
            return None
        if row.values.get("public_id", record.public_id) != record.public_id:
            raise Invalid({"id": ["can't be changed"]})
        return record

    def put(
        self, row: CatalogRow, record: _Record | None, values: Mapping[str, Any]
    ) -> Result[_Record]:
        """Take the checked values on; they are written with the rest."""
        made_from = state_of(record)
        changes = {
            name: {"old": getattr(record, name, None), "new": value}
            for name, value in values.items()
            if record is None or getattr(record, name) != value
        }
        if record is None:
            record = self.model(organization=current_organization(), **values)
            record.public_id = row.public_id or record.new_public_id()
            record.updated_at = record.created_at
            self.created[record.public_id] = record
            result = Result("created", record, changes=changes)
        else:
            if not changes:
                return Result("unchanged", record, made_from=made_from)
            # What was read without a lock may hold two records with one key.
            self.by_key.pop(self.key_of(record), None)
            for name in changes:
                setattr(record, name, values[name])
            record.updated_at = timezone.now()
            self.updated[record.public_id] = record
            result = Result("updated", record, changes=changes, made_from=made_from)
        self.by_id[record.public_id] = self.by_key[self.key_of(record)] = record
        return result


def require(values: Mapping[str, Any], **names: str) -> None:
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

    def key_in(self, row: CatalogRow, record: ProductMaster | None = None) -> Any:
        return row.values.get("global_sku", record and record.global_sku)

    def lock(self) -> None:
        """A SKU is in a unique index, so PostgreSQL changes it under the lock of a delete."""
        renamed = [
            product.pk
            for row in self.rows
            if row.public_id is not None
            and (product := self.by_id.get(row.public_id))
            and row.values.get("global_sku", product.global_sku) != product.global_sku
        ]
        self.lock_records(renamed)

    def save_row(self, row: CatalogRow) -> Result[ProductMaster]:
        product = self.find(row)
        if product is None:
            require(row.values, global_sku="globalSku", product_name="productName")
        if self.by_key.get(self.key_in(row), product) is not product:
            raise Conflict("Another product has this SKU", {"globalSku": ["is taken"]})
        return self.put(row, product, row.values)
