"""Statements that are planned once a connection."""

import time

import pytest
from django.db import DatabaseError, DataError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from organizations.statements import fetch, fetch_once
from tests.conftest import is_postgresql


@pytest.fixture(autouse=True)
def nothing_is_prepared(db):
    if is_postgresql():
        connection.ensure_connection()
        connection._prepared.clear()
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")


def prepared():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [text for (text,) in cursor.fetchall()]


def test_what_every_request_asks_is_planned_once(api, level):
    for _ in range(2):
        assert api.get(f"/inventory-levels/{level['id']}").status_code == 200
        assert api.patch(f"/inventory-levels/{level['id']}", {"minQuantity": 1}).status_code == 200
    if is_postgresql():
        texts = prepared()
        assert len(texts) == len(set(texts))
        with_key = [text for text in texts if text.startswith("SELECT here.id")]
        # Of a POST, a GET and a PATCH, the level besides.
        assert ["level.public_id" in text for text in with_key] == [True, True, True]
        assert sum("SELECT id, updated_at FROM written" in text for text in texts) == 2


@pytest.mark.parametrize(
    ("query", "found", "once"),
    [
        ("", 1, True),
        ("?cursor=", 1, True),
        ("?cursor=&limit=7&locationId=loc_123", 1, True),
        ("?productMasterId=prod_123&locationId=loc_123", 1, True),
        ("?page=1", 1, True),
        ("?locationId=loc_456", 0, True),
        ("?locationId=nowhere", 0, True),
        ("?page=2&limit=1", 0, False),
        ("?productId=prod_123", 1, False),
        ("?locationId=loc_123,loc_456", 1, False),
        ("?locationId=loc_123&status=Supported", 1, False),
        ("?page=1&abcClass=A", 1, False),
        ("?updatedSince=2020-01-01T00:00:00Z", 1, False),
        ("?ordering=-updatedAt", 1, False),
    ],
)
@pytest.mark.parametrize("path", ["/inventory-levels", "/products/prod_123/inventory-levels"])
def test_a_page_is_planned_once_where_one_plan_is_right_for_any_values(
    api, level, path, query, found, once
):
    for _ in range(2):
        body = api.get(path + query).json()
        assert [one["id"] for one in body["items"]] == [level["id"]] * found
        if "cursor" not in query:
            assert body["pagination"]["total"] == (1 if "page=2" in query else found)
    if is_postgresql():
        texts = prepared()
        assert sum("ORDER BY level.product_id" in text for text in texts) == once
        assert sum(text.startswith("SELECT count(*)") for text in texts) == (
            once and "cursor" not in query
        )


@pytest.mark.skipif(not is_postgresql(), reason="SQLite is never told how to go about it")
@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("", 1),
        ("?productMasterId=prod_123", 0),
        ("?locationId=loc_123", 0),
        ("?cursor=", 0),
        ("?locationId=loc_123&status=Supported", 1),
    ],
)
def test_only_totals_of_many_are_counted_in_a_transaction_that_says_how(api, level, query, times):
    with CaptureQueriesContext(connection) as captured:
        assert len(api.get(f"/inventory-levels{query}").json()["items"]) == 1
    texts = [one["sql"] for one in captured.captured_queries]
    assert texts.count("SET LOCAL enable_seqscan = off") == times


@pytest.fixture
def table(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (number integer)")
        cursor.execute("INSERT INTO changing VALUES (7)")
    yield "changing"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE changing")


@pytest.mark.django_db(transaction=is_postgresql())
def test_a_migration_that_changes_a_column_meanwhile_is_no_error(table):
    sql = f"SELECT number FROM {table} WHERE number IS NOT NULL"
    assert fetch(sql, []) == fetch_once(sql, []) == [(7,)]
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN number TYPE text")
        else:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN word text")
    expected = [("7",)] if is_postgresql() else [(7,)]
    assert fetch(sql, []) == fetch_once(sql, []) == expected


@pytest.mark.skipif(not is_postgresql(), reason="SQLite prepares nothing")
@pytest.mark.django_db(transaction=True)
def test_a_connection_keeps_the_statements_that_were_asked_last():
    for number in (*range(60), 0, *range(60, 120)):
        assert fetch(f"SELECT {number}, CAST(%s AS text)", ["%"]) == [(number, "%")]
    texts = prepared()
    assert len(texts) == 100
    assert "SELECT 0, CAST($1 AS text)" in texts
    assert "SELECT 1, CAST($1 AS text)" not in texts


@pytest.mark.skipif(not is_postgresql(), reason="SQLite prepares nothing")
@pytest.mark.django_db(transaction=True)
def test_a_text_is_never_cut_off_at_a_nul_and_a_lost_connection_is_told_as_such():
    with pytest.raises(DataError):
        fetch("SELECT CAST(%s AS text)", ["prod_123\x00456"])
    with pytest.raises(OperationalError):
        fetch("SELECT pg_terminate_backend(pg_backend_pid())", [])
    connection.close()
    assert fetch("SELECT CAST(%s AS text)", [None]) == [(None,)]


@pytest.mark.skipif(not is_postgresql(), reason="SQLite prepares nothing")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lost", ["DEALLOCATE ALL", "ALTER TABLE changing ALTER number TYPE text"])
def test_a_plan_that_is_of_no_use_any_more_fails_one_transaction_and_no_other(table, lost):
    def number():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return fetch(f"SELECT number FROM {table}", [])

    assert number() == [(7,)]
    with connection.cursor() as cursor:
        cursor.execute(lost)
    with pytest.raises(DatabaseError):
        number()
    assert number() in ([(7,)], [("7",)])


@pytest.mark.skipif(not is_postgresql(), reason="SQLite has no server to lose")
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_grew_old_since_the_last_request_is_not_used_again():
    def server() -> list[tuple[int]]:
        return fetch("SELECT pg_backend_pid()", [])

    first = server()
    connection.close_if_unusable_or_obsolete()  # as each request does in the end
    assert server() == first
    connection.close_if_unusable_or_obsolete()
    connection.close_at = time.monotonic()
    second = server()
    assert second != first
    assert server() == second


@pytest.mark.skipif(not is_postgresql(), reason="SQLite knows no styles")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("style", ["German", "SQL, DMY", "ISO, MDY"])
def test_times_are_written_alike_whatever_style_the_environment_asks_for(monkeypatch, style):
    connection.close()
    monkeypatch.setenv("PGDATESTYLE", style)
    text = "2026-01-02 03:04:05.000006"
    assert fetch("SELECT CAST(CAST(%s AS timestamp) AS text)", [text]) == [(text,)]


def test_a_broken_transaction_takes_no_more_statements(db):
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        fetch("SELECT 1", [])
        try:
            with transaction.atomic(savepoint=False):
                raise ValueError
        except ValueError:
            fetch("SELECT 1", [])
