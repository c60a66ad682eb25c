"""An organization's planning settings: what recommendations and ABC classes aim at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from inventory_levels.planning import Policy
from organizations.tenancy import TenantManager, TenantModel, current_organization

_LEAST, _MOST = Decimal(50), Decimal("99.99")
SERVICE_LEVELS = ("service_level_a", "service_level_b", "service_level_c", "service_level_other")


def _percent(name: str, default: int, least: Decimal, most: Decimal, help_text: str) -> Any:
    return models.DecimalField(
        name,
        max_digits=5,
        decimal_places=2,
        default=Decimal(default),
        validators=[MinValueValidator(least), MaxValueValidator(most)],
        help_text=help_text,
    )


def _service_level(name: str, default: int) -> Any:
    return _percent(
        name,
        default,
        _LEAST,
        _MOST,
        "Percent of replenishment cycles that should end without running out.",
    )


class PlanningSettingsManager(TenantManager["PlanningSettings"]):
    def current(self) -> PlanningSettings:
        """Those of the organization in scope, or the defaults where none were saved."""
        organization = current_organization()
        saved = self.filter(organization=organization).first()
        return saved or PlanningSettings(organization=organization)


class PlanningSettings(TenantModel):
    """The defaults are those of every organization that has not chosen otherwise."""

    service_level_a = _service_level("service level of A", 98)
    service_level_b = _service_level("service level of B", 95)
    service_level_c = _service_level("service level of C", 90)
    service_level_other = _service_level("service level without a class", 95)
    a_percent = _percent(
        "A up to",
        80,
        Decimal(0),
        Decimal(100),
        "Percent of the value of use: the products that make it up, dearest first, are A.",
    )
    b_percent = _percent(
        "B up to",
        95,
        Decimal(0),
        Decimal(100),
        "Percent likewise, A included: the next ones are B, and the rest is C.",
    )
    decimals = models.PositiveSmallIntegerField(
        "decimal places",
        default=0,
        validators=[MaxValueValidator(4)],
        help_text="Of recommended quantities: 0 for whole units, up to 4.",
    )

    objects: ClassVar[PlanningSettingsManager] = PlanningSettingsManager()

    class Meta:
        verbose_name = verbose_name_plural = "planning settings"
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], name="one_planning_settings_per_organization"
            ),
            models.CheckConstraint(
                condition=Q(
                    *(
                        Q(**{f"{name}__gte": _LEAST, f"{name}__lte": _MOST})
                        for name in SERVICE_LEVELS
                    )
                ),
                name="service_levels_in_range",
            ),
            models.CheckConstraint(
                condition=Q(a_percent__gte=0, a_percent__lte=F("b_percent"), b_percent__lte=100),
                name="abc_cut_offs_ascend",
            ),
            models.CheckConstraint(condition=Q(decimals__lte=4), name="at_most_4_decimals"),
        ]

    def __str__(self) -> str:
        return "Planning settings"

    def clean(self) -> None:
        """Raise ValidationError where B would end before A does."""
        a, b = self.a_percent, self.b_percent
        if isinstance(a, Decimal) and isinstance(b, Decimal) and a > b:
            raise ValidationError({"b_percent": [f"must not be below that of A ({a:f})"]})

    @property
    def policy(self) -> Policy:
        """The same for the arithmetic, in shares of one."""
        a, b, c, other = (getattr(self, name) / 100 for name in SERVICE_LEVELS)
        return Policy(
            service_levels={"A": a, "B": b, "C": c, None: other},
            a_share=self.a_percent / 100,
            b_share=self.b_percent / 100,
            decimals=self.decimals,
        )
