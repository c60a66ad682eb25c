#!/usr/bin/env python3
"""How fast are single requests and lists, beside what others would make of the same work?

    script/bench                      everything, see there
    PG_DURABLE=1 script/postgres .venv/bin/python benchmarks/single_requests.py [--only post,get]

On a throwaway PostgreSQL with 1,000,000 levels of 20 organizations (many_levels.py), eight clients
that send as soon as they are answered (wrk with load.lua, keep-alive), against

pgbench      PostgreSQL alone: the peer's one prepared statement, no HTTP and no JSON
fast         FastAPI and psycopg, hand-written SQL, uvicorn: the same contract (peers/)
idiomatic    REST framework as most people write it: the floor
product      gunicorn as it is shipped
granian      the product on granian instead, two workers of one thread
limited      the product as it is shipped, with rate limits on

and, where --contenders names them, the product otherwise set up:

reconnecting             with a new connection to the database for each request
CLASS:WORKERSxTHREADS    with another worker class of gunicorn, e.g. sync:2x1, or ours:2x4

in turn, which begins with another one in each round, each kind of request for --seconds, --rounds
times over. Before that, check.py sees that the peer and the product give the same answers. Printed
are medians: requests a second, their ratio to each other contender's of the same round,
milliseconds. No answer but 2xx counts, and more than one in a hundred of others end the run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")
os.environ |= {"DEBUG": "0", "HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1"}
os.environ |= {"SECRET_KEY": "only-for-this-" + "x" * 50, "RATE_LIMIT_PER_MINUTE": "0"}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import many_levels  # noqa: E402
from benchmarks.peers import check, serving, statements  # noqa: E402
from organizations.models import ApiKey, Organization  # noqa: E402

KINDS = ("post", "patch", "get", "list", "page")
CONTENDERS = ("pgbench", "fast", "idiomatic", "product", "granian", "limited")
CLIENTS = 8
LOAD = ROOT / "benchmarks" / "load.lua"


@dataclass(frozen=True, slots=True)
class Run:
    rate: float  # requests a second
    p50: float  # milliseconds
    p99: float


# --- the servers


def command(name: str, port: int) -> tuple[list[str], dict[str, str]]:
    if name in serving.PEERS:
        return serving.serve(name, os.environ["DATABASE_URL"], port)
    if name == "granian":
        granian = serving.granian(port, 2, "wsgi", "--blocking-threads", "1")
        shipped = {"PYTHONPATH": str(ROOT), "STATEMENT_TIMEOUT": "30"}  # by gunicorn.conf.py
        return [*granian, "inventory_project.wsgi:application"], {**os.environ, **shipped}
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    settings = {**os.environ, "PORT": str(port)}
    if name == "limited":
        settings["RATE_LIMIT_PER_MINUTE"] = "1000000000"
    elif name == "reconnecting":
        settings["CONN_MAX_AGE"] = "0"
    elif name != "product":
        worker, _, size = name.partition(":")
        settings["WEB_CONCURRENCY"], settings["WEB_THREADS"] = size.split("x")
        if worker != "ours":
            gunicorn += ["--worker-class", worker]
    return [*gunicorn, "inventory_project.wsgi"], settings


@contextmanager
def served(name: str) -> Iterator[int]:
    """A contender, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments, environment = command(name, port)
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            urlopen(f"http://127.0.0.1:{port}/api/inventory-levels")
        except HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nobody answers at port {port}")


def same_answers(*ports: int) -> None:
    if found := check.differences(*(f"http://127.0.0.1:{port}" for port in ports)):
        raise SystemExit("\n".join(["the answers differ:", *found]))


# --- the loads


class Loads:
    def __init__(self, ports: dict[str, int], key: str, products: int, seconds: float) -> None:
        self.ports, self.key, self.products, self.seconds = ports, key, products, seconds

    def run(self, contender: str, kind: str, seed: int) -> Run | None:
        if contender == "pgbench":
            return self._pgbench(kind)
        arguments = [kind, self.key, str(self.products), str(seed)]
        told = self._told(
            [
                *["wrk", "-t1", f"-c{CLIENTS}", f"-d{self.seconds:.0f}s", "-s", str(LOAD)],
                "--timeout=30s",  # ``idiomatic`` may need more than wrk's two
                *[f"http://127.0.0.1:{self.ports[contender]}", "--", *arguments],
            ]
        )
        result = json.loads(told[told.rindex('{"requests"') :])
        good = result["requests"] - result["bad"]
        # Two PATCHes at once can be one too many for ``idiomatic``.
        if result["lost"] or good < 0.99 * result["requests"] or not good:
            raise SystemExit(f"{contender}, {kind}: {told}")
        rate = good / result["seconds"]
        return Run(rate, result["p50_ms"], result["p99_ms"])

    def _pgbench(self, kind: str) -> Run | None:
        texts = statements.scripts()
        if kind not in texts:
            return None
        with TemporaryDirectory() as folder:
            script, log = Path(folder) / "script.sql", f"{folder}/log"
            script.write_text(texts[kind])
            digest = hashlib.sha256(self.key.encode()).hexdigest()
            self._told(
                [
                    *["pgbench", "-n", "-M", "prepared", f"-c{CLIENTS}", "-j1", "-f", str(script)],
                    *["-T", f"{self.seconds:.0f}", "-l", "--log-prefix", log],
                    *["-D", f"digest={digest}", "-D", f"products={self.products}"],
                    os.environ["DATABASE_URL"],
                ],
                PGOPTIONS=statements.PGOPTIONS,
            )
            # client, transaction, microseconds, ...
            took = sorted(
                int(line.split()[2]) / 1000
                for file in Path(folder).glob("log*")
                for line in file.read_text().splitlines()
            )
        return Run(len(took) / self.seconds, took[len(took) // 2], took[len(took) * 99 // 100])

    @staticmethod
    def _told(arguments: list[str], **environment: str) -> str:
        done = subprocess.run(
            arguments, capture_output=True, text=True, env={**os.environ, **environment}
        )
        if done.returncode:
            raise SystemExit(f"{arguments[0]}: {done.stderr[-2000:]}")
        return done.stdout


def rotated(names: list[str], turn: int) -> list[str]:
    """Another first in each round: a write leaves the database some work for whoever is next."""
    start = turn % len(names)
    return names[start:] + names[:start]


# --- what is told


def told(runs: dict[tuple[str, str], list[Run]], kinds: list[str], contenders: list[str]) -> None:
    """A line each, with the ratios of its rounds to the other contenders'."""
    against = [name for name in ("pgbench", "fast", "idiomatic", "product") if name in contenders]
    titles = "".join(f"{'× ' + name:>13}" for name in against)
    print(f"\n{'':8}{'':12}{'a second':>10}{titles}{'p50 ms':>9}{'p99 ms':>9}{'p99/p50':>9}")
    for kind in kinds:
        for name in contenders:
            made = runs.get((kind, name))
            if not made:
                continue
            rate, p50, p99 = (median(getattr(run, what) for run in made) for what in Run.__slots__)
            ratios = "".join(f"{_ratio(made, runs.get((kind, other))):>13}" for other in against)
            print(f"{kind:8}{name:12}{rate:10,.0f}{ratios}{p50:9.2f}{p99:9.2f}{p99 / p50:9.1f}")
        print(flush=True)


def _ratio(made: list[Run], others: list[Run] | None) -> str:
    if not others:
        return ""
    return f"{median(ours.rate / his.rate for ours, his in zip(made, others, strict=True)):.2f}"


def prepare(levels: int) -> tuple[str, int]:
    """Load the database; the big organization's key, and how many products it has."""
    call_command("migrate", verbosity=0)
    many_levels.load(levels)
    big = Organization.objects.get(name="big")
    _, key = ApiKey.objects.issue(organization=big, name="bench", scopes=["inventory:*"])
    with connection.cursor() as cursor:
        cursor.execute(statements.NAME_LEVELS, {"organization": big.pk})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    connection.close()
    return key, max(levels // 20, 60)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--levels", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument("--contenders", type=lambda t: t.split(","), default=list(CONTENDERS))
    parser.add_argument("--json", type=Path, help="where to write the runs")
    options = parser.parse_args()
    key, products = prepare(options.levels)
    runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
    with ExitStack() as stack:
        servers = [name for name in options.contenders if name != "pgbench"]
        ports = {name: stack.enter_context(served(name)) for name in servers}
        if {"product", "fast"} <= ports.keys():
            same_answers(ports["product"], ports["fast"])
        loads = Loads(ports, key, products, options.seconds)
        for name in servers:  # so that each has its connections and has planned its statements
            for kind in options.only:
                Loads(ports, key, products, 1).run(name, kind, 0)
        for turn in range(options.rounds):
            for kind in options.only:
                for name in rotated(options.contenders, turn):
                    if run := loads.run(name, kind, turn + 1):
                        runs[kind, name].append(run)
                        # What wrk left unanswered is still being worked at.
                        time.sleep(2 * run.p99 / 1000)
            print(f"round {turn + 1} of {options.rounds}", file=sys.stderr, flush=True)
    told(runs, options.only, options.contenders)
    if options.json:
        plain = {
            f"{kind} {name}": [[run.rate, run.p50, run.p99] for run in made]
            for (kind, name), made in runs.items()
        }
        options.json.write_text(json.dumps(plain))


if __name__ == "__main__":
    main()
