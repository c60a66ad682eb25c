"""Why the domain refuses something: a sentence, a published code, and the fields concerned."""

from collections.abc import Mapping, Sequence

Details = Mapping[str, Sequence[str] | int]


def counted(number: int, noun: str) -> str:
    """ "1 level", "1,000 levels"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


class Refusal(Exception):
    """A request that can't be met as it stands. Nothing was written."""

    code = "VALIDATION_ERROR"

    def __init__(self, sentence: str, details: Details | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = details


class Unfinished(Exception):
    """Writing in chunks gave up, for the reason that is its cause, after the first of them.

    ``done`` rows of ``total`` are written; ``unsure``: perhaps more.
    """

    def __init__(self, done: int, total: int, *, unsure: bool) -> None:
        perhaps = ", perhaps more" if unsure else ""
        super().__init__(f"{done:,} of {counted(total, 'row')} were written{perhaps}")


class Invalid(Refusal):
    """Values that can't be stored together; ``details`` names the fields."""

    def __init__(self, details: Mapping[str, Sequence[str]]) -> None:
        field, messages = next(iter(details.items()))
        super().__init__(f"{field}: {messages[0]}", details)


class InvalidQuantities(Refusal):
    code = "INVALID_QUANTITIES"

    def __init__(self, details: Details) -> None:
        super().__init__("Invalid quantities: min ≤ reorder ≤ max required", details)


class NotFound(Refusal):
    code = "NOT_FOUND"


class Conflict(Refusal):
    code = "CONFLICT"


class PreconditionFailed(Refusal):
    code = "PRECONDITION_FAILED"
