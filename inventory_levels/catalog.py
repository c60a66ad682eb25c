"""The only writer of products and locations.

Catalog writes of one organization take turns: each locks the organization's row first. They
are rare, and what one of them has read stays true until it has written. Level writers don't
take that lock; they hold the rows they refer to (storage.hold) in the order of their keys.
Only whoever deletes a row, moves a location or renames a SKU waits for them, and takes its
own locks in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import Error, connection, transaction
from django.db.models import Q

from inventory_levels.catalog_batch import (
    CatalogBatch,
    CatalogRow,
    ProductBatch,
    not_found,
)
from inventory_levels.location_batch import LocationBatch
from inventory_levels.models import InventoryLevel, Location, ProductMaster
from inventory_levels.refusals import Conflict, Unfinished, counted
from inventory_levels.results import OnError, Result
from organizations.models import Organization
from organizations.tenancy import current_organization

__all__ = ["CatalogRow", "delete_location", "delete_product", "save_locations", "save_products"]

_Record = TypeVar("_Record", ProductMaster, Location)

# Rows that ``skip`` commits together, where it writes in chunks.
CHUNK = 5_000


def save_products(
    rows: Sequence[CatalogRow],
    *,
    on_error: OnError = "abort",
    dry_run: bool = False,
    in_chunks: bool = False,
) -> list[Result[ProductMaster]]:
    """Create or update products by id, or by SKU where no id is given; in the rows' order.

    With ``abort`` one bad row keeps all from being written. Rows for the same product all
    fail. ``in_chunks``: all rows are checked before the first lock, and ``skip`` commits so
    many at a time, and raises Unfinished where the database gives up after some. A dry run locks
    nothing. Else locks the organization's row, and the products whose SKU changes.
    """
    return _save(ProductBatch, rows, on_error=on_error, dry_run=dry_run, in_chunks=in_chunks)


def save_locations(
    rows: Sequence[CatalogRow],
    *,
    on_error: OnError = "abort",
    dry_run: bool = False,
    in_chunks: bool = False,
) -> list[Result[Location]]:
    """Create or update locations by id, or by parent and name where no id is given; likewise.

    A row may name a parent that an earlier row creates. Also locks the locations that move,
    with everything below them.
    """
    return _save(LocationBatch, rows, on_error=on_error, dry_run=dry_run, in_chunks=in_chunks)


def delete_product(public_id: str) -> None:
    """Raises NotFound, and Conflict while levels refer to the product. Locks its row."""
    with transaction.atomic():
        product = _locked(ProductMaster, public_id)
        _refuse_while_in_use(level=InventoryLevel.objects.filter(product=product).count())
        ProductMaster.objects.filter(pk=product.pk).delete()


def delete_location(public_id: str) -> None:
    """Raises NotFound, and Conflict while levels refer to the location or it has others inside.

    Locks its row.
    """
    with transaction.atomic():
        location = _locked(Location, public_id)
        levels = InventoryLevel.objects.filter(
            Q(location=location)
            | Q(preferred_bin_location=location)
            | Q(replenishment_location=location)
        )
        inside = Location.objects.filter(parent=location)
        _refuse_while_in_use(level=levels.count(), location=inside.count())
        Location.objects.filter(pk=location.pk).delete()


def _take_turn() -> None:
    """Wait for this organization's other catalog writers; the lock ends with the transaction."""
    organization = current_organization()
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _locked(model: type[_Record], public_id: str) -> _Record:
    """The row, locked against every reference to it. Raises NotFound."""
    _take_turn()
    record = model.objects.select_for_update().filter(public_id=public_id).first()
    if record is None:
        raise not_found(model)
    return record


def _refuse_while_in_use(**users: int) -> None:
    if any(users.values()):
        sentence = " and ".join(counted(n, what) for what, n in users.items() if n)
        details = {f"{what}s": n for what, n in users.items() if n or what == "level"}
        raise Conflict(f"In use by {sentence}", details)


def _save(
    batch: Callable[..., CatalogBatch[_Record]],
    rows: Sequence[CatalogRow],
    *,
    on_error: OnError,
    dry_run: bool,
    in_chunks: bool,
) -> list[Result[_Record]]:
    if not dry_run and not in_chunks:
        return _write(batch(rows), on_error)
    checked = batch(rows, writes=False).save()
    if dry_run or (on_error == "abort" and any(result.refusal for result in checked)):
        return checked
    if on_error == "abort":
        del checked  # many records
        return _write(batch(rows), on_error)
    good = [index for index, result in enumerate(checked) if not result.refusal]
    for start in range(0, len(good), CHUNK):
        chunk = good[start : start + CHUNK]
        try:
            written = _write(batch([rows[index] for index in chunk]), on_error)
        except Error as error:
            if not start or connection.in_atomic_block:
                raise
            raise Unfinished(start, len(good), unsure=False) from error
        for index, result in zip(chunk, written, strict=True):
            checked[index] = result
    return checked


def _write(batch: CatalogBatch[_Record], on_error: OnError) -> list[Result[_Record]]:
    with transaction.atomic():
        _take_turn()
        results = batch.save()
        if on_error == "abort" and any(result.refusal for result in results):
            transaction.set_rollback(True)
    return results
