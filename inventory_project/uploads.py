"""Request bodies as they come over the wire: chunked, broken, or slower than we wait for."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gunicorn.http.errors import ParseException

# A body may keep a thread waiting for this many seconds, and one more for every so many bytes.
PATIENCE = 5
BYTES_A_SECOND = 20_000


class _ImpatientSocket:
    """A client's socket that stops receiving once the client doesn't keep up."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.until = time.monotonic() + PATIENCE

    def recv(self, size: int) -> bytes:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The client sends too slowly")
        self.sock.settimeout(left)
        try:
            data: bytes = self.sock.recv(size)
        finally:
            self.sock.settimeout(None)
        self.until += len(data) / BYTES_A_SECOND
        return data


class _Body:
    """The server's stream; a framing it can't parse is an OSError, as is a lost connection."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        with _as_os_error():
            return bytes(self.stream.read(size))

    def readline(self, size: int) -> bytes:
        with _as_os_error():
            return bytes(self.stream.readline(size))


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except ParseException as error:
        raise OSError("The body is badly framed") from error


def comes_with(environ: dict[str, Any]) -> bool:
    """Whether the request says that it has a body."""
    return bool(environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"))


@contextmanager
def prepared(environ: dict[str, Any]) -> Iterator[None]:
    """Let Django read the request's body to its end, however it is framed; but not for ever."""
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    if chunked:
        # Without a length Django would read none of it. The server ends a chunked stream by
        # itself, so any length that is long enough will do.
        environ["CONTENT_LENGTH"] = str(sys.maxsize)
    if not environ.get("CONTENT_LENGTH", "").strip("0"):
        yield
        return
    stream = environ["wsgi.input"]
    environ["wsgi.input"] = _Body(stream)
    reader = getattr(stream, "reader", None)
    unreader: Any = getattr(getattr(reader, "req", reader), "unreader", None)
    if unreader is None:  # another server than gunicorn
        yield
        return
    sock = unreader.sock
    unreader.sock = _ImpatientSocket(sock)
    try:
        yield
    finally:
        unreader.sock = sock  # it may carry another request
