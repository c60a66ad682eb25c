"""How gunicorn's answers leave, seen from their socket."""

from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi

from inventory_project import worker

HEAD_END = b"\r\n\r\n"


class Sent(list):
    sendall = list.append


@pytest.mark.parametrize(
    ("method", "length", "first", "then"),
    [
        ("GET", "5", b"hello", []),
        ("GET", None, b"5\r\nhello\r\n", [b"0\r\n\r\n"]),
        ("HEAD", "5", b"", []),
        ("HEAD", None, b"", []),
    ],
)
def test_the_head_leaves_with_the_first_of_the_body_or_at_once(method, length, first, then):
    sent = Sent()
    request = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)
    answer = wsgi.Response(request, sent, Config())
    assert isinstance(answer, worker.Response)
    answer.start_response("200 OK", [("Content-Length", length)] if length else [])
    answer.write(b"hello")
    (packet,) = sent
    head, _, body = packet.partition(HEAD_END)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == first
    answer.close()
    assert sent[1:] == then
