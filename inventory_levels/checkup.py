"""What check_levels looks for: suspicious or contradictory levels, and what mends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat

from inventory_levels.findings import FINDINGS
from inventory_levels.models import InventoryLevel, LevelStatus
from inventory_levels.planning import DEFAULT_FORECAST_PERIOD


@dataclass(frozen=True, slots=True)
class Check:
    """``remedy`` is what the level's settings become, where there is one right answer."""

    slug: str
    label: str
    where: Q
    remedy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        """Under which name ``suspects`` tell whether it applies."""
        return self.slug.replace("-", "_")


_REMEDIES: dict[str, dict[str, Any]] = {
    "no-forecast-period": {"forecast_period_days": DEFAULT_FORECAST_PERIOD},
    "inactive-product": {"status": LevelStatus.INACTIVE.value},
}
# No level gets there by itself, but a database that was written by hand may have it.
_BIN_OUTSIDE = Check(
    "bin-outside",
    "Preferred bin is outside the location",
    Q(preferred_bin_location__isnull=False)
    & ~Q(
        preferred_bin_location__path__contains=Concat(
            Value("/"),
            Cast(F("location_id"), TextField()),
            Value("/"),
            output_field=TextField(),
        )
    ),
    {"preferred_bin_location": None},
)
CHECKS = (
    *(
        Check(found.slug, found.label, found.where, _REMEDIES.get(found.slug, {}))
        for found in FINDINGS
    ),
    _BIN_OUTSIDE,
)


def left_after_mending(applying: Sequence[Check]) -> list[Check]:
    """Of what applies to a level what still would, once all remedies of it were taken.

    Of a level that is switched off nothing is said.
    """
    if any(check.remedy.get("status") == LevelStatus.INACTIVE for check in applying):
        return []
    return [check for check in applying if not check.remedy]


def suspects(*checks: Check) -> QuerySet[InventoryLevel]:
    """The levels that one of these applies to, each with a flag that says so."""
    flags = {
        check.flag: Case(When(check.where, then=True), default=False, output_field=BooleanField())
        for check in checks
    }
    anything = reduce(or_, (check.where for check in checks))
    return InventoryLevel.objects.filter(anything).annotate(**flags)
