"""gunicorn's threaded worker: which connections and requests its threads take, how they answer.

Leader and followers (Schmidt et al., 2000): one thread, the leader, waits for all clients that
go on asking, and answers them itself. To hand each request from a poller to a thread and back,
and to let threads take turns at Python, would cost as much as a small request. Where a request
takes longer, for its work or for a slow client, another thread leads on.

And a worker takes a new client only while it has a thread to spare, as another worker may have
one: nobody should queue behind slow downloads. Where all have clients, it still lets somebody in
fifty times a second.
"""

from __future__ import annotations

import math
import select
import time
from collections import deque
from concurrent.futures import Future
from threading import Lock
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from inventory_project import plain

# Seconds that a request may take before another thread leads, and after which that is looked at.
PATIENCE, TICK = 0.01, 0.005
# Seconds after which a client that asks for nothing is gunicorn's poller's; and after which a
# worker whose threads are all busy lets somebody in.
STAY = 0.02

_READABLE_ONCE = select.EPOLLIN | select.EPOLLONESHOT


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


class Client:
    """A connection that a leader may hear of; where it is idle, since when."""

    def __init__(self, conn: TConn) -> None:
        self.conn, self.number = conn, conn.sock.fileno()
        self.idle_since = time.monotonic()


class Lead:
    """A thread's time as the leader: whether it has come, and the request that it is at."""

    is_on = False
    began: float = math.inf
    answers = 0


class Worker(ThreadWorker):
    alive: bool

    def init_process(self) -> None:
        self.reads_plainly = plain.suits(self.cfg)
        self.looked = 0.0  # when new clients were last let in
        self.clients: dict[int, Client] = {}  # by their sockets' numbers
        self.asking = select.epoll()  # tells of each once, until it was answered
        self.asked: deque[int] = deque()  # those it told of
        self.lead: Lead | None = None
        self.changing = Lock()  # of who leads and whom
        super().init_process()

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.lead = None

    # What the main thread does.

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and len(self.clients) < self.cfg.threads)

    def accept(self, listener: Any) -> None:
        super().accept(listener)
        self.looked = time.monotonic()
        self.set_accept_enabled(self._accepting)

    def enqueue_req(self, conn: TConn) -> None:
        if conn.parser is None and self.reads_plainly and isinstance(conn.client, tuple):
            conn.parser = plain.Parser(self.cfg, conn.sock, conn.client, conn.server)
        with self.changing:
            client = Client(conn)
            self.clients[client.number] = client
            self.asking.register(client.number, _READABLE_ONCE)
            if self.lead is None:
                self._appoint()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        lead = self.lead
        answers = lead.answers if lead else 0
        super().wait_for_and_dispatch_events(TICK if lead else timeout)
        if lead is None:
            return
        now = time.monotonic()
        with self.changing:
            if lead is self.lead and now - lead.began > PATIENCE:
                self._appoint()
        is_full = not self._accepting and self.nr_conns < self.worker_connections
        if self.alive and is_full and lead.answers > answers and now > self.looked + STAY:
            for listener in self.sockets:
                self.accept(listener)  # who waits, if anybody does

    def is_parent_alive(self) -> bool:
        # Alone, it stops: in its last seconds, too, it takes nobody new.
        is_there: bool = self.alive and super().is_parent_alive()
        self.alive = is_there
        return is_there

    def _appoint(self) -> None:
        self.lead = Lead()
        self.tpool.submit(self._as_leader, self.lead)

    # What its threads do.

    def _as_leader(self, lead: Lead) -> None:
        swept = time.monotonic()
        while lead is self.lead:
            found = self.asking.poll(0 if self.asked else STAY)
            self.asked.extend(number for number, _ in found)
            for _ in range(len(self.asked)):
                self._answer(self.clients[self.asked.popleft()], lead)
                if lead is not self.lead:
                    return
            if time.monotonic() > swept + STAY or not self.alive:
                swept = time.monotonic()
                self._part_with_idle(lead)

    def _answer(self, client: Client, lead: Lead) -> None:
        client.idle_since, lead.began = math.inf, time.monotonic()
        client.conn.data_ready = True
        kept = self.handle(client.conn)
        lead.began = math.inf
        lead.answers += 1
        if kept is True:
            client.idle_since = time.monotonic()
            if client.conn.parser.unreader.buf.getvalue():  # it has, before it was answered
                self.asked.append(client.number)
            else:
                self.asking.modify(client.number, _READABLE_ONCE)
        else:
            with self.changing:
                self._part(client, kept)

    def _part_with_idle(self, lead: Lead) -> None:
        """Leave them to gunicorn's poller; and where nobody is left, lead no more."""
        idle_since = time.monotonic() - (STAY if self.alive else 0)
        with self.changing:
            if lead is not self.lead:
                return
            for client in list(self.clients.values()):
                if client.idle_since < idle_since and client.number not in self.asked:
                    self._part(client, True if client.conn.initialized else _DEFER)
            if not self.clients:
                self.lead = None

    def _part(self, client: Client, kept: Any) -> None:
        if client.conn.sock.fileno() == client.number:  # it is still open
            self.asking.unregister(client.number)
        if self.clients.get(client.number) is client:
            del self.clients[client.number]
        done: Future[Any] = Future()
        done.set_result(kept)
        self.method_queue.defer(self.finish_request, client.conn, done)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Whether the client may go on asking."""
        if not isinstance(req, plain.PlainRequest):
            return super().handle_request(req, conn)
        self.nr += 1
        stays = self.alive and len(self.keepalived_conns) < self.max_keepalived
        started: list[Any] = []
        answer = self.wsgi(req.environ, lambda *start: started.append(start))
        try:
            ((status, headers),) = started
            if any(name == "Content-Length" for name, _ in headers):
                head = plain.answer_head(status, headers, stays=stays)
                conn.sock.sendall(head + b"".join(answer))
            else:
                stays = self._send_as_it_comes(conn, req, (status, headers), answer) and stays
        finally:
            answer.close()
        return stays

    def _send_as_it_comes(self, conn: TConn, req: Any, start: Any, answer: Any) -> bool:
        response = Response(req, conn.sock, self.cfg)
        response.start_response(*start)
        try:
            for piece in answer:
                response.write(piece)
            response.close()
        except OSError:
            raise
        except Exception as error:  # too late to tell the client
            self.log.exception("Error handling request")
            raise StopIteration from error
        return not response.should_close()
