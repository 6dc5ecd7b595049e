"""The time at which programs are killed, which their supervisors read from a file.

So they kill in time even while lfg is stopped (SIGSTOP). The file has no name: a supervisor
inherits its descriptor. It holds milliseconds of the monotonic clock, 8 bytes, little-endian. A
supervisor may sleep until the deadline that it read last, and only then reads it again, so putting
it off costs nothing.
"""

import os
import tempfile
import weakref
from pathlib import Path

_BYTES = 8
_LAST = 1e9
"""The latest deadline in seconds: no machine is up so long, but `select` can wait so long."""


class SharedDeadline:
    """A deadline: `until` in seconds of the monotonic clock, the same in all processes.

    The file is closed when the deadline is no longer referenced.
    """

    def __init__(self, until: float) -> None:
        self._descriptor = _nameless_file()
        weakref.finalize(self, os.close, self._descriptor)
        self.put_off(until)

    def fileno(self) -> int:
        """Return the descriptor, for a supervisor."""
        return self._descriptor

    def put_off(self, until: float) -> None:
        """Set a later deadline; a supervisor might notice an earlier one too late."""
        milliseconds = int(min(max(0.0, until), _LAST) * 1000)
        os.pwrite(self._descriptor, milliseconds.to_bytes(_BYTES, "little"), 0)


def _nameless_file() -> int:
    """Return the descriptor of a new file, in memory where the system can."""
    if hasattr(os, "memfd_create"):  # Linux
        return os.memfd_create("lfg-deadline")
    descriptor, path = tempfile.mkstemp(prefix="lfg-deadline-")
    Path(path).unlink()
    return descriptor
