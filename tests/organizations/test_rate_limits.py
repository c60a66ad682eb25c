"""Requests a minute with one key: counted for all processes and hosts, and told in headers."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fakeredis
import pytest
from django.conf import settings

from organizations import rate_limits
from organizations.rate_limits import RedisCounters, SharedCounters
from tests.conftest import Api, issue_key, signed_in

NOON = 1_777_896_000  # a full minute
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture
def counting(settings, tmp_path, monkeypatch):
    """Three requests a minute, at noon by the clock."""
    settings.RATE_LIMIT_PER_MINUTE = 3
    shared = SharedCounters(str(tmp_path / "counters"))
    monkeypatch.setattr(rate_limits, "counters", lambda: shared)
    return at(monkeypatch, NOON + 12.25)


def at(monkeypatch, moment: float) -> None:
    monkeypatch.setattr("organizations.rate_limits.time.time", lambda: moment)


def told(response) -> tuple[int, ...]:
    return tuple(int(response.headers[name]) for name in HEADERS)


def test_a_key_makes_its_requests_and_is_told_when_it_may_go_on(api, acme, counting, monkeypatch):
    for left in (2, 1, 0):
        response = api.get("/products")
        assert (response.status_code, told(response)) == (200, (3, left, NOON + 60))
    response = api.get("/products")
    assert response.status_code == 429
    assert response.json() == {
        "error": "This key has made its 3 requests of the minute.",
        "code": "RATE_LIMITED",
    }
    assert told(response) == (3, 0, NOON + 60)
    assert response.headers["Retry-After"] == "48"
    at(monkeypatch, NOON + 59.999)
    assert api.get("/products").headers["Retry-After"] == "1"
    at(monkeypatch, NOON + 60)
    response = api.get("/products")
    assert (response.status_code, told(response)) == (200, (3, 2, NOON + 120))


def test_a_refused_write_writes_nothing(api, acme, counting):
    for _ in range(3):
        api.get("/products")
    body = {"globalSku": "SKU-9", "productName": "Late"}
    assert api.post("/products", body).status_code == 429
    assert signed_in(acme.organization).get("/products?search=Late").json()["items"] == []


def test_every_key_has_a_count_of_its_own(api, acme, counting):
    for _ in range(4):
        api.get("/products")
    other = Api(issue_key(acme.organization))
    assert told(other.get("/products")) == (3, 2, NOON + 60)
    assert api.get("/products").status_code == 429


def test_what_a_key_may_not_do_counts_too(api, acme, counting):
    for path, status in (("/products/none", 404), ("/products?x=1", 400), ("/products/x", 404)):
        assert api.get(path).status_code == status
    assert api.get("/products").status_code == 429


def test_whoever_has_no_key_is_not_counted(acme, counting):
    member = signed_in(acme.organization)
    nobody = Api("ilk_00000000_" + "x" * 43)
    for _ in range(5):
        response = member.get("/products")
        assert response.status_code == 200
        assert not set(HEADERS) & set(response.headers)
        assert nobody.get("/products").status_code == 401


def test_0_is_no_limit(api, acme, counting, settings):
    settings.RATE_LIMIT_PER_MINUTE = 0
    for _ in range(5):
        response = api.get("/products")
        assert response.status_code == 200
        assert not set(HEADERS) & set(response.headers)


# --- the counters


COUNT = """
import sys, django
django.setup()
from organizations.rate_limits import SharedCounters
counters = SharedCounters(sys.argv[1])
for _ in range(1_000):
    print(counters.add("key_1", int(sys.argv[2])))
"""


def test_processes_and_threads_count_together(tmp_path):
    path = str(tmp_path / "counters")
    command = [sys.executable, "-c", COUNT, path, str(NOON)]
    others = [
        subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "inventory_project.settings"},
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    counters = SharedCounters(path)
    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(lambda _: counters.add("key_1", NOON), range(1_000)))
    for other in others:
        seen += map(int, other.communicate(timeout=60)[0].split())
    assert sorted(seen) == list(range(1, 3_001))
    assert counters.add("key_2", NOON) == 1
    assert counters.add("key_1", NOON + 60) == 1


def test_a_bucket_forgets_what_ended_first(tmp_path, monkeypatch):
    monkeypatch.setattr(SharedCounters, "BUCKETS", 1)
    counters = SharedCounters(str(tmp_path / "counters"))
    for number in range(SharedCounters.SLOTS):
        assert counters.add(f"key_{number}", NOON + number) == 1
    assert counters.add("new", NOON + 100) == 1  # in the place of key_0
    assert counters.add("key_1", NOON + 1) == 2
    assert counters.add("new", NOON + 100) == 2


@pytest.mark.parametrize("obstacle", ["link", "folder"])
def test_a_file_that_is_not_ours_is_not_used(tmp_path, caplog, obstacle):
    path = tmp_path / "counters"
    victim = tmp_path / "victim"
    victim.write_text("precious")
    if obstacle == "link":
        path.symlink_to(victim)
    else:
        path.mkdir()
    with caplog.at_level(logging.WARNING):
        counters = SharedCounters(str(path))
    assert "in this process alone" in caplog.text
    assert [counters.add("key", NOON), counters.add("key", NOON)] == [1, 2]
    assert victim.read_text() == "precious"


def test_only_its_owner_reads_the_file(tmp_path):
    path = tmp_path / "counters"
    SharedCounters(str(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_files_name_gives_nothing_away(settings):
    settings.SECRET_KEY = "very-secret"
    path = Path(rate_limits.shared_path())
    assert path.is_absolute()
    assert "secret" not in path.name


@pytest.fixture
def redis_server():
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_hosts_count_together_through_redis(redis_server, tmp_path):
    url = f"redis://127.0.0.1:{redis_server.server_address[1]}/0"
    here, there = (
        RedisCounters(url, SharedCounters(str(tmp_path / host))) for host in ("here", "there")
    )
    ends = 4_102_444_800  # not over yet
    assert [here.add("key", ends), there.add("key", ends), here.add("key", ends)] == [1, 2, 3]
    assert there.add("key", ends + 60) == 1
    assert here._redis.ttl(f"inventory-levels:key:{ends}") > 0


def test_without_redis_each_host_counts_alone(tmp_path, caplog, monkeypatch):
    counters = RedisCounters("redis://127.0.0.1:1/0", SharedCounters(str(tmp_path / "counters")))
    asked = []
    pipeline = counters._redis.pipeline
    monkeypatch.setattr(counters._redis, "pipeline", lambda: asked.append(1) or pipeline())
    with caplog.at_level(logging.WARNING):
        assert [counters.add("key", NOON) for _ in range(3)] == [1, 2, 3]
    assert "without Redis" in caplog.text
    assert len(asked) == 1  # for a while it is not asked again
