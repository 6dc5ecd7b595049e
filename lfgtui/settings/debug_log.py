"""The debug log: what lfg did, for whoever looks for a fault afterwards.

Off unless `LFG_LOG` names a file. Modules write to loggers of their own name,
as ever in Python; here is only where that goes. Nothing but lfg's own loggers
is let in: the SDKs and HTTP clients would write prompts, answers and headers.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lfgtui.errors import UsageError
from lfgtui.text.terminal_safe import visible, visible_line

if TYPE_CHECKING:
    import logging

VARIABLE = "LFG_LOG"
"""The environment variable that names the file."""

_FORM = "%(asctime)s.%(msecs)03d %(process)d %(name)s %(message)s"


def log_file() -> Path | None:
    """Where the debug log goes; None where it is off."""
    said = os.environ.get(VARIABLE)
    return Path(said).expanduser() if said else None


@contextmanager
def debug_log() -> Iterator[None]:
    """Append to `LFG_LOG` while the context lasts, if it is set.

    A thread of its own writes: the event loop only puts lines into a queue.
    Raises `UsageError` where the file cannot be written.
    """
    path = log_file()
    if path is None:
        yield
        return
    import logging  # here, since it is mostly off
    from logging.handlers import QueueHandler, QueueListener
    from queue import SimpleQueue

    to_file = _handler(path)
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    to_queue, listener = QueueHandler(queue), QueueListener(queue, to_file)
    log = logging.getLogger("lfgtui")
    log.addHandler(to_queue)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    listener.start()
    try:
        yield
    finally:
        log.removeHandler(to_queue)
        log.setLevel(logging.NOTSET)
        log.propagate = True
        listener.stop()
        to_file.close()


def _handler(path: Path) -> logging.Handler:
    import logging

    class SafeFormatter(logging.Formatter):
        """No message can look like another's line, or drive the terminal of who reads it."""

        def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
            return visible_line(super().formatMessage(record))

        def format(self, record: logging.LogRecord) -> str:
            return visible(super().format(record))

    try:
        # For its owner alone: hosts and tickets are nobody else's business.
        log = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            found = os.fstat(log)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                os.fchmod(log, 0o600)
        finally:
            os.close(log)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{VARIABLE}={path}: the debug log cannot be written: {why}") from None
    handler.setFormatter(SafeFormatter(_FORM, "%Y-%m-%d %H:%M:%S"))
    return handler
