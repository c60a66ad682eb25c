"""What only a real server shows: bodies of any size and form, and how it stops."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any

import pytest

from tests.live import (
    LEVELS,
    MIB,
    Database,
    InBackground,
    Server,
    State,
    codes,
    everything,
    new_level,
    new_product,
)

pytestmark = pytest.mark.usefixtures("history_agrees")


# --- bodies


BIG = b'{"productName": "' + b"x" * (20 * MIB) + b'"}'


def pieces(body: bytes, size: int = 64 * 1024) -> Iterator[bytes]:
    """A body of unknown length: http.client sends it in chunks."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
@pytest.mark.parametrize(
    ("method", "path", "changed", "expected"),
    [
        ("POST", "/api/products", {"Authorization": ""}, (401, "MISSING_AUTHORIZATION")),
        ("POST", "/api/products", {"Authorization": "Bearer x"}, (401, "INVALID_API_KEY")),
        ("POST", "/api/products", {}, (413, "PAYLOAD_TOO_LARGE")),
        ("PATCH", "/api/products/prod_123", {}, (413, "PAYLOAD_TOO_LARGE")),
        ("POST", "/api/nowhere", {}, (404, "NOT_FOUND")),
        ("PUT", "/api/products", {}, (405, "METHOD_NOT_ALLOWED")),
        ("POST", "/api/products", {"Content-Type": "text/csv"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
    ],
)
def test_the_client_sees_why_its_big_body_was_refused(
    server, live_database, chunked, method, path, changed, expected
):
    headers = {
        "Authorization": f"Bearer {live_database.key}",
        "Content-Type": "application/json",
        **changed,
    }
    sent = {name: value for name, value in headers.items() if value}
    with closing(server.connection()) as connection:
        connection.request(method, path, pieces(BIG) if chunked else BIG, sent)
        response = connection.getresponse()
        body = json.loads(response.read())
        assert (response.status, body["code"]) == expected
        # No byte of that body is taken for the next request.
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status": "ok"}'


@pytest.mark.parametrize("size", [1, 7, 64 * 1024])
def test_a_chunked_body_is_read_like_any_other(server, live_api, live_database, size):
    name = "Zürich 😀 " * 20
    body = json.dumps({"name": f"{name}{size}", "type": "STORE"}, ensure_ascii=False).encode()
    headers = {
        "Authorization": f"Bearer {live_database.key}",
        "Content-Type": "application/json",
    }
    answer = server.send("POST", "/api/locations", pieces(body, size), headers)
    assert answer.status_code == 201
    assert answer.json()["name"] == f"{name}{size}"
    assert live_api.get(f"/locations/{answer.json()['id']}").json() == answer.json()


def test_an_empty_chunked_body_is_an_empty_body(server, live_database):
    headers = {
        "Authorization": f"Bearer {live_database.key}",
        "Content-Type": "application/json",
    }
    answer = server.send("POST", "/api/locations", pieces(b""), headers)
    assert codes([answer]) == {(400, "INVALID_JSON"): 1}


def raw_answer(server: Server, data: bytes) -> tuple[int, State]:
    """What comes back for these bytes, after which the client sends nothing more."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        with closing(http.client.HTTPResponse(client)) as response:
            response.begin()
            return response.status, json.loads(response.read())


def test_every_kind_of_answer_is_framed_so_that_the_next_one_follows(server, live_database):
    asked = [
        ("GET", f"{PATH}/{{}}", {}, 200),
        ("HEAD", f"{PATH}/{{}}", {}, 200),
        ("GET", f"{PATH}/{{}}", {"If-None-Match": "*"}, 304),
        ("GET", f"{PATH}/export.csv", {}, 200),
        ("HEAD", f"{PATH}/export.csv", {}, 200),
        ("GET", f"{PATH}/nothing", {}, 404),
        ("GET", "/static/inventory_project/start.css", {}, None),
    ]
    key = {"Authorization": f"Bearer {live_database.key}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as kept:
        kept.request("POST", PATH, json.dumps(PAIR), key)
        made = json.loads(kept.getresponse().read())
        sock = kept.sock
        for method, path, headers, status in asked:
            kept.request(method, path.format(made["id"]), headers=key | headers)
            answer = kept.getresponse()
            body = answer.read()
            assert status in (None, answer.status)
            assert bool(body) == (method == "GET" and status != 304)
            assert kept.sock is sock, "the connection was closed"
            is_export, is_chunked = "export" in path, answer.headers["Transfer-Encoding"]
            assert bool(is_chunked) == (is_export and method == "GET")


PATH = "/api/inventory-levels"
PAIR = {"productMasterId": "prod_123", "locationId": "loc_123"}
LENGTH = b"Content-Length: 100\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
END = b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        LENGTH,
        LENGTH + b'{"name": "half',
        LENGTH + b'{"name": "half"}',  # a whole object, but the client had more to say
        CHUNKED,
        CHUNKED + b'10\r\n{"name": "half',
        CHUNKED + b'10\r\n{"name": "half"}\r\n',
        CHUNKED + b'ff\r\n{"name": "half"}',
        CHUNKED + b'zz\r\n{"name": "half"}' + END,
        CHUNKED + b'-10\r\n{"name": "half"}' + END,
        CHUNKED + b"f" * 40 + b'\r\n{"name": "half"}' + END,
        CHUNKED + b'10\r\n{"name": "half"}XX' + END,
    ],
)
@pytest.mark.parametrize("with_key", [True, False], ids=["with a key", "without"])
def test_a_body_that_ends_early_or_is_badly_framed_is_refused(
    server, live_api, live_database, with_key, rest
):
    before = everything(live_api, "/locations")
    head = b"POST /api/locations HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += b"Content-Type: application/json\r\n"
    if with_key:
        head += f"Authorization: Bearer {live_database.key}\r\n".encode()
    status, body = raw_answer(server, head + rest)
    expected = (400, "INVALID_JSON") if with_key else (401, "MISSING_AUTHORIZATION")
    assert (status, body["code"]) == expected
    assert everything(live_api, "/locations") == before


def test_clients_that_promise_a_body_and_never_send_it_do_not_hold_the_server(
    server, live_database
):
    """As many as there are threads, and none of them with a key."""
    head = b"POST /api/products HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + LENGTH
    with ExitStack() as clients:
        stalled = [
            clients.enter_context(
                closing(socket.create_connection(("127.0.0.1", server.port), timeout=25))
            )
            for _ in range(8)
        ]
        for client in stalled:
            client.sendall(head + b"{")
        with closing(server.connection(timeout=25)) as connection:
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
        assert [client.recv(12) for client in stalled] == [b"HTTP/1.1 401"] * 8


# --- who is served by whom


def test_a_new_client_is_served_while_any_thread_of_any_worker_is_free(
    server, live_api, live_database
):
    """Seven of eight threads wait for a lock, so one worker has none left."""
    level = new_level(live_api, new_product(live_api, "busy"), minQuantity=0)
    path = f"/inventory-levels/{level['id']}"
    with live_database.locked_row(LEVELS, level["id"]):
        patches = [partial(live_api.patch, path, {"minQuantity": n}) for n in range(1, 8)]
        waiting = [InBackground(patch) for patch in patches]
        time.sleep(0.7)
        for _ in range(20):
            assert live_api.get(path).json() == level
        assert all(patch.is_alive() for patch in waiting)
    assert codes(patch.result() for patch in waiting) == {200: 7}


def test_a_new_client_is_served_though_others_never_pause(server, live_api, live_database):
    """As many as there are threads, each of which has sent all its requests before an answer."""
    head = "GET /api/locations/loc_123 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += f"Authorization: Bearer {live_database.key}\r\n"
    requests = f"{head}\r\n" * 499 + f"{head}Connection: close\r\n\r\n"

    def flood() -> int:
        with (
            closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as client,
            client.makefile("rb") as answers,
        ):
            client.sendall(requests.encode())
            return answers.read().count(b"HTTP/1.1 200 OK")

    floods = [InBackground(flood) for _ in range(8)]
    time.sleep(0.1)
    for _ in range(3):
        assert live_api.get("/locations/loc_123").json()["id"] == "loc_123"
    assert all(one.is_alive() for one in floods)
    assert [one.result() for one in floods] == [500] * 8


SEARCH = ("GET", f"{PATH}?search=nothing", None)
# Which takes so long that another thread leads on meanwhile.
MANY = ("POST", f"{PATH}/bulk", json.dumps({"items": [PAIR | {"status": "x"}] * 2_000}))


@pytest.fixture(scope="module")
def lone_server(live_database, tmp_path_factory):
    """Of one worker."""
    server = Server(live_database, tmp_path_factory.mktemp("lone") / "log", workers=1)
    yield server
    assert server.stop() == 0
    assert server.complaints() == []


@pytest.mark.parametrize(("asked", "expected"), [(SEARCH, 200), (MANY, 400)], ids=["quick", "slow"])
def test_a_new_client_is_served_though_more_kept_ones_than_threads_ask_on(
    lone_server, live_database, asked, expected
):
    """As a proxy's pool may be. They only pause once the new one was served."""
    server, clients = lone_server, 16
    stop = threading.Event()

    headers = {
        "Authorization": f"Bearer {live_database.key}",
        "Content-Type": "application/json",
    }

    def ask(connection: http.client.HTTPConnection, asked: Sequence[Any] = asked) -> int:
        connection.request(*asked, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status

    def ask_on(connection: http.client.HTTPConnection) -> set[int]:
        return {ask(connection) for _ in iter(stop.is_set, True)}

    with ExitStack() as open_:
        kept = [open_.enter_context(closing(server.connection())) for _ in range(clients)]
        # Quick ones, or the first would be given up before the last has asked.
        assert {ask(connection, SEARCH) for connection in kept} == {200}
        busy = [InBackground(partial(ask_on, connection)) for connection in kept]
        time.sleep(0.3)
        try:
            answers = [server.send("GET", "/healthz") for _ in range(10)]
            assert not any(one.answer for one in busy)
        finally:
            stop.set()
        assert {answer.status_code for answer in answers} == {200}
        assert [one.result() for one in busy] == [{expected}] * clients


@pytest.mark.parametrize(
    "content_type",
    [
        "a/b; charset*=utf-8''%00",
        "a/b; charset*=raw_unicode_escape''%5Cud800",
        "a/b; charset=hex",
        "a/b; charset=undefined",
        "a/b; charset=idna",
        "a/b; charset=punycode",
        "; charset=",
    ],
)
def test_no_content_type_costs_the_server_a_thread(server, live_database, content_type):
    """More of them than there are threads."""
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {live_database.key}"}
    for _ in range(10):
        assert server.send("GET", f"{PATH}?limit=%31", headers=headers).status_code == 200
        refused = server.send("POST", PATH, b"{}", headers)
        assert (refused.status_code, refused.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_query_of_too_many_fields_is_refused_in_any_charset(server, live_database):
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Authorization": f"Bearer {live_database.key}",
    }
    refused = server.send("GET", f"{PATH}?{'a&' * 1_500}", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")


# --- stopping


@contextmanager
def server_to_stop(database: Database, folder: Any) -> Iterator[Server]:
    server = Server(database, folder / "log")
    try:
        yield server
    finally:
        server.stop()
    assert server.complaints() == []


def refuses_connections(server: Server) -> bool:
    try:
        server.send("GET", "/healthz")
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_stopping_server_finishes_the_request_that_waits_for_a_lock(
    live_api, live_database, tmp_path, signum
):
    product = new_product(live_api, f"stop-{signum}")
    level = new_level(live_api, product, minQuantity=1)
    path = f"/inventory-levels/{level['id']}"
    with server_to_stop(live_database, tmp_path) as server:
        api = server.api(live_database.key)
        with live_database.locked_row(LEVELS, level["id"]):
            patch = InBackground(partial(api.patch, path, {"minQuantity": 2}))
            time.sleep(0.7)
            server.tell(signum)
            time.sleep(0.7)
            assert server.process.poll() is None
            assert patch.is_alive()
        answer = patch.result()
        assert (answer.status_code, answer.json()["minQuantity"]) == (200, 2)
        assert server.process.wait(timeout=20) == 0
        assert refuses_connections(server)
    assert live_api.get(path).json() == answer.json()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_stopping_server_hears_a_request_out(live_api, live_database, tmp_path, signum):
    product = new_product(live_api, f"heard-{signum}")
    body = json.dumps({"productMasterId": product, "locationId": "loc_123"}).encode()
    with (
        server_to_stop(live_database, tmp_path) as server,
        closing(server.connection()) as connection,
    ):
        connection.putrequest("POST", "/api/inventory-levels")
        connection.putheader("Authorization", f"Bearer {live_database.key}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])
        time.sleep(0.5)
        server.tell(signum)
        time.sleep(0.5)
        assert server.process.poll() is None
        connection.send(body[10:])
        response = connection.getresponse()
        created = json.loads(response.read())
        assert response.status == 201
        assert server.process.wait(timeout=20) == 0
    assert live_api.get(f"/inventory-levels/{created['id']}").json() == created
