"""Pages of levels: by number with a total, or by cursor; in one fixed order."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from benchmarks.peers.fast import answers, bodies, database, sql
from benchmarks.peers.fast.refusals import malformed

FILTERS = ("productMasterId", "locationId", "status")
PARAMETERS = ("page", "limit", "cursor", *FILTERS)
MAX_DEPTH = 10_000


class Page:
    """What a list's query asks for. Raises Refused."""

    def __init__(self, query: dict[str, str]) -> None:
        self.limit = _whole(query, "limit", 50, most=500)
        self.number = self.organization = 0
        self.values: dict[str, Any] = {}
        filters = _filters(query, self.values)
        chosen = [(name, query[name]) for name in FILTERS if name in query]
        self.purpose = hashlib.sha256(repr(chosen).encode()).hexdigest()[:16]
        cursor = query.get("cursor")
        if cursor is None:
            self.number = _whole(query, "page", 1)
            if self.number * self.limit > MAX_DEPTH:
                message = f"page × limit must be at most {MAX_DEPTH}; walk further with cursor"
                raise malformed({"page": [message]})
            self.values["offset"] = (self.number - 1) * self.limit
            self.statement = sql.numbered(self.limit, filters)
            return
        if "page" in query:
            raise malformed({"page": ["can't be combined with cursor"]})
        if cursor:
            made_for, product, location, self.organization = _opened(cursor)
            if made_for != self.purpose:
                raise _MADE_FOR_ANOTHER
            self.values |= {"after_product": str(product), "after_location": str(location)}
        self.statement = sql.following(self.limit, bool(cursor), filters)

    def check(self, organization: int) -> None:
        """Refuse the cursor of another organization."""
        if organization != self.organization:
            raise _MADE_FOR_ANOTHER

    def answer(self, rows: list[database.Row]) -> dict[str, Any]:
        following, paging = None, {"pageSize": self.limit}
        if len(rows) > self.limit:
            following = _sealed(self.purpose, *rows[self.limit - 1][sql.CHECKS :])
        if self.number:
            total = rows[0][sql.CREATED]
            pages = -(-total // self.limit)
            paging = {"page": self.number, **paging, "total": total, "totalPages": pages}
            if rows[0][sql.ITEM] is None:  # the total alone
                rows = []
        level = answers.level
        items = [level(row) for row in rows[: self.limit]]
        return {"items": items, "pagination": {**paging, "nextCursor": following}}


def _whole(query: dict[str, str], name: str, default: int, most: int | None = None) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise malformed({name: ["must be a whole number from 1"]})
    if most is not None and int(text) > most:
        raise malformed({name: [f"must be at most {most}"]})
    return int(text)


def _filters(query: dict[str, str], values: dict[str, Any]) -> tuple[tuple[str, bool], ...]:
    """The filters by name, and whether they have several values; fills in the values."""
    found, problems = [], {}
    for name in FILTERS:
        if (text := query.get(name)) is None:
            continue
        try:
            chosen = _listed(text, bodies.status if name == "status" else bodies.public_id)
        except bodies.Wrong as wrong:
            problems[name] = [str(wrong)]
            continue
        found.append((name, len(chosen) > 1))
        values[name] = chosen if len(chosen) > 1 else chosen[0]
    if problems:
        raise malformed(problems)
    return tuple(found)


def _listed(text: str, read: bodies.Reader) -> list[str | None]:
    if not text:
        raise bodies.Wrong("must not be empty")
    values = text.split(",")
    if len(values) > 100:
        raise bodies.Wrong("must list at most 100 values")
    if "" in values:
        raise bodies.Wrong("must not list an empty value")
    return [read(value) for value in values]


# --- cursors: sealed, as primary keys count what all organizations do


@cache
def _cipher() -> AESSIV:
    return AESSIV(hashlib.sha512(os.environ.get("SECRET_KEY", "a secret").encode()).digest())


def _sealed(*content: Any) -> str:
    sealed = _cipher().encrypt(orjson.dumps(content), None)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _opened(cursor: str) -> Any:
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return orjson.loads(_cipher().decrypt(sealed, None))
    except (ValueError, InvalidTag) as error:
        raise malformed({"cursor": ["is not a cursor of this service"]}) from error


_MADE_FOR_ANOTHER = malformed(
    {"cursor": ["was made for another list, other filters or another ordering"]}
)
