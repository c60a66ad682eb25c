"""What counts as a text, an id or one of a few words, whatever it was read from: JSON or a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError

from organizations import public_ids
from organizations.texts import NOT_TEXT

_SEPARATORS = re.compile(r"[\s_-]+")


def text(value: object, *, longest: int, shortest: int = 0) -> str:
    """The text, kept as given. Raises ValidationError, like all of these."""
    if not isinstance(value, str):
        raise ValidationError("must be a string")
    if NOT_TEXT.search(value):
        raise ValidationError("must not hold control characters")
    if len(value) < shortest:
        raise ValidationError("must not be empty")
    if len(value) > longest:
        raise ValidationError(f"must have at most {longest} characters")
    return value


def public_id(value: object) -> str:
    if not isinstance(value, str):
        raise ValidationError("must be a string")
    public_ids.has_public_id_form(value)
    public_ids.is_not_reserved(value)
    return value


class Choice:
    """Reads one of a few words, whatever their case and separators."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = list(choices)
        self._by_word = {_word(choice): choice for choice in choices}

    def __call__(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        choice = self._by_word.get(_word(value))
        if choice is None:
            raise ValidationError(f"must be one of {', '.join(self.choices)}")
        return choice


def _word(text: str) -> str:
    return _SEPARATORS.sub("", text).lower()
