"""What rows come to, in SQL: which are wrong, but not why, for which decisions.py has the words.

Which quantities are out of order, which places can't be and what changes is known there and
here, for speed; a test holds the two to the same cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from inventory_levels.decisions import LOCATION_SETTINGS
from inventory_levels.models import (
    QUANTITY_ORDER,
    SETTINGS,
    InventoryLevel,
    Location,
    ProductMaster,
)
from inventory_levels.storage import is_postgresql
from organizations.tenancy import current_organization

LEVELS = InventoryLevel._meta.db_table
PRODUCTS = ProductMaster._meta.db_table
LOCATIONS = Location._meta.db_table

# Which settings a row gives is a number with these bits.
BITS = {attribute: 1 << number for number, attribute in enumerate(SETTINGS.values())}
QUANTITIES = frozenset(
    name
    for name in BITS
    if InventoryLevel._meta.get_field(name).get_internal_type() == "DecimalField"
)
# What a row repeats of the product and location that it is about.
_NAMES = ("sku", "product_name", "location_name")
_RESOLVED = (
    *("product_id", "product_public_id", "location_id", "location_public_id"),
    *(f"{name}_id" for name in LOCATION_SETTINGS),
)


@dataclass(slots=True)
class Lookups:
    """By what else than ids rows name things; most files need none of it."""

    by_sku: bool = False
    by_name: bool = False


def column(name: str) -> str:
    """The column of a setting, in a planned row as in a level."""
    return f"{name}_id" if name in LOCATION_SETTINGS else name


def merged(name: str, stored_as: str = "") -> str:
    """The SQL of a setting's column as it would be stored: row ``s`` over level ``o``."""
    stored_as = stored_as or column(name)
    return f"CASE WHEN (s.given & {BITS[name]}) <> 0 THEN s.{stored_as} ELSE o.{stored_as} END"


def differs(name: str) -> str:
    """The SQL of whether row ``s`` changes a setting of level ``o``."""
    unlike = "IS DISTINCT FROM" if is_postgresql() else "IS NOT"
    return f"((s.given & {BITS[name]}) <> 0 AND s.{column(name)} {unlike} o.{column(name)})"


def disordered() -> str:
    """The SQL of whether the quantities that would be stored don't ascend."""
    pairs = combinations(QUANTITY_ORDER, 2)
    return " OR ".join(f"{merged(lower)} > {merged(upper)}" for lower, upper in pairs)


def moved_on() -> str:
    """The SQL of whether level ``o`` is not any more what row ``s`` was made from."""
    return "s.version <> coalesce(o.version, 0)"


def misplaced(bin_path: str, source: str) -> str:
    """The SQL of whether the bin or the source of row ``s`` is missing, or where it can't be.

    Takes the SQL of the bin's path and of the source's key, null where there is none.
    """
    find = "strpos" if is_postgresql() else "instr"
    return (
        "(s.preferred_bin_location IS NOT NULL"
        f" AND coalesce({find}({bin_path}, '/' || s.location_id || '/'), 0) = 0)"
        " OR (s.replenishment_location IS NOT NULL"
        f" AND coalesce({source}, s.location_id) = s.location_id)"
    )


def _reads_otherwise(text: str, stored: str) -> str:
    """The SQL of what ``values.reads_the_same`` denies."""
    char = "chr" if is_postgresql() else "char"
    one, other = (
        f"replace(replace({each}, {char}(13) || {char}(10), {char}(10)), {char}(13), {char}(10))"
        for each in (text, stored)
    )
    return f"({text} <> {stored} AND {one} <> {other})"


def plan(staged: Sequence[str], lookups: Lookups) -> str:
    """The staged columns of all rows, what they name and what they come to.

    Their turns are the order in which writers lock levels.
    """
    organization = current_organization().pk
    wrong = [
        "s.problems IS NOT NULL",
        "s.product_id IS NULL",
        "s.location_id IS NULL",
        "s.namesakes > 1",
        "count(*) OVER pair > 1",
        *(_reads_otherwise(f"s.{n}", f"s.found_{n}") for n in _NAMES),
        "s.level <> o.public_id",
        # An id that no level has any more is that of one that may be made again.
        f"(s.level IS NOT NULL AND o.id IS NULL AND EXISTS (SELECT 1 FROM {LEVELS}"
        f" WHERE organization_id = {organization} AND public_id = s.level))",
        misplaced("s.bin_path", "s.replenishment_location_id"),
        moved_on(),
        disordered(),
    ]
    return f"""
        SELECT {", ".join(f"s.{name}" for name in (*staged, *_RESOLVED))},
            o.public_id AS stored_id, o.version AS stored_version,
            count(*) OVER pair > 1 AS is_repeated,
            row_number() OVER (ORDER BY s.product_id, s.location_id, s.number) AS turn,
            CASE WHEN {" OR ".join(wrong)} THEN 'failed'
                WHEN o.id IS NULL THEN 'created'
                WHEN {" OR ".join(map(differs, BITS))} THEN 'updated'
                ELSE 'unchanged' END AS outcome
        FROM ({_resolution(lookups)}) s
        LEFT JOIN {LEVELS} o ON o.organization_id = {organization}
            AND o.product_id = s.product_id AND o.location_id = s.location_id
        WINDOW pair AS (PARTITION BY s.product_id, s.location_id)"""


def _resolution(lookups: Lookups) -> str:
    """The staged rows, with what they name."""
    ours = f"organization_id = {current_organization().pk}"
    product, location, namesakes = "p.{}", "l.{}", "1"
    joins = [
        f"LEFT JOIN {table} {alias} ON {alias}.{ours} AND {alias}.public_id = s.{name}"
        for table, alias, name in (
            (PRODUCTS, "p", "product"),
            (LOCATIONS, "l", "location"),
            (LOCATIONS, "b", "preferred_bin_location"),
            (LOCATIONS, "r", "replenishment_location"),
        )
    ]
    if lookups.by_sku:
        product = "coalesce(p.{0}, ps.{0})"
        joins.append(
            f"LEFT JOIN {PRODUCTS} ps ON ps.{ours} AND ps.global_sku = s.sku AND s.product IS NULL"
        )
    if lookups.by_name:
        location, namesakes = "coalesce(l.{0}, ln.{0})", "ln.namesakes"
        joins.append(
            "LEFT JOIN (SELECT name, min(id) AS id, min(public_id) AS public_id,"
            f" count(*) AS namesakes FROM {LOCATIONS} WHERE {ours} GROUP BY name) ln"
            " ON ln.name = s.location_name AND s.location IS NULL"
        )
    return f"""
        SELECT s.*,
            {product.format("id")} AS product_id,
            {product.format("public_id")} AS product_public_id,
            {product.format("global_sku")} AS found_sku,
            {product.format("product_name")} AS found_product_name,
            {location.format("id")} AS location_id,
            {location.format("public_id")} AS location_public_id,
            {location.format("name")} AS found_location_name, {namesakes} AS namesakes,
            b.id AS preferred_bin_location_id, b.path AS bin_path, r.id AS replenishment_location_id
        FROM staged s {" ".join(joins)}"""
