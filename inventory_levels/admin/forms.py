"""The forms of levels: one level on its page, and the rows of the list."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inventory_levels import services
from inventory_levels.admin.saving import AtVersion, SafeForm
from inventory_levels.admin.words import changes_of, changes_since, label_of, name_of, told
from inventory_levels.models import QUANTITY_ORDER, SETTINGS, InventoryLevel
from inventory_levels.quantities import quantity
from inventory_levels.refusals import NotFound, PreconditionFailed, Refusal
from inventory_levels.rounding import plain
from inventory_levels.services import LevelRow, Origin
from organizations.texts import whole_number

DECIMAL = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", re.ASCII)


class QuickInput(forms.TextInput):
    """An input that needs no template: a page of the list has seven hundred of them."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        given = {"type": self.input_type, "name": name, **self.build_attrs(self.attrs, attrs)}
        given["value"] = self.format_value(value)
        return format_html("<input{}>", flatatt(given))


class HiddenQuickInput(QuickInput):
    input_type = "hidden"


BOUNDS = {
    "min_value": "must be at least %(limit_value)s",
    "max_value": "must be at most %(limit_value)s",
}


def _number_input(mode: str) -> QuickInput:
    return QuickInput(attrs={"inputmode": mode, "autocomplete": "off", "class": "quantity"})


class QuantityField(forms.DecimalField):
    """A quantity as people type it: with a decimal point and no thousands separators."""

    hidden_widget = HiddenQuickInput
    default_error_messages: ClassVar[Any] = {
        **BOUNDS,
        "invalid": "Type a number such as 1200 or 12.5.",
        "max_decimal_places": "must have at most %(max)s digits after the point",
        "max_whole_digits": "must have at most %(max)s digits before the point",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"widget": _number_input("decimal")})

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        text = "" if value is None else str(value).strip()
        if not text:
            return None
        if not DECIMAL.fullmatch(text):
            raise ValidationError(self.error_messages["invalid"])
        return quantity(Decimal(text))

    def prepare_value(self, value: Any) -> Any:
        return plain(value) if isinstance(value, Decimal) else value


class WholeNumberField(forms.IntegerField):
    """Days and the like; looks like a quantity."""

    hidden_widget = HiddenQuickInput
    default_error_messages: ClassVar[Any] = {
        **BOUNDS,
        "invalid": "Type a whole number such as 14.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"widget": _number_input("numeric")})


class _OfLevel(SafeForm):
    """What both forms share; ``origin`` is set by the page for each request."""

    origin: Origin
    field_of: ClassVar[dict[str, str]] = {
        **SETTINGS,
        "productMasterId": "product",
        "locationId": "location",
    }

    def stamp(self, record: Any) -> str:
        return f"{record.public_id}@{record.version}"

    @property
    def shown_version(self) -> int:
        return whole_number(self.cleaned_data["shown"].rpartition("@")[2]) or 0

    def row(self) -> LevelRow:
        return LevelRow(
            level=self.instance.public_id,
            settings=self.values(),
            precondition=AtVersion(self.shown_version),
        )

    def moved_on(self, record: Any) -> str:
        return changes_of(record, self.shown_version)


class LevelForm(_OfLevel):
    """One level. Its product and location are chosen when it is made, and stay."""

    def row(self) -> LevelRow:
        if self.instance.pk:
            return super().row()
        values = self.values()
        return LevelRow(
            product=values.pop("product"),
            location=values.pop("location"),
            settings=values,
            precondition=AtVersion(None),
        )

    def rehearse(self) -> Refusal | None:
        (result,) = services.save_levels([self.row()], origin=self.origin, dry_run=True)
        return result.refusal

    def tell_conflict(self) -> None:
        if self.instance.pk:
            super().tell_conflict()
            return
        pair = {name: self.cleaned_data[name] for name in ("product", "location")}
        there = InventoryLevel.objects.filter(**pair).first()
        if there is None:
            self.add_error("location", "had a level of this product until just now: save again")
            return
        address = reverse("admin:inventory_levels_inventorylevel_change", args=[there.pk])
        self.add_error(
            "location",
            format_html('has a level of this product already: <a href="{}">open it</a>', address),
        )


class LevelRowForm(_OfLevel):
    """A row of the list: the three quantities."""

    class Meta:
        model = InventoryLevel
        fields = QUANTITY_ORDER
        field_classes = dict.fromkeys(QUANTITY_ORDER, QuantityField)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in QUANTITY_ORDER:
            where = name_of(self.instance) if self.instance.pk else ""
            self.fields[name].widget.attrs["aria-label"] = f"{label_of(name)}, {where}"

    def rehearse(self) -> None:
        """All rows are rehearsed together, by their formset."""


class LevelRows(forms.BaseModelFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The rows of a page. If one is refused none is saved."""

    origin: Origin
    # Rows that were edited have been left out, as their levels are gone.
    some_are_gone: bool = False

    def add_fields(self, form: Any, index: int | None) -> None:
        """The key without the look-up that Django makes for each: the rows are read already."""
        super().add_fields(form, index)
        form.fields["id"] = forms.IntegerField(
            initial=form.instance.pk, required=False, widget=HiddenQuickInput
        )

    def changed(self) -> list[Any]:
        return [form for form in self.forms if form.has_changed()]

    def clean(self) -> None:
        """Rows that moved on are told also where others have faults."""
        super().clean()
        said = ["Nothing was saved yet."] if self.some_are_gone else []
        changed = [form for form in self.changed() if not form.errors]
        rows = [form.row() for form in changed]
        results = services.save_levels(rows, origin=self.origin, dry_run=True)
        moved_on = []
        for form, result in zip(changed, results, strict=True):
            if isinstance(result.refusal, NotFound):
                form.add_error(None, "This level was deleted meanwhile.")
            elif isinstance(result.refusal, PreconditionFailed):
                moved_on.append(form)
            elif result.refusal:
                form.refuse(result.refusal)
        if moved_on:
            said.append(f"Changed since you opened the page: {self._tell_conflicts(moved_on)}.")
        if said:
            raise ValidationError(said)

    @staticmethod
    def _tell_conflicts(forms: list[Any]) -> str:
        """Each form tells its own; the answer names them."""
        levels = InventoryLevel.objects.in_bulk([form.instance.pk for form in forms])
        seen = {form.instance.public_id: form.shown_version for form in forms}
        since = changes_since(seen)
        for form in forms:
            now = levels.get(form.instance.pk)
            form.put_on_top_of(now, told(since[form.instance.public_id]))
        return ", ".join(name_of(form.instance) for form in forms)
