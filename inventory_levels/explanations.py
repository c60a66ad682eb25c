"""Why planned rows are wrong: in the words of decisions.py, keyed by the columns of the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from inventory_levels import storage
from inventory_levels.decisions import LevelRow, repeated
from inventory_levels.level_batch import LevelBatch
from inventory_levels.models import Location, ProductMaster
from inventory_levels.refusals import Conflict, Invalid, PreconditionFailed, Refusal
from inventory_levels.staging import FileRow, PlannedRow
from inventory_levels.values import reads_the_same


def explain(planned: Sequence[PlannedRow]) -> list[Refusal]:
    """What is wrong with each of these rows. Takes no lock."""
    named = _Named([one.row for one in planned])
    refusals: dict[int, Refusal] = {}
    rows: dict[int, LevelRow] = {}
    for index, one in enumerate(planned):
        try:
            rows[index] = _level_row(one, named)
        except Refusal as refusal:
            refusals[index] = refusal
    batch = LevelBatch(list(rows.values()))
    batch.look_up_references()
    batch.decide(lock=False)
    for number, index in enumerate(rows):
        refusals[index] = in_its_columns(batch.results[number].refusal, planned[index].row)
    return [refusals[index] for index in range(len(planned))]


def in_its_columns(refusal: Refusal | None, row: FileRow) -> Refusal:
    """The refusal with the columns by which the row names its product and location."""
    if refusal is None:  # what was wrong with it has gone since
        return Conflict("Something that this row is about has just changed: run it again")
    if isinstance(refusal, PreconditionFailed):
        has = "changed meanwhile" if row.version else "been made meanwhile"
        return PreconditionFailed(f"The level has {has}")
    names = {}
    if row.product is None:
        names["productMasterId"] = "sku"
    if row.location is None:
        names["locationId"] = "locationName"
    if refusal.details:
        refusal.details = {names.get(key, key): text for key, text in refusal.details.items()}
    return refusal


class _Named:
    """The products, locations and levels that rows name, by whatever they name them."""

    def __init__(self, rows: Sequence[FileRow]) -> None:
        products, skus = (row.product for row in rows), (row.sku for row in rows)
        self.by_id = {one.public_id: one for one in storage.find(ProductMaster, products)}
        self.by_sku = {
            one.global_sku: one for one in storage.find(ProductMaster, skus, by="global_sku")
        }
        places, names = (row.location for row in rows), (row.location_name for row in rows)
        self.places = {one.public_id: one for one in storage.find(Location, places)}
        self.by_name: dict[str, list[Location]] = defaultdict(list)
        for place in storage.find(Location, names, by="name"):
            self.by_name[place.name].append(place)
        self.levels = storage.level_ids(row.level for row in rows if row.level is not None)

    def product(self, row: FileRow) -> ProductMaster | None:
        if row.product is None:
            return self.by_sku.get(row.sku or "")
        return self.by_id.get(row.product)

    def location(self, row: FileRow) -> Location | None:
        if row.location is not None:
            return self.places.get(row.location)
        alike = self.by_name.get(row.location_name or "", [])
        if len(alike) > 1:
            raise Invalid({"locationName": ["fits several locations: give the locationId"]})
        return alike[0] if alike else None


# Where one of these columns is bad, nothing is missing; nor where a reader could not tell the
# cells of a row apart, which it says under "row" or "line".
_ABOUT_PRODUCTS = {"row", "line", "productMasterId", "productId", "sku"}
_ABOUT_PLACES = {"row", "line", "locationId", "locationName"}


def _level_row(one: PlannedRow, named: _Named) -> LevelRow:
    """What a row wants. Raises the Refusal of a row that can't be read or contradicts itself."""
    row = one.row
    problems = dict(row.problems)
    if row.product is None and row.sku is None and not problems.keys() & _ABOUT_PRODUCTS:
        problems["productMasterId"] = ["is required"]
    if row.location is None and row.location_name is None and not problems.keys() & _ABOUT_PLACES:
        problems["locationId"] = ["is required"]
    if problems:
        raise Invalid(problems)
    product, location = named.product(row), named.location(row)
    if one.is_repeated and product and location:
        raise repeated()
    if product:
        _compare(problems, "sku", row.sku, product.global_sku, "product")
        _compare(problems, "productName", row.product_name, product.product_name, "product")
    if location:
        _compare(problems, "locationName", row.location_name, location.name, "location")
    if row.level is not None and product and location:
        if one.level not in (None, row.level):
            problems["id"] = [f"is not that of the level, {one.level}"]
        elif one.level is None and row.level in named.levels:
            problems["id"] = ["is that of the level of another product and location"]
    if problems:
        raise Invalid(problems)
    # No id is empty: that is how what was not found by SKU or name is not found here either.
    return LevelRow(
        row.settings,
        product=product.public_id if product else "",
        location=location.public_id if location else "",
        precondition=one.row.made_from,
    )


def _compare(
    problems: dict[str, Sequence[str]], column: str, text: str | None, stored: str, whose: str
) -> None:
    if text is not None and not reads_the_same(text, stored):
        problems[column] = [f"is not that of the {whose}, {stored}"]
