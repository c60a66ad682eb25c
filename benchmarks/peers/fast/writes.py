"""The statements of single writes: key check, locks, merge, level and history, all in one.

Each is made for the fields that a request names. Locks come in the order of every other writer:
product, locations by primary key, level. Times are taken after them, so that a level's never run
backwards. Where ``state`` is "again" a race was lost, nothing was written, and it has to be run
once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from benchmarks.peers.fast.sql import (
    FIELDS,
    HISTORY,
    LEVELS,
    LOCATIONS,
    PRODUCTS,
    QUANTITIES,
    WRITES,
    Numbered,
    Parameter,
    Statement,
    key,
)


@lru_cache(maxsize=1024)
def post(given: tuple[str, ...], conditions: tuple[str, ...] = ()) -> Statement:
    """Create or update the level of a pair, and the names of the parameters in order."""
    parameter = Numbered()
    return post_text(parameter, given, conditions).encode(), parameter.names


@lru_cache(maxsize=1024)
def patch(
    given: tuple[str, ...], conditions: tuple[str, ...] = (), repeated: tuple[str, ...] = ()
) -> Statement:
    """Change the level with an id. ``repeated``: "product", "location" if the body names them."""
    parameter = Numbered()
    return patch_text(parameter, given, conditions, repeated).encode(), parameter.names


def post_text(parameter: Parameter, given: Sequence[str], conditions: Sequence[str] = ()) -> str:
    columns = ", ".join(dict.fromkeys([*_columns(given), "status"]))
    return f"""WITH {key(parameter, WRITES)},
product AS MATERIALIZED ({_product(parameter)}),
place AS MATERIALIZED ({_places(parameter, ["location", *_places_of(given)], "product")}),
here AS MATERIALIZED (
    SELECT key.*, p.id AS product_id, p.public_id AS product, p.global_sku, p.product_name,
        l.id AS location_id, l.public_id AS location, l.name AS location_name,
        {_named(parameter, given)},
        p.id IS NOT NULL AS has_product, l.id IS NOT NULL AS has_location,
        {_whereabouts(parameter, given, "l.id")}
    FROM key LEFT JOIN product p ON true
        LEFT JOIN place l ON l.public_id = {parameter("location")} {_joined(parameter, given)}),
old AS MATERIALIZED (
    SELECT v.* FROM here JOIN {LEVELS} v USING (organization_id, product_id, location_id)
    WHERE has_bin AND has_source AND is_below AND is_elsewhere FOR NO KEY UPDATE OF v),
new AS MATERIALIZED (
    SELECT here.organization_id, key_id, key_name, here.product_id, here.location_id, product,
        location, {_merged(parameter, given, conditions, creates=True)}
    FROM here LEFT JOIN old ON true {_STORED_PLACES}
    WHERE has_product AND has_location AND has_bin AND has_source AND is_below AND is_elsewhere),
written AS (
    INSERT INTO {LEVELS} (organization_id, public_id, product_id, location_id, version,
        created_at, updated_at, {columns})
    SELECT organization_id, {parameter("id")}, product_id, location_id, version + 1, at, at,
        {columns}
    FROM new WHERE {_GOOD}
    ON CONFLICT (organization_id, product_id, location_id) DO UPDATE SET
        {"".join(f"{column} = excluded.{column}, " for column in _columns(given))}
        version = excluded.version, updated_at = excluded.updated_at
    WHERE {LEVELS}.version = excluded.version - 1
    RETURNING public_id, version, created_at, updated_at),
{_history()}
{_answer("has_product, has_location, has_bin, has_source, is_below, is_elsewhere")}
{_ANSWERED}"""


def patch_text(
    parameter: Parameter,
    given: Sequence[str],
    conditions: Sequence[str] = (),
    repeated: Sequence[str] = (),
) -> str:
    lookups, after = [], "key"
    if "product" in repeated:
        lookups.append(f"product AS MATERIALIZED ({_product(parameter)})")
        after = "product"
    if places := [name for name in repeated if name == "location"] + _places_of(given):
        lookups.append(f"place AS MATERIALIZED ({_places(parameter, places, after)})")
        after = "place"
    has_product = has_location = same_product = same_location = "true"
    if "product" in repeated:
        has_product = "EXISTS (SELECT FROM product)"
        same_product = f"p.public_id = {parameter('product')}"
    if "location" in repeated:
        named = parameter("location")
        has_location = f"EXISTS (SELECT FROM place WHERE public_id = {named})"
        same_location = f"l.public_id = {named}"
    waits = f" AND (SELECT count(*) FROM {after}) >= 0" if lookups else ""
    return f"""WITH {", ".join([key(parameter, WRITES), *lookups])},
old AS MATERIALIZED (
    SELECT v.* FROM key JOIN {LEVELS} v USING (organization_id)
    WHERE v.public_id = {parameter("id")}{waits}
    FOR NO KEY UPDATE OF v),
here AS MATERIALIZED (
    SELECT key.*, old.id AS level_id, p.public_id AS product, p.global_sku, p.product_name,
        l.id AS location_id, l.public_id AS location, l.name AS location_name,
        {_named(parameter, given)},
        {has_product} AS has_product, {has_location} AS has_location,
        {same_product} AS same_product, {same_location} AS same_location,
        {_whereabouts(parameter, given, "l.id")}
    FROM key LEFT JOIN old ON true LEFT JOIN {PRODUCTS} p ON p.id = old.product_id
        LEFT JOIN {LOCATIONS} l ON l.id = old.location_id {_joined(parameter, given)}),
new AS MATERIALIZED (
    SELECT here.organization_id, key_id, key_name, product, location, old.id AS row_id,
        {_merged(parameter, given, conditions, creates=False)}
    FROM here JOIN old ON true {_STORED_PLACES}
    WHERE has_product AND has_location AND same_product AND same_location AND has_bin
        AND has_source AND is_below AND is_elsewhere),
written AS (
    UPDATE {LEVELS} v SET {"".join(f"{column} = new.{column}, " for column in _columns(given))}
        version = new.version + 1, updated_at = new.at
    FROM new WHERE v.id = row_id AND {_GOOD}
    RETURNING v.public_id, v.version, v.created_at, v.updated_at),
{_history()}
{_answer("level_id IS NOT NULL, has_product, has_location, has_bin, has_source, same_product")},
    same_location, is_below, is_elsewhere
{_ANSWERED}"""


def _columns(given: Sequence[str]) -> list[str]:
    """What is written where these fields are."""
    columns = [FIELDS[name][0] for name in given]
    return [*columns, "folded_comments"] if "comments" in given else columns


def _product(parameter: Parameter) -> str:
    return f"""
    SELECT p.id, p.public_id, p.global_sku, p.product_name
    FROM key JOIN {PRODUCTS} p USING (organization_id)
    WHERE p.public_id = {parameter("product")} FOR KEY SHARE OF p"""


def _places(parameter: Parameter, names: Sequence[str], after: str) -> str:
    """Locked by primary key and after the product, in the order of every other writer."""
    ids = ", ".join(f"{parameter(name)}::text" for name in names)
    return f"""
    SELECT l.id, l.public_id, l.name, l.path FROM key JOIN {LOCATIONS} l USING (organization_id)
    WHERE l.public_id = ANY (ARRAY[{ids}]) AND (SELECT count(*) FROM {after}) >= 0
    ORDER BY l.id FOR KEY SHARE OF l"""


def _places_of(given: Sequence[str]) -> list[str]:
    return [name for name in given if FIELDS[name][1] == "place"]


def _joined(parameter: Parameter, given: Sequence[str]) -> str:
    joins = [("preferredBinLocationId", "b"), ("replenishmentLocationId", "r")]
    return " ".join(
        f"LEFT JOIN place {alias} ON {alias}.public_id = {parameter(name)}"
        for name, alias in joins
        if name in given
    )


def _named(parameter: Parameter, given: Sequence[str]) -> str:
    """The values that the request names, as columns with the prefix ``new_``."""
    places = {"preferredBinLocationId": "b", "replenishmentLocationId": "r"}
    values = ["NULL AS nothing"]
    for name in given:
        column, kind = FIELDS[name]
        if kind == "place":
            values.append(f"{places[name]}.id AS new_{column}, {places[name]}.public_id AS {name}")
        else:
            values.append(f"{parameter(name)}::{kind} AS new_{column}")
    return ", ".join(values)


def _whereabouts(parameter: Parameter, given: Sequence[str], location: str) -> str:
    has_bin = has_source = is_below = is_elsewhere = "true"
    if "preferredBinLocationId" in given:
        has_bin = f"(b.id IS NOT NULL OR {parameter('preferredBinLocationId')}::text IS NULL)"
        is_below = f"(strpos(b.path, '/' || {location} || '/') > 0) IS NOT FALSE"
    if "replenishmentLocationId" in given:
        has_source = f"(r.id IS NOT NULL OR {parameter('replenishmentLocationId')}::text IS NULL)"
        is_elsewhere = f"(r.id <> {location}) IS NOT FALSE"
    return (
        f"{has_bin} AS has_bin, {has_source} AS has_source,"
        f" {is_below} AS is_below, {is_elsewhere} AS is_elsewhere"
    )


def _merged(
    parameter: Parameter, given: Sequence[str], conditions: Sequence[str], *, creates: bool
) -> str:
    """The level as it would be stored, what changes (members of an object), what holds."""
    merged = [
        f"new_{column} AS {column}"
        if name in given
        else f"coalesce(old.status, 'Supported') AS {column}"
        if name == "status"
        else f"old.{column}"
        for name, (column, _) in FIELDS.items()
    ]
    if "comments" in given:
        merged.append(f"{parameter('folded_comments')}::text AS folded_comments")
    was = {"preferredBinLocationId": "ob.public_id", "replenishmentLocationId": "os.public_id"}
    changes = [change(name, was=was.get(name)) for name in given]
    if creates and "status" not in given:
        made = ',"status":{"old": null,"new":"Supported"}'
        changes.append(f"CASE WHEN old.id IS NULL THEN '{made}' ELSE '' END")
    # Of a level that had to be waited for, a place that came with the wait is not seen yet.
    stale = " OR ".join(
        f"{was[name]} IS NULL AND old.{FIELDS[name][0]} IS NOT NULL" for name in was
    )
    quantities = [f"{'new_' if n in given else 'old.'}{FIELDS[n][0]}" for n in QUANTITIES]
    ascending = ascends(*quantities) if set(QUANTITIES) & set(given) else "true"
    places = ", ".join(
        f"{name if name in given else was[name]} AS {alias}"
        for name, alias in zip(was, ("bin", "source"), strict=True)
    )
    return f"""{", ".join(merged)}, {places}, old.public_id AS level,
        coalesce(old.version, 0) AS version, old.created_at, old.updated_at,
        clock_timestamp() AS at, {" || ".join(changes) or "''"} AS changes, ({stale}) AS is_stale,
        {ascending} AS ascends, {_met(parameter, conditions)} AS is_met"""


def change(name: str, *, before: str = "old.", was: str | None = None) -> str:
    """A member of the history's object, with a comma before it, or nothing."""
    column, kind = FIELDS[name]
    old, new = was or f"{before}{column}", name if kind == "place" else f"new_{column}"
    if kind == "numeric":
        old, new = (f"coalesce(trim_scale({value})::text, 'null')" for value in (old, new))
    elif kind == "integer":
        old, new = (f"coalesce({value}::text, 'null')" for value in (old, new))
    elif name == "comments":
        old, new = (f"coalesce(to_json({value})::text, 'null')" for value in (old, new))
    else:  # words that need no escaping
        old, new = (f"""coalesce('"' || {value} || '"', 'null')""" for value in (old, new))
    return f"""CASE WHEN {before}{column} IS DISTINCT FROM new_{column}
            THEN ',"{name}":{{"old":' || {old} || ',"new":' || {new} || '}}' ELSE '' END"""


def ascends(least: str, reorder: str, most: str) -> str:
    pairs = [(least, reorder), (least, most), (reorder, most)]
    return "(" + " AND ".join(f"({low} <= {high}) IS NOT FALSE" for low, high in pairs) + ")"


def _met(parameter: Parameter, conditions: Sequence[str]) -> str:
    """Preconditions: each a list of "id.version", or of "*" alone."""

    def named(name: str) -> str:
        tags = f"{parameter(name)}::text[]"
        own = "old.public_id || '.' || old.version"
        return (
            f"coalesce(old.id IS NOT NULL AND ('*' = ANY ({tags}) OR {own} = ANY ({tags})), false)"
        )

    found = [named("if_match")] if "if_match" in conditions else []
    if "if_none_match" in conditions:
        found.append(f"NOT {named('if_none_match')}")
    return " AND ".join(found) or "true"


_STORED_PLACES = f"""
        LEFT JOIN {LOCATIONS} ob ON ob.id = old.preferred_bin_location_id
        LEFT JOIN {LOCATIONS} os ON os.id = old.replenishment_location_id"""
_GOOD = "changes <> '' AND is_met AND ascends AND NOT is_stale"


def _history() -> str:
    return f"""history AS (
    INSERT INTO {HISTORY} (organization_id, level_public_id, product_public_id,
        location_public_id, action, version, changes, actor_type, actor_id, actor_name, source, at)
    SELECT new.organization_id, written.public_id, product, location,
        CASE written.version WHEN 1 THEN 'CREATE' ELSE 'UPDATE' END, written.version,
        ('{{' || substr(changes, 2) || '}}')::jsonb, 'apiKey', key_id, key_name, 'api',
        written.updated_at
    FROM new, written)"""


def _answer(checks: str) -> str:
    return f"""SELECT CASE WHEN new.version IS NULL THEN 'refused' WHEN NOT is_met THEN 'unmet'
        WHEN is_stale THEN 'again' WHEN NOT ascends THEN 'disordered'
        WHEN changes = '' THEN 'unchanged' WHEN written.version IS NULL THEN 'again'
        ELSE 'written' END, due, written.version = 1,
    coalesce(written.public_id, level), here.product, here.location, min_quantity,
    reorder_quantity, max_quantity, status, abc_class, expected_lead_time_days,
    replenishment_period_days, forecast_period_days, forecast_quantity, bin, source, comments,
    coalesce(written.version, new.version), coalesce(written.created_at, new.created_at),
    coalesce(written.updated_at, new.updated_at), global_sku, product_name, location_name,
    {checks}"""


_ANSWERED = "FROM here LEFT JOIN new ON true LEFT JOIN written ON true"
