"""Rows into JSON and ETags, and what preconditions name."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson

dump = orjson.dumps


def number(text: str | None) -> int | float | None:
    """50 for 50.0000, 12.5 for 12.5000: a double tells all decimals of 15 digits apart."""
    if text is None:
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def moment(text: str) -> str:
    """PostgreSQL's text of a time in UTC, which ends in +00 and leaves zeros out."""
    return f"{text[:10]}T{text[11:-3] + '.' if len(text) == 22 else text[11:-3]:0<15}Z"


def level(row: Sequence[Any], at: int = 3) -> dict[str, Any]:
    """The one representation, from a row that has it from column ``at`` on."""
    (
        public_id,
        product,
        location,
        least,
        reorder,
        most,
        status,
        abc_class,
        lead_time,
        replenishment_period,
        forecast_period,
        forecast,
        preferred_bin,
        source,
        comments,
        version,
        created_at,
        updated_at,
        sku,
        name,
        place,
    ) = row[at : at + 21]
    return {
        "id": public_id,
        "productMasterId": product,
        "locationId": location,
        "minQuantity": number(least),
        "reorderQuantity": number(reorder),
        "maxQuantity": number(most),
        "status": status,
        "abcClass": abc_class,
        "expectedLeadTimeDays": lead_time,
        "replenishmentPeriodDays": replenishment_period,
        "forecastPeriodDays": forecast_period,
        "forecastQuantity": number(forecast),
        "preferredBinLocationId": preferred_bin,
        "replenishmentLocationId": source,
        "comments": comments,
        "version": version,
        "createdAt": moment(created_at),
        "updatedAt": moment(updated_at),
        "product": {"id": product, "sku": sku, "name": name},
        "productMaster": {"id": product, "globalSku": sku, "productName": name},
        "location": {"id": location, "name": place},
    }


def etag(row: Sequence[Any], at: int = 3) -> str:
    product, location = row[at + 1 : at + 3]
    shown = "\0".join([product, row[at + 18], row[at + 19], location, row[at + 20]])
    digest = blake2b(shown.encode(), digest_size=6).hexdigest()
    return f'"{row[at]}.{row[at + 15]}.{digest}"'


_TAG = re.compile(r'((?:W/)?"[^"]*")')


def tags(header: str) -> list[str]:
    return ["*"] if header.strip() == "*" else _TAG.findall(header)


def ids_and_versions(header: str, *, weakly: bool) -> list[str]:
    """Of a header's tags what writes compare; a weak tag counts only ``weakly``."""
    found = tags(header)
    if found == ["*"]:
        return found
    if weakly:
        found = [one.removeprefix("W/") for one in found]
    return [one.strip('"').rpartition(".")[0] for one in found]


# --- ids

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)


def ulid() -> str:
    """48 bits of milliseconds, then 80 random bits, in base 32."""
    bits = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])
