"""Rows of levels in the JSON of LevelSerializer, which PostgreSQL writes itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from inventory_levels import shown, storage
from inventory_levels.api.serializers import LevelSerializer
from inventory_levels.shown import ShownLevel

LEVEL = LevelSerializer()
_MARKS: Any = ShownLevel._make(f"%{place}$s" for place, _ in enumerate(ShownLevel._fields, 1))
_AS_JSON = shown.as_json(orjson.dumps(LEVEL.to_representation(_MARKS, str, str)).decode())


def level_rows(page: Any, keys: Sequence[str]) -> Iterable[tuple[Sequence[Any], Any]]:
    """A Reader: the levels of the page, in JSON."""
    if storage.is_postgresql():
        return [(ends, orjson.Fragment(text)) for ends, text in shown.among(_AS_JSON, page, keys)]
    return [
        (ends, LEVEL.to_representation(level))
        for ends, level in shown.among(shown.AS_VALUES, page, keys)
    ]
