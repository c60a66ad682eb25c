"""How many SQL statements a request takes; BEGIN, COMMIT and the like are not counted."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.models import ApiKey
from tests import factories
from tests.conftest import is_postgresql

PATH = "/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
BINS = {"preferredBinLocationId": "bin_123", "replenishmentLocationId": "loc_456"}
TRANSACTION = re.compile(r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET LOCAL")
TABLE = re.compile(r'(?:FROM|INTO|UPDATE) "?(\w+)"?', re.IGNORECASE)
PAGE = "WITH page "


class Statements(list):
    """The SQL of a request; shown whole when a count is wrong."""

    def __init__(self, status, call, *args, **headers):
        ApiKey.objects.update(last_used_at="2999-01-01T00:00:00Z")  # not due
        with CaptureQueriesContext(connection) as captured:
            self.response = call(*args, **headers)
        assert self.response.status_code == status, self.response.content
        texts = (query["sql"] for query in captured.captured_queries)
        super().__init__(sql for sql in texts if not TRANSACTION.match(sql))

    @property
    def short(self):
        """Verb and table of each: "SELECT location"."""
        return [_short(sql) for sql in self]


def _short(sql):
    if ") here LEFT JOIN" in sql:
        return ALL
    if "organizations_apikey here" in sql:
        return KEY_AND_LEVEL if "inventorylevel level" in sql else KEY
    if written := re.search(r"written AS \((INSERT|UPDATE)", sql):
        return {"INSERT": CREATED, "UPDATE": UPDATED}[written[1]]
    verb = "SELECT" if sql.startswith(PAGE) else sql.split()[0]
    return f"{verb} {TABLE.search(sql)[1].removeprefix('inventory_levels_')}"


KEY = "SELECT organizations_apikey"  # with its organization
KEY_AND_LEVEL = "SELECT organizations_apikey and inventorylevel"
PRODUCTS = "SELECT productmaster"  # held until the end of the transaction
LOCATIONS = "SELECT location"  # likewise; all that the request names
LEVEL = "SELECT inventorylevel"  # in a write: locked
WRITE = "INSERT inventorylevel"  # an update is an upsert
HISTORY = "INSERT levelchange"


# PostgreSQL's, which tries to do without locks.
ALL = "SELECT what a write looks at"
CREATED = "INSERT inventorylevel and levelchange"
UPDATED = "UPDATE inventorylevel and levelchange"

on_postgresql = connection.vendor == "postgresql"


def test_a_post_that_creates(api, example):
    statements = Statements(201, api.post, PATH, example)
    locked = [KEY, PRODUCTS, LOCATIONS, LEVEL, WRITE, HISTORY]
    assert statements.short == ([KEY_AND_LEVEL, CREATED] if on_postgresql else locked)


def test_a_post_that_updates(api, level):
    statements = Statements(200, api.post, PATH, PAIR | BINS | {"minQuantity": 1})
    locked = [KEY, PRODUCTS, LOCATIONS, LEVEL, WRITE, HISTORY]
    assert statements.short == ([KEY_AND_LEVEL, UPDATED] if on_postgresql else locked)


def test_a_long_body_is_not_read_before_the_key(api, level):
    body = json.dumps(PAIR | {"minQuantity": 1}).encode() + b" " * 16 * 1024
    statements = Statements(200, api.post, PATH, body)
    locked = [PRODUCTS, LOCATIONS, LEVEL, WRITE, HISTORY]
    assert statements.short == [KEY, *([ALL, UPDATED] if on_postgresql else locked)]


def test_a_post_that_changes_nothing_writes_nothing(api, level, example):
    statements = Statements(200, api.post, PATH, example)
    locked = [KEY, PRODUCTS, LOCATIONS, LEVEL]
    assert statements.short == ([KEY_AND_LEVEL] if on_postgresql else locked)


def test_a_patch(api, level):
    path = f"{PATH}/{level['id']}"
    statements = Statements(200, api.patch, path, {"minQuantity": 1, "comments": None})
    locked = [KEY, LEVEL, WRITE, HISTORY]
    assert statements.short == ([KEY_AND_LEVEL, UPDATED] if on_postgresql else locked)


def test_a_patch_that_names_places(api, level):
    path = f"{PATH}/{level['id']}"
    statements = Statements(200, api.patch, path, BINS | {"minQuantity": 1})
    locked = [KEY, LOCATIONS, LEVEL, WRITE, HISTORY]
    assert statements.short == ([KEY_AND_LEVEL, ALL, UPDATED] if on_postgresql else locked)


def test_a_patch_that_repeats_product_and_location(api, level):
    path = f"{PATH}/{level['id']}"
    statements = Statements(200, api.patch, path, PAIR | {"minQuantity": 1})
    locked = [KEY, PRODUCTS, LOCATIONS, LEVEL, WRITE, HISTORY]
    assert statements.short == ([KEY_AND_LEVEL, UPDATED] if on_postgresql else locked)


def test_a_patch_that_changes_nothing_writes_nothing(api, level):
    statements = Statements(200, api.patch, f"{PATH}/{level['id']}", {"minQuantity": 50})
    assert statements.short == ([KEY_AND_LEVEL] if on_postgresql else [KEY, LEVEL])


def test_a_delete_takes_four(api, level):
    statements = Statements(200, api.delete, f"{PATH}/{level['id']}")
    assert statements.short == [KEY, LEVEL, "DELETE inventorylevel", HISTORY]


def test_a_get_takes_one(api, level):
    statements = Statements(200, api.get, f"{PATH}/{level['id']}")
    assert statements.short == [KEY_AND_LEVEL]


def test_a_304_takes_one(api, level):
    path = f"{PATH}/{level['id']}"
    tag = api.get(path).headers["ETag"]
    assert Statements(304, api.get, path, If_None_Match=tag).short == [KEY_AND_LEVEL]


def test_a_404_of_a_missing_level_takes_no_more_than_of_a_foreign_one(api, acme):
    missing = Statements(404, api.get, f"{PATH}/level_theirs")
    factories.LevelFactory(public_id="level_theirs")
    foreign = Statements(404, api.get, f"{PATH}/level_theirs")
    assert missing.short == foreign.short == [KEY_AND_LEVEL]


def test_a_list_takes_as_many_however_long_it_is(api, acme):
    for _ in range(30):
        factories.LevelFactory(
            organization=acme.organization,
            location=acme.location,
            preferred_bin_location=acme.bin,
            replenishment_location=acme.supplier,
        )
    short, long = (Statements(200, api.get, f"{PATH}?limit={limit}") for limit in (1, 29))
    lengths = [len(statements.response.json()["items"]) for statements in (short, long)]
    assert lengths == [1, 29]
    assert short.short == long.short
    assert long.short[0] == KEY
    assert len(long) == 3  # the key, how many levels there are, the page


@pytest.mark.parametrize("path", ["/nothing", "/inventory-levels/a/b"])
def test_an_unknown_path_takes_none(api, path):
    assert Statements(404, api.get, path) == []


def test_a_refused_body_costs_no_more_than_the_key(api, example):
    statements = Statements(400, api.post, PATH, example | {"minQuanity": 5})
    assert statements.short == [KEY]


@pytest.mark.parametrize(
    ("path", "way"),
    [
        (PATH + "/{}", "organization_id=? AND public_id=?"),
        ("/products/prod_123/inventory-levels?cursor={}", "product_id=? AND location_id>?"),
        (PATH + "?productMasterId=prod_123&cursor={}", "product_id=? AND location_id>?"),
        (PATH + "?locationId=loc_123&cursor={}", "location_id=? AND product_id>?"),
        (PATH + "?cursor={}", "organization_id=? AND product_id>?"),
    ],
)
def test_what_is_read_is_found_by_an_index(api, acme, level, path, way):
    """On SQLite, which tells its way whatever there is."""
    following = ""
    if "cursor" in path:
        path = path.replace("?", "?limit=1&")
        api.post(PATH, PAIR | {"locationId": "loc_456"})
        factories.LevelFactory(organization=acme.organization, location=acme.location)
        following = api.get(path.format("")).json()["pagination"]["nextCursor"]
    asked = Statements(200, api.get, path.format(following or level["id"]))
    if not is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked[-1].replace('%', '%%')}")
            ways = [one for *_, one in cursor.fetchall()]
        (found,) = (one for one in ways if " level " in one and "(" in one)
        assert way in found, ways


@pytest.mark.parametrize(("method", "more"), [("PATCH", {"minQuantity": 7}), ("DELETE", None)])
def test_a_level_is_looked_up_by_its_id_and_not_along_all_of_the_organizations(
    api, level, method, more
):
    """SQLite tells its way whatever there is; PostgreSQL reads a table this small from end to end,
    and benchmarks/query_plans.py asks it for its way through a large one."""
    asked = Statements(200, api.request, method, f"{PATH}/{level['id']}", more)
    if not is_postgresql():
        named = [sql for sql in asked if "inventorylevel.public_id IN" in sql]
        assert named
        with connection.cursor() as cursor:
            for sql in named:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
                (way, *_) = (way for *_, way in cursor.fetchall() if "inventorylevel" in way)
                assert "organization_id=? AND public_id=?" in way
