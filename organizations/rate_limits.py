"""How many requests a minute a key may make, counted for all processes together."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import redis
from django.conf import settings
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.throttling import BaseThrottle

from organizations.authentication import Caller

if TYPE_CHECKING:
    from rest_framework.request import Request

logger = logging.getLogger(__name__)

MINUTE = 60


class KeyRate(BaseThrottle):
    """``RATE_LIMIT_PER_MINUTE`` requests with each key in each minute of the clock.

    People who are signed in are not counted.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request, and tell its client in headers. Raises Throttled."""
        limit, caller = settings.RATE_LIMIT_PER_MINUTE, request.auth
        if not limit or not isinstance(caller, Caller) or caller.actor.type != "apiKey":
            return True
        now = time.time()
        ends = (int(now) // MINUTE + 1) * MINUTE
        made = counters().add(caller.actor.id, ends)
        view.headers["X-RateLimit-Limit"] = str(limit)
        view.headers["X-RateLimit-Remaining"] = str(max(0, limit - made))
        view.headers["X-RateLimit-Reset"] = str(ends)
        if made > limit:
            refusal = Throttled(ends - now)
            refusal.detail = ErrorDetail(f"This key has made its {limit} requests of the minute.")
            raise refusal
        return True


class Counters(Protocol):
    def add(self, name: str, ends: int) -> int:
        """Count one more under a name until a time (Unix seconds); how many there are now."""


@cache
def counters() -> Counters:
    """This process's way to them."""
    shared = SharedCounters(shared_path())
    return RedisCounters(settings.REDIS_URL, shared) if settings.REDIS_URL else shared


def shared_path() -> str:
    """A file in memory, the same for all processes with one SECRET_KEY."""
    folder = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()  # noqa: S108
    secret = hashlib.sha256(b"rate limits" + settings.SECRET_KEY.encode()).hexdigest()
    return f"{folder}/inventory-levels-{os.geteuid()}-{secret[:16]}"


class SharedCounters:
    """Counters that the processes of one host share, in a file that each maps into its memory.

    A hash table: a name has one bucket, and in it takes the slot that ends first where none is
    its own, so that more than SLOTS busy names in one bucket may count too little, never too much.
    """

    BUCKETS, SLOTS = 4096, 8
    _SLOT = struct.Struct("8sQQ")  # of the name, when it ends, how many
    _BUCKET = SLOTS * _SLOT.size

    def __init__(self, path: str) -> None:
        self._thread = threading.Lock()
        size = self.BUCKETS * self._BUCKET
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_uid != os.geteuid():
                raise PermissionError(f"{path} is somebody else's")
            os.ftruncate(self._file, size)
            self._memory = mmap.mmap(self._file, size)
        except OSError as error:
            logger.warning("rate limits count in this process alone: %s", error)
            self._file, self._memory = -1, mmap.mmap(-1, size)

    def add(self, name: str, ends: int) -> int:
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        start = int.from_bytes(digest) % self.BUCKETS * self._BUCKET
        with self._locked(start):
            first = (ends + 1, start)
            for place in range(start, start + self._BUCKET, self._SLOT.size):
                whose, until, count = self._SLOT.unpack_from(self._memory, place)
                if (whose, until) == (digest, ends):
                    self._SLOT.pack_into(self._memory, place, digest, ends, count + 1)
                    return int(count) + 1
                first = min(first, (until, place))
            self._SLOT.pack_into(self._memory, first[1], digest, ends, 1)
            return 1

    @contextmanager
    def _locked(self, start: int) -> Iterator[None]:
        """Keep other threads and other processes out of a bucket."""
        with self._thread:
            if self._file >= 0:
                fcntl.lockf(self._file, fcntl.LOCK_EX, self._BUCKET, start)
            try:
                yield
            finally:
                if self._file >= 0:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, self._BUCKET, start)


class RedisCounters:
    """Counters that several hosts share; while Redis is out of reach, each host counts alone."""

    PATIENCE, PAUSE = 0.25, 5.0  # seconds for an answer, and before it is asked again

    def __init__(self, url: str, meanwhile: Counters) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=self.PATIENCE, socket_connect_timeout=self.PATIENCE
        )
        self._meanwhile, self._asked_again_at = meanwhile, 0.0

    def add(self, name: str, ends: int) -> int:
        if time.monotonic() >= self._asked_again_at:
            key = f"inventory-levels:{name}:{ends}"
            try:
                with self._redis.pipeline() as both:
                    both.incr(key)
                    both.expireat(key, ends + MINUTE)
                    return int(both.execute()[0])
            except redis.RedisError as error:
                self._asked_again_at = time.monotonic() + self.PAUSE
                logger.warning("rate limits are counted without Redis: %s", error)
        return self._meanwhile.add(name, ends)
