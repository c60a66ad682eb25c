"""From a form, or what a form would send, to the picture of a level and its recommendation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from inventory_levels import picture
from inventory_levels.admin.forms import QuantityField
from inventory_levels.admin.words import label_of, value_in_words
from inventory_levels.models import MAX_DAYS, QUANTITY_ORDER, AbcClass, LevelStatus
from inventory_levels.planning import Policy, Quantities, Settings, recommend
from inventory_levels.planning_in_words import explanation, wanting
from inventory_levels.remarks import remarks
from inventory_levels.rounding import plain

QUANTITY = QuantityField(required=False)
DAYS = forms.IntegerField(required=False, min_value=0, max_value=MAX_DAYS)
PERIOD = forms.IntegerField(required=False, min_value=1, max_value=MAX_DAYS)
FIELDS: dict[str, forms.Field] = {
    **dict.fromkeys((*QUANTITY_ORDER, "forecast_quantity"), QUANTITY),
    **dict.fromkeys(("expected_lead_time_days", "replenishment_period_days"), DAYS),
    "forecast_period_days": PERIOD,
    "abc_class": forms.TypedChoiceField(
        required=False, choices=AbcClass.choices, coerce=str, empty_value=None
    ),
    "status": forms.ChoiceField(choices=LevelStatus.choices),
}


@dataclass(slots=True)
class Typed:
    """A level's settings as they stand in the form, saved or not."""

    min_quantity: Decimal | None
    reorder_quantity: Decimal | None
    max_quantity: Decimal | None
    forecast_quantity: Decimal | None
    expected_lead_time_days: int | None
    replenishment_period_days: int | None
    forecast_period_days: int | None
    abc_class: str | None
    status: str

    @classmethod
    def read(cls, value_of: Callable[[str], Any]) -> Typed:
        """The values by the model's field names; impossible ones count as unset."""
        settings: dict[str, Any] = {}
        for name, field in FIELDS.items():
            try:
                settings[name] = field.clean(value_of(name))
            except ValidationError:
                settings[name] = None
        settings["status"] = settings["status"] or LevelStatus.SUPPORTED.value
        return cls(**settings)


def draw(typed: Typed, policy: Policy) -> picture.Drawing:
    """The picture of these settings."""
    return picture.draw(
        picture.Plan(
            minimum=typed.min_quantity,
            reorder=typed.reorder_quantity,
            maximum=typed.max_quantity,
            forecast=typed.forecast_quantity,
            forecast_period=typed.forecast_period_days,
            lead_time=typed.expected_lead_time_days,
            decimals=policy.decimals,
        )
    )


@dataclass(frozen=True, slots=True)
class Recommended:
    """One quantity beside the one recommended, as they are written."""

    field: str
    label: str
    current: str
    wanted: str

    @property
    def differs(self) -> bool:
        return self.current != self.wanted


@dataclass(frozen=True, slots=True)
class Advice:
    """``wanting`` says why nothing is recommended, where nothing is."""

    quantities: list[Recommended]
    wanting: str
    explanation: list[str]
    remarks: list[str]

    @property
    def differs(self) -> bool:
        return any(quantity.differs for quantity in self.quantities)


def advise(typed: Typed, policy: Policy) -> Advice:
    """What is recommended for these settings, with its arithmetic."""
    recommendation = recommend(typed, policy)
    quantities = recommendation.quantities
    return Advice(
        quantities=beside(typed, quantities) if quantities else [],
        wanting=wanting(recommendation),
        explanation=explanation(recommendation),
        remarks=[remark.sentence for remark in remarks(typed, recommendation)],
    )


def beside(level: Settings, quantities: Quantities) -> list[Recommended]:
    """A level's three quantities, each beside the one recommended."""
    return [
        Recommended(
            name,
            label_of(name),
            value_in_words(getattr(level, name)),
            plain(getattr(quantities, name)),
        )
        for name in QUANTITY_ORDER
    ]
