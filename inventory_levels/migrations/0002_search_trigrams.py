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


class Trigrams(TrigramExtension):
    """Django's asks SQLite for its extensions when it goes back."""

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("inventory_levels", "0001_initial")]

    operations = [Trigrams(), migrations.RunPython(create, drop)]
