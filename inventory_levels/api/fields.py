"""The types of the JSON API: strict fields, and the objects that are made of them."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError as Refused

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

    def read_null(self) -> Any:
        """The Python value of null. Likewise."""
        if not self.allow_null:
            raise ValidationError("must not be null")
        return self.null_means


class IdField(StrictField):
    json_schema = {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"}

    read = staticmethod(values.public_id)


class QuantityField(StrictField):
    """At most 11 digits before and 4 after the point."""

    json_schema = {"type": "number", "minimum": 0, "maximum": 99999999999.9999}

    read = staticmethod(quantities.quantity)


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


class StrictSerializer(serializers.Serializer[Any]):
    """Reads a JSON object whole: every problem at once, unknown fields among them.

    Read-only fields may be sent back and are ignored. Instances hold no state of a request,
    so one serves the whole process.
    """

    @cached_property
    def _readers(self) -> dict[str, tuple[str, Callable[[Any], Any], Callable[[], Any]] | None]:
        """Of each field, unless it is read-only, the source, and what reads a value and null."""
        fields: dict[str, Any] = dict(self.fields)
        return {
            name: None if field.read_only else (field.source, field.read, field.read_null)
            for name, field in fields.items()
        }

    @cached_property
    def _required(self) -> list[str]:
        return [name for name, field in self.fields.items() if field.required]

    def run_validation(self, data: Any = None) -> dict[str, Any]:
        """The values by source name. Raises REST framework's ValidationError, keyed by field."""
        if not isinstance(data, Mapping):
            raise Refused("The body must be a JSON object.")
        read, problems = self.parse(data)
        if problems:
            raise Refused(problems)
        return read

    def parse(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """The values that can be read, by source name, and the problems of the others."""
        read: dict[str, Any] = {}
        problems: dict[str, list[str]] = {}
        readers = self._readers
        for name, value in data.items():
            if name not in readers:
                problems[values.printable(name)] = ["unknown field"]
            elif reader := readers[name]:
                source, read_value, read_null = reader
                try:
                    read[source] = read_null() if value is None else read_value(value)
                except ValidationError as error:
                    problems[name] = error.messages
        if not self.partial:
            for name in self._required:
                if name not in data:
                    problems[name] = ["is required"]
        self.check(read, problems)
        return read, problems

    def check(self, values: dict[str, Any], problems: dict[str, list[str]]) -> None:
        """Adjust the values or add problems once all fields are read."""


def fold_product(values: dict[str, Any], problems: dict[str, list[str]], *, required: bool) -> None:
    """Fold the deprecated productId into productMasterId, which is read as ``product``."""
    if "productId" not in values and values.get("product") is not None:
        return
    names = {"productMasterId": "product", "productId": "productId"}
    given = {name: values.pop(key) for name, key in names.items() if key in values}
    ids = set(given.values()) - {None}
    if len(ids) > 1:
        problems["productId"] = ["differs from productMasterId"]
    elif ids:
        values["product"] = ids.pop()
    elif not required:
        problems.update((name, ["must not be null"]) for name in given)
    elif not names.keys() & problems.keys():
        problems["productMasterId"] = ["is required"]
