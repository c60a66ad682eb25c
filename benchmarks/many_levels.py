"""Fills an empty PostgreSQL with levels for benchmarks, the same at every load, by SQL alone.

One organization has 90 % of the levels, one 0.1 %, eighteen share the rest. Ids repeat in every
organization (``prod_1``, ``loc_1``, ``bin_1_1``, ``sup_1``), as they may. Every level has the
history that the service would have written; one in a hundred more were deleted again.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from organizations.models import Organization

OTHERS = 18
SUPPLIERS = 10
# The first instant of the history; levels are created and changed from there on for DAYS.
START = "2024-11-01T00:00:00Z"
DAYS = 700


@dataclass(frozen=True, slots=True)
class Tenant:
    organization: Organization
    levels: int
    products: int
    sites: int
    bins: int  # in each site; the last one is nobody's preferred bin


def tenant(name: str, levels: int) -> Tenant:
    """Make an organization like the big one."""
    organization = Organization.objects.create(name=name)
    return Tenant(organization, levels, max(levels // 19, 60), 24, 20)


def tenants(levels: int) -> list[Tenant]:
    """Make the organizations."""
    small = max(levels // 1_000, 100)
    other = (levels - levels * 9 // 10 - small) // OTHERS
    sizes = [(f"other-{n}", other, max(other // 8, 10), 10, 5) for n in range(OTHERS)]
    # In the midst of the others, so that neither end of a primary key is anybody's own.
    sizes.insert(OTHERS // 2, ("big", levels * 9 // 10, max(levels // 20, 60), 24, 20))
    sizes.insert(OTHERS // 3, ("small", small, max(small // 8, 12), 10, 5))
    return [Tenant(Organization.objects.create(name=name), *size) for name, *size in sizes]


# A number from 0 up to 1 that depends on nothing but its arguments.
CHANCE = """
CREATE FUNCTION pg_temp.chance(number bigint, of integer) RETURNS float8 IMMUTABLE LANGUAGE sql
AS $$ SELECT (hashint8extended(number, of) & 1048575) / 1048576.0 $$
"""

TENANTS = """
CREATE TEMP TABLE tenant (
    organization_id bigint, small boolean, levels int, products int, sites int, bins int
)
"""

# 3 products are thermocyclers, 5 in 16 gloves; every thousandth has no level.
PRODUCTS = f"""
INSERT INTO inventory_levels_productmaster
    (organization_id, public_id, global_sku, product_name, folded, unit_cost, status,
     created_at, updated_at)
SELECT organization_id, 'prod_' || n, sku, name, lower(sku || E'\\x1f' || name),
    CASE WHEN pg_temp.chance(n, 1) < 0.9 THEN round((pg_temp.chance(n, 2) * 90)::numeric, 2) END,
    CASE WHEN pg_temp.chance(n, 3) < 0.02 THEN 'Inactive' ELSE 'Active' END,
    timestamptz '{START}', timestamptz '{START}'
FROM tenant, generate_series(1, products) n,
LATERAL (SELECT
    (ARRAY['GLN','GLL','MSK','SYR','NDL','IVC','INF','SAL','GZE','BND','CTH','TUB'])
        [1 + floor(pg_temp.chance(n, 4) * 12)::int] || '-' || lpad(n::text, 6, '0') AS sku,
    CASE WHEN n IN (7, 777, 7777) THEN 'Thermocycler, 96 wells' ELSE
        (ARRAY['Nitrile gloves','Latex gloves','Surgical gloves','Vinyl gloves','Winter gloves',
               'Surgical mask','Syringe, luer lock','Hypodermic needle','IV cannula',
               'Infusion set','Sodium chloride','Gauze swabs','Elastic bandage',
               'Foley catheter','Silicone tubing','Urine bag'])
            [1 + floor(pg_temp.chance(n, 5) * 16)::int]
        || (ARRAY[', S',', M',', L',', XL',', box of 10',', box of 100'])
            [1 + floor(pg_temp.chance(n, 6) * 6)::int]
        || ' ' || n
    END AS name
) texts
ORDER BY pg_temp.chance(n, 7), organization_id
"""

SITES = f"""
INSERT INTO inventory_levels_location
    (organization_id, public_id, name, type, path, created_at, updated_at)
SELECT organization_id, 'loc_' || n, 'Site ' || chr(64 + (n * 7) % 26 + 1) || n,
    CASE WHEN n <= 6 THEN 'WAREHOUSE' ELSE 'STORE' END, '/', timestamptz '{START}',
    timestamptz '{START}'
FROM tenant, generate_series(1, sites) n
UNION ALL
SELECT organization_id, 'sup_' || n, 'Supplier ' || n, 'SUPPLIER', '/', timestamptz '{START}',
    timestamptz '{START}'
FROM tenant, generate_series(1, {SUPPLIERS}) n
"""

BINS = f"""
INSERT INTO inventory_levels_location
    (organization_id, public_id, name, type, parent_id, path, created_at, updated_at)
SELECT organization_id, replace(site.public_id, 'loc', 'bin') || '_' || n, 'Bin ' || n, 'BIN',
    site.id, '/' || site.id || '/', timestamptz '{START}', timestamptz '{START}'
FROM tenant JOIN inventory_levels_location site USING (organization_id),
    generate_series(1, bins) n
WHERE site.public_id LIKE 'loc%'
"""

# Who carries what: six sites everything, the others less and less, the last next to nothing.
# Levels come in batches of up to 500 with one time each, organizations mixed.
PLACED = f"""
CREATE TEMP TABLE placed AS
WITH product AS (
    SELECT organization_id, id, substr(public_id, 6)::int AS n FROM inventory_levels_productmaster
), site AS (
    SELECT organization_id, id, substr(public_id, 5)::int AS n FROM inventory_levels_location
    WHERE public_id LIKE 'loc%'
), pair AS (
    SELECT tenant.*, product.id AS product_id, product.n AS p, site.id AS location_id, site.n AS s,
        organization_id * 1000000000 + product.n * 1000 + site.n AS seed
    FROM tenant JOIN product USING (organization_id) JOIN site USING (organization_id)
    WHERE product.n % 1000 > 0 AND pg_temp.chance(product.n * 1000 + site.n, 8) < CASE
        WHEN site.n = sites THEN 0.004 WHEN site.n = sites - 1 THEN 0.25
        WHEN site.n <= 6 THEN 1 WHEN site.n <= 20 THEN 0.9 ELSE 0.6 END
), kept AS (
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY organization_id ORDER BY s = sites DESC,
            s = sites - 1 DESC, pg_temp.chance(seed, 9)) AS rank FROM pair
    ) ranked WHERE rank <= levels
)
SELECT *, timestamptz '{START}' + interval '1 second' * ({DAYS} * 86400.0
    * (row_number() OVER batches / 500 * 500) / (count(*) OVER ())) AS created_at
FROM kept
WINDOW batches AS (ORDER BY hashint8(organization_id * 100000000 + p / 100 * 100 + s), seed)
ORDER BY hashint8(organization_id * 100000000 + p / 100 * 100 + s), seed
"""

# Nobody is Formulary; no level lacks its reorder quantity; the small one has no class A.
LEVELS = f"""
INSERT INTO inventory_levels_inventorylevel
    (organization_id, public_id, product_id, location_id, min_quantity, reorder_quantity,
     max_quantity, status, abc_class, expected_lead_time_days, replenishment_period_days,
     forecast_period_days, forecast_quantity, preferred_bin_location_id,
     replenishment_location_id, comments, folded_comments, version, created_at, updated_at)
SELECT placed.organization_id,
    'level_' || lpad(to_hex((extract(epoch FROM placed.created_at) * 1000)::bigint), 12, '0')
        || substr(md5(seed::text), 1, 14),
    product_id, location_id,
    CASE WHEN pg_temp.chance(seed, 10) < 0.95 THEN low END, low + 20,
    CASE WHEN pg_temp.chance(seed, 11) < 0.9999 THEN low + 200 END,
    CASE WHEN pg_temp.chance(seed, 12) < 0.8 THEN 'Supported'
         WHEN pg_temp.chance(seed, 12) < 0.9 THEN 'Stock'
         WHEN pg_temp.chance(seed, 12) < 0.96 THEN 'NotSupported'
         WHEN pg_temp.chance(seed, 12) < 0.9995 THEN 'SupportedNonInventory'
         ELSE 'Inactive' END,
    CASE WHEN pg_temp.chance(seed, 13) < 0.1 AND NOT small THEN 'A'
         WHEN pg_temp.chance(seed, 13) < 0.3 THEN 'B'
         WHEN pg_temp.chance(seed, 13) < 0.7 THEN 'C' END,
    CASE WHEN pg_temp.chance(seed, 14) < 0.8 THEN (pg_temp.chance(seed, 15) * 30)::int END,
    CASE WHEN pg_temp.chance(seed, 14) < 0.75 THEN 14 END,
    CASE WHEN pg_temp.chance(seed, 16) < 0.7 THEN 30 END,
    CASE WHEN pg_temp.chance(seed, 16) < 0.71 THEN (pg_temp.chance(seed, 17) * 900)::int END,
    bin.id, source.id, comments, lower(comments),
    CASE WHEN pg_temp.chance(seed, 18) < 0.1 THEN 2 ELSE 1 END, placed.created_at,
    CASE WHEN pg_temp.chance(seed, 18) < 0.1 THEN placed.created_at + pg_temp.chance(seed, 19)
        * (timestamptz '{START}' + interval '{DAYS} days' - placed.created_at)
    ELSE placed.created_at END
FROM placed CROSS JOIN LATERAL (SELECT
    floor(pg_temp.chance(seed, 20) * 400) AS low,
    CASE WHEN pg_temp.chance(seed, 21) < 0.3 THEN
        'bin_' || s || '_' || 1 + floor(pg_temp.chance(seed, 22) * (bins - 1)) END AS bin_id,
    CASE WHEN pg_temp.chance(seed, 23) < 0.0001 THEN 'sup_{SUPPLIERS - 1}'
         WHEN pg_temp.chance(seed, 23) < 0.7 THEN
        'sup_' || 1 + floor(pg_temp.chance(seed, 24) ^ 2 * {SUPPLIERS - 2}) END AS source_id,
    CASE WHEN pg_temp.chance(seed, 25) < 0.00003 THEN 'Recall of lot ' || seed
         WHEN pg_temp.chance(seed, 25) < 0.05 THEN 'Seasonal demand, see plan ' || seed
         WHEN pg_temp.chance(seed, 25) < 0.15 THEN 'Checked by Warehouse Team ' || s
             || '; min agreed with ward ' || p END AS comments
) drawn
LEFT JOIN inventory_levels_location bin
    ON bin.organization_id = placed.organization_id AND bin.public_id = bin_id
LEFT JOIN inventory_levels_location source
    ON source.organization_id = placed.organization_id AND source.public_id = source_id
ORDER BY placed.created_at, seed
"""

CHANGES = """
INSERT INTO inventory_levels_levelchange
    (organization_id, level_public_id, product_public_id, location_public_id, action, version,
     changes, actor_type, actor_id, actor_name, source, at)
SELECT organization_id, level_id, 'prod_' || p, 'loc_' || s, action, version,
    CASE action WHEN 'UPDATE' THEN '{"minQuantity": {"old": 5, "new": 7}}'::jsonb ELSE
        '{"minQuantity": {"old": null, "new": 5}, "reorderQuantity": {"old": null, "new": 25},
          "status": {"old": null, "new": "Supported"}}'::jsonb END,
    'apiKey', CASE WHEN draw < 0.00003 THEN 'key_rare' ELSE 'key_' || 1 + floor(draw * 5) END,
    'Key', CASE WHEN draw < 0.001 AND NOT small THEN 'command' WHEN draw < 0.05 THEN 'admin'
                WHEN draw < 0.3 THEN 'api' WHEN draw < 0.6 THEN 'bulk' ELSE 'import' END, at
FROM (
    SELECT placed.*, level.public_id AS level_id, change.*,
        pg_temp.chance(seed, 26 + change.version) AS draw
    FROM placed JOIN inventory_levels_inventorylevel level
        USING (organization_id, product_id, location_id),
    LATERAL (SELECT 'CREATE' AS action, 1 AS version, level.created_at AS at
             UNION ALL SELECT 'UPDATE', 2, level.updated_at WHERE level.version = 2) change
    UNION ALL
    SELECT placed.*, 'level_gone_' || seed, change.*, pg_temp.chance(seed, 29)
    FROM placed, LATERAL (
        VALUES ('CREATE', 1, created_at), ('DELETE', 2, created_at + interval '9 days')
    ) change
    WHERE pg_temp.chance(seed, 28) < 0.01
) entry
ORDER BY at, organization_id, level_id
"""


# To build an index afterwards is several times as fast as to fill it row by row.
DROPPABLE = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'inventory_levels_%'
    AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def load(levels: int) -> None:
    """Fill the migrated, empty database."""
    fill(tenants(levels))


def fill(made: list[Tenant]) -> None:
    """Give these organizations, which have nothing yet, all that they are to have."""
    with connection.cursor() as cursor:
        # The references are right by construction; to check each costs more than to write it.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(CHANCE)
        cursor.execute(TENANTS)
        for tenant in made:
            is_small = tenant.organization.name == "small"
            size = (tenant.levels, tenant.products, tenant.sites, tenant.bins)
            cursor.execute(
                "INSERT INTO tenant VALUES (%s, %s, %s, %s, %s, %s)",
                [tenant.organization.pk, is_small, *size],
            )
        for statement in (PRODUCTS, SITES, BINS, PLACED):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
        cursor.execute(DROPPABLE)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(LEVELS)
        cursor.execute("ANALYZE inventory_levels_inventorylevel")
        cursor.execute(CHANGES)
        for _, definition in indexes:
            cursor.execute(definition)
    connection.close()  # and with it the settings and the temporary tables
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
