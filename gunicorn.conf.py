"""How gunicorn serves the product; every value here has an environment variable or a reason."""

import gc
import os
import shutil
import signal
import tempfile
from typing import Any

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"

# gunicorn's gthread, in which one thread answers all that is quick.
worker_class = "inventory_project.worker.Worker"
# A worker for each core, as far as anybody's memory goes: docs/performance.md has what others gave.
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, min(cores, 4)))
threads = int(os.environ.get("WEB_THREADS") or 4)

# Such a worker beats from its own main thread, however long a request takes:
# this catches a hung process, it does not limit a request.
timeout = 30
# How long a stopping server waits for its requests in flight.
graceful_timeout = 30
# Also how long a connection that never sends anything can hold up a stop: keep it short.
keepalive = 5

# Seconds that one statement of a request may take, see settings.py.
os.environ.setdefault("STATEMENT_TIMEOUT", "30")

# The heartbeat is a file's timestamp, and a slow disk would look like a hung worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108

# Where the workers leave their figures for each other: /metrics answers for all of them.
# A reload (SIGHUP) reads this file again, and goes on with the same ones.
if os.environ.get("METRICS_TOKEN") and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    figures = tempfile.mkdtemp(prefix="inventory-levels-metrics-", dir=worker_tmp_dir)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures

# Bytes of a request line, the most that gunicorn takes: room for a filter's comma list of as
# many ids as it may hold, however long they are (MAX_VALUES in inventory_levels/api/filters.py).
limit_request_line = 8190

accesslog = None  # the application logs its requests
# Believing a proxy's headers is decided in one place, the setting TRUSTED_PROXIES.
forwarded_allow_ips = ""
# A management socket in the home folder, which nothing here uses.
control_socket_disable = True


# Ctrl-C reaches the master and every worker at once, and to gunicorn it means "drop
# everything". Here it means what SIGTERM means: finish the requests in flight, then stop.
# gunicorn still takes a second one, while it is stopping, for "at once".


def when_ready(server: Any) -> None:
    server.handle_int = server.handle_term


def post_worker_init(worker: Any) -> None:
    # The master tells its workers to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is loaded by now stays: the garbage collector needn't walk it whenever many rows come.
    # Nor need it come by for every 700 new objects: that is a fifteenth of a large bulk request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def child_exit(server: Any, worker: Any) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shutil.rmtree(folder, ignore_errors=True)
