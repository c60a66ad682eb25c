"""The statements of a batch, for the fields that its rows name; organizations stand in the text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.peers.fast import writes
from benchmarks.peers.fast.sql import FIELDS, HISTORY, LEVELS, LOCATIONS, PRODUCTS, QUANTITIES

BITS = {name: 1 << number for number, name in enumerate(FIELDS)}
PLACES = {"preferredBinLocationId": "b", "replenishmentLocationId": "r"}

# What became of the rows.
GOOD = """
SELECT n, CASE WHEN version = 0 THEN 'created' WHEN changes = '' THEN 'unchanged'
    ELSE 'updated' END, coalesce(level, id) FROM merged WHERE is_good"""
BAD = """
SELECT n, repeated, ascends, product_id IS NOT NULL, location_id IS NOT NULL, has_bin, has_source,
    is_below, is_elsewhere, new_min_quantity, new_reorder_quantity, new_max_quantity
FROM merged WHERE NOT is_good"""


@dataclass(frozen=True)
class Statements:
    """``given``: fields that any row names; ``always``: those that every row does."""

    organization: int
    given: Sequence[str]
    always: Collection[str]

    def stage(self) -> str:
        columns = ["n integer, product text, location text, id text, repeated boolean"]
        columns.append("given integer")
        for name in self.given:
            column, kind = FIELDS[name]
            columns.append(f"{column} {'text' if kind == 'place' else kind}")
        columns.append("folded_comments text")
        return f"CREATE TEMPORARY TABLE staged ({', '.join(columns)}) ON COMMIT DROP"

    def hold(self) -> list[str]:
        """Products, then locations, each by primary key, are kept as they are."""
        columns = ["location", *(FIELDS[name][0] for name in self._places)]
        places = " UNION ".join(f"SELECT {column} FROM staged" for column in columns)
        return [
            f"""SELECT count(*) FROM (SELECT FROM {table}
                WHERE organization_id = {self.organization} AND public_id IN ({named})
                ORDER BY id FOR KEY SHARE) held"""
            for table, named in ((PRODUCTS, "SELECT product FROM staged"), (LOCATIONS, places))
        ]

    def merge(self) -> str:
        """Lock the levels in order, and lay down what each row makes of its one."""
        ours = f"organization_id = {self.organization}"
        pair = f"""JOIN {PRODUCTS} p ON p.{ours} AND p.public_id = s.product
            {{0}} JOIN {LOCATIONS} l ON l.{ours} AND l.public_id = s.location"""
        joins = " ".join(
            f"LEFT JOIN {LOCATIONS} {alias} ON {alias}.{ours}"
            f" AND {alias}.public_id = s.{FIELDS[name][0]}"
            f" LEFT JOIN {LOCATIONS} w{alias} ON w{alias}.id = o.{FIELDS[name][0]}"
            for name, alias in self._places.items()
        )
        quantities = [f"new_{FIELDS[name][0]}" for name in QUANTITIES]
        return f"""CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
        WITH old AS MATERIALIZED (
            SELECT v.* FROM staged s {pair.format("")}
            JOIN {LEVELS} v ON v.{ours} AND v.product_id = p.id AND v.location_id = l.id
            ORDER BY v.product_id, v.location_id FOR NO KEY UPDATE OF v
        ), new AS MATERIALIZED (
            SELECT s.n, s.id, s.repeated, s.product, s.location, s.folded_comments,
                p.id AS product_id, l.id AS location_id, o.public_id AS level,
                coalesce(o.version, 0) AS version, {self._values()}, {self._checks()}
            FROM staged s LEFT {pair.format("LEFT")}
            LEFT JOIN old o ON o.product_id = p.id AND o.location_id = l.id {joins}
        ), decided AS (
            SELECT *, {self._changes()} AS changes, {writes.ascends(*quantities)} AS ascends
            FROM new
        )
        SELECT *, product_id IS NOT NULL AND location_id IS NOT NULL AND has_bin AND has_source
            AND is_below AND is_elsewhere AND ascends AND NOT repeated AS is_good
        FROM decided ORDER BY product_id, location_id"""

    def write(self) -> str:
        """Write what changes with its history; the counts of rows written, and to be written."""
        columns = [FIELDS[name][0] for name in self.given if name != "status"]
        values = [f"new_{column}" for column in columns]
        updates = [f"{FIELDS[name][0]} = excluded.{FIELDS[name][0]}" for name in self.given]
        if "comments" in self.given:
            columns.append("folded_comments")
            values.append("folded_comments")
            stored = f"{LEVELS}.folded_comments"
            same = f"excluded.comments IS NOT DISTINCT FROM {LEVELS}.comments"
            kept = f"CASE WHEN {same} THEN {stored} ELSE excluded.folded_comments END"
            updates.append(f"folded_comments = {kept}")
        status = "new_status" if "status" in self.given else "'Supported'"
        todo = "is_good AND changes <> ''"
        return f"""WITH written AS (
            INSERT INTO {LEVELS} (organization_id, public_id, product_id, location_id, version,
                created_at, updated_at, {", ".join([*columns, "status"])})
            SELECT {self.organization}, id, product_id, location_id, version + 1,
                statement_timestamp(), statement_timestamp(), {", ".join([*values, status])}
            FROM merged WHERE {todo} ORDER BY product_id, location_id
            ON CONFLICT (organization_id, product_id, location_id) DO UPDATE SET
                {", ".join([*updates, "version = excluded.version"])},
                updated_at = excluded.updated_at
            WHERE {LEVELS}.version = excluded.version - 1
            RETURNING product_id, location_id, public_id, version, updated_at
        ), history AS (
            INSERT INTO {HISTORY} (organization_id, level_public_id, product_public_id,
                location_public_id, action, version, changes, actor_type, actor_id, actor_name,
                source, at)
            SELECT {self.organization}, public_id, product, location,
                CASE w.version WHEN 1 THEN 'CREATE' ELSE 'UPDATE' END, w.version,
                ('{{' || substr(changes, 2) || '}}')::jsonb, 'apiKey', $1, $2, 'bulk', updated_at
            FROM written w JOIN merged USING (product_id, location_id) WHERE {todo}
        )
        SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM merged WHERE {todo})"""

    @property
    def _places(self) -> dict[str, str]:
        return {name: alias for name, alias in PLACES.items() if name in self.given}

    def _values(self) -> str:
        """Columns with what is stored (old_) and what shall be (new_)."""
        found = []
        for name in self.given:
            column = FIELDS[name][0]
            new = f"{PLACES[name]}.id" if name in PLACES else f"s.{column}"
            if name not in self.always:
                stored = f"o.{column}"
                if name == "status":
                    stored = f"coalesce({stored}, 'Supported')"
                new = f"CASE WHEN s.given & {BITS[name]} > 0 THEN {new} ELSE {stored} END"
            found.append(f"{new} AS new_{column}, o.{column} AS old_{column}")
            if name in PLACES:
                alias = PLACES[name]
                found.append(f"{alias}.public_id AS {name}, w{alias}.public_id AS was_{name}")
        missing = [FIELDS[name][0] for name in QUANTITIES if name not in self.given]
        found += [f"o.{column} AS new_{column}" for column in missing]
        return ", ".join(found)

    def _checks(self) -> str:
        checks = {
            "has_bin": ("b", "b.id IS NOT NULL OR s.preferred_bin_location_id IS NULL"),
            "is_below": ("b", "(strpos(b.path, '/' || l.id || '/') > 0) IS NOT FALSE"),
            "has_source": ("r", "r.id IS NOT NULL OR s.replenishment_location_id IS NULL"),
            "is_elsewhere": ("r", "(r.id <> l.id) IS NOT FALSE"),
        }
        joined = self._places.values()
        return ", ".join(
            f"({check if alias in joined else 'true'}) AS {name}"
            for name, (alias, check) in checks.items()
        )

    def _changes(self) -> str:
        changes = [
            writes.change(name, before="old_", was=f"was_{name}" if name in PLACES else None)
            for name in self.given
        ]
        if "status" not in self.given:
            made = ',"status":{"old": null,"new":"Supported"}'
            changes.append(f"CASE WHEN version = 0 THEN '{made}' ELSE '' END")
        return " || ".join(changes)
