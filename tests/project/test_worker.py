"""How gunicorn's answers leave, seen from their socket, and how clients leave who lost it."""

import logging
import select
import socket
from collections import deque
from threading import Lock
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


class _Bare(worker.Worker):
    """As far as one client goes."""

    def __init__(self, handle):
        self.handle, self.log = handle, logging.getLogger("gunicorn")
        self.clients, self.asking, self.asked = {}, select.epoll(), deque()
        self.changing, self.answers, self.nr_conns = Lock(), 0, 1
        self.method_queue = SimpleNamespace(defer=lambda call, *arguments: call(*arguments))


def raises(conn):
    raise SystemExit


def fails_after_the_head(conn):
    conn.sock.close()
    return False


@pytest.mark.parametrize("handle", [lambda conn: False, fails_after_the_head, raises])
def test_a_client_that_is_done_leaves_nothing_behind(handle):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.close()
        one = _Bare(handle)
        client = worker.Client(worker.TConn(Config(), ours, ("", 0), ("", 0)))
        one.clients[client.number] = client
        one.asking.register(client.number, select.EPOLLIN | select.EPOLLONESHOT)
        lead = worker.Lead()
        one._answer(client, lead)
        assert (one.clients, one.nr_conns, one.answers) == ({}, 0, 1)
        assert one.asking.poll(0) == []
        assert lead.began == worker.Lead.began
