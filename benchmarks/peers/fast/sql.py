"""The names of tables, columns and parameters, and the statements that read.

Each checks the API key besides, so that a request takes one round trip. What a statement is made
for stands in its text; it is prepared once a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

LEVELS, HISTORY = "inventory_levels_inventorylevel", "inventory_levels_levelchange"
PRODUCTS, LOCATIONS = "inventory_levels_productmaster", "inventory_levels_location"

# What a client may set: the name it uses, the column, and the column's type.
FIELDS = {
    "minQuantity": ("min_quantity", "numeric"),
    "reorderQuantity": ("reorder_quantity", "numeric"),
    "maxQuantity": ("max_quantity", "numeric"),
    "status": ("status", "text"),
    "abcClass": ("abc_class", "text"),
    "expectedLeadTimeDays": ("expected_lead_time_days", "integer"),
    "replenishmentPeriodDays": ("replenishment_period_days", "integer"),
    "forecastPeriodDays": ("forecast_period_days", "integer"),
    "forecastQuantity": ("forecast_quantity", "numeric"),
    "preferredBinLocationId": ("preferred_bin_location_id", "place"),
    "replenishmentLocationId": ("replenishment_location_id", "place"),
    "comments": ("comments", "text"),
}
QUANTITIES = ("minQuantity", "reorderQuantity", "maxQuantity")

# Settings of the connections; pgbench has them by PGOPTIONS.
OPTIONS = {
    "plan_cache_mode": "force_generic_plan",  # else each statement is planned five times
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
}

READS = "k.scopes <> '[]'"
WRITES = "k.scopes ?| ARRAY['inventory:write', 'inventory:*', '*']"

# Where in a statement's answer things are: what became of it, then the level.
STATE, DUE, CREATED, ITEM = 0, 1, 2, 3
# In a write's, after the level: what had to hold. In a list's: what a cursor holds.
CHECKS = ITEM + 21

Parameter = Callable[[str], str]
# The text, and the names of its parameters in their order.
Statement = tuple[bytes, list[str]]


def key(parameter: Parameter, scope: str) -> str:
    """The key of the request, if it may do this; else no row, and the caller asks why."""
    return f"""key AS MATERIALIZED (
    SELECT k.organization_id, k.public_id AS key_id, k.name AS key_name,
        coalesce(k.last_used_at <= now() - interval '60 seconds', true) AS due
    FROM organizations_apikey k JOIN organizations_organization o ON o.id = k.organization_id
    WHERE k.digest = {parameter("digest")} AND k.revoked_at IS NULL AND o.is_active AND {scope}
        AND (k.expires_at IS NULL OR k.expires_at > now())
        AND (k.allowed_ips = '[]' OR EXISTS (
            SELECT FROM jsonb_array_elements_text(k.allowed_ips) network
            WHERE {parameter("address")}::inet <<= network::inet)))"""


class Numbered:
    """Names parameters $1, $2, ... in the order in which they first come."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}"


SHOWN = """v.public_id, p.public_id, l.public_id, v.min_quantity, v.reorder_quantity,
    v.max_quantity, v.status, v.abc_class, v.expected_lead_time_days, v.replenishment_period_days,
    v.forecast_period_days, v.forecast_quantity, b.public_id, r.public_id, v.comments, v.version,
    v.created_at, v.updated_at, p.global_sku, p.product_name, l.name"""
JOINED = f"""
    LEFT JOIN {PRODUCTS} p ON p.id = v.product_id LEFT JOIN {LOCATIONS} l ON l.id = v.location_id
    LEFT JOIN {LOCATIONS} b ON b.id = v.preferred_bin_location_id
    LEFT JOIN {LOCATIONS} r ON r.id = v.replenishment_location_id"""


@lru_cache
def get() -> Statement:
    parameter = Numbered()
    return get_text(parameter).encode(), parameter.names


@lru_cache(maxsize=1024)
def following(limit: int, after: bool, filters: tuple[tuple[str, bool], ...]) -> Statement:
    """The page after a place, or the first one."""
    parameter = Numbered()
    return list_text(parameter, limit=limit, after=after, filters=filters).encode(), parameter.names


@lru_cache(maxsize=1024)
def numbered(limit: int, filters: tuple[tuple[str, bool], ...]) -> Statement:
    """A page by number, with the total of all."""
    parameter = Numbered()
    return page_text(parameter, limit=limit, filters=filters).encode(), parameter.names


def get_text(parameter: Parameter) -> str:
    return f"""WITH {key(parameter, READS)}
SELECT '', due, false, {SHOWN} FROM key LEFT JOIN {LEVELS} v
    ON v.organization_id = key.organization_id AND v.public_id = {parameter("id")} {JOINED}"""


def list_text(
    parameter: Parameter,
    *,
    limit: int,
    after: bool = False,
    filters: Sequence[tuple[str, bool]] = (),
) -> str:
    """A page and one level more, then the keys of the order. No row: an empty page, or no key.

    ``filters``: by name, and whether there are several values. The limit stands in the text: of
    a parameter the planner would have to guess it.
    """
    conditions = _conditions(parameter, filters)
    if after:
        product, location = parameter("after_product"), parameter("after_location")
        conditions += f""" AND v.product_id >= {product}::bigint
        AND (v.product_id, v.location_id) > ({product}::bigint, {location}::bigint)"""
    return f"""WITH {key(parameter, READS)}
SELECT '', (SELECT due FROM key), false, {SHOWN}, v.product_id, v.location_id,
    (SELECT organization_id FROM key)
FROM (SELECT * FROM {LEVELS} v WHERE {conditions}
    ORDER BY v.product_id, v.location_id LIMIT {limit + 1}) v {JOINED}
ORDER BY v.product_id, v.location_id"""


def page_text(parameter: Parameter, *, limit: int, filters: Sequence[tuple[str, bool]] = ()) -> str:
    """A page by number and one level more; with each the total, which has a row of its own."""
    conditions = _conditions(parameter, filters)
    return f"""WITH {key(parameter, READS)},
total AS MATERIALIZED (SELECT count(*) AS n FROM {LEVELS} v WHERE {conditions})
SELECT '', (SELECT due FROM key), total.n, {SHOWN}, v.product_id, v.location_id,
    (SELECT organization_id FROM key)
FROM total JOIN key ON true LEFT JOIN (SELECT * FROM {LEVELS} v WHERE id = ANY (ARRAY(
        SELECT v.id FROM {LEVELS} v WHERE {conditions}
        ORDER BY v.product_id, v.location_id OFFSET {parameter("offset")} LIMIT {limit + 1}
    ))) v ON true {JOINED}
ORDER BY v.product_id, v.location_id"""


def _conditions(parameter: Parameter, filters: Sequence[tuple[str, bool]]) -> str:
    ours = "v.organization_id = (SELECT organization_id FROM key)"
    return " AND ".join([ours, *(_filtered(parameter, name, several) for name, several in filters)])


def _filtered(parameter: Parameter, name: str, several: bool) -> str:
    if name == "status":
        values = parameter(name)
        return f"v.status = ANY ({values}::text[])" if several else f"v.status = {values}"
    column, table = {
        "locationId": ("location_id", LOCATIONS),
        "productMasterId": ("product_id", PRODUCTS),
    }[name]
    ours = f"SELECT id FROM {table} WHERE organization_id = (SELECT organization_id FROM key)"
    if several:
        return f"v.{column} = ANY (ARRAY({ours} AND public_id = ANY ({parameter(name)}::text[])))"
    return f"v.{column} = ({ours} AND public_id = {parameter(name)})"
