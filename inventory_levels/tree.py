"""The tree of locations by primary key: who is inside whom, and who may be. Reads no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from inventory_levels.models import Location, LocationType
from inventory_levels.refusals import Invalid

MAX_DEPTH = 100


class Tree:
    """Locations and their parents (None: at the top), as a batch has decided so far."""

    def __init__(self, parents: Mapping[int, int | None]) -> None:
        self.parents: dict[int, int | None] = {}
        self.children: defaultdict[int | None, set[int]] = defaultdict(set)
        for key, parent in parents.items():
            self.put(key, parent)

    @classmethod
    def around(cls, locations: Iterable[Location]) -> Tree:
        """These locations and all above them, which their paths name; not what is inside."""
        parents: dict[int, int | None] = {}
        for location in locations:
            above: int | None = None
            for key in [*map(int, location.path.split("/")[1:-1]), location.pk]:
                parents[key] = above
                above = key
        return cls(parents)

    def put(self, key: int, parent: int | None) -> None:
        """Put a location, and what is inside, into another one."""
        if key in self.parents:
            self.children[self.parents[key]].discard(key)
        self.parents[key] = parent
        self.children[parent].add(key)

    def above(self, key: int | None) -> Iterator[int]:
        """The location itself and all that it is inside of, innermost first."""
        while key is not None:
            yield key
            key = self.parents[key]

    def inside(self, *keys: int) -> set[int]:
        """The locations themselves and all that is inside them."""
        found, unseen = set[int](), list(keys)
        while unseen:
            key = unseen.pop()
            if key not in found:
                found.add(key)
                unseen += self.children.get(key, ())
        return found

    def path(self, key: int) -> str:
        """What Location.path has to say of the location."""
        above = [*self.above(key)][:0:-1]
        return "".join(f"/{one}" for one in above) + "/"

    def check(self, key: int, parent: int | None, kind: str) -> None:
        """Raise Invalid where the location, known yet or not, can't be of that type there."""
        if parent is None:
            if kind == LocationType.BIN:
                raise Invalid({"parentId": ["is required for a bin"]})
            return
        if key in self.parents and self.parents[key] == parent:
            return
        above = [*self.above(parent)]
        if key in above:
            raise Invalid({"parentId": ["must not be the location itself or inside it"]})
        if len(above) + self._height(key) > MAX_DEPTH:
            raise Invalid({"parentId": [f"locations nest at most {MAX_DEPTH} deep"]})

    def _height(self, key: int) -> int:
        """How deep the tree goes from the location downwards: 1 where nothing is inside."""
        height, level = 0, {key}
        while level:
            height += 1
            level = {child for one in level for child in self.children.get(one, ())}
        return height
