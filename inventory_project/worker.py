"""gunicorn's threaded worker: which connections and requests its threads take, how they answer.

A thread stays with a client that asks again at once: handing each request from the poller to a
thread and back costs a fifth of a small request. And a worker takes a new client only while it has
a thread to spare, as another worker may have one: nobody should queue behind slow downloads. Where
all are busy with quick requests, it still lets somebody in fifty times a second.
"""

from __future__ import annotations

import select
import time
from concurrent.futures import Future
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

# Milliseconds a thread waits for the next request of the client that it has just answered.
LINGER = 2
# Seconds after which clients who don't pause have to wait for those who came later.
STAY = 0.02


class Response(wsgi.Response):
    """Sends its head with the first of its body: one packet, and the client wakes up once."""

    headers_sent: bool
    unsent = b""

    def send_headers(self) -> None:
        if not self.headers_sent:
            lines = self.default_headers() + [f"{name}: {text}\r\n" for name, text in self.headers]
            self.unsent = "".join([*lines, "\r\n"]).encode("latin-1")
            self.headers_sent = True
        if self._omits_body:  # and no body will come to send it with
            self._emit(b"")

    def sendfile(self, respiter: Any) -> bool:
        self.send_headers()
        self._emit(b"")
        sent: bool = super().sendfile(respiter)
        return sent

    def close(self) -> None:
        self.send_headers()
        self._emit(b"0\r\n\r\n" if self.chunked else b"")

    def _emit_body(self, data: bytes) -> None:
        self._emit(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _emit(self, data: bytes) -> None:
        sent, self.unsent = self.unsent + data, b""
        if sent:
            self.sock.sendall(sent)


wsgi.Response = Response  # there is no setting for it


class Worker(ThreadWorker):
    alive: bool

    def init_process(self) -> None:
        self.asking = 0  # connections that have a thread, or wait for one
        self.looked = 0.0  # when new clients were last let in
        super().init_process()

    # What the main thread does: it alone changes these two.

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and self.asking < self.cfg.threads)

    def accept(self, listener: Any) -> None:
        super().accept(listener)
        self.looked = time.monotonic()
        self.set_accept_enabled(self._accepting)

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        super().on_client_socket_readable(conn, client)
        self.set_accept_enabled(self._accepting)

    def on_pending_socket_readable(self, conn: TConn, client: Any) -> None:
        super().on_pending_socket_readable(conn, client)
        self.set_accept_enabled(self._accepting)

    def enqueue_req(self, conn: TConn) -> None:
        self.asking += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        self.asking -= 1
        is_shut = not self._accepting and self.nr_conns < self.worker_connections
        if self.alive and is_shut and time.monotonic() > self.looked + STAY:
            for listener in self.sockets:
                self.accept(listener)  # who waits, if anybody does
        super().finish_request(conn, fs)

    def is_parent_alive(self) -> bool:
        # Alone, it stops: in its last seconds, too, it takes nobody new.
        is_there: bool = self.alive and super().is_parent_alive()
        self.alive = is_there
        return is_there

    # What its threads do.

    def handle(self, conn: TConn) -> Any:
        until = time.monotonic() + STAY
        while True:
            kept = super().handle(conn)
            if kept is not True or time.monotonic() > until or not self._asks_again(conn):
                return kept

    def _asks_again(self, conn: TConn) -> bool:
        if self.asking > self.cfg.threads or not self.alive:
            return False
        if conn.parser.unreader.buf.getvalue():  # it has, before it was answered
            return True
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(LINGER))
