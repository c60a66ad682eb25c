#!/usr/bin/env python3
"""uvicorn with workers that share a port evenly: ``server.py PORT WORKERS``.

``uvicorn --workers`` has one listening socket, of which a worker that is awake takes all new
connections: of 8 clients often 7. Here each worker has its own, and the kernel spreads them.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType

import uvicorn


def work(port: int) -> None:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        "benchmarks.peers.fast.app:app",
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


def main(port: int, workers: int) -> None:
    pids = []
    for _ in range(workers):
        pid = os.fork()
        if not pid:
            work(port)
            os._exit(0)
        pids.append(pid)

    def stop(number: int, _: FrameType | None) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
