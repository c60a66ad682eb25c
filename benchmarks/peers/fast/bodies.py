"""JSON bodies into what the statements take: text for each field, or None. Strict, and exact."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from benchmarks.peers.fast.refusals import Refused, malformed

Reader = Callable[[Any], str | None]

_quick = msgspec.json.Decoder(float_hook=Decimal).decode


def load(body: bytes) -> Any:
    """The value of a JSON text; numbers are int or Decimal. Raises Refused.

    The quick decoder takes the last of two same keys. A text whose strings hold no colons has as
    many of them as keys; whatever has more, or is wrong, the exact decoder reads again.
    """
    try:
        value = _quick(body)
        if body.count(b":") == _keys(value):
            return value
    except (ValueError, InvalidOperation, RecursionError):
        pass
    return load_exactly(body)


def _keys(value: Any) -> int:
    """Keys of an object, and of the objects in its arrays."""
    if type(value) is not dict:
        return 0
    lists = [member for member in value.values() if type(member) is list]
    return len(value) + sum(len(one) for many in lists for one in many if type(one) is dict)


def load_exactly(body: bytes) -> Any:
    if not body.strip():
        raise Refused("The body is empty.", "INVALID_JSON")
    if body.startswith(b"\xef\xbb\xbf"):
        sentence = "The body begins with a byte order mark; send it without."
        raise Refused(sentence, "INVALID_JSON")
    try:
        return json.loads(
            body.decode(),
            parse_int=lambda text: int(text) if len(text) < 20 else Decimal(text),
            parse_float=_decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise Refused("The body is not valid UTF-8.", "INVALID_JSON") from error
    except RecursionError as error:
        raise Refused("Invalid JSON: nested too deeply.", "INVALID_JSON") from error
    except ValueError as error:
        raise Refused(f"Invalid JSON: {error}.", "INVALID_JSON") from error


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond anything
        digits, _, exponent = text.lower().partition("e")
        if not digits.strip("-0."):
            return Decimal(0)
        return Decimal("1e-99") if exponent.startswith("-") else Decimal("Infinity")


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object names the same key twice")
    return members


# --- fields


class Wrong(ValueError):
    """What is wrong with a value."""


NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]").search
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z").match
_RESERVED = frozenset(
    {".", "..", "bulk", "import", "history", "evaluate", "recommendation", "recommendations"}
    | {"inventory-levels", "export.csv", "export.ndjson", "export.xlsx"}
)
_UNIT, _ROOMY, _LARGEST = Decimal("0.0001"), Context(prec=20), 10**11


def quantity(value: Any) -> str:
    if type(value) is int and 0 <= value < _LARGEST:
        return str(value)
    if type(value) not in (int, Decimal):
        raise Wrong("must be a number")
    exact = Decimal(value)
    if not exact:
        return "0"
    if not exact.is_finite() or exact.adjusted() >= 11:
        raise Wrong("must have at most 11 digits before the point")
    rounded = exact.quantize(_UNIT, context=_ROOMY)
    if rounded != exact:
        raise Wrong("must have at most 4 digits after the point")
    if exact < 0:
        raise Wrong("must not be negative")
    return str(rounded)


def whole_number(least: int, most: int) -> Reader:
    def read(value: Any) -> str:
        if type(value) not in (int, Decimal):
            raise Wrong("must be a number")
        if not least <= value <= most:
            raise Wrong(f"must be between {least} and {most}")
        if value != int(value):
            raise Wrong("must be a whole number")
        return str(int(value))

    return read


def public_id(value: Any) -> str:
    if type(value) is not str:
        raise Wrong("must be a string")
    if not _ID(value):
        raise Wrong("must be 1 to 64 characters out of A-Z a-z 0-9 _ . : -")
    if value.lower() in _RESERVED:
        raise Wrong("is a reserved word")
    return value


def choice(choices: Iterable[str], *, empty_is_unset: bool = False) -> Reader:
    words = {word.lower(): word for word in choices}
    exact = {word: word for word in choices}
    sentence = f"must be one of {', '.join(exact)}"

    def read(value: Any) -> str | None:
        if type(value) is not str:
            raise Wrong("must be a string")
        if value in exact:
            return value
        if empty_is_unset and not value:
            return None
        if NOT_TEXT(value):
            raise Wrong("must not hold control characters or broken Unicode")
        word = words.get(re.sub("[ _-]+", "", value).lower()) if value.isascii() else None
        if word is None:
            raise Wrong(sentence)
        return word

    return read


def comments(value: Any) -> str | None:
    if type(value) is not str:
        raise Wrong("must be a string")
    if NOT_TEXT(value):
        raise Wrong("must not hold control characters or broken Unicode")
    if len(value) > 4000:
        raise Wrong("must have at most 4000 characters")
    return value or None


STATUSES = (
    "Supported",
    "NotSupported",
    "SupportedNonInventory",
    "Stock",
    "Formulary",
    "Inactive",
)
status = choice(STATUSES)

READERS: dict[str, Reader] = {
    "productMasterId": public_id,
    "productId": public_id,
    "locationId": public_id,
    "minQuantity": quantity,
    "reorderQuantity": quantity,
    "maxQuantity": quantity,
    "status": status,
    "abcClass": choice("ABC", empty_is_unset=True),
    "expectedLeadTimeDays": whole_number(0, 36_500),
    "replenishmentPeriodDays": whole_number(0, 36_500),
    "forecastPeriodDays": whole_number(1, 36_500),
    "forecastQuantity": quantity,
    "preferredBinLocationId": public_id,
    "replenishmentLocationId": public_id,
    "comments": comments,
}
_ECHOED = {"id", "version", "createdAt", "updatedAt", "product", "productMaster", "location"}


def read_level(data: Any, *, partial: bool = False) -> dict[str, str | None]:
    """The fields of a body, ``product`` and ``location`` among them. Raises Refused."""
    if not isinstance(data, Mapping):
        raise Refused("The body must be a JSON object.")
    values, problems = parse_level(data, partial=partial)
    if problems:
        raise malformed(problems)
    return values


def parse_level(
    data: Mapping[str, Any], *, partial: bool = False
) -> tuple[dict[str, str | None], dict[str, list[str]]]:
    """What can be read, and what is wrong with the rest."""
    values: dict[str, str | None] = {}
    problems: dict[str, list[str]] = {}
    for name, value in data.items():
        reader = READERS.get(name)
        if reader is None:
            if name not in _ECHOED:
                printable = name.encode("utf-8", "backslashreplace").decode()[:100]
                problems[printable] = ["unknown field"]
        elif value is not None:
            try:
                values[name] = reader(value)
            except Wrong as wrong:
                problems[name] = [str(wrong)]
        elif name == "locationId":
            problems[name] = ["must not be null"]
        else:
            values[name] = "Supported" if name == "status" else None
    if not partial and "locationId" not in data:
        problems["locationId"] = ["is required"]
    _fold_product(values, problems, required=not partial)
    if "locationId" in values:
        values["location"] = values.pop("locationId")
    if (text := values.get("comments", "")) != "":
        values["folded_comments"] = text and text.casefold()
    return values, problems


def _fold_product(
    values: dict[str, str | None], problems: dict[str, list[str]], *, required: bool
) -> None:
    given = {n: values.pop(n) for n in ("productMasterId", "productId") if n in values}
    ids = set(given.values()) - {None}
    if len(ids) > 1:
        problems["productId"] = ["differs from productMasterId"]
    elif ids:
        values["product"] = ids.pop()
    elif not required:
        problems.update((name, ["must not be null"]) for name in given)
    elif not {"productMasterId", "productId"} & problems.keys():
        problems["productMasterId"] = ["is required"]
