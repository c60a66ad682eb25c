"""The kinds of columns that the models are made of, with their limits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from organizations import public_ids
from organizations.constraints import SameOrganization
from organizations.texts import ExactCharField

MAX_COMMENTS = 4_000
MAX_DAYS = 36_500


# Between folded texts. No text may hold it, so no search finds across the border.
SEPARATOR = "\x1f"


class FoldedTextField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Other fields' text, case-folded by Python when the row is written.

    Each database folds only some of Unicode's letters, and each others; this way a search
    finds the same on both. Null where all the sources are.
    """

    def __init__(self, *, sources: Sequence[str], **kwargs: Any) -> None:
        super().__init__(null=True, editable=False, **{**kwargs, "default": None})
        self.sources = list(sources)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("null", "editable", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, {**kwargs, "sources": self.sources}

    def pre_save(self, row: models.Model, add: bool) -> str | None:
        texts = [text for source in self.sources if (text := getattr(row, source)) is not None]
        folded = SEPARATOR.join(texts).casefold() if texts else None
        setattr(row, self.attname, folded)
        return folded


def public_id(default: Any) -> ExactCharField:
    return ExactCharField(
        "id",
        max_length=public_ids.MAX_LENGTH,
        default=default,
        editable=False,
        validators=[public_ids.has_public_id_form, public_ids.is_not_reserved],
    )


def quantity(name: str, help_text: str) -> models.DecimalField[Any, Any]:
    """Units, exact: 11 digits before the point and 4 after it."""
    return models.DecimalField(
        name,
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=help_text,
    )


def days(name: str, help_text: str, *, least: int = 0) -> models.IntegerField[Any, Any]:
    return models.IntegerField(
        name,
        null=True,
        blank=True,
        validators=[MinValueValidator(least), MaxValueValidator(MAX_DAYS)],
        help_text=help_text,
    )


def same_organization(*fields: str, table: str) -> list[models.BaseConstraint]:
    return [SameOrganization(field=field, name=f"{table}_{field}_is_ours") for field in fields]


def unset_or_in_range(field: str, least: int, most: int | None = None) -> Q:
    in_range = Q(**{f"{field}__gte": least})
    if most is not None:
        in_range &= Q(**{f"{field}__lte": most})
    return Q(**{field: None}) | in_range
