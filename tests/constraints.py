"""Whether the database itself holds a constraint, whatever way a row takes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from tests.conftest import is_postgresql

quote = connection.ops.quote_name


def create(row: models.Model) -> None:
    row.save(force_insert=True)


def bulk_create(row: models.Model) -> None:
    type(row)._base_manager.bulk_create([row])


def raw_insert(row: models.Model) -> None:
    fields = [f for f in row._meta.concrete_fields if not f.generated]
    if row.pk is None:
        fields.remove(row._meta.pk)
    columns = ", ".join(quote(field.column) for field in fields)
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(row._meta.db_table)} ({columns}) "
            f"VALUES ({', '.join(['%s'] * len(values))})",
            values,
        )


def save(row: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def queryset_update(row: models.Model, values: dict[str, Any]) -> None:
    assert type(row)._base_manager.filter(pk=row.pk).update(**values) == 1


def raw_update(row: models.Model, values: dict[str, Any]) -> None:
    fields = [row._meta.get_field(name) for name in values]
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(row._meta.db_table)} SET {assignments} WHERE id = %s",
            [
                *(f.get_db_prep_save(values[f.attname], connection) for f in fields),
                row.pk,
            ],
        )


INSERTS: list[Callable[[models.Model], None]] = [create, bulk_create, raw_insert]
UPDATES: list[Callable[[models.Model, dict[str, Any]], None]] = [save, queryset_update, raw_update]


def holds(constraint: models.BaseConstraint, act: Callable[[], None]) -> None:
    """Asserts that the database refuses to act, because of this constraint where it says so."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        act()
    if is_postgresql():
        assert refused.value.__cause__.diag.constraint_name == constraint.name
    elif isinstance(constraint, models.CheckConstraint):
        assert constraint.name in str(refused.value)
    elif isinstance(constraint, models.UniqueConstraint):
        assert "UNIQUE" in str(refused.value)
    else:
        assert "FOREIGN KEY" in str(refused.value)


def constraints_of(models_: Iterable[type[models.Model]]) -> dict[str, models.BaseConstraint]:
    return {c.name: c for model in models_ for c in model._meta.constraints}


def names_in_the_database() -> str:
    """All that the database says of its constraints and unique indexes, as one text."""
    sql = "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_master"
    if is_postgresql():
        sql = "SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return "\n".join(row[0] for row in cursor.fetchall())
