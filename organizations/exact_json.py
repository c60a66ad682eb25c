"""JSON texts, read exactly: without duplicate keys, NaN or binary rounding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


def loads(text: bytes | str) -> Any:
    """The value of a JSON text in UTF-8; numbers become int or Decimal.

    Raises ValueError that says what is wrong and where; UnicodeDecodeError is one of them.
    """
    decoded = text if isinstance(text, str) else text.decode("utf-8")
    try:
        try:
            return _loads(decoded, parse_float=Decimal)
        except (ValueError, InvalidOperation):  # perhaps of a number that Python refuses to read
            return _loads(decoded, parse_int=_integer, parse_float=_decimal)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _loads(text: str, **numbers: Any) -> Any:
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object, **numbers)


def _integer(text: str) -> int | Decimal:
    # Python refuses to read integers of thousands of digits; the field says that they are too long.
    return int(text) if len(text) < 20 else Decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond anything: 1e99999999999999999999
        digits, _, exponent = text.lower().partition("e")
        if not digits.strip("-0."):
            return Decimal(0)
        return Decimal("1e-99") if exponent.startswith("-") else Decimal("Infinity")


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object names the same key twice")
    return members
