"""Waiting for what another process does: what never comes fails, what comes late does not."""

import os
import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds until something hangs, on the busiest of machines."""


def until(
    condition: Callable[[], object], complaint: str = "it never came", patience: float = PATIENCE
) -> None:
    """Look again and again until the condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return True while there is a process of that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
