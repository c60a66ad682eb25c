"""The ids that clients see: opaque, prefixed by kind, time-ordered where they are ours.

A row's bigint primary key never leaves the database.
"""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from ulid import ULID

MAX_LENGTH = 64
PUBLIC_ID = re.compile(r"\A[A-Za-z0-9_.:-]{1,64}\Z")

# A product named "bulk" could never be read: /api/products/bulk is another page.
RESERVED = frozenset(
    {".", "..", "bulk", "import", "history", "evaluate", "recommendation", "recommendations"}
    | {"inventory-levels", "export.csv", "export.ndjson", "export.xlsx"}
)

has_public_id_form = RegexValidator(
    PUBLIC_ID, "must be 1 to 64 characters out of A-Z a-z 0-9 _ . : -", code="invalid_id"
)


def is_not_reserved(value: str) -> None:
    """Raise ValidationError for an id that a URL of the API already means something else by."""
    if value.lower() in RESERVED:
        raise ValidationError("is a reserved word", code="reserved_id")


def new_public_id(kind: str) -> str:
    """A new id such as ``level_01k…``: 48 bits of milliseconds, then 80 random bits."""
    return f"{kind}_{str(ULID()).lower()}"


def new_organization_id() -> str:
    return new_public_id("org")


def new_key_id() -> str:
    return new_public_id("key")
