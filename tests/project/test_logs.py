"""How the lines of the log look."""

import logging
from datetime import UTC, datetime

import pytest

from inventory_project.logs import LineFormatter

MOMENT = datetime(2026, 11, 30, 9, 5, 7, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (0, "2026-11-30 09:05:07,000"),
        (0.25, "2026-11-30 09:05:07,250"),
        (0.9995, "2026-11-30 09:05:07,999"),
        (1, "2026-11-30 09:05:08,000"),
        (-1, "2026-11-30 09:05:06,000"),
    ],
)
def test_a_line_has_its_time_to_the_millisecond(later, expected):
    record = logging.makeLogRecord({"msg": "said"})
    record.created = MOMENT + later
    record.msecs = record.created % 1 * 1000
    assert LineFormatter("%(asctime)s %(message)s").format(record) == f"{expected} said"
