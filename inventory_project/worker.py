"""gunicorn's threaded worker, and which connections and requests its threads take.

A thread stays with a client that asks again at once: handing each request from the poller to a
thread and back costs a fifth of a small request. And a worker takes a connection only while it
has a thread to spare, as another worker may have one: behind slow downloads nobody should queue.
"""

from __future__ import annotations

import select
import time
from concurrent.futures import Future
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

# Milliseconds a thread waits for the next request of the client that it has just answered.
LINGER = 2
# Seconds after which it has to ask who else is there.
STAY = 0.05


class Worker(ThreadWorker):
    def init_process(self) -> None:
        self.asking = 0  # connections that have a thread, or wait for one
        super().init_process()

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and self.asking < self.cfg.threads)

    def accept(self, listener: Any) -> None:
        super().accept(listener)
        if self.asking >= self.cfg.threads:
            self.set_accept_enabled(False)

    def enqueue_req(self, conn: TConn) -> None:
        self.asking += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        self.asking -= 1
        # Now: this client may have its next request here already, and would never let others in.
        self.set_accept_enabled(self.alive)
        super().finish_request(conn, fs)

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
