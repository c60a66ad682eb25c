"""What became of one row of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from inventory_levels.refusals import Refusal

Record = TypeVar("Record")
Outcome = Literal["created", "updated", "unchanged", "failed"]
OnError = Literal["abort", "skip"]


@dataclass(slots=True)
class Result(Generic[Record]):
    """``record`` as it is now, or ``refusal`` where the row failed."""

    outcome: Outcome
    record: Record | None = None
    refusal: Refusal | None = None

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
