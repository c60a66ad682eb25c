"""An import from its upload to its end: looked at, kept, and written as it was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.db import transaction

from inventory_levels.admin.import_kinds import KINDS
from inventory_levels.admin.import_reports import LISTED, OUTCOMES, Report
from inventory_levels.admin.refused import refused_rows
from inventory_levels.models import ImportDraft
from inventory_levels.models.drafts import Packed
from inventory_levels.previews import State
from inventory_levels.results import OnError
from inventory_levels.services import Origin
from organizations.tenancy import current_organization

FILE, STATES, REFUSED = "file", "states", "refused"


def start(
    file: BinaryIO, file_name: str, *, table: str, on_error: OnError, actor_id: str
) -> ImportDraft:
    """Look at a file, and keep it with what was seen. Raises BadFile."""
    draft = ImportDraft(
        organization=current_organization(),
        actor_id=actor_id,
        table=table,
        file_name=file_name,
        on_error=on_error,
    )
    with Packed() as content:
        content.copy(file)
        _look(draft, file, content=content)
    return draft


def look_again(draft: ImportDraft) -> None:
    """Work it out anew, on top of what is stored now."""
    with draft.opened(FILE) as file:
        _look(draft, file)


def apply(draft: ImportDraft, *, origin: Origin, on_error: OnError) -> None:
    """Write the rows that were shown as good; the caller has begun the draft.

    Where rows have moved on since, ``abort`` writes nothing: then the draft is looked at again
    and says which they are.
    """
    kind = KINDS[draft.table]
    with draft.opened(FILE) as file, draft.opened(STATES) as states, Packed() as refused:
        for piece in draft.read(REFUSED):
            refused.write(piece)
        report = Report(kind.table, refused)
        counts = kind.write(
            file, _states(states), origin=origin, on_error=on_error, tell=report.tell
        )
        moved_on = refused_rows(report.failed, kind.table)
        if counts.aborted:
            file.seek(0)
            _look(draft, file, moved_on={"count": counts.failed, "rows": moved_on})
            return
        done = {name: getattr(counts, name) for name in OUTCOMES}
        done["failed"] += draft.report["counts"]["failed"]
        rows = [*moved_on, *draft.report["failed"]][:LISTED]
        draft.finish({"counts": done, "failed": rows}, refused=refused)


def _look(
    draft: ImportDraft, file: BinaryIO, *, content: Packed | None = None, moved_on: Any = None
) -> None:
    kind = KINDS[draft.table]
    with Packed() as states, Packed() as refused:

        def note(number: int, state: str) -> None:
            states.write(f"{number} {state}\n".encode())

        report = Report(kind.table, refused)
        report.begin()
        counts = kind.preview(file, tell=report.tell, note=note)
        shown = {**report.as_json(counts), "moved_on": moved_on}
        parts = {STATES: states, REFUSED: refused} | ({FILE: content} if content else {})
        with transaction.atomic():
            if draft.pk is None:
                ImportDraft.objects.make_room(draft.actor_id)
                draft.save()
            draft.show(shown, **parts)


def _states(lines: Iterable[bytes]) -> Iterator[State]:
    for line in lines:
        number, _, state = line.decode().rstrip("\n").partition(" ")
        yield int(number), state
