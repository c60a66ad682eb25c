"""How examples are compared: what is wrong is noticed, and curl's stand-in is as good as curl."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.demo import Demo
from tests.docs import shown
from tests.docs.shown import Example
from tests.live import Database, Server

CURLS = [[sys.executable, str(shown.STAND_IN)]]
if system_curl := shutil.which("curl"):
    CURLS.append([system_curl])

HTTP = 'HTTP/1.1 200 OK\nETag: "level_123.1.x"\n\n{"id": "level_123", "minQuantity": 5}'
PRINTED = (
    'HTTP/1.1 200 OK\nDate: today\nETag: "level_123.1.x"\n\n{"id":"level_123","minQuantity":5}'
)


def compare(language: str, answer: str, printed: str) -> None:
    shown.compare(Example(1, "curl", language, answer, ""), printed)


@pytest.mark.parametrize(
    ("language", "answer", "printed"),
    [
        ("http", HTTP, PRINTED),
        ("http", "HTTP/1.1 304 Not Modified\n", "HTTP/1.1 304 Not Modified\nA: b\n\n"),
        ("json", '{"at": "2026-11-02T08:30:00.000000Z"}', '{"at":"2027-01-01T00:00:00.123456Z"}'),
        ("json", f'{{"id": "key_{"0" * 26}"}}', f'{{"id":"key_{"a" * 26}"}}'),
        ("json", '{"old": 1, "new": 2}', '{"new":2,"old":1}'),
        ("text", "200\n", "200\n"),
    ],
)
def test_what_is_shown_may_differ_in_space_order_and_what_changes_each_time(
    language, answer, printed
):
    compare(language, answer, printed)


@pytest.mark.parametrize(
    ("language", "answer", "printed"),
    [
        ("http", HTTP.replace("200 OK", "201 Created"), PRINTED),
        ("http", HTTP.replace("123.1.x", "123.2.x"), PRINTED),
        ("http", HTTP.replace("5}", "6}"), PRINTED),
        ("http", HTTP.partition("\n\n")[0], PRINTED),
        ("json", '{"minQuantity": 5}', '{"minQuantity":5.0}'),
        ("json", '{"minQuantity": 5}', '{"minQuantity":"5"}'),
        ("json", '{"nextCursor": "Wy…"}', '{"nextCursor":null}'),
        ("json", '{"at": "2026-11-02T08:30:00.000000Z"}', '{"at":"2026-11-02T08:30:00Z"}'),
        ("text", "200\n", "2000\n"),
        ("text", "", "200\n"),
    ],
)
def test_what_is_shown_wrongly_is_noticed(language, answer, printed):
    with pytest.raises(AssertionError):
        compare(language, answer, printed)


@pytest.mark.parametrize("curl", CURLS, ids=["the stand-in", "curl"][: len(CURLS)])
def test_curl_or_its_stand_in(curl: list[str], server: Server, live_database: Database, tmp_path):
    address = f"http://127.0.0.1:{server.port}/api"

    def run(*arguments: str) -> str:
        command = [*curl, "-s", *arguments, "-H", f"Authorization: Bearer {live_database.key}"]
        return subprocess.check_output(command, cwd=tmp_path, timeout=60).decode()

    assert run(f"{address}/products/prod_123?a=b").startswith('{"error":"a: unknown parameter"')
    answer = run("-i", f"{address}/products/none")
    assert answer.startswith("HTTP/1.1 404 Not Found\r\n")
    assert answer.endswith('\r\n\r\n{"error":"Product not found","code":"NOT_FOUND"}')
    assert run(f"{address}/products", "-o", "found", "-w", "%{http_code}\\n") == "200\n"
    assert '"prod_123"' in (tmp_path / "found").read_text()
    json = ("-H", "Content-Type: application/json")
    body = '{"globalSku":"≤"}'
    for method in ((), ("-X", "POST")):
        answer = run(*method, f"{address}/products", *json, "-d", body)
        assert '"details":{"productName":["is required"]}' in answer
    assert '"code":"UNSUPPORTED_MEDIA_TYPE"' in run(f"{address}/products", "-d", body)


def test_a_line_that_fails_is_named(server: Server, live_database: Database, tmp_path):
    demo = Demo(server, tmp_path, key="", database=live_database)
    examples = [Example(1, "echo one\n", "", "", ""), Example(7, "exit 3\n", "", "", "")]
    with pytest.raises(AssertionError, match="line 7"):
        shown.run(examples, demo)
    assert shown.run(examples[:1], demo) == ["one\n"]
