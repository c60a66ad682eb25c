"""Many levels in one request: COPY, one statement that merges, one that writes with history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import AsyncConnection

from benchmarks.peers.fast import answers, bodies, bulk_sql
from benchmarks.peers.fast.refusals import Refused, disordered, malformed, refused_places
from benchmarks.peers.fast.sql import FIELDS

MAX_ITEMS = 10_000


class LostRace(Exception):
    """Another transaction has made a level that was not there."""


class Batch:
    """The rows of a request and what becomes of them. Raises Refused for a bad envelope.

    Reading 10,000 rows holds up the worker's other requests for a tenth of a second.
    """

    def __init__(self, body: Any) -> None:
        items, self.aborts, self.is_dry = _envelope(body)
        self.results: list[dict[str, Any]] = [{}] * len(items)
        self.rows: list[tuple[int, dict[str, Any]]] = []
        pairs = []
        for index, item in enumerate(items):
            values, refused = _read(item)
            pairs.append((values.get("product"), values.get("location")))
            if refused:
                self.results[index] = _result(index, "failed", None, refused)
            else:
                self.rows.append((index, values))
        times = Counter(pairs)
        self.repeated = {index for index, _ in self.rows if times[pairs[index]] > 1}
        shapes = {tuple(row) for _, row in self.rows}
        self.given = [name for name in FIELDS if any(name in shape for shape in shapes)]
        self.always = {name for name in self.given if all(name in shape for shape in shapes)}

    @property
    def failed(self) -> int:
        return sum(one.get("outcome") == "failed" for one in self.results)

    async def save(
        self, connection: AsyncConnection[Any], organization: int, key: str, name: str
    ) -> None:
        """Decide all rows, and write them unless one is bad and all are to be kept out."""
        statements = bulk_sql.Statements(organization, self.given, self.always)
        while self.rows:
            try:
                async with connection.transaction():
                    await self._decide(connection, statements)
                    if not self.is_dry and not (self.aborts and self.failed):
                        await self._write(connection, statements, [key, name])
                return
            except LostRace:
                continue

    async def _decide(
        self, connection: AsyncConnection[Any], statements: bulk_sql.Statements
    ) -> None:
        await connection.execute(statements.stage(), prepare=False)
        async with connection.cursor() as cursor, cursor.copy("COPY staged FROM STDIN") as copy:
            await copy.write("\n".join(self._lines()).encode() + b"\n")
        for statement in ("ANALYZE staged", *statements.hold(), statements.merge()):
            await connection.execute(statement, prepare=False)
        good = await connection.execute(bulk_sql.GOOD, prepare=False)
        for n, outcome, level in await good.fetchall():
            is_new = self.is_dry and outcome == "created"
            self.results[n] = _result(n, outcome, None if is_new else level, None)
        bad = await connection.execute(bulk_sql.BAD, prepare=False)
        for n, *found in await bad.fetchall():
            self.results[n] = _result(n, "failed", None, _refusal(*found))

    async def _write(
        self, connection: AsyncConnection[Any], statements: bulk_sql.Statements, actor: list[str]
    ) -> None:
        written = await connection.execute(statements.write(), actor, prepare=False)
        counts = await written.fetchone()
        if counts and counts[0] != counts[1]:
            raise LostRace

    def _lines(self) -> Iterator[str]:
        """The rows in COPY's text format; only comments hold what it escapes."""
        names = [*self.given, "folded_comments"]
        nulls = dict.fromkeys(names)
        for index, row in self.rows:
            given = sum([bulk_sql.BITS[name] for name in self.given if name in row])
            values = {**nulls, **row}
            if values.get("comments"):
                for name in ("comments", "folded_comments"):
                    values[name] = values[name].translate(_ESCAPES)
            texts = [values[name] or "\\N" for name in names]
            is_repeated = "t" if index in self.repeated else "f"
            own = f"{index}\t{values['product']}\t{values['location']}\tlevel_{answers.ulid()}"
            yield "\t".join([own, is_repeated, str(given), *texts])

    def answer(self) -> tuple[int, dict[str, Any]]:
        counts = Counter(one["outcome"] for one in self.results)
        failed = counts["failed"]
        is_aborted = self.aborts and failed > 0
        outcomes = ("created", "updated", "unchanged")
        body: dict[str, Any] = {
            **{name: 0 if is_aborted else counts[name] for name in outcomes},
            "failed": failed,
            "dryRun": self.is_dry,
            "results": self.results,
        }
        if not is_aborted:
            return 200, body
        body["results"] = [one for one in self.results if one["outcome"] == "failed"]
        sentence = f"{failed} of {len(self.results)} items were refused; nothing was written."
        return 400, {"error": sentence, "code": "VALIDATION_ERROR", **body}


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_REPEATED = Refused("The same product and location comes more than once")


def _result(index: int, outcome: str, level: str | None, refused: Refused | None) -> dict[str, Any]:
    return {
        "index": index,
        "outcome": outcome,
        "id": level,
        "error": refused.sentence if refused else None,
        "code": refused.code if refused else None,
        "details": (refused.details or None) if refused else None,
    }


def _refusal(
    is_repeated: bool,
    ascends: bool,
    has_product: bool,
    has_location: bool,
    has_bin: bool,
    has_source: bool,
    is_below: bool,
    is_elsewhere: bool,
    *quantities: str | None,
) -> Refused:
    if is_repeated and has_product and has_location:
        return _REPEATED
    found = (has_product, has_location, has_bin, has_source)
    if not (all(found) and is_below and is_elsewhere):
        return refused_places(found, (), is_below, is_elsewhere)
    return disordered(*map(answers.number, quantities))


def _envelope(body: Any) -> tuple[list[Any], bool, bool]:
    if not isinstance(body, Mapping):
        raise Refused("The body must be a JSON object.")
    known = ("items", "onError", "dryRun")
    items, on_error = body.get("items"), body.get("onError", "abort")
    is_dry = body.get("dryRun", False)
    problems = {name: ["unknown field"] for name in body if name not in known}
    if not isinstance(items, list):
        problems["items"] = ["must be an array" if "items" in body else "is required"]
    elif not 1 <= len(items) <= MAX_ITEMS:
        problems["items"] = [f"must hold 1 to {MAX_ITEMS} items"]
    if on_error not in ("abort", "skip"):
        problems["onError"] = ["must be one of abort, skip"]
    if not isinstance(is_dry, bool):
        problems["dryRun"] = ["must be true or false"]
    if problems or not isinstance(items, list):
        raise malformed(problems)
    return items, on_error == "abort", is_dry


def _read(item: Any) -> tuple[dict[str, Any], Refused | None]:
    if not isinstance(item, Mapping):
        return {}, Refused("Each item must be a JSON object.")
    values, problems = bodies.parse_level(item)
    if not problems:
        return values, None
    name, messages = next(iter(problems.items()))
    return values, Refused(f"{name}: {messages[0]}", details=problems)
