"""What became of one row of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from inventory_levels.refusals import Refusal

Record = TypeVar("Record")
Outcome = Literal["created", "updated", "unchanged", "failed"]
OnError = Literal["abort", "skip"]


@dataclass(slots=True)
class Result(Generic[Record]):
    """``record`` as it is now, or ``refusal`` where the row failed.

    Where a batch was too long to read its records, only their ids are known. ``changes`` and
    ``made_from`` (which state of which record, "" for none) are told where somebody looks at
    them before anything is written.
    """

    outcome: Outcome
    record: Record | None = None
    refusal: Refusal | None = None
    known_id: str | None = None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made_from: str = ""

    @property
    def id(self) -> str | None:
        """The public id of a record that is or will be there; None of a row that failed."""
        return self.known_id or getattr(self.record, "public_id", None)

    def or_raise(self) -> Result[Record]:
        """This result, if the row did not fail; else raises its Refusal."""
        if self.refusal is not None:
            raise self.refusal
        return self

    @property
    def saved(self) -> Record:
        """The record of a row that did not fail."""
        assert self.record is not None
        return self.record
