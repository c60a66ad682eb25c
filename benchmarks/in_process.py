#!/usr/bin/env python3
"""What do single requests cost the service itself, without HTTP, and where does it go?

    script/postgres .venv/bin/python benchmarks/in_process.py [--profile get] 2>/dev/null

On a throwaway PostgreSQL it sends the requests of load.lua to the WSGI application, in this
process and one after the other, and prints the median of five runs in microseconds of this
process's CPU time a request; what PostgreSQL takes is not in it. ``--profile`` tells instead which
functions take it of one kind, by cProfile, which makes calls dearer than they are. The log lines
of the requests go to standard error.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import pstats
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from wsgiref.util import FileWrapper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.single_requests import prepare  # isort: skip  # sets Django up
from benchmarks.peers.statements import NAMED, SITES
from inventory_project import plain
from inventory_project.wsgi import application

PATH = "/api/inventory-levels"
RUNS, REQUESTS = 5, 600
BODY = (
    '{"productMasterId":"prod_%d","locationId":"loc_%d","minQuantity":%d,"reorderQuantity":%d,'
    '"maxQuantity":%d.5,"status":"Supported","abcClass":"A","expectedLeadTimeDays":7,'
    '"replenishmentPeriodDays":14,"forecastPeriodDays":30,"forecastQuantity":200,'
    '"preferredBinLocationId":"bin_%d_1","replenishmentLocationId":"sup_1",'
    '"comments":"High priority item"}'
)
Request = tuple[str, str, str, str]  # method, path, query, body


class Draws:
    """Requests over random products, sites and levels, as load.lua has them."""

    def __init__(self, products: int) -> None:
        self.products, self.random = products, random.Random(1)

    def upto(self, most: int) -> int:
        return self.random.randint(1, most)

    def get(self) -> Request:
        return "GET", f"{PATH}/level_bench_{self.upto(NAMED)}", "", ""

    def patch(self) -> Request:
        least = self.upto(400)
        quantities = '{"minQuantity":%d,"reorderQuantity":%d,"maxQuantity":%d.5}'
        body = quantities % (least, least + 20, least + 200)
        return "PATCH", f"{PATH}/level_bench_{self.upto(NAMED)}", "", body

    def post(self) -> Request:
        site, least = self.upto(SITES), self.upto(400)
        body = BODY % (self.upto(self.products), site, least, least + 20, least + 200, site)
        return "POST", PATH, "", body

    def list(self) -> Request:
        return "GET", PATH, f"cursor=&limit=100&locationId=loc_{self.upto(SITES)}", ""


def ask(key: str, request: Request) -> None:
    method, path, query, body = request
    answered: list[str] = []
    content = application(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {key}",
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.file_wrapper": FileWrapper,
            plain.MARK: True,
            "wsgi.input": io.BytesIO(body.encode()),
        },
        lambda status, headers: answered.append(status),
    )
    text = b"".join(content)
    content.close()
    assert answered[0][0] == "2", (request, answered, text)


def microseconds(key: str, draw: Callable[[], Request]) -> float:
    requests = [draw() for _ in range(REQUESTS)]
    start = time.process_time()
    for request in requests:
        ask(key, request)
    return (time.process_time() - start) / REQUESTS * 1e6


def profiled(key: str, draw: Callable[[], Request]) -> None:
    requests = [draw() for _ in range(REQUESTS)]
    with cProfile.Profile() as profile:
        for request in requests:
            ask(key, request)
    stats: Any = pstats.Stats(profile)
    stats.sort_stats("tottime").print_stats(40)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--levels", type=int, default=100_000)
    parser.add_argument("--profile", choices=("get", "patch", "post", "list"))
    options = parser.parse_args()
    key, products = prepare(options.levels)
    draws = Draws(products)
    gc.collect()
    gc.freeze()  # as a worker does
    gc.set_threshold(10_000)
    for name in ("get", "patch", "post", "list"):
        draw = getattr(draws, name)
        microseconds(key, draw)
        if options.profile is None:
            took = median(microseconds(key, draw) for _ in range(RUNS))
            print(f"{name:8}{took:8,.0f} microseconds")
        elif options.profile == name:
            profiled(key, draw)


if __name__ == "__main__":
    main()
