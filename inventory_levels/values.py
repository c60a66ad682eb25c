"""What counts as a text, an id or one of a few words, whatever it was read from: JSON or a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError

from organizations import public_ids
from organizations.texts import is_text

_SEPARATORS = re.compile(r"[ _-]+")
_is_id = public_ids.PUBLIC_ID.match


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValidationError("must be a string")
    return value


def text(value: object, *, longest: int, shortest: int = 0) -> str:
    """The text, kept as given. Raises ValidationError, like all of these."""
    given = _string(value)
    is_text(given)
    if len(given) < shortest:
        raise ValidationError("must not be empty")
    if len(given) > longest:
        raise ValidationError(f"must have at most {longest} characters")
    return given


def reads_the_same(text: str, other: str) -> bool:
    """Whether texts differ at most in the kind of their line ends.

    A workbook, and many an editor, knows one kind only.
    """
    return text == other or _line_feeds(text) == _line_feeds(other)


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def public_id(value: object) -> str:
    # A dozen times as fast as the validators.
    if isinstance(value, str) and _is_id(value) and value.lower() not in public_ids.RESERVED:
        return value
    given = _string(value)
    public_ids.has_public_id_form(given)
    public_ids.is_not_reserved(given)
    return given


def printable(name: str) -> str:
    """A name that somebody gave, safe to repeat: half a surrogate pair would break the answer."""
    return name.encode("utf-8", "backslashreplace").decode()[:100]


class Choice:
    """Reads one of a few words, whatever their case and separators."""

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = list(choices)
        self._as_written = frozenset(choices)
        self._by_word = {_word(choice): choice for choice in choices}

    def __call__(self, value: object) -> str:
        if isinstance(value, str) and value in self._as_written:
            return value
        given = _string(value)
        is_text(given)
        choice = self._by_word.get(_word(given)) if given.isascii() else None
        if choice is None:
            raise ValidationError(f"must be one of {', '.join(self.choices)}")
        return choice


def _word(text: str) -> str:
    return _SEPARATORS.sub("", text).lower()
