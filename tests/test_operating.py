"""What operators have of a running server: limits and figures of all workers, and its log."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.files import CSV
from tests.live import LEVELS, ROOT, Database, InBackground, Server, new_level, new_product

LIMIT, TOKEN = 100, "scrape-me"
SECRET = "ilk_[a-z0-9]{8}_"


@pytest.fixture(scope="module")
def watched(live_database: Database, tmp_path_factory) -> Iterator[Server]:
    """Limited, measured, impatient, and logging JSON."""
    log = tmp_path_factory.mktemp("watched") / "log"
    running = Server(
        live_database,
        log,
        RATE_LIMIT_PER_MINUTE=str(LIMIT),
        METRICS_TOKEN=TOKEN,
        LOG_FORMAT="json",
        STATEMENT_TIMEOUT="1",
    )
    yield running
    assert running.stop() == 0


def test_the_workers_count_a_keys_requests_together(watched, live_database):
    api = watched.api(live_database.other_key)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: api.get("/products/prod_123"), range(4 * LIMIT)))
    windows: dict[str, Counter[int]] = {}
    for answer in answers:
        window = windows.setdefault(answer.headers["X-RateLimit-Reset"], Counter())
        window[answer.status_code] += 1
    for window in windows.values():  # one, or two where a minute has just ended
        assert window.keys() <= {200, 429}
        assert window[200] == min(LIMIT, window.total())
    assert sum(window[429] for window in windows.values()) >= 2 * LIMIT


def test_the_figures_are_those_of_all_workers(watched, live_database):
    def asked() -> float:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        text = watched.send("GET", "/metrics", headers=headers).content.decode()
        mine = re.compile(r'^http_requests_total{.*view="location-detail"} (\S+)$', re.MULTILINE)
        return sum(map(float, mine.findall(text)))

    before = asked()
    api = watched.api(live_database.key)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: api.get("/locations/loc_123"), range(40)))
    assert asked() == before + 40


def test_a_line_of_the_log_says_who_asked_and_holds_no_key(watched, live_database):
    answer = watched.api(live_database.key).get("/products?search=nobody-should-see-this")
    log = watched.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    line = next(one for one in lines if one["request_id"] == answer.headers["X-Request-Id"])
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/products", 200)
    assert line["organization"].startswith("org_")
    assert line["key"].startswith("key_")
    assert (line["level"], line["logger"]) == ("INFO", "inventory_project.requests")
    assert 0 < line["milliseconds"] < 60_000
    assert not re.search(SECRET, log)
    assert "nobody-should-see-this" not in log


def test_a_statement_that_takes_too_long_is_given_up_but_not_an_imports(watched, live_database):
    """On SQLite, which knows no such limit, both wait for the lock."""
    api = watched.api(live_database.key)
    level = new_level(api, new_product(api, "prod_slow"))
    file = b"productMasterId,locationId,maxQuantity\nprod_slow,loc_123,777\n"
    path = f"/inventory-levels/{level['id']}"
    with live_database.locked_row(LEVELS, level["id"]):
        import_ = InBackground(
            lambda: api.request("POST", "/inventory-levels/import", file, Content_Type=CSV)
        )
        patch = InBackground(lambda: api.patch(path, {"minQuantity": 5}))
        patch.join(3)
        gave_up = not patch.is_alive()
        import_.join(2)  # twice the limit
        assert import_.is_alive()
    assert gave_up == live_database.is_postgresql
    assert import_.result().status_code == 200
    if gave_up:
        assert (patch.result().status_code, patch.result().json()["code"]) == (503, "UNAVAILABLE")
        assert patch.result().headers["Retry-After"] == "1"
    else:
        assert patch.result().status_code == 200
    after = api.get(path).json()
    assert (after["maxQuantity"], after["minQuantity"]) == (777, None if gave_up else 5)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_list_that_takes_too_long_is_given_up_but_not_an_exports(watched, live_database, format_):
    """While a table is altered. On SQLite reading waits for nobody."""
    api = watched.api(live_database.key)
    with live_database.connect() as upkeep:
        if live_database.is_postgresql:
            upkeep.execute("BEGIN")
            upkeep.execute(f"LOCK TABLE {LEVELS} IN ACCESS EXCLUSIVE MODE")
        export = InBackground(lambda: api.get(f"/inventory-levels/export.{format_}"))
        listed = api.get("/inventory-levels")
        if live_database.is_postgresql:
            assert (listed.status_code, listed.json()["code"]) == (503, "UNAVAILABLE")
            assert export.is_alive()
            upkeep.execute("ROLLBACK")
    assert export.result().status_code == 200
    assert api.get("/inventory-levels").status_code == 200


def test_commands_take_what_time_they_need_whatever_requests_may(live_database):
    script = "from django.conf import settings; print(settings.STATEMENT_TIMEOUT)"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", script],
        cwd=ROOT,
        env=live_database.environment | {"STATEMENT_TIMEOUT": "30"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
