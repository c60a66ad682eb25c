"""Requests of the API as most clients send them, read and answered in few steps.

gunicorn's own way takes as long for a small request as all that the product does for it. It
stays the way of everything that isn't plain: whatever isn't recognized here, to the byte, is
left to its parser unread. Every request that is must mean to both the same.
"""

from __future__ import annotations

import io
import os
import re
import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

from gunicorn import SERVER
from gunicorn.config import Config
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import base_environ

# Bytes of a head, below each of the limits that gunicorn.conf.py leaves to gunicorn.
MOST = 8_000
_READ = 64 * 1024
_FIRST_LINE = re.compile(
    r"(GET|POST|PATCH|DELETE) (/api/[A-Za-z0-9_.:~/-]*)(?:\?([!-\"$-~]*))? HTTP/1\.1"
)
_PRINTABLE = re.compile(rb"[\t\r\n -~]*")
_SENDABLE = re.compile(rb"[\t\r\n -~\x80-\xff]*")
_NAME = re.compile(r"[A-Za-z0-9-]+")
# What changes how a message is read, or what is owed to its sender.
_SPECIAL = {
    "HTTP_TRANSFER_ENCODING",
    "HTTP_EXPECT",
    "HTTP_UPGRADE",
    "HTTP_HTTP2_SETTINGS",
    "HTTP_TE",
    "HTTP_TRAILER",
}

# With which settings gunicorn does no more for a request than what is done here.
_AS_SHIPPED: dict[str, Any] = {
    "certfile": None,
    "keyfile": None,
    "protocol": "http",
    "proxy_protocol": "off",
    "http2_cleartext": "off",
    "forwarded_allow_ips": [],
    "limit_request_fields": 100,
    "limit_request_field_size": 8190,
    "limit_request_line": 8190,
    "max_requests": 0,
    "accesslog": None,
    "logconfig": None,
    "logconfig_dict": {},
    "logconfig_json": None,
    "syslog": False,
    "statsd_host": None,
}
_MOST_FIELDS = 100

# What WSGI's environ of a plain request has besides.
MARK = "inventory_project.plain"

Headers = list[tuple[str, str]]


def suits(cfg: Config) -> bool:
    """Whether gunicorn is set up so that requests may go past its parser."""
    as_shipped = all(getattr(cfg, name) == value for name, value in _AS_SHIPPED.items())
    return as_shipped and bool(cfg.keepalive) and not os.environ.get("SCRIPT_NAME")


class Socket(Protocol):
    def recv(self, size: int) -> bytes: ...


class PlainRequest:
    """What gunicorn's threads look at of a request; ``environ`` is WSGI's."""

    version = (1, 1)

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ, self.body = environ, environ["wsgi.input"]
        self.method: str = environ["REQUEST_METHOD"]
        self.uri, self.query = environ["PATH_INFO"], environ["QUERY_STRING"]

    @staticmethod
    def should_close() -> bool:
        return False


class Parser(RequestParser):  # type: ignore[misc]  # gunicorn has no types
    """Of a connection: its plain requests, and gunicorn's of all others."""

    mesg: Any

    def __init__(self, cfg: Config, sock: Socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client)
        self.sock = sock
        self._base = {
            **_base_environ(cfg),
            "REMOTE_ADDR": client[0],
            "REMOTE_PORT": str(client[1]),
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
        }

    def __next__(self) -> Any:
        if self.mesg is None or (not self.mesg.should_close() and self.finish_body()):
            data = self.unreader.take_buffered() or self.sock.recv(_READ)
            if plain := self._plain(data):
                self.mesg = plain
                return plain
            self.unreader.unread(data)
        return super().__next__()

    def finish_body(self, deadline: float | None = None, max_bytes: int | None = None) -> bool:
        if self.mesg is None or isinstance(self.mesg.body, io.BytesIO):
            return True
        return bool(super().finish_body(deadline, max_bytes))

    def _plain(self, data: bytes) -> PlainRequest | None:
        end = data.find(b"\r\n\r\n", 0, MOST)
        environ = read_head(data[:end]) if end >= 0 else None
        if environ is None:
            return None
        length, body = int(environ.get("CONTENT_LENGTH", 0)), data[end + 4 :]
        if len(body) >= length:
            self.unreader.unread(body[length:])
            body_file: Any = io.BytesIO(body[:length])
        else:
            self.unreader.unread(body)
            body_file = Body(LengthReader(self.unreader, length))
        return PlainRequest({**self._base, **environ, "wsgi.input": body_file})


def read_head(head: bytes) -> dict[str, str] | None:
    """What WSGI's environ has of a plain request's first line and headers; None of others."""
    if not _PRINTABLE.fullmatch(head):
        return None
    first, *lines = head.decode("ascii").split("\r\n")
    matched = _FIRST_LINE.fullmatch(first)
    if not matched or len(lines) > _MOST_FIELDS:
        return None
    method, path, query = matched.groups("")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }
    for line in lines:
        name, colon, value = line.partition(":")
        key = _key(name) if colon else None
        if key is None or key in environ or "\r" in line or "\n" in line:
            return None
        environ[key] = value.strip(" \t")
    length = environ.get("CONTENT_LENGTH", "0")
    is_usual = (
        "HTTP_HOST" in environ
        and environ.get("HTTP_CONNECTION", "keep-alive").lower() == "keep-alive"
        and length.isdecimal()
        and len(length) < 10
    )
    return environ if is_usual else None


@lru_cache(1_000)
def _key(name: str) -> str | None:
    """Of a header in WSGI's environ; None where the name isn't plain."""
    if not _NAME.fullmatch(name):
        return None
    key = name.upper().replace("-", "_")
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key
    return None if f"HTTP_{key}" in _SPECIAL else f"HTTP_{key}"


@lru_cache(1)
def _base_environ(cfg: Config) -> dict[str, Any]:
    return {**base_environ(cfg), "wsgi.multithread": True, MARK: True}


def answer_head(status: str, headers: Headers, must_close: bool) -> bytes:
    """Of an answer, after which the connection is closed or not."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    head = (
        f"HTTP/1.1 {status}\r\nServer: {SERVER}\r\nDate: {_date(int(time.time()))}\r\n"
        f"Connection: {'close' if must_close else 'keep-alive'}\r\n{lines}\r\n"
    ).encode("latin-1")
    if not _SENDABLE.fullmatch(head):
        raise ValueError("a header holds a character that none may hold")
    return head


@lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
