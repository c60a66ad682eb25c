"""What check.py asks of two contenders, in this order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """``{name}`` in the path and the headers stands for what an earlier answer had.

    ``remember``: keep the answer's id under this name, and its ETag under ``<name>_tag``.
    """

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    key: str = "ours"
    remember: str = ""


P, L = "productMasterId", "locationId"
PAIR = {P: "prod_1", L: "loc_1"}
FULL = PAIR | {
    "minQuantity": 50,
    "reorderQuantity": 100,
    "maxQuantity": 500,
    "status": "Supported",
    "abcClass": "A",
    "expectedLeadTimeDays": 7,
    "replenishmentPeriodDays": 14,
    "forecastPeriodDays": 30,
    "forecastQuantity": 200,
    "preferredBinLocationId": "bin_1",
    "replenishmentLocationId": "loc_2",
    "comments": "High priority: item",
}


def post(body: Any, **more: Any) -> Request:
    return Request("POST", "", body, **more)


def patch(body: Any, path: str = "/{level}", **more: Any) -> Request:
    return Request("PATCH", path, body, **more)


def get(path: str, **more: Any) -> Request:
    return Request("GET", path, **more)


def value(name: str, text: str) -> Request:
    """A POST with a literal JSON value."""
    body = f'{{"productMasterId":"prod_2","locationId":"loc_1","{name}":{text}}}'
    return post(body.encode("utf-8", "surrogatepass"))


QUANTITIES = (
    *("12.5", "0", "-0", "0.0001", "99999999999.9999", "1e2", "1.50000", "1E-4", "7.0", "0.10"),
    *("100000000000", "0.00001", "-1", "1e400", "1e-400", "NaN", "true", '"5"', "[]", "{}"),
    *("1.00000000000000000001", "123456789012345678901234567890", "1e99999999999999999999", "01"),
)
WORDS = ('"supported"', '"NOT_SUPPORTED"', '"not supported"', '"Stock"', '"x"', '""', "5", "null")
TEXTS = (
    *('"a\\tb\\nc"', '"ünï ≤ \\u00e9 Ǆ ß"', '"\\u0000"', '"\\ud800"', '"\\ufffe"', '""', "null"),
    *('"\\"quoted\\" \\\\ back: {}"', f'"{"x" * 4000}"', f'"{"x" * 4001}"', "1", '" kept "'),
)

REQUESTS = [
    # creating, updating, leaving alone
    post(FULL, remember="level"),
    post(FULL),
    post(PAIR),
    post(PAIR | {"minQuantity": 60}),
    post(PAIR | {"status": None, "abcClass": None, "comments": None, "maxQuantity": None}),
    post(PAIR | {"status": None, "abcClass": "", "comments": ""}),
    post(PAIR | {"preferredBinLocationId": None, "replenishmentLocationId": None}),
    post(PAIR | {"preferredBinLocationId": "zone_1", "maxQuantity": 700.25}),
    post({"productId": "prod_3", L: "loc_2"}, remember="bare"),
    post({P: "prod_3", "productId": "prod_3", L: "loc_3", "comments": 'Straße\n"x"'}),
    post({P: "prod_3", L: "bin_3", "maxQuantity": 1}),
    post(FULL | {"id": "x", "version": 99, "product": {"id": "y: z"}, "createdAt": None}),
    # the order of quantities, over what is stored
    post(PAIR | {"minQuantity": 800}),
    post(PAIR | {"minQuantity": 5, "reorderQuantity": 4, "maxQuantity": 3}),
    post({P: "prod_4", L: "loc_1", "minQuantity": 3, "maxQuantity": 2}),
    post({P: "prod_4", L: "loc_1", "minQuantity": 2, "reorderQuantity": 2, "maxQuantity": 2}),
    # fields
    *(value("minQuantity", text) for text in QUANTITIES),
    *(value("expectedLeadTimeDays", t) for t in ("0", "7.0", "7.5", "-1", "36501", '"7"', "1e2")),
    *(value("forecastPeriodDays", text) for text in ("0", "1", "36500", "null", "true")),
    *(value("status", text) for text in WORDS),
    *(value("abcClass", text) for text in ('"a"', '"B"', '"D"', '""', "null", "1")),
    *(value("comments", text) for text in TEXTS),
    *(value("minQuanity", text) for text in ("1", "null")),
    *(value("preferredBinLocationId", t) for t in ('""', '"a b"', '"bulk"', "5", "null")),
    post({P: "", L: "loc_1"}),
    post({P: None, L: None}),
    post({P: "prod_1"}),
    post({L: "loc_1"}),
    post({P: "prod_1", "productId": "prod_2", L: "loc_1"}),
    post({P: 5, L: "loc_1", "minQuantity": "5", "nonsense": 1}),
    post([]),
    post("text"),
    # bodies
    *(
        post(body)
        for body in (
            *(b"", b" ", b"{", b"null", b"5", b'{"a":1,}', b"\xff\xfe{\x00}\x00", b'{"a":"\xff"}'),
            *(b'{"a":1,"a":1}', b'{"productMasterId":"prod_1","productMasterId":"prod_2"}'),
            *(
                b"[" * 100_000,
                b'{"a":' * 20_000,
                b"\xef\xbb\xbf{}",
                b"{} {}",
                b'{"a":{"b":1,"b":2}}',
            ),
            b'{"productMasterId":"prod_2","locationId":"loc_1","product":{"id":1,"id":2}}',
            b'{"comments":"' + b"x" * 1024 * 1024 + b'"}',
        )
    ),
    post(FULL, headers={"Content-Type": "text/plain"}),
    post(FULL, headers={"Content-Type": "application/json; charset=utf-8"}),
    post(FULL, headers={"Content-Type": "application/json; charset=latin-1"}),
    post(FULL, headers={"Content-Encoding": "gzip"}),
    # what isn't there, or isn't ours, or isn't where it has to be
    *(
        post(FULL | change)
        for change in (
            {P: "prod_99"},
            {P: "prod_1_theirs"},
            {L: "loc_99"},
            {L: "loc_1_theirs", P: "prod_99"},
            {"preferredBinLocationId": "bin_1_theirs"},
            {"preferredBinLocationId": "bin_99", "replenishmentLocationId": "loc_99"},
            {"preferredBinLocationId": "bin_2"},
            {"preferredBinLocationId": "loc_1"},
            {"replenishmentLocationId": "loc_1"},
            {"preferredBinLocationId": "bin_2", "replenishmentLocationId": "loc_1"},
            {"preferredBinLocationId": "bin_2", "minQuantity": 9999},
        )
    ),
    # PATCH
    patch({"minQuantity": 55.5}),
    patch({"minQuantity": 55.5}),
    patch({}),
    patch({"minQuantity": None, "comments": "a: b"}),
    patch(FULL),
    patch({"preferredBinLocationId": "bin_1", "replenishmentLocationId": "loc_3"}),
    patch({P: "prod_1", "minQuantity": 1}),
    patch({L: "loc_1", "minQuantity": 2}),
    patch({P: "prod_2"}),
    patch({L: "loc_2", "minQuantity": 9999}),
    patch({P: "prod_99"}),
    patch({L: "loc_1_theirs"}),
    patch({P: None}),
    patch({L: None}),
    patch({"minQuantity": 9999}),
    patch({"preferredBinLocationId": "bin_2"}),
    patch({"preferredBinLocationId": "bin_99"}),
    patch({"replenishmentLocationId": "loc_1"}),
    patch({"status": "stock"}, path="/{bare}"),
    patch({"minQuantity": 1}, path="/level_nope"),
    patch({P: "prod_99"}, path="/level_nope"),
    patch({"minQuantity": "1"}, path="/level_nope"),
    patch({"minQuantity": 1}, key="theirs"),
    patch([]),
    # GET, and preconditions
    Request("PATCH", "/{level}", {"maxQuantity": 1000}, remember="level"),
    get("/{level}"),
    get("/{level}/"),
    get("/{level}", key="theirs"),
    get("/{level}?x=1"),
    get("/level_nope"),
    get("/{level}", headers={"If-None-Match": "{level_tag}"}),
    get("/{level}", headers={"If-None-Match": 'W/{level_tag}, "x"'}),
    get("/{level}", headers={"If-None-Match": "*"}),
    get("/{level}", headers={"If-None-Match": '"x"'}),
    Request("HEAD", "/{level}"),
    patch({"minQuantity": 3}, headers={"If-Match": '"x"'}),
    patch({"minQuantity": 9999}, headers={"If-Match": '"x"'}),
    patch({"minQuantity": 3}, headers={"If-Match": "W/{level_tag}"}),
    patch({"minQuantity": 3}, headers={"If-Match": '"x", {level_tag}'}),
    patch({"minQuantity": 4}, headers={"If-Match": "{level_tag}"}),
    patch({"minQuantity": 4}, headers={"If-Match": "*"}),
    patch({"minQuantity": 4}, headers={"If-None-Match": "*"}),
    post(FULL, headers={"If-None-Match": "*"}),
    post({P: "prod_5", L: "loc_1"}, headers={"If-Match": "*"}),
    post({P: "prod_5", L: "loc_1"}, headers={"If-None-Match": "*"}),
    # keys
    *(
        request
        for key in (
            *("", "nonsense", "two words", "reads", "writes", "revoked_at", "expires_at"),
            *("inactive", "elsewhere", "here"),
        )
        for request in (
            get("/{bare}", key=key),
            post(PAIR, key=key),
            post({}, key=key),
            patch({"minQuantity": 1}, path="/level_nope", key=key),
            get("?limit=0", key=key),
            Request("PUT", "/{bare}", key=key),
        )
    ),
    get("/{bare}", headers={"Authorization": "Basic abc"}, key=""),
    get("/a/b/c"),
    get("/a/b/c", key=""),
    # lists
    *(
        get(path)
        for path in (
            *("?limit=3", "?limit=3&page=2", "?limit=3&page=99", "", "/?limit=1"),
            *("?limit=0", "?limit=501", "?limit=x", "?page=0", "?limit=500&page=21", "?x=1"),
            *("?limit=1&limit=2", "?cursor=&page=1", "?cursor=nonsense", "?status=x"),
            *("?locationId=loc_1&limit=2", "?locationId=loc_1,bin_3", "?locationId=loc_99"),
            *("?locationId=", "?locationId=a,,b", "?productMasterId=prod_1", "?locationId=a%20b"),
            *("?status=stock", "?status=Supported,not_supported", "?locationId=loc_1_theirs"),
            *("?cursor=&locationId=loc_99", "?cursor=&limit=2", "?cursor={cursor}&limit=2"),
            *("?cursor={cursor}&limit=2", "?cursor={cursor}&limit=3", "?cursor={cursor}"),
            *("?cursor=&limit=1&locationId=loc_1", "?cursor={cursor}&locationId=loc_2"),
            *("?cursor={cursor}&locationId=loc_1&limit=1", "?cursor={cursor}"),
        )
    ),
    get("?cursor={cursor}&locationId=loc_1", key="theirs"),
    get("?cursor={cursor}&locationId=loc_1", key="reads"),
    get("", key="theirs"),
]


def bulk(*items: Any, **more: Any) -> Request:
    return Request("POST", "/bulk", {"items": list(items), **more})


_BAD = [
    PAIR | {"minQuantity": "x", "colour": 1},
    {P: "prod_99", L: "loc_1"},
    {P: "prod_6", L: "loc_1", "minQuantity": 5, "maxQuantity": 4},
    {P: "prod_6", L: "loc_2", "preferredBinLocationId": "bin_1"},
    {P: "prod_6", L: "loc_3", "replenishmentLocationId": "loc_3"},
    5,
]
_TWICE = [{P: "prod_7", L: "loc_1"}, {P: "prod_7", L: "loc_1", "minQuantity": 1}]
_GOOD: list[dict[str, Any]] = [
    {P: "prod_8", L: "loc_1", "minQuantity": 1.5, "comments": "tab\t back\\ Ünï: \r\n"},
    {P: "prod_8", L: "loc_2", "status": "stock", "preferredBinLocationId": "bin_2"},
    {P: "prod_8", L: "loc_3", "abcClass": "b", "replenishmentLocationId": "loc_1"},
]
_ALL: list[dict[str, Any]] = [
    FULL | {P: f"prod_{n}", "forecastQuantity": n + 0.25} for n in range(1, 12)
]

BULK = [
    bulk(*_GOOD, dryRun=True),
    bulk(*_GOOD),
    bulk(*_GOOD),
    bulk(*_GOOD, *_BAD),
    bulk(*_GOOD, *_BAD, *_TWICE, onError="skip"),
    bulk(*_TWICE),
    bulk(*({**one, "comments": None, "maxQuantity": 9} for one in _GOOD)),
    bulk(*_ALL),
    bulk(*_ALL),
    bulk(*_ALL, *_GOOD, onError="skip"),
    bulk(),
    bulk(onError="x", dryRun=1),
    Request("POST", "/bulk", []),
    Request("POST", "/bulk", {"item": []}),
    Request("POST", "/bulk", b'{"items":[{"a":1,"a":2}]}'),
    Request("POST", "/bulk", {"items": [PAIR]}, key="reads"),
    Request("POST", "/bulk", {"items": [PAIR]}, key=""),
    Request("GET", "/bulk"),
]
