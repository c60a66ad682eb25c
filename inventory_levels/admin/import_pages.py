"""What the pages of an import say, from what its report counts."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from inventory_levels.files.columns import LEVELS
from inventory_levels.models import ImportDraft, LevelChange

_BEFORE = {
    "created": "to be created",
    "updated": "to be changed",
    "unchanged": "stay as they are",
    "failed": "refused",
}
_AFTER = {
    "created": "created",
    "updated": "changed",
    "unchanged": "stayed as they were",
    "failed": "refused",
}


def page_of(draft: ImportDraft) -> dict[str, Any]:
    """What the draft's page needs besides its report."""
    counts = draft.report["counts"]
    is_done = draft.state == ImportDraft.State.DONE
    words = _AFTER if is_done else _BEFORE
    if counts["unchanged"] == 1:
        words = words | {"unchanged": "stayed as it was" if is_done else "stays as it is"}
    page = {
        "figures": [(f"{counts[kind]:,}", word, kind) for kind, word in words.items()],
        "refused": _section(draft, "failed"),
    }
    if is_done:
        return page | {"changes": _changes_of(draft)}
    return page | {
        "sections": [
            {**_section(draft, "updated"), "title": "To be changed", "how": "From → to"},
            {**_section(draft, "created"), "title": "To be created", "how": "With"},
        ],
        **_choice(draft, counts["created"] + counts["updated"], counts["failed"]),
    }


def rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _section(draft: ImportDraft, kind: str) -> dict[str, Any]:
    count, listed = draft.report["counts"][kind], draft.report[kind]
    unlisted = count - len(listed)
    rest = (
        f"The first {rows(len(listed))} are listed, {unlisted:,} more are not." if unlisted else ""
    )
    action = "CREATE" if kind == "created" else "UPDATE"
    return {"kind": kind, "rows": listed, "said": rows(count), "rest": rest, "action": action}


def _choice(draft: ImportDraft, good: int, failed: int) -> dict[str, Any]:
    """What to say, and the button that says yes, if there is something to say yes to."""
    others = "the other rows are" if draft.on_error == "skip" else "nothing is"
    if not any(draft.report["counts"].values()):
        return {"advice": "The file has no rows below its header."}
    if not good and not failed:
        return {"advice": "Every row is stored like this already: there is nothing to import."}
    if not good:
        return {"advice": "No row is left to import. Correct the file, and choose it again."}
    if not failed:
        return {
            "advice": f"If somebody changes one of them before you say yes, {others} imported, "
            "and you are told which it was.",
            "button": f"Import {rows(good)}",
            "on_error": draft.on_error,
            "is_plain": True,
        }
    if draft.on_error == "skip":
        return {
            "advice": "The refused rows are left out. Correct them, and import them later.",
            "button": f"Import the {'good row' if good == 1 else f'{good:,} good rows'}",
            "on_error": "skip",
            "is_plain": True,
        }
    return {
        "advice": "As you asked, nothing is imported while rows are refused. Correct the file and "
        "choose it again, or leave the refused rows out.",
        "button": f"Import the other {'row' if good == 1 else f'{good:,} rows'}",
        "on_error": "skip",
    }


def _changes_of(draft: ImportDraft) -> str:
    """Where the history tells of it; products and locations have none."""
    if draft.table != LEVELS.name:
        return ""
    asked = {"source": LevelChange.Source.IMPORT.value, "since": f"{draft.begun_at:%Y-%m-%d}"}
    return f"{reverse('admin:inventory_levels_levelchange_changelist')}?{urlencode(asked)}"
