"""Statements that are planned once a connection."""

import pytest
from django.db import connection

from organizations.statements import fetch, fetch_once
from tests.conftest import is_postgresql


def prepared():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [text for (text,) in cursor.fetchall()]


def test_what_every_request_asks_is_planned_once_and_a_page_each_time(api, level):
    for _ in range(2):
        assert api.get(f"/inventory-levels/{level['id']}").status_code == 200
        assert api.patch(f"/inventory-levels/{level['id']}", {"minQuantity": 1}).status_code == 200
        assert api.get("/inventory-levels?cursor=").status_code == 200
    if is_postgresql():
        texts = prepared()
        assert len(texts) == len(set(texts))
        assert {"api_key.id", "level.public_id", "level.id"} <= {
            text.split()[1][:-1] for text in texts
        }
        assert not any(text.startswith("WITH page") for text in texts)


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
