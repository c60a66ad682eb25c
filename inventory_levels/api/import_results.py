"""The answer to an import: what became of each row, in a temporary file where they are many."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, Self, TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from inventory_levels.imports import Counts, RowResult

# An answer up to this size is sent whole, with its length.
_IN_MEMORY = 1024 * 1024
_Row = TypeVar("_Row")


class ImportResults:
    """Takes results in any order. Must be answered, or left by an exception."""

    dry_run = False

    def __init__(self) -> None:
        self.rows = 0
        self._numbers = array("Q")
        self._failed = bytearray()
        self._ends = array("Q", [0])
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # see __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *args: object) -> None:
        if failure:
            self._file.close()

    def counting(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """The rows, counted as they pass."""
        for row in rows:
            self.rows += 1
            yield row

    def tell(self, result: RowResult) -> None:
        refusal = result.refusal
        would_be = self.dry_run and result.outcome == "created"
        text = _json(
            {
                "index": result.number - 2,  # below the header, from 0
                "row": result.number,
                "outcome": result.outcome,
                "id": None if would_be else result.id,
                "error": refusal.sentence if refusal else None,
                "code": refusal.code if refusal else None,
                "details": refusal.details if refusal else None,
            }
        )
        self._numbers.append(result.number)
        self._failed.append(refusal is not None)
        self._ends.append(self._ends[-1] + self._file.write(text.encode()))

    def answer(self, counts: Counts) -> HttpResponseBase:
        """The bulk request's answer; where an import was aborted, with the failed rows only."""
        aborted = counts.aborted
        body: dict[str, Any] = {
            "created": 0 if aborted else counts.created,
            "updated": 0 if aborted else counts.updated,
            "unchanged": 0 if aborted else counts.unchanged,
            "failed": counts.failed,
            "dryRun": self.dry_run,
        }
        if aborted:
            error = f"{counts.failed} of {self.rows} rows were refused; nothing was written."
            body = {"error": error, "code": "VALIDATION_ERROR", **body}
        told = [place for place, failed in enumerate(self._failed) if failed or not aborted]
        told.sort(key=self._numbers.__getitem__)
        size = sum(self._ends[place + 1] - self._ends[place] for place in told)
        response = HttpResponse if size <= _IN_MEMORY else StreamingHttpResponse
        return response(self._pieces(body, told), "application/json", 400 if aborted else 200)

    def _pieces(self, body: dict[str, Any], in_order: Sequence[int]) -> Iterator[bytes]:
        """The JSON object, with these results as its last member."""
        with self._file:
            yield f'{_json(body)[:-1]},"results":['.encode()
            for start in range(0, len(in_order), 1_000):
                texts = map(self._text, in_order[start : start + 1_000])
                yield (b"," if start else b"") + b",".join(texts)
            yield b"]}"

    def _text(self, place: int) -> bytes:
        start, end = self._ends[place], self._ends[place + 1]
        self._file.seek(start)
        return self._file.read(end - start)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
