"""gunicorn's threaded worker: which connections and requests its threads take, how they answer.

Leader and followers (Schmidt et al., 2000): one thread, the leader, waits for all clients that
go on asking, and answers them itself. To hand each request from a poller to a thread and back,
and to let threads take turns at Python, would cost as much as a small request. Where a request
takes longer, for its work or for a slow client, another thread leads on.

And a worker takes a new client only while it has a thread to spare, as another worker may have
one: nobody should queue behind slow downloads. Where all have clients, it still lets some in ten
times a second, as many as it has threads, as long as any of them is answered.
"""

from __future__ import annotations

import math
import select
import time
from collections import deque
from concurrent.futures import Future
from contextlib import closing, suppress
from threading import Lock
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from inventory_project import plain

# Seconds that a request may take before another thread leads, and after which that is looked at.
PATIENCE, TICK = 0.01, 0.005
# Seconds after which a client that asks for nothing is gunicorn's poller's.
STAY = 0.02
# And after which a worker whose threads are all busy lets somebody in. Another worker that has one
# to spare may be late to notice, and who is let in stays.
RESERVE = 0.1

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
    """A connection that a leader may hear of; since when it is idle, where it is."""

    def __init__(self, conn: TConn) -> None:
        self.conn, self.number = conn, conn.sock.fileno()
        self.idle_since = time.monotonic()


class Lead:
    """A thread's time as the leader: when it began the request that it is at."""

    began: float = math.inf


class Worker(ThreadWorker):
    alive: bool

    def init_process(self) -> None:
        self.reads_plainly = plain.suits(self.cfg)
        self.clients: dict[int, Client] = {}  # by their sockets' numbers
        self.asking = select.epoll()  # tells of each once, until it was answered
        self.asked: deque[int] = deque()  # those it told of
        self.lead: Lead | None = None
        self.changing = Lock()  # of who leads, and of who is whose turn
        self.answers = 0
        self.seen, self.looked = 0, 0.0  # answers, and time, when somebody was let in
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
        self.seen, self.looked = self.answers, time.monotonic()

    def enqueue_req(self, conn: TConn) -> None:
        if conn.parser is None and self.reads_plainly and isinstance(conn.client, tuple):
            conn.parser = plain.Parser(self.cfg, conn.sock, conn.client, conn.server)
        with self.changing:
            client = Client(conn)
            self.clients[client.number] = client
            self.asking.register(client.number, _READABLE_ONCE)
            if self.lead is None:
                self._appoint()
        self.set_accept_enabled(self._accepting)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        lead = self.lead
        super().wait_for_and_dispatch_events(TICK if lead else timeout)
        now = time.monotonic()
        with self.changing:
            if lead and lead is self.lead and now - lead.began > PATIENCE:
                self._appoint()
        is_full = not self._accepting and self.nr_conns < self.worker_connections
        if self.alive and is_full and self.answers > self.seen and now > self.looked + RESERVE:
            for listener in self.sockets * self.cfg.threads:
                self.accept(listener)  # who waits, if anybody does

    def is_parent_alive(self) -> bool:
        # Alone, it stops: in its last seconds, too, it takes nobody new.
        is_there: bool = self.alive and super().is_parent_alive()
        self.alive = is_there
        return is_there

    def _appoint(self) -> None:
        self.lead = Lead()
        self.tpool.submit(self._as_leader, self.lead)

    def _forget(self) -> None:
        self.nr_conns -= 1

    # What its threads do.

    def _as_leader(self, lead: Lead) -> None:
        parted = time.monotonic()
        try:
            while lead is self.lead:
                found = self.asking.poll(0 if self.asked else STAY)
                self.asked.extend(number for number, _ in found)
                for _ in range(len(self.asked)):
                    if client := self._next(lead):
                        self._answer(client, lead)
                if time.monotonic() > parted + STAY or not self.alive:
                    parted = time.monotonic()
                    self._part_with_idle(lead)
        except BaseException:
            self.log.exception("Error while leading")
            with self.changing:
                if lead is self.lead:
                    self._appoint()

    def _next(self, lead: Lead) -> Client | None:
        with self.changing:
            if lead is not self.lead or not self.asked:
                return None
            client = self.clients[self.asked.popleft()]
            client.idle_since, lead.began = math.inf, time.monotonic()
            return client

    def _answer(self, client: Client, lead: Lead) -> None:
        conn, kept = client.conn, False  # type: TConn, Any
        conn.data_ready = True
        try:
            kept = self.handle(conn)
        except BaseException:
            self.log.exception("Error handling request")
        if not kept:
            # Here, as a client may take its time to close, too.
            with suppress(OSError):  # it is closed
                conn.close(graceful=True)
        with self.changing:
            lead.began = math.inf
            self.answers += 1
            client.idle_since = time.monotonic()
            if kept is not True:
                self._part(client, kept)
            elif conn.parser.unreader.buf.getvalue():  # it has asked before it was answered
                self.asked.append(client.number)
            else:
                self.asking.modify(client.number, _READABLE_ONCE)

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
        """``kept`` tells the main thread how to go on with it."""
        if self.clients.get(client.number) is client:  # nobody else has its number by now
            del self.clients[client.number]
        if not kept:
            self.method_queue.defer(self._forget)
            return
        self.asking.unregister(client.number)
        done: Future[Any] = Future()
        done.set_result(kept)
        self.method_queue.defer(self.finish_request, client.conn, done)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Whether the client may go on asking."""
        if not isinstance(req, plain.PlainRequest):
            return super().handle_request(req, conn)
        self.nr += 1
        response = Response(req, conn.sock, self.cfg)
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            response.force_close()
        try:
            self._respond(req, response)
        except OSError:
            raise
        except Exception as error:
            if not response.headers_sent:
                raise  # gunicorn answers 500
            self.log.exception("Error handling request")
            raise StopIteration from error  # too late to tell the client
        return not response.should_close()

    def _respond(self, req: plain.PlainRequest, response: Response) -> None:
        started: list[Any] = []
        with closing(self.wsgi(req.environ, lambda *start: started.append(start))) as answer:
            ((status, headers),) = started
            length = dict(headers).get("Content-Length", "0")
            if length != "0" and not getattr(answer, "streaming", True):
                whole = plain.answer_head(status, headers, response.must_close) + b"".join(answer)
                response.response_length, response.headers_sent = int(length), True
                response.sock.sendall(whole)
                return
            response.start_response(status, headers)
            if isinstance(answer, wsgi.FileWrapper):
                response.write_file(answer)
            else:
                for piece in answer:
                    response.write(piece)
            response.close()
