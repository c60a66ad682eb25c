"""The types of the JSON API: strict fields, and the objects that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError as Refused

from inventory_levels import quantities, values


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field that reads one JSON value; ``null_means`` is what null, where allowed, stands for."""

    json_schema: dict[str, Any]
    takes_only_short = False  # texts and whole numbers, so that those it took may be kept

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
    takes_only_short = True
    json_schema = {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"}

    read = staticmethod(values.public_id)


class QuantityField(StrictField):
    """At most 11 digits before and 4 after the point."""

    takes_only_short = True
    json_schema = {"type": "number", "minimum": 0, "maximum": 99999999999.9999}

    read = staticmethod(quantities.quantity)


class WholeNumberField(StrictField):
    takes_only_short = True

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


# Not Decimal: a short quantity may come with a million zeros.
_PLAIN = frozenset({str, int})


class _Reader(NamedTuple):
    """What reads a field's values: any, plain ones, of which many rows have the same, and null."""

    source: str
    read: Callable[[Any], Any]
    read_again: Callable[[Any], Any]
    read_null: Callable[[], Any]

    @classmethod
    def of(cls, field: Any) -> _Reader:
        again = lru_cache(1_000)(field.read) if field.takes_only_short else field.read
        return cls(field.source, field.read, again, field.read_null)


class StrictSerializer(serializers.Serializer[Any]):
    """Reads a JSON object whole: every problem at once, unknown fields among them.

    Read-only fields may be sent back and are ignored. Instances hold no state of a request,
    so one serves the whole process.
    """

    @cached_property
    def _readers(self) -> dict[str, _Reader | None]:
        """Of each field, unless it is read-only."""
        fields: dict[str, Any] = dict(self.fields)
        return {
            name: None if field.read_only else _Reader.of(field) for name, field in fields.items()
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
                source, read_value, read_again, read_null = reader
                try:
                    if value is None:
                        read[source] = read_null()
                    else:
                        read[source] = (read_again if type(value) in _PLAIN else read_value)(value)
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
