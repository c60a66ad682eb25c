"""The rules of the location tree: where a location may be, and what a move takes along."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q, Value
from django.db.models.functions import Concat, Substr

from inventory_levels.models import InventoryLevel, Location, LocationType
from inventory_levels.refusals import Conflict, Invalid, counted

MAX_DEPTH = 100


def path_in(parent: Location | None, location: Location, kind: str) -> str:
    """The path of a location of that type inside a parent (None: at the top).

    Raises Invalid where it can't be there.
    """
    if parent is None:
        if kind == LocationType.BIN:
            raise Invalid({"parentId": ["is required for a bin"]})
        return "/"
    if location.pk is not None and (parent == location or parent.is_below(location)):
        raise Invalid({"parentId": ["must not be the location itself or inside it"]})
    arrives = location.pk is None or location.path != parent.path_below
    if arrives and _depth(parent) + _height(location) > MAX_DEPTH:
        raise Invalid({"parentId": [f"locations nest at most {MAX_DEPTH} deep"]})
    return parent.path_below


def _depth(location: Location) -> int:
    """1 at the top."""
    return location.path.count("/")


def _inside(location: Location) -> Q:
    return Q(path__startswith=location.path_below)


def _height(location: Location) -> int:
    """How deep the tree goes from the location downwards: 1 for one that has nothing inside."""
    if location.pk is None:
        return 1
    paths = Location.objects.filter(_inside(location)).values_list("path", flat=True)
    deepest = max((path.count("/") for path in paths), default=_depth(location))
    return deepest - _depth(location) + 1


def lock(locations: Iterable[Location]) -> None:
    """Lock locations that are to move, and all that is inside them, against level writers.

    It waits for those that hold one of them (storage.hold).
    """
    moving = [Q(pk=location.pk) | _inside(location) for location in locations]
    if moving:
        rows = Location.objects.select_for_update().filter(reduce(or_, moving))
        list(rows.order_by("pk").values_list("pk"))


def move(location: Location, path: str) -> None:
    """Rewrite the paths below a location that is about to move to ``path``; both are locked.

    Raises Conflict where a level prefers a bin that would leave the level's location.
    """
    inside = _inside(location)
    moving = [location.pk, *Location.objects.filter(inside).values_list("pk", flat=True)]
    still_around = [*moving, *(int(key) for key in path.split("/") if key)]
    stranded = InventoryLevel.objects.filter(preferred_bin_location__in=moving).exclude(
        location__in=still_around
    )
    if count := stranded.count():
        raise Conflict(
            f"It would take the preferred bin of {counted(count, 'level')} out of the location",
            {"levels": count},
        )
    beyond = Substr("path", len(location.path) + 1)
    Location.objects.filter(inside).update(path=Concat(Value(path), beyond))
