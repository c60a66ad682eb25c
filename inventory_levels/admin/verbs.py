"""What can be done to many levels at once: each verb says what it needs to know and what it makes
of a level. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from django import forms
from django.contrib.admin import site
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from inventory_levels.admin.words import label_of
from inventory_levels.models import (
    QUANTITY_ORDER,
    SETTINGS,
    AbcClass,
    InventoryLevel,
    LevelStatus,
    Location,
    PlanningSettings,
)
from inventory_levels.planning import Policy, recommend
from inventory_levels.planning_in_words import wanting
from inventory_levels.quantities import quantity
from inventory_levels.remarks import counted_remarks, remarks
from inventory_levels.replenishment import reason_for, settings_of
from inventory_levels.rounding import rounded_half_up
from organizations.admin.base import Autocomplete


class Verb:
    """``settings`` of a level after it; a ValidationError where that level can't have it."""

    slug: ClassVar[str]
    label: ClassVar[str]
    most: ClassVar[int] = 10_000
    form_class: ClassVar[type[forms.Form]]
    # Whether there is something to ask for before there can be a preview.
    asks: ClassVar[bool] = True

    def settings(self, level: InventoryLevel, asked: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def remarks(self, levels: Sequence[InventoryLevel], asked: Mapping[str, Any]) -> list[str]:
        """What a person should know before saying yes."""
        return []

    def reason(self, level: InventoryLevel, asked: Mapping[str, Any]) -> str | None:
        """What the level's history says beside what changed."""
        return None


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=LevelStatus.choices, widget=UnfoldAdminSelectWidget)


class SetStatus(Verb):
    slug, label, form_class = "status", "Set status", StatusForm

    def settings(self, level: InventoryLevel, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"status": asked["status"]}


class ClassForm(forms.Form):
    abc_class = forms.ChoiceField(
        label="ABC class",
        required=False,
        choices=[*AbcClass.choices, ("", "None")],
        widget=UnfoldAdminSelectWidget,
    )


class SetClass(Verb):
    slug, label, form_class = "class", "Set ABC class", ClassForm

    def settings(self, level: InventoryLevel, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"abc_class": asked["abc_class"] or None}


class ScaleForm(forms.Form):
    factor = forms.DecimalField(
        min_value=Decimal(0),
        max_value=Decimal(1_000_000),
        max_digits=20,
        decimal_places=10,
        error_messages={"invalid": "Type a number such as 1.1 or 0.5."},
        help_text="1.1 is ten per cent more, 0.5 is half. Results are rounded to 4 decimals.",
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    quantities = forms.MultipleChoiceField(
        choices=[(name, label_of(name).capitalize()) for name in QUANTITY_ORDER],
        initial=QUANTITY_ORDER,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


def scaled(value: Decimal, factor: Decimal) -> tuple[Decimal, bool]:
    """The product, rounded half up to 4 decimals, and whether it had to be.

    Raises ValidationError where it has too many digits for a quantity.
    """
    exact = Fraction(value) * Fraction(factor)
    rounded = rounded_half_up(exact)
    return quantity(rounded), rounded != exact


class Scale(Verb):
    slug, label, form_class = "scale", "Scale quantities", ScaleForm

    def settings(self, level: InventoryLevel, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, (value, _) in self._scaled(level, asked).items()}

    def remarks(self, levels: Sequence[InventoryLevel], asked: Mapping[str, Any]) -> list[str]:
        rounded = sum(self._is_rounded(level, asked) for level in levels)
        return [f"{rounded:,} of them are rounded to 4 decimals."] if rounded else []

    def _is_rounded(self, level: InventoryLevel, asked: Mapping[str, Any]) -> bool:
        try:
            return any(was for _, was in self._scaled(level, asked).values())
        except ValidationError:
            return False

    def _scaled(
        self, level: InventoryLevel, asked: Mapping[str, Any]
    ) -> dict[str, tuple[Decimal, bool]]:
        return {
            name: scaled(value, asked["factor"])
            for name in asked["quantities"]
            if (value := getattr(level, name)) is not None
        }


class CopyForm(forms.Form):
    overwrite = forms.BooleanField(
        label="Overwrite",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Also where the location has a level of the product already.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        target = forms.ModelChoiceField(
            Location.objects.all(),
            label="To location",
            widget=Autocomplete(InventoryLevel._meta.get_field("location"), site),
        )
        self.fields = {"target": target, **self.fields}


class Copy(Verb):
    slug, label, form_class = "copy", "Copy to another location", CopyForm

    def settings(self, level: InventoryLevel, asked: Mapping[str, Any]) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        for name in SETTINGS.values():
            value = getattr(level, name)
            settings[name] = getattr(value, "public_id", value)
        if self._loses_bin(level, asked):
            settings["preferred_bin_location"] = None
        if self._loses_source(level, asked):
            settings["replenishment_location"] = None
        return settings

    def remarks(self, levels: Sequence[InventoryLevel], asked: Mapping[str, Any]) -> list[str]:
        bins = sum(self._loses_bin(level, asked) for level in levels)
        sources = sum(self._loses_source(level, asked) for level in levels)
        target = asked["target"].name
        return [
            *([f"{bins:,} preferred bins are not inside {target} and left out."] if bins else []),
            *([f"{sources:,} are replenished from {target} itself: left out."] if sources else []),
        ]

    @staticmethod
    def _loses_bin(level: InventoryLevel, asked: Mapping[str, Any]) -> bool:
        preferred = level.preferred_bin_location
        return preferred is not None and not preferred.is_below(asked["target"])

    @staticmethod
    def _loses_source(level: InventoryLevel, asked: Mapping[str, Any]) -> bool:
        return bool(level.replenishment_location == asked["target"])


class Delete(Verb):
    # One statement a level and more: a page must answer in seconds.
    slug, label, form_class, most = "delete", "Delete", forms.Form, 1_000
    asks = False


class RecommendForm(forms.Form):
    """Nothing to choose; it carries the planning settings that a preview was worked out with."""

    policy = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self.aims = PlanningSettings.objects.current().policy
        super().__init__(None if data is None else {"policy": repr(self.aims)})

    def clean_policy(self) -> Policy:
        return self.aims


class ApplyRecommendation(Verb):
    slug, label, form_class = "recommend", "Apply recommendations", RecommendForm
    asks = False

    def settings(self, level: InventoryLevel, asked: Mapping[str, Any]) -> dict[str, Any]:
        recommendation = recommend(level, asked["policy"])
        if recommendation.quantities is None:
            raise ValidationError(wanting(recommendation))
        return settings_of(recommendation.quantities)

    def remarks(self, levels: Sequence[InventoryLevel], asked: Mapping[str, Any]) -> list[str]:
        found = ((level, recommend(level, asked["policy"])) for level in levels)
        return counted_remarks(remarks(*one) for one in found if one[1].quantities)

    def reason(self, level: InventoryLevel, asked: Mapping[str, Any]) -> str:
        policy: Policy = asked["policy"]
        return reason_for(policy.service_levels[level.abc_class])


VERBS: dict[str, Verb] = {
    verb.slug: verb
    for verb in (
        SetStatus(),
        SetClass(),
        Scale(),
        ApplyRecommendation(),
        Copy(),
        Delete(),
    )
}
