"""Messages about ended runs that are still to be sent: a small file for each, in a folder.

A message is stored before it is first sent and deleted when it has been accepted, so it survives
the end of lfg by whatever cause. It only names the run, whose content is read from the history
when it is sent; if the run has been deleted by then, so is the message.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import uuid4

import msgspec

from lfgtui.history.storage import leases
from lfgtui.model.ticket_keys.on_end import OnEnd

KEPT = 3 * 86400.0
"""Seconds after which a message is given up, about as Standard Webhooks suggests."""

_SUFFIX = ".json"


class Message(msgspec.Struct, frozen=True):
    """A run that ended, and where it is to be sent. `made_at` is in seconds since the epoch."""

    id: str
    run: str
    hook: OnEnd
    made_at: float

    @property
    def is_stale(self) -> bool:
        """True if it is too old to be sent; the next run of lfg then drops it."""
        return time.time() - self.made_at > KEPT


class Outbox:
    """The folder of messages, which is made with the first one. Several processes may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> list[str]:
        """Return the ids of all messages, including those that a process is sending now."""
        with suppress(OSError):
            return sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}"))
        return []

    def put(self, run: str, hook: OnEnd) -> Message:
        """Store a message in a file that only its owner may read; raises `OSError`."""
        message = Message(f"msg_{uuid4().hex}", run, hook, time.time())
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(msgspec.json.encode(message))
        Path(file.name).replace(self._path(message.id))
        return message

    @contextmanager
    def taking(self, message_id: str) -> Iterator[Message | None]:
        """Reserve the message for this process meanwhile; None if another has it, or it is gone."""
        lease = leases.take(self._folder, message_id)
        try:
            yield None if lease is None else self._read(message_id)
        finally:
            if lease is not None:
                lease.release()

    def drop(self, message_id: str) -> None:
        """Delete a message that was accepted, or is given up."""
        with suppress(OSError):
            self._path(message_id).unlink(missing_ok=True)

    def _read(self, message_id: str) -> Message | None:
        try:
            return msgspec.json.decode(self._path(message_id).read_bytes(), type=Message)
        except (OSError, ValueError):
            return None

    def _path(self, message_id: str) -> Path:
        return self._folder / f"{message_id}{_SUFFIX}"
