"""Levels are vacuumed when one in a hundred was written, where the database is PostgreSQL.

Totals are counted from an index, which needs no look into the table where vacuum has been since
the last write; by default it comes when one row in five was written.
"""

from django.db import migrations

TABLE = "inventory_levels_inventorylevel"
SETTINGS = {"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_insert_scale_factor": 0.01}


def often(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        settings = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
        schema_editor.execute(f"ALTER TABLE {TABLE} SET ({settings})")


def as_by_default(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {TABLE} RESET ({', '.join(SETTINGS)})")


class Migration(migrations.Migration):
    dependencies = [("inventory_levels", "0003_import_drafts")]

    operations = [migrations.RunPython(often, as_by_default)]
