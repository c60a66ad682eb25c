"""The way from a form to the one writer: only what the person changed, and only on top of the
version that the person saw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.forms.models import construct_instance
from django.http import HttpRequest, QueryDict

from inventory_levels.admin.words import value_in_words
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.refusals import PreconditionFailed, Refusal
from inventory_levels.services import Origin
from organizations.actors import Actor
from organizations.admin.base import WorkspaceAdmin


@dataclass(frozen=True, slots=True)
class AtVersion:
    """The level is still as it was shown; None: there was none."""

    version: int | None

    def holds_for(self, level: InventoryLevel | None) -> bool:
        return (level.version if level else None) == self.version


def origin_of(request: HttpRequest) -> Origin:
    user: Any = request.user
    return Origin(Actor.of_user(user), LevelChange.Source.ADMIN)


class ShownField(forms.CharField):
    """Which state of the row the page showed; no part of what the person changes."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class SafeForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form that knows what it showed, so that it tells the person's changes from others'.

    Each field carries its value as shown; what differs from that was typed. When the row has
    moved on, the form comes back with what was typed, all else as it is now, and the reason:
    saving again is then a decision.
    """

    # Names that refusals have for fields.
    field_of: ClassVar[dict[str, str]] = {}

    shown = ShownField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.show_hidden_initial = bool(self.instance.pk) and name not in ("shown", "id")
        if self.instance.pk:
            self.fields["shown"].initial = self.stamp(self.instance)

    def stamp(self, record: Any) -> str:
        """What tells one state of the record from another."""
        raise NotImplementedError

    def rehearse(self) -> Refusal | None:
        """What the writer would say to this form; nothing is written."""
        raise NotImplementedError

    def moved_on(self, record: Any) -> str:
        """Who did what to the record since it was shown."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """What the person changed, by the model's field names; records by their public id.

        Of a new record: all that is set.
        """
        given = self.changed_data if self.instance.pk else self.cleaned_data
        values = {
            name: self._as_row_value(self.cleaned_data[name]) for name in given if name != "shown"
        }
        if self.instance.pk:
            return values
        return {name: value for name, value in values.items() if value is not None}

    @staticmethod
    def _as_row_value(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("\r\n", "\n") or None
        return getattr(value, "public_id", value)

    def _post_clean(self) -> None:
        """As a ModelForm does, without a query for each constraint: the writer holds them."""
        self.instance = construct_instance(self, self.instance, self._meta.fields)
        exclude: set[str] = self._get_validation_exclusions()  # type: ignore[attr-defined]
        exclude |= {field.name for field in self.instance._meta.fields if field.is_relation}
        for check in (partial(self.instance.clean_fields, exclude=exclude), self.instance.clean):
            try:
                check()
            except forms.ValidationError as error:
                self._update_errors(error)  # type: ignore[attr-defined]
        if not self.errors and self.has_changed() and (refusal := self.rehearse()):
            self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> None:
        """Say it where it belongs: next to the fields that it names, else above the form."""
        if isinstance(refusal, PreconditionFailed):
            self.tell_conflict()
            return
        details = refusal.details or {}
        told = False
        for name, messages in details.items():
            field = self.field_of.get(name, name)
            if field in self.fields and not isinstance(messages, int):
                self.add_error(field, list(messages))
                told = True
        if not told:
            self.add_error(None, refusal.sentence)

    def tell_conflict(self) -> None:
        model: Any = self._meta.model
        now = model.objects.filter(pk=self.instance.pk).first()
        self.put_on_top_of(now, self.moved_on(now) if now else "")

    def put_on_top_of(self, now: Any, what_happened: str) -> None:
        """Come back with what was typed, beside what the record is now; None: it is gone."""
        if now is None:
            self.add_error(None, "This was deleted meanwhile; nothing was saved.")
            return
        self.add_error(
            None,
            f"Nothing was saved, as it changed since you opened the page. {what_happened} "
            "What you typed is kept: save again to put it in place of that.",
        )
        for name in self.changed_data:
            current = getattr(now, name)
            if current != self._shown_value(name) and current != self.cleaned_data.get(name):
                self.add_error(name, f"is {value_in_words(current)} now")
        self.data = self._on_top_of(now)

    def _shown_value(self, name: str) -> Any:
        """None also for what no page can have shown."""
        field, bound = self.fields[name], self[name]
        try:
            return field.clean(self.data.get(bound.html_initial_name))
        except forms.ValidationError:
            return None

    def told(self) -> str:
        """What the person changed, from what to what."""
        return "; ".join(
            f"{self.called(name)} {self._in_words(name, self._shown_value(name))} → "
            f"{self._in_words(name, self.cleaned_data[name])}"
            for name in self.changed_data
        )

    def _in_words(self, name: str, value: Any) -> str:
        choices = dict(self._meta.model._meta.get_field(name).flatchoices)
        return str(choices.get(value) or value_in_words(value))

    def called(self, name: str) -> str:
        """The field's name in such a sentence."""
        return str(self[name].label)

    def _on_top_of(self, now: Any) -> QueryDict:
        """The posted data with what was typed kept, and all else as the record is now."""
        data: QueryDict = self.data.copy()  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if name == "shown":
                data[self.add_prefix(name)] = self.stamp(now)
            elif field.show_hidden_initial:
                value = getattr(now, self._meta.model._meta.get_field(name).attname)
                text = field.prepare_value(value)
                text = "" if text is None else str(text)
                data[self[name].html_initial_name] = text
                if name not in self.changed_data:
                    data[self.add_prefix(name)] = text
        return data


class SafeFormPage(WorkspaceAdmin):
    """The part of a ModelAdmin whose page has such a form."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the theme's pop-ups for adding what a field refers to."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refusal:
            # Somebody was quicker after the form had been checked: now the check sees it.
            return super().changeform_view(request, *args, **kwargs)
