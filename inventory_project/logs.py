"""What goes to standard error, and how its lines look."""

import logging
import re
import time
from functools import lru_cache
from typing import Any

from pythonjsonlogger.json import JsonFormatter

# No line tells which code wrote it, nor in which thread: nobody need find out
# (docs.python.org/3/howto/logging.html#optimization).
logging._srcfile = None
logging.logThreads = logging.logMultiprocessing = False
vars(logging)["logAsyncioTasks"] = False  # from Python 3.12 on

# Its first twelve characters say which key it is.
_KEY = re.compile(r"(ilk_[a-z0-9]{8})_[A-Za-z0-9_-]{16,}")


def _without_keys(line: str) -> str:
    return _KEY.sub(r"\1...", line) if "ilk_" in line else line


class LineFormatter(logging.Formatter):
    """Cuts API keys short, whatever brought them into a line: a path, an id, an exception."""

    def format(self, record: logging.LogRecord) -> str:
        return _without_keys(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"{_utc(int(record.created))},{int(record.msecs):03}"


@lru_cache(1)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))


class LineHandler(logging.StreamHandler[Any]):
    """Writes whole lines to standard error, each of which Python flushes by itself."""

    def flush(self) -> None:
        pass


class ObjectFormatter(JsonFormatter):
    """Likewise, as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return _without_keys(super().format(record))


def log_lines(level: str, format_: str) -> dict[str, Any]:
    """Django's LOGGING: lines from a level on, ``format_`` line or json."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "inventory_project.requests.RequestIdFilter"},
            # An API error was logged where it was handled; this logger adds those of other pages.
            "with_traceback": {
                "()": "django.utils.log.CallbackFilter",
                "callback": lambda record: bool(record.exc_info),
            },
        },
        "formatters": {
            "line": {
                "()": "inventory_project.logs.LineFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
            },
            "json": {
                "()": "inventory_project.logs.ObjectFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
        },
        "handlers": {
            "stderr": {
                "class": "inventory_project.logs.LineHandler",
                "filters": ["request_id"],
                "formatter": format_,
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # 4xx answers are the client's business; a 5xx is logged where it is handled.
            "django.request": {"level": "ERROR", "filters": ["with_traceback"]},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "axes": {"level": "WARNING"},  # of failed sign-ins it tells, and not of every other
        },
    }
