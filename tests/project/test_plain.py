"""What is read as a plain request means to gunicorn the same, to the byte."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory_project import plain

pytestmark = pytest.mark.once

CLIENT, SERVER = ("192.0.2.7", 50_123), ("192.0.2.1", 8_000)
PATH = "/api/inventory-levels"
# What only gunicorn's own way has, and nothing here asks for.
GUNICORNS = {"gunicorn.socket", "RAW_URI", "wsgi.early_hints", "wsgi.file_wrapper"}
BY_VALUE = {"wsgi.errors", "wsgi.input", plain.MARK}


def configured(**changed: Any) -> Config:
    config = Config()
    settings = {"forwarded_allow_ips": "", "limit_request_line": 8190, **changed}
    for name, value in settings.items():
        config.set(name, value)
    return config


class Sent:
    """A socket by which these packets come."""

    def __init__(self, packets: Iterable[bytes]) -> None:
        self.packets = list(packets)

    def recv(self, size: int) -> bytes:
        if not self.packets:
            return b""
        first = self.packets.pop(0)
        if first[size:]:
            self.packets.insert(0, first[size:])
        return first[:size]

    def send(self, data: bytes) -> None:
        """Of 100 Continue."""


def read(parser: RequestParser, sock: Sent) -> tuple[Any, dict[str, Any], bytes, bytes]:
    """The request, WSGI's environ of it, its body and what comes after it."""
    request = next(parser)
    if isinstance(request, plain.PlainRequest):
        environ = request.environ
    else:
        _, environ = wsgi.create(request, sock, CLIENT, SERVER, parser.cfg)
    body = environ["wsgi.input"].read()
    rest = parser.unreader.take_buffered() + b"".join(sock.packets)
    return request, environ, body, rest


def both(packets: list[bytes]) -> tuple[Any, Any]:
    """What comes of it here, and of gunicorn by itself; an exception where it is refused."""
    results: list[Any] = []
    for make in (
        lambda sock: plain.Parser(configured(), sock, CLIENT, SERVER),
        lambda sock: RequestParser(configured(), sock, CLIENT),
    ):
        sock = Sent(packets)
        try:
            results.append(read(make(sock), sock))
        except (ParseException, NoMoreData, StopIteration) as error:
            results.append(error)
    return results[0], results[1]


def told(environ: dict[str, Any]) -> dict[str, Any]:
    return {key: environ[key] for key in environ.keys() - GUNICORNS - BY_VALUE}


def request(first: str = f"GET {PATH} HTTP/1.1", *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([first, "Host: a.example", *headers, "", ""]).encode("latin-1") + body


PLAIN = [
    request(),
    request(f"GET {PATH}?limit=100&cursor=&search=a%20b HTTP/1.1", "Authorization: Bearer ilk_1_2"),
    request(f"DELETE {PATH}/level_1 HTTP/1.1", "If-Match: *", "Connection: Keep-Alive"),
    request(f"GET {PATH}/ HTTP/1.1", "X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"),
    request(f"PATCH {PATH}/level_1 HTTP/1.1", "content-length: 2", "Accept:", body=b"{}"),
    request(
        f"POST {PATH} HTTP/1.1",
        "User-Agent: python-requests/2.32.5",
        "Accept-Encoding: gzip, deflate",
        "Accept: */*",
        "Connection: keep-alive",
        "Content-Type: application/json",
        "Content-Length: 12",
        body=b'{"status":1}',
    ),
]
NOT_PLAIN = [
    request("GET /admin/ HTTP/1.1"),
    request("GET /api HTTP/1.1"),
    request(f"HEAD {PATH} HTTP/1.1"),
    request(f"GET {PATH} HTTP/1.0"),
    request(f"GET http://a.example{PATH} HTTP/1.1"),
    request(f"GET {PATH}/a%2Fb HTTP/1.1"),
    request(f"GET {PATH}?a#b HTTP/1.1"),
    request(f"GET {PATH}  HTTP/1.1"),
    request(f"get {PATH} HTTP/1.1"),
    request(f"GET {PATH} HTTP/1.1", "Host: b.example"),
    request(f"GET {PATH} HTTP/1.1", "X_Forwarded_For: 1"),
    request(f"GET {PATH} HTTP/1.1", "Connection: close"),
    request(f"GET {PATH} HTTP/1.1", "Accept : text/plain"),
    request(f"GET {PATH} HTTP/1.1", "Accept"),
    request(f"GET {PATH} HTTP/1.1", ": a"),
    request(f"GET {PATH} HTTP/1.1", "Accept: a", " b"),
    request(f"GET {PATH} HTTP/1.1", "Accept: a\rb"),
    request(f"GET {PATH} HTTP/1.1", "Accept: a\nb"),
    request(f"GET {PATH} HTTP/1.1", "Accept: a\x00b"),
    request(f"GET {PATH} HTTP/1.1", "Accept: \xe4"),
    request(f"GET {PATH} HTTP/1.1", *[f"X-{number}: 1" for number in range(100)]),
    request(f"GET {PATH} HTTP/1.1", f"Accept: {'a' * plain.MOST}"),
    request(f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    request(f"POST {PATH} HTTP/1.1", "Expect: 100-continue", "Content-Length: 2", body=b"{}"),
    request(f"POST {PATH} HTTP/1.1", "Content-Length: 2", "Content-Length: 2", body=b"{}"),
    request(f"POST {PATH} HTTP/1.1", "Content-Length: 2, 2", body=b"{}"),
    request(f"POST {PATH} HTTP/1.1", "Content-Length: +2", body=b"{}"),
    request(f"POST {PATH} HTTP/1.1", "Content-Length: -2", body=b"{}"),
    request(f"POST {PATH} HTTP/1.1", "Content-Length:", body=b"{}"),
    request().replace(b"\r\n", b"\n"),
    request().replace(b"Host: a.example\r\n", b""),
    request()[:-2],
    b"\r\n" + request(),
    b"",
]


@pytest.mark.parametrize("message", PLAIN, ids=str)
@pytest.mark.parametrize("after", [b"", PLAIN[0], b"\x00"], ids=["alone", "another", "nonsense"])
def test_what_clients_usually_send_is_plain_and_means_the_same(message, after):
    ours, theirs = both([message + after])
    assert isinstance(ours[0], plain.PlainRequest)
    assert plain.MARK in ours[1] and plain.MARK not in theirs[1]
    assert told(ours[1]) == {**told(theirs[1]), "wsgi.multithread": True}
    assert ours[2:] == theirs[2:]
    assert ours[3] == after


@pytest.mark.parametrize("message", NOT_PLAIN, ids=lambda message: repr(message[:80]))
def test_whatever_else_is_left_to_gunicorn_unread(message):
    ours, theirs = both([message])
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs)
        return
    assert not isinstance(ours[0], plain.PlainRequest)
    assert told(ours[1]) == told(theirs[1])
    assert ours[2:] == theirs[2:]


NAMES = st.sampled_from(
    ["Host", "Accept", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "TE"]
) | st.sampled_from(
    ["Authorization", "X-Forwarded-For", "X_Under", "Expect", "If-Match", "Upgrade"]
)
VALUES = st.sampled_from(
    ["a.example", "keep-alive", "close", "0", "5", "05", "chunked", "100-continue", "", " ", "\t a"]
) | st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=8)
HEADERS = st.lists(
    st.tuples(NAMES, st.sampled_from([": ", ":", ":\t", " : ", ""]), VALUES).map("".join),
    max_size=5,
)
TARGETS = st.sampled_from([PATH, f"{PATH}/a:b", f"{PATH}?a=b", "/api/", "*", "//api/x", "/api/%41"])
FIRST_LINES = st.tuples(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "HEAD", "get", "CONNECT"]),
    TARGETS | st.text(st.characters(max_codepoint=255), max_size=6).map("/api/".__add__),
    st.sampled_from(["HTTP/1.1", "HTTP/1.1 ", "HTTP/1.0", "HTTP/2.0"]),
).map(" ".join)


@settings(max_examples=500)
@given(
    FIRST_LINES,
    HEADERS,
    st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]),
    st.sampled_from([b"", b"hello", b"hello, and more", b"5\r\nhello\r\n0\r\n\r\n"]),
    st.data(),
)
def test_nothing_means_another_thing_than_it_does_to_gunicorn(first, headers, end, body, data):
    lines = [first, *headers, "", ""] if data.draw(st.booleans()) else request(first, *headers)
    head = end.join(lines).encode("latin-1") if isinstance(lines, list) else lines
    message = head + body
    cut = data.draw(st.integers(0, len(message)))
    for packets in ([message], [message[:cut], message[cut:]]):
        ours, theirs = both([packet for packet in packets if packet])
        if isinstance(theirs, Exception):
            assert type(ours) is type(theirs)
            continue
        assert told(ours[1]) | {"wsgi.multithread": 0} == told(theirs[1]) | {"wsgi.multithread": 0}
        assert ours[2:] == theirs[2:]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accesslog", "-"),
        ("max_requests", 100),
        ("certfile", "server.pem"),
        ("forwarded_allow_ips", "127.0.0.1"),
        ("proxy_protocol", True),
        ("limit_request_line", 4094),
        ("limit_request_fields", 50),
    ],
)
def test_gunicorn_reads_all_where_it_is_set_up_to_do_more(name, value):
    assert plain.suits(configured())
    assert not plain.suits(configured(**{name: value}))
