"""The limit: what PostgreSQL does of single requests by itself, as scripts for pgbench.

``pgbench -n -M prepared -f FILE -D digest=... -D products=45000``: the statements are those of
``fast``, key check, merge and history included, so that nothing is left out but HTTP and JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from benchmarks.peers.fast import sql, writes

# What the scripts and load.lua ask for, of the organization "big" of many_levels.py: any product
# at the sites that carry nearly everything, and the levels that NAME_LEVELS names.
SITES, NAMED = 20, 10_000

# Levels of %(organization)s, anywhere in it, get ids that can be made from a number.
NAME_LEVELS = f"""
WITH named AS MATERIALIZED (
    SELECT id, public_id, 'level_bench_' || row_number() OVER (ORDER BY hashint8(id)) AS name
    FROM {sql.LEVELS} WHERE organization_id = %(organization)s
        AND public_id NOT LIKE 'level\\_bench\\_%%' ORDER BY hashint8(id) LIMIT {NAMED}
), told AS (
    UPDATE {sql.HISTORY} h SET level_public_id = named.name FROM named
    WHERE h.organization_id = %(organization)s AND h.level_public_id = named.public_id
)
UPDATE {sql.LEVELS} v SET public_id = named.name FROM named WHERE v.id = named.id
"""

# Settings that the peers' connections have.
PGOPTIONS = " ".join(f"-c {name}={value}" for name, value in sql.OPTIONS.items())

_DRAWS = """\\set p random(1, :products)
\\set s random(1, {sites})
\\set n random(1, {named})
\\set q random(1, 400)
"""

# What a parameter is in a request; load.lua sends the same.
_EXPRESSIONS = {
    "digest": ":digest",
    "address": "'127.0.0.1'",
    "product": "('prod_' || :p)",
    "location": "('loc_' || :s)",
    "id": "('level_bench_' || :n)",
    "minQuantity": "(:q)",
    "reorderQuantity": "(:q + 20)",
    "maxQuantity": "(:q + 200.5)",
    "status": "'Supported'",
    "abcClass": "'A'",
    "expectedLeadTimeDays": "7",
    "replenishmentPeriodDays": "14",
    "forecastPeriodDays": "30",
    "forecastQuantity": "200",
    "preferredBinLocationId": "('bin_' || :s || '_1')",
    "replenishmentLocationId": "'sup_1'",
    "comments": "'High priority item'",
    "folded_comments": "'high priority item'",
    "locationId": "('loc_' || :s)",
}
POSTED = tuple(sql.FIELDS)
PATCHED = ("minQuantity", "reorderQuantity", "maxQuantity")


def scripts() -> dict[str, str]:
    """A pgbench script for each kind of request."""
    parameter: Callable[[str], str] = _EXPRESSIONS.__getitem__
    texts = {
        "post": writes.post_text(lambda name: _NEW_ID if name == "id" else parameter(name), POSTED),
        "patch": writes.patch_text(parameter, PATCHED),
        "get": sql.get_text(parameter),
        "list": sql.list_text(parameter, limit=100, filters=[("locationId", False)]),
    }
    draws = _DRAWS.format(sites=SITES, named=NAMED)
    # pgbench would take what follows a colon for one of its variables, in a text too.
    texts = {name: text.replace("'inventory:", "E'inventory\\072") for name, text in texts.items()}
    return {name: f"{draws}{text};\n" for name, text in texts.items()}


_NEW_ID = "('level_new_' || md5(:p || '_' || :s || '_' || random()))"


def digest(key: str) -> str:
    """What the tables have of an API key."""
    return hashlib.sha256(key.encode()).hexdigest()
