"""The time by which retention decides what is old."""

import time
from typing import Any


def now_milliseconds(cursor: Any) -> int:
    """Return the earlier one of this pod's time and the database's, as MLflow counts time.

    Where a node's clock jumps ahead, nothing is old before its time.
    """
    cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
    database: float = cursor.fetchone()[0]
    return int(min(time.time(), database) * 1000)
