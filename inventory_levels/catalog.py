"""The only writer of products and locations, and the rules of the location tree.

Catalog writes of one organization take turns: each locks the organization's row first. They
are rare, and what one of them has read stays true until it has written. Level writers don't
take that lock; they hold the rows they refer to (storage.hold), and whoever deletes or moves
a row locks it FOR UPDATE, which waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone

from inventory_levels.models import InventoryLevel, Location, LocationType, ProductMaster
from inventory_levels.refusals import Conflict, Invalid, NotFound, Refusal
from inventory_levels.results import OnError, Result
from organizations.models import Organization
from organizations.tenancy import current_organization

MAX_DEPTH = 100

_Record = TypeVar("_Record", ProductMaster, Location)


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


def save_products(
    rows: Sequence[CatalogRow], *, on_error: OnError = "abort", dry_run: bool = False
) -> list[Result[ProductMaster]]:
    """Create or update products by id, or by SKU where no id is given; in the rows' order.

    Locks the organization's row. With ``abort`` one bad row keeps all from being written.
    """
    return _save(rows, _save_product, on_error=on_error, dry_run=dry_run)


def save_locations(
    rows: Sequence[CatalogRow], *, on_error: OnError = "abort", dry_run: bool = False
) -> list[Result[Location]]:
    """Create or update locations by id, or by parent and name where no id is given.

    A row may name a parent that an earlier row creates. Locks the organization's row, and a
    location that moves with everything below it.
    """
    return _save(rows, _save_location, on_error=on_error, dry_run=dry_run)


def delete_product(public_id: str) -> None:
    """Raises NotFound, and Conflict while levels refer to the product. Locks its row."""
    with transaction.atomic():
        product = _locked(ProductMaster, public_id)
        _refuse_while_in_use(product, levels=InventoryLevel.objects.filter(product=product).count())
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
        _refuse_while_in_use(
            location,
            levels=levels.count(),
            locations=Location.objects.filter(parent=location).count(),
        )
        Location.objects.filter(pk=location.pk).delete()


def _take_turn() -> Organization:
    """Wait for this organization's other catalog writers; the lock ends with the transaction."""
    organization = current_organization()
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _save(
    rows: Sequence[CatalogRow],
    save: Callable[[CatalogRow], Result[_Record]],
    *,
    on_error: OnError,
    dry_run: bool,
) -> list[Result[_Record]]:
    results = []
    with transaction.atomic():
        _take_turn()
        for row in rows:
            try:
                results.append(save(row))
            except Refusal as refusal:
                results.append(Result("failed", refusal=refusal))
        failed = any(result.refusal for result in results)
        if dry_run or (failed and on_error == "abort"):
            transaction.set_rollback(True)
    return results


def _locked(model: type[_Record], public_id: str) -> _Record:
    """The row, locked against every reference to it. Raises NotFound."""
    _take_turn()
    record = model.objects.select_for_update().filter(public_id=public_id).first()
    if record is None:
        raise _not_found(model)
    return record


def _not_found(model: type[_Record]) -> NotFound:
    return NotFound("Product not found" if model is ProductMaster else "Location not found")


def _refuse_while_in_use(record: ProductMaster | Location, **users: int) -> None:
    if any(users.values()):
        counted = " and ".join(f"{n} {what}" for what, n in users.items() if n)
        raise Conflict(
            f"In use by {counted}", {what: n for what, n in users.items() if n or what == "levels"}
        )


def _changed(record: ProductMaster | Location, values: Mapping[str, Any]) -> list[str]:
    """Set the values; answers the names of those that differ from before."""
    changed = [name for name, value in values.items() if getattr(record, name) != value]
    for name in changed:
        setattr(record, name, values[name])
    return changed


def _stored(model: type[_Record], row: CatalogRow, key: Mapping[str, Any]) -> _Record | None:
    """The row's record: by id, or by its natural key where no id is given. Raises NotFound."""
    lookup = {"public_id": row.public_id} if row.public_id is not None else key
    record = model.objects.filter(**lookup).first()
    if record is None and row.must_exist:
        raise _not_found(model)
    if record is not None and row.values.get("public_id", record.public_id) != record.public_id:
        raise Invalid({"id": ["can't be changed"]})
    return record


def _write(record: _Record, row: CatalogRow, values: Mapping[str, Any]) -> Result[_Record]:
    is_new = record.pk is None
    changed: list[str] = _changed(record, values)
    if is_new:
        record.public_id = row.public_id or record.new_public_id()
        record.organization = current_organization()
        record.updated_at = record.created_at
        record.save(force_insert=True)
        return Result("created", record)
    if not changed:
        return Result("unchanged", record)
    record.updated_at = timezone.now()
    record.save(force_update=True)
    return Result("updated", record)


def _require(values: Mapping[str, Any], **names: str) -> None:
    missing = {public: ["is required"] for name, public in names.items() if name not in values}
    if missing:
        raise Invalid(missing)


def _save_product(row: CatalogRow) -> Result[ProductMaster]:
    sku = row.values.get("global_sku")
    if row.public_id is None:
        _require(row.values, global_sku="globalSku")
    product = _stored(ProductMaster, row, {"global_sku": sku})
    if product is None:
        _require(row.values, global_sku="globalSku", product_name="productName")
        product = ProductMaster()
    others = ProductMaster.objects.exclude(pk=product.pk)
    if sku is not None and sku != product.global_sku and others.filter(global_sku=sku).exists():
        raise Conflict("Another product has this SKU", {"globalSku": ["is taken"]})
    return _write(product, row, row.values)


def _save_location(row: CatalogRow) -> Result[Location]:
    values = dict(row.values)
    if row.public_id is None:
        _require(values, name="name")
    parent = _parent(values.get("parent"))
    if "parent" in values:
        values["parent"] = parent
    location = _stored(Location, row, {"parent": parent, "name": values.get("name")})
    if location is None:
        _require(values, name="name")
        location = Location()
    old_path = location.path
    values.setdefault("parent", location.parent)
    values.setdefault("name", location.name)
    _check_place(location, values)
    values["path"] = values["parent"].path_below if values["parent"] else "/"
    moves = location.pk is not None and values["path"] != old_path
    if moves:
        _move(location, values["path"])
    return _write(location, row, values)


def _parent(public_id: str | None) -> Location | None:
    if public_id is None:
        return None
    parent = Location.objects.filter(public_id=public_id).first()
    if parent is None:
        raise NotFound("Product or location not found", {"parentId": ["not found"]})
    return parent


def _check_place(location: Location, values: Mapping[str, Any]) -> None:
    """Raise Invalid for an impossible place in the tree, Conflict for a name that is taken."""
    parent: Location | None = values["parent"]
    if parent is None:
        if values.get("type", location.type) == LocationType.BIN:
            raise Invalid({"parentId": ["is required for a bin"]})
    elif location.pk is not None and (parent == location or parent.is_below(location)):
        raise Invalid({"parentId": ["must not be the location itself or inside it"]})
    elif _depth(parent) + _height(location) > MAX_DEPTH:
        raise Invalid({"parentId": [f"locations nest at most {MAX_DEPTH} deep"]})
    siblings = Location.objects.filter(parent=parent).exclude(pk=location.pk)
    if siblings.filter(name=values["name"]).exists():
        raise Conflict("A location next to it has this name", {"name": ["is taken"]})


def _depth(location: Location) -> int:
    """1 at the top."""
    return location.path.count("/")


def _height(location: Location) -> int:
    """How deep the tree goes from the location downwards: 1 for one that has nothing inside."""
    if location.pk is None:
        return 1
    inside = Location.objects.filter(path__contains=f"/{location.pk}/")
    paths = inside.values_list("path", flat=True)
    deepest = max((path.count("/") for path in paths), default=_depth(location))
    return deepest - _depth(location) + 1


def _move(location: Location, path: str) -> None:
    """Rewrite the paths below a location that is about to move.

    Raises Conflict where a level prefers a bin that would leave the level's location.
    """
    below = Q(path__contains=f"/{location.pk}/")
    moved = Location.objects.select_for_update().filter(Q(pk=location.pk) | below)
    moving = list(moved.order_by("pk").values_list("pk", flat=True))
    still_around = [*moving, *(int(key) for key in path.split("/") if key)]
    stranded = InventoryLevel.objects.filter(preferred_bin_location__in=moving).exclude(
        location__in=still_around
    )
    if count := stranded.count():
        raise Conflict(
            f"{count} levels prefer a bin that would leave their location", {"levels": count}
        )
    beyond = Substr("path", len(location.path) + 1)
    Location.objects.filter(below).update(path=Concat(Value(path), beyond))
