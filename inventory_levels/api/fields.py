"""The types of the JSON API: strict, without regard to what else the object holds."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from inventory_levels import quantities, values


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field that reads one JSON value; ``null_means`` is what null, where allowed, stands for."""

    json_schema: dict[str, Any]

    def __init__(self, *, null_means: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.null_means = null_means

    def read(self, value: Any) -> Any:
        """The Python value of a JSON value other than null. Raises Django's ValidationError."""
        raise NotImplementedError

    def read_nullable(self, value: Any) -> Any:
        """Likewise, null included."""
        if value is not None:
            return self.read(value)
        if not self.allow_null:
            raise ValidationError("must not be null")
        return self.null_means


class IdField(StrictField):
    json_schema = {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"}

    def read(self, value: Any) -> str:
        return values.public_id(value)


class QuantityField(StrictField):
    """At most 11 digits before and 4 after the point."""

    json_schema = {"type": "number", "minimum": 0, "maximum": 99999999999.9999}

    def read(self, value: Any) -> Any:
        return quantities.quantity(value)


class WholeNumberField(StrictField):
    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most
        self.json_schema = {"type": "integer", "minimum": least, "maximum": most}

    def read(self, value: Any) -> int:
        return quantities.whole_number(value, least=self.least, most=self.most)


class TextField(StrictField):
    """Text, kept as given. ``empty_is_unset``: an empty one clears the field."""

    def __init__(
        self, *, longest: int, shortest: int = 0, empty_is_unset: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.shortest, self.longest, self.empty_is_unset = shortest, longest, empty_is_unset
        self.json_schema = {"type": "string", "minLength": shortest, "maxLength": longest}

    def read(self, value: Any) -> str | None:
        text = values.text(value, shortest=self.shortest, longest=self.longest)
        return None if self.empty_is_unset and not text else text


class ChoiceField(StrictField):
    """One of a few words, whatever their case and separators."""

    def __init__(self, *, choices: list[str], empty_is_unset: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.empty_is_unset, self._choice = empty_is_unset, values.Choice(choices)
        self.json_schema = {"type": "string", "enum": choices}

    def read(self, value: Any) -> str | None:
        return None if self.empty_is_unset and value == "" else self._choice(value)
