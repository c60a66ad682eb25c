"""API keys: each way to be refused, what a scope opens, and what is kept of a key."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.forms.models import model_to_dict
from django.test import Client

from organizations.models import SCOPES, ApiKey
from tests.conftest import Api, is_postgresql, issue_key

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(monkeypatch, moment: datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def assert_refused(response, status: int, code: str) -> None:
    """The one error shape, without details; a 401 says how to authenticate."""
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/json"
    assert response.json().keys() == {"error", "code"}
    assert re.fullmatch(r"[A-Z].+", response.json()["error"])
    assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


def row_of(text: str) -> ApiKey:
    return ApiKey.objects.get(prefix=text[:12])


# 401: who is it?


def test_a_request_without_authorization_is_told_what_is_missing(acme):
    assert_refused(Api().get("/inventory-levels"), 401, "MISSING_AUTHORIZATION")


@pytest.mark.parametrize("header", ["", " ", "Basic {key}", "Token {key}", "{key}", "Bearer{key}"])
def test_another_scheme_is_no_authorization(acme, header):
    key = issue_key(acme.organization)
    response = Api().get("/inventory-levels", Authorization=header.format(key=key))
    assert_refused(response, 401, "MISSING_AUTHORIZATION")


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        " ",
        "wrong",
        "null",
        "ilk_",
        "ilk_abcdefgh_" + "x" * 43,
        "k\xe9y",
        "\x00",
        "'",
        "%",
        "x" * 10_000,
    ],
)
def test_what_is_no_key_is_an_invalid_key(acme, credentials):
    issue_key(acme.organization)
    response = Api().get("/inventory-levels", Authorization=f"Bearer {credentials}")
    assert_refused(response, 401, "INVALID_API_KEY")


NEAR_MISSES = {
    "one character short": lambda key: key[:-1],
    "one character long": lambda key: key + "x",
    "last character changed": lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"),
    "first secret character changed": lambda key: key[:13] + "~" + key[14:],
    "in capitals": str.upper,
    "its prefix": lambda key: key[:12],
    "its secret alone": lambda key: key[13:],
    "twice": lambda key: f"{key} {key}",
    "quoted": lambda key: f'"{key}"',
    "with a comma": lambda key: f"{key},",
    "its stored digest": lambda key: row_of(key).digest,
    "its id": lambda key: row_of(key).public_id,
}


@pytest.mark.parametrize("miss", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_a_near_miss_is_an_invalid_key(acme, miss):
    key = issue_key(acme.organization)
    assert_refused(Api(miss(key)).get("/inventory-levels"), 401, "INVALID_API_KEY")


@pytest.mark.parametrize(
    "header", ["Bearer {key}", "bearer {key}", "BEARER {key}", "Bearer  {key} "]
)
def test_the_scheme_is_understood_in_any_case_and_spacing(acme, header):
    key = issue_key(acme.organization)
    response = Api().get("/inventory-levels", Authorization=header.format(key=key))
    assert response.status_code == 200


def test_a_revoked_key_is_refused_from_the_next_request_on(acme):
    key = issue_key(acme.organization)
    assert Api(key).get("/inventory-levels").status_code == 200
    row_of(key).revoke()
    assert_refused(Api(key).get("/inventory-levels"), 401, "REVOKED_API_KEY")


def test_revoking_twice_keeps_the_first_time(acme, monkeypatch):
    key = row_of(issue_key(acme.organization))
    at(monkeypatch, NOON)
    key.revoke()
    at(monkeypatch, NOON + timedelta(hours=1))
    key.revoke()
    key.refresh_from_db()
    assert key.revoked_at == NOON


@pytest.mark.parametrize(
    ("expires_at", "status"),
    [
        (None, 200),
        (NOON + timedelta(microseconds=1), 200),
        (NOON, 401),
        (NOON - timedelta(microseconds=1), 401),
        (NOON - timedelta(days=365), 401),
    ],
)
def test_a_key_expires_at_the_very_moment_it_names(acme, monkeypatch, expires_at, status):
    key = issue_key(acme.organization, expires_at=expires_at)
    at(monkeypatch, NOON)
    response = Api(key).get("/inventory-levels")
    assert response.status_code == status
    if status == 401:
        assert_refused(response, 401, "EXPIRED_API_KEY")


# 403: it is known, but.


def test_an_inactive_organizations_keys_are_refused_until_it_is_active_again(acme):
    api = Api(issue_key(acme.organization))
    acme.organization.is_active = False
    acme.organization.save()
    assert_refused(api.get("/inventory-levels"), 403, "INACTIVE_ORGANIZATION")
    assert_refused(api.post("/products", {}), 403, "INACTIVE_ORGANIZATION")
    acme.organization.is_active = True
    acme.organization.save()
    assert api.get("/inventory-levels").status_code == 200


def test_a_dead_key_of_an_inactive_organization_does_not_tell_that_it_is_inactive(acme):
    key = issue_key(acme.organization)
    acme.organization.is_active = False
    acme.organization.save()
    row_of(key).revoke()
    assert_refused(Api(key).get("/inventory-levels"), 401, "REVOKED_API_KEY")


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        ([], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.10", 403),
        (["203.0.113.8/30"], "203.0.113.8", 200),
        (["203.0.113.8/30"], "203.0.113.11", 200),
        (["203.0.113.8/30"], "203.0.113.12", 403),
        (["203.0.113.8/30"], "203.0.113.7", 403),
        (["203.0.113.9/30"], "203.0.113.11", 200),  # host bits set: the range is meant
        (["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.9", 200),
        (["10.0.0.0/8", "203.0.113.0/24"], "192.0.2.1", 403),
        (["0.0.0.0/0"], "203.0.113.9", 200),
        (["0.0.0.0/0"], "2001:db8::1", 403),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "2001:DB8:0:0:0:0:0:1", 200),
        (["2001:db8::/32"], "2001:db9::1", 403),
        (["2001:db8::1"], "2001:db8::1", 200),
        (["2001:db8::1"], "2001:db8::2", 403),
        (["::/0"], "2001:db8::1", 200),
        (["::/0"], "203.0.113.9", 403),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),  # a v4 caller on a v6 socket
        (["203.0.113.0/24"], "::ffff:198.51.100.1", 403),
        (["::ffff:203.0.113.0/120"], "203.0.113.9", 200),  # and a range written that way
        (["::ffff:203.0.113.0/120"], "203.0.114.9", 403),
        (["203.0.113.0/24"], "", 403),
        (["203.0.113.0/24"], "unix:", 403),
        (["203.0.113.0/24"], "203.0.113.9:443", 403),
    ],
)
def test_a_key_works_from_its_address_ranges_only(acme, allowed, address, status):
    key = issue_key(acme.organization, allowed_ips=allowed)
    client = Client(REMOTE_ADDR=address)
    response = Api(key, client=client).get("/inventory-levels")
    assert response.status_code == status
    if status == 403:
        assert_refused(response, 403, "IP_RESTRICTION")
        if address:
            assert address not in response.content.decode()


@pytest.mark.parametrize("network", ["", "203.0.113", "203.0.113.0/33", "2001:db8::/129", "any"])
def test_a_malformed_address_range_is_refused_when_the_key_is_made(acme, network):
    with pytest.raises(ValidationError):
        issue_key(acme.organization, allowed_ips=[network])
    assert not ApiKey.objects.exists()


PROXY, INNER_PROXY = "10.9.9.9", "10.8.8.8"
CALLER, INSIDER = "203.0.113.9", "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "seen"),
    [
        # Nobody in front: the header is the caller's own invention.
        (0, CALLER, None, CALLER),
        (0, CALLER, INSIDER, CALLER),
        (0, CALLER, f"{INSIDER}, {INSIDER}", CALLER),
        # One proxy: it appended what it saw, the rest is forged.
        (1, PROXY, CALLER, CALLER),
        (1, PROXY, f"{INSIDER}, {CALLER}", CALLER),
        (1, PROXY, f"{INSIDER},{INSIDER},{CALLER}", CALLER),
        (1, PROXY, f"{INSIDER}, {INSIDER} ,  {CALLER} ", CALLER),
        (1, PROXY, f"garbage, {CALLER}", CALLER),
        # Two: the last but one.
        (2, PROXY, f"{CALLER}, {INNER_PROXY}", CALLER),
        (2, PROXY, f"{INSIDER}, {CALLER}, {INNER_PROXY}", CALLER),
        (2, PROXY, f"{INSIDER}, {INSIDER}, {CALLER}, {INNER_PROXY}", CALLER),
    ],
)
def test_only_trusted_proxies_say_where_a_request_comes_from(
    acme, settings, proxies, remote, forwarded, seen
):
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    for allowed in (CALLER, INSIDER, PROXY, INNER_PROXY):
        key = issue_key(acme.organization, allowed_ips=[allowed])
        api = Api(key, client=Client(REMOTE_ADDR=remote))
        expected = 200 if allowed == seen else 403
        assert api.get("/inventory-levels", **headers).status_code == expected, allowed


def test_who_came_past_a_trusted_proxy_can_not_invent_an_address(acme, settings):
    settings.TRUSTED_PROXIES = 2
    api = Api(issue_key(acme.organization, allowed_ips=[INSIDER]))
    response = api.get("/inventory-levels", **{"X-Forwarded-For": INSIDER})
    assert_refused(response, 403, "IP_RESTRICTION")


@pytest.mark.parametrize("forwarded", ["", ",", f"{CALLER},", "unknown", f"{CALLER}:1234", "\x00"])
def test_an_address_that_can_not_be_read_is_not_let_in(acme, settings, forwarded):
    settings.TRUSTED_PROXIES = 1
    key = issue_key(acme.organization, allowed_ips=[CALLER])
    api = Api(key, client=Client(REMOTE_ADDR=PROXY))
    response = api.get("/inventory-levels", **{"X-Forwarded-For": forwarded})
    assert_refused(response, 403, "IP_RESTRICTION")


# Scopes.


def spellings(scope: str) -> list[str]:
    return [scope, scope.replace(":", ".")] if ":" in scope else [scope]


@pytest.mark.parametrize(
    ("scope", "may_write"),
    [
        (spelling, may_write)
        for scope, may_write in {
            "inventory:read": False,
            "inventory:write": True,
            "inventory:*": True,
            "*": True,
        }.items()
        for spelling in spellings(scope)
    ],
)
def test_what_each_scope_opens(acme, scope, may_write):
    api = Api(issue_key(acme.organization, scope))
    new = {"globalSku": "NEW", "productName": "New"}
    assert api.get("/products").status_code == 200
    response = api.post("/products", new)
    if may_write:
        assert response.status_code == 201
    else:
        assert_refused(response, 403, "INSUFFICIENT_SCOPE")
        assert "inventory:write" in response.json()["error"]


def test_every_scope_is_in_the_table_above():
    assert set(SCOPES) == {"inventory:read", "inventory:write", "inventory:*", "*"}


def test_the_widest_of_several_scopes_counts(acme):
    api = Api(issue_key(acme.organization, "inventory:read", "inventory:write"))
    assert api.delete("/inventory-levels/level_none").status_code == 404


def test_a_key_without_any_scope_opens_nothing(acme):
    key = issue_key(acme.organization)
    ApiKey.objects.update(scopes=[])
    assert_refused(Api(key).get("/products"), 403, "INSUFFICIENT_SCOPE")
    assert_refused(Api(key).post("/products", {}), 403, "INSUFFICIENT_SCOPE")


@pytest.mark.parametrize("scope", ["", "read", "inventory", "inventory:delete", "INVENTORY:READ"])
def test_an_unknown_scope_is_refused_when_the_key_is_made(acme, scope):
    with pytest.raises(ValidationError):
        issue_key(acme.organization, scope)
    assert not ApiKey.objects.exists()


def test_scope_is_checked_before_the_body_and_after_the_method(reader):
    assert_refused(reader.post("/products", b"{"), 403, "INSUFFICIENT_SCOPE")
    assert reader.request("PUT", "/products", {}).status_code == 405


# What is kept of a key.


def test_a_key_has_the_published_form(acme):
    key = issue_key(acme.organization)
    assert re.fullmatch(r"ilk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", key)
    assert issue_key(acme.organization) != key


def test_the_text_of_a_key_is_stored_nowhere(acme):
    key = issue_key(acme.organization)
    Api(key).post("/inventory-levels", {"productMasterId": "prod_123", "locationId": "loc_123"})
    Api(key[:-1]).get("/inventory-levels")

    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            cells += [str(cell) for row in cursor.fetchall() for cell in row]
    assert key[:12] in cells  # the search does see the key's row
    assert not [cell for cell in cells if key[13:30] in cell or key[-20:] in cell]


def test_of_a_key_its_digest_and_its_first_and_last_characters_are_kept(acme):
    key = issue_key(acme.organization)
    row = row_of(key)
    assert (row.prefix, row.last_characters) == (key[:12], key[-4:])
    assert re.fullmatch("[0-9a-f]{64}", row.digest)


@pytest.mark.parametrize("show", [str, repr, model_to_dict, vars, lambda row: f"{row.__dict__}"])
def test_the_text_of_a_key_is_never_shown_again(acme, show):
    row, text = ApiKey.objects.issue(
        organization=acme.organization, name="ERP", scopes=["inventory:read"]
    )
    for known in (row, ApiKey.objects.get()):
        assert text[13:-4] not in str(show(known))
    assert str(row) == f"ERP ({text[:12]}…{text[-4:]})"


def test_no_answer_and_no_log_line_repeats_the_key(acme, caplog):
    key = issue_key(acme.organization, "inventory:read")
    for response in (
        Api(key).get("/inventory-levels"),
        Api(key).post("/products", {}),
        Api(key).get("/nowhere"),
        Api(key + "x").get("/inventory-levels"),
    ):
        assert key[13:] not in response.content.decode() + str(response.headers)
    assert key[13:] not in caplog.text


# Last use.


def test_last_use_is_written_at_most_once_a_minute(acme, monkeypatch):
    key = issue_key(acme.organization)
    assert row_of(key).last_used_at is None
    used = []
    for seconds in (0, 1, 59, 60, 61, 119, 121):
        at(monkeypatch, NOON + timedelta(seconds=seconds))
        Api(key).get("/inventory-levels")
        used.append((row_of(key).last_used_at - NOON).total_seconds())
    assert used == [0, 0, 0, 60, 60, 60, 121]


def test_within_the_minute_a_request_writes_nothing(acme, django_assert_num_queries):
    key = issue_key(acme.organization)
    Api(key).get("/inventory-levels/level_none")
    with django_assert_num_queries(1) as queries:
        Api(key).get("/inventory-levels/level_none")
    assert [query["sql"][:6] for query in queries] == ["SELECT"]


def test_only_the_key_that_was_used_is_marked(acme):
    used, idle = issue_key(acme.organization), issue_key(acme.organization)
    Api(used).get("/inventory-levels")
    assert row_of(used).last_used_at is not None
    assert row_of(idle).last_used_at is None


def test_a_refused_request_is_no_use(acme):
    expired = issue_key(acme.organization, expires_at=NOON)
    elsewhere = issue_key(acme.organization, allowed_ips=["203.0.113.9"])
    for key in (expired, elsewhere):
        Api(key).get("/inventory-levels")
        assert row_of(key).last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_a_read_does_not_wait_for_the_write_of_its_last_use(acme):
    key = issue_key(acme.organization)
    row = row_of(key)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        other = connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE organizations_apikey SET name = 'renamed' WHERE id = %s", [row.pk]
                )
            held.set()
            done.wait(30)
            other.rollback()
        finally:
            held.set()
            other.close()

    writer = threading.Thread(target=hold)
    writer.start()
    assert held.wait(10)
    try:
        started = time.monotonic()
        response = Api(key).get("/inventory-levels")
        took = time.monotonic() - started
    finally:
        done.set()
        writer.join()
    assert response.status_code == 200
    assert took < 2
    assert row_of(key).last_used_at is None  # left to the next request

    Api(key).get("/inventory-levels")
    assert row_of(key).last_used_at is not None
    with connection.cursor() as cursor:  # and writers are patient again
        cursor.execute("SHOW lock_timeout" if is_postgresql() else "PRAGMA busy_timeout")
        assert cursor.fetchone()[0] in ("10s", 10_000)
