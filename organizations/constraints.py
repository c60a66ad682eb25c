"""A foreign key over (organization, id), declared like any other constraint."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.constraints import BaseConstraint


class SameOrganization(BaseConstraint):
    """FOREIGN KEY (organization, field) REFERENCES parent (organization, id).

    Holds on SQLite and PostgreSQL however a row is written. The parent needs a unique
    constraint over (organization, id), the field ``db_constraint=False``. Not deferrable:
    the error comes at the statement that breaks it.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def _foreign_key(self, model: Any, editor: Any) -> str:
        quote = editor.quote_name
        column = model._meta.get_field(self.field).column
        parent = model._meta.get_field(self.field).related_model
        table, key = parent._meta.db_table, parent._meta.pk.column
        return (
            f"FOREIGN KEY ({quote('organization_id')}, {quote(column)}) "
            f"REFERENCES {quote(table)} ({quote('organization_id')}, {quote(key)})"
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        name = schema_editor.quote_name(self.name)
        return f"CONSTRAINT {name} {self._foreign_key(model, schema_editor)}"

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {schema_editor.quote_name(self.name)}"

    def validate(
        self,
        model: Any,
        instance: models.Model,
        exclude: Any = None,
        using: str = "default",
    ) -> None:
        """Raise ValidationError on the field where its row is another organization's."""
        if exclude and self.field in exclude:
            return
        field: Any = model._meta.get_field(self.field)
        key = getattr(instance, field.attname)
        if key is None:
            return
        rows = field.related_model._base_manager.using(using)
        organization = model._meta.get_field("organization").value_from_object(instance)
        if not rows.filter(pk=key, organization_id=organization).exists():
            raise ValidationError({self.field: "must belong to the same organization"})

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SameOrganization):
            return NotImplemented
        return (self.name, self.field) == (other.name, other.field)

    __hash__ = None  # type: ignore[assignment]
