"""From a form, or what a form would send, to the picture of a level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from inventory_levels import picture
from inventory_levels.admin.forms import QuantityField
from inventory_levels.models import MAX_DAYS

DAYS = forms.IntegerField(required=False, min_value=0, max_value=MAX_DAYS)
PERIOD = forms.IntegerField(required=False, min_value=1, max_value=MAX_DAYS)
FIELDS: dict[str, tuple[str, forms.Field]] = {
    "minimum": ("min_quantity", QuantityField(required=False)),
    "reorder": ("reorder_quantity", QuantityField(required=False)),
    "maximum": ("max_quantity", QuantityField(required=False)),
    "forecast": ("forecast_quantity", QuantityField(required=False)),
    "forecast_period": ("forecast_period_days", PERIOD),
    "lead_time": ("expected_lead_time_days", DAYS),
}


def draw(value_of: Callable[[str], Any]) -> picture.Drawing:
    """The picture of these values, by the model's field names; impossible ones count as unset."""
    settings: dict[str, Any] = {}
    for name, (field_name, field) in FIELDS.items():
        try:
            settings[name] = field.clean(value_of(field_name))
        except ValidationError:
            settings[name] = None
    return picture.draw(picture.Plan(**settings))
