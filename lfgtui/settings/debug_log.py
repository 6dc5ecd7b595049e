"""The debug log: off unless `LFG_LOG` names a file.

Modules write to loggers of their own name, as usual in Python. Only lfg's own
loggers are written: those of SDKs and HTTP clients would log prompts, answers
and headers.
"""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from lfgtui.errors import UsageError
from lfgtui.text.terminal_safe import visible, visible_line

VARIABLE = "LFG_LOG"
"""The environment variable that names the file."""

_FORM = "%(asctime)s.%(msecs)03d %(process)d %(name)s %(message)s"  # of a line


def log_file() -> Path | None:
    """Return the path of the debug log; None if it is off."""
    name = os.environ.get(VARIABLE)
    return Path(name).expanduser() if name else None


@contextmanager
def debug_log() -> Iterator[None]:
    """Append to `LFG_LOG` while the context lasts, if it is set.

    A thread writes the file: the event loop only puts lines into a queue. Raises
    `UsageError` if the file cannot be written.
    """
    path = log_file()
    if path is None:
        yield
        return
    to_file = _handler(path)
    from logging.handlers import QueueHandler, QueueListener  # a slow import, seldom needed

    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    to_queue = QueueHandler(queue)
    log = logging.getLogger("lfgtui")
    log.addHandler(to_queue)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    listener = QueueListener(queue, to_file)
    listener.start()
    try:
        yield
    finally:
        log.removeHandler(to_queue)
        log.setLevel(logging.NOTSET)
        log.propagate = True
        listener.stop()
        to_file.close()


class _SafeFormatter(logging.Formatter):
    """A formatter whose messages can neither look like other lines nor control a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return visible_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _handler(path: Path) -> logging.Handler:
    """Return a handler that appends to the file; raise `UsageError`."""
    try:
        # Readable by its owner only, since it names hosts and tickets.
        log = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            status = os.fstat(log)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                os.fchmod(log, 0o600)
        finally:
            os.close(log)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{VARIABLE}={path}: cannot write the debug log: {why}") from None
    handler.setFormatter(_SafeFormatter(_FORM, "%Y-%m-%d %H:%M:%S"))
    return handler
