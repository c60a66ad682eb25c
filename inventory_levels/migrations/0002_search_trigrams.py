"""Trigram indexes for searching inside texts, where the database is PostgreSQL.

SQLite has nothing like them and reads the organization's rows. The indexes are not part of the
models' state, because a model can't have an index on one database only.
"""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

INDEXES = {
    "product_folded_trigrams": ("inventory_levels_productmaster", "folded"),
    "level_folded_comments_trigrams": ("inventory_levels_inventorylevel", "folded_comments"),
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, (table, column) in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {table} USING gin ({column} gin_trgm_ops)")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("inventory_levels", "0001_initial")]

    operations = [TrigramExtension(), migrations.RunPython(create, drop)]
