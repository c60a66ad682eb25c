#!/usr/bin/env python3
"""Do two requests at the same moment ever break a rule together? Ends with 1 if so.

    .venv/bin/python benchmarks/races.py                                  # SQLite
    script/postgres .venv/bin/python benchmarks/races.py                  # PostgreSQL
    script/postgres .venv/bin/python benchmarks/races.py --only bin --rounds 1000

Each scenario has gunicorn as it is shipped and a database of its own. Each round has things of its
own and requests that leave together; whoever lost a round starts a little earlier in the next, so
that they keep meeting. A round is right where the answers are one of the allowed pairs and the
database holds what the winner was told, and nothing of the loser.

cycle    two moves of locations that would close a cycle together
bin      a bin, or the aisle that it is in, leaves the location while a level there prefers it
delete   a product is deleted while a level of it is made
pair     eight first requests for one pair: one creates it, the others find it

After each scenario every level is what its history leads to, and the log shows no error.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")

import django  # noqa: E402

django.setup()

from tests.conftest import Api  # noqa: E402
from tests.live import (  # noqa: E402
    HISTORY,
    LEVELS,
    LOCATIONS,
    PRODUCTS,
    Answer,
    Database,
    Race,
    Server,
    codes,
    new_level,
    new_location,
    new_product,
    together,
)
from tests.replay import assert_history_agrees  # noqa: E402

Call = Callable[[], Answer]


class Scenario:
    """Rounds of one kind, and how many of them had requests that really overlapped."""

    def __init__(self, api: Api, database: Database) -> None:
        self.api, self.database = api, database
        self.race = Race()
        self.overlapped = 0

    def round(self, name: str, number: int) -> str:
        """Race once, with things of this name; what came of it. Fails where that is wrong."""
        raise NotImplementedError

    def both(self, one: Call, other: Call) -> tuple[Answer, Answer]:
        times: list[tuple[float, float]] = []

        def timed(call: Call) -> Answer:
            start = time.monotonic()
            answer = call()
            times.append((start, time.monotonic()))
            return answer

        answers = self.race.run(partial(timed, one), partial(timed, other))
        self.note_overlap(times)
        return answers

    def note_overlap(self, times: list[tuple[float, float]]) -> None:
        self.overlapped += max(start for start, _ in times) < min(end for _, end in times)

    def parent_of(self, location: str) -> str | None:
        ((parent,),) = self.database.query(
            f"SELECT parent.public_id FROM {LOCATIONS} location LEFT JOIN {LOCATIONS} parent"
            f" ON parent.id = location.parent_id WHERE location.public_id = '{location}'"
        )
        return parent  # type: ignore[no-any-return]

    def levels_of(self, product: str) -> list[tuple[Any, ...]]:
        return self.database.query(
            f"SELECT level.public_id, bin.public_id FROM {LEVELS} level"
            f" JOIN {PRODUCTS} product ON product.id = level.product_id"
            f" LEFT JOIN {LOCATIONS} bin ON bin.id = level.preferred_bin_location_id"
            f" WHERE product.public_id = '{product}'"
        )

    def entries_of(self, product: str) -> list[str]:
        rows = self.database.query(
            f"SELECT action FROM {HISTORY} WHERE product_public_id = '{product}' ORDER BY id"
        )
        return [action for (action,) in rows]


class Cycle(Scenario):
    """Two moves of locations that would close a cycle together."""

    def round(self, name: str, number: int) -> str:
        one, inside_one = f"{name}-1", f"{name}-1-inside"
        other, inside_other = f"{name}-2", f"{name}-2-inside"
        parents = {one: None, inside_one: one, other: None, inside_other: other}
        for public_id, parent in parents.items():
            new_location(self.api, public_id, parent)
        # Into the other itself, or into what is inside of it.
        moves = [
            (one, (other, inside_other)[number % 2]),
            (other, (one, inside_one)[number // 2 % 2]),
        ]
        answers = self.both(
            *(
                partial(self.api.patch, f"/locations/{public_id}", {"parentId": parent})
                for public_id, parent in moves
            )
        )
        assert codes(answers) == {200: 1, (400, "VALIDATION_ERROR"): 1}, codes(answers)
        winner = 0 if answers[0].status_code == 200 else 1
        self.race.note_winner(winner)
        assert list(answers[1 - winner].json()["details"]) == ["parentId"]
        expected = parents | dict([moves[winner]])
        assert {public_id: self.parent_of(public_id) for public_id in parents} == expected
        return f"the {('first', 'second')[winner]} moved, the other is a 400"


class Bin(Scenario):
    """A bin, or the aisle that it is in, leaves the location while a level there prefers it."""

    def round(self, name: str, number: int) -> str:
        here, aisle, place = name, f"{name}-aisle", f"{name}-bin"
        for public_id, parent in ((here, None), (aisle, here), (place, aisle)):
            new_location(self.api, public_id, parent)
        new_product(self.api, name)
        # That it is the level's source already must make no difference.
        known = {"replenishmentLocationId": place} if number % 3 == 0 else {}
        level = new_level(self.api, name, here, **known)
        moved, home = ((place, aisle), (aisle, here))[number % 2]
        preferred, left = self.both(
            partial(
                self.api.patch,
                f"/inventory-levels/{level['id']}",
                {"preferredBinLocationId": place},
            ),
            partial(self.api.patch, f"/locations/{moved}", {"parentId": "loc_456"}),
        )
        outcome = (preferred.status_code, left.status_code)
        stored = (self.levels_of(name), self.parent_of(moved), self.entries_of(name))
        if outcome == (200, 409):
            self.race.note_winner(0)
            assert left.json()["details"] == {"levels": 1}
            assert stored == ([(level["id"], place)], home, ["CREATE", "UPDATE"]), stored
            return "preferred, and the move is a 409"
        assert outcome == (400, 200), outcome
        self.race.note_winner(1)
        assert list(preferred.json()["details"]) == ["preferredBinLocationId"]
        assert stored == ([(level["id"], None)], "loc_456", ["CREATE"]), stored
        return "moved, and the PATCH is a 400"


class Delete(Scenario):
    """A product is deleted while a level of it is made."""

    def round(self, name: str, number: int) -> str:
        new_product(self.api, name)
        body = {"productMasterId": name, "locationId": ("loc_123", "loc_456")[number % 2]}
        created, deleted = self.both(
            partial(self.api.post, "/inventory-levels", body),
            partial(self.api.delete, f"/products/{name}"),
        )
        outcome = (created.status_code, deleted.status_code)
        ((products,),) = self.database.query(
            f"SELECT count(*) FROM {PRODUCTS} WHERE public_id = '{name}'"
        )
        stored = (products, self.levels_of(name), self.entries_of(name))
        if outcome == (201, 409):
            self.race.note_winner(0)
            assert deleted.json()["details"] == {"levels": 1}
            assert stored == (1, [(created.json()["id"], None)], ["CREATE"]), stored
            return "created, and the DELETE is a 409"
        assert outcome == (404, 200), outcome
        self.race.note_winner(1)
        assert created.json()["error"] == "Product or location not found"
        assert stored == (0, [], []), stored
        return "deleted, and the POST is a 404"


class Pair(Scenario):
    """Eight first requests for one pair: one creates it, the others find it."""

    def round(self, name: str, number: int) -> str:
        new_product(self.api, name)
        body = {"productMasterId": name, "locationId": "loc_123", "minQuantity": number}
        times: list[tuple[float, float]] = []

        def post() -> Answer:
            start = time.monotonic()
            answer = self.api.post("/inventory-levels", body)
            times.append((start, time.monotonic()))
            return answer  # type: ignore[no-any-return]

        answers = together(*[post] * 8)
        self.note_overlap(times)
        assert codes(answers) == {201: 1, 200: 7}, codes(answers)
        (level,) = {answer.content: answer.json() for answer in answers}.values()
        assert (level["version"], level["minQuantity"]) == (1, number)
        stored = (self.levels_of(name), self.entries_of(name))
        assert stored == ([(level["id"], None)], ["CREATE"]), stored
        return "one 201 and seven 200"


SCENARIOS: dict[str, type[Scenario]] = {
    "cycle": Cycle,
    "bin": Bin,
    "delete": Delete,
    "pair": Pair,
}


def run(name: str, rounds: int, folder: Path) -> bool:
    """Print what happened; whether all of it was right."""
    database = Database(folder)
    server = Server(database, folder / "log")
    api = server.api(database.key)
    scenario = SCENARIOS[name](api, database)
    print(f"{name}: {SCENARIOS[name].__doc__}", flush=True)
    outcomes: Counter[str] = Counter()
    for number in range(rounds):
        try:
            outcomes[scenario.round(f"round-{number}", number)] += 1
        except AssertionError as wrong:
            outcomes[f"WRONG: {wrong}"] += 1
    assert_history_agrees(api, database)
    complaints = server.complaints()
    server.stop()
    database.drop()
    right = sum(count for what, count in outcomes.items() if not what.startswith("WRONG"))
    print(
        f"  {right} of {rounds} rounds right, {scenario.overlapped} with requests that overlapped"
    )
    for what, count in sorted(outcomes.items()):
        print(f"  {count:6,}  {what}")
    for line in complaints[:5]:
        print(f"  in the log: {line}")
    return right == rounds and not complaints


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=list(SCENARIOS), action="append")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    failed = []
    for name in options.only or list(SCENARIOS):
        with TemporaryDirectory() as folder:
            if not run(name, options.rounds, Path(folder)):
                failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "every round was right")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
