"""Messages of ended runs that are still to be sent: a small file for each, in a folder.

A message is there before it is first sent and until it is taken, so it outlives lfg, however
that ends. What it says of the run is in the history, and is gone when the run is.
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
"""Seconds for which a message is sent again, about as Standard Webhooks suggests."""

_SUFFIX = ".json"


class Message(msgspec.Struct, frozen=True):
    """A run that ended, and where it is to be sent. `made_at` is in seconds since the epoch."""

    id: str
    run: str
    hook: OnEnd
    made_at: float

    @property
    def is_stale(self) -> bool:
        """True once it is sent no more."""
        return time.time() - self.made_at > KEPT


class Outbox:
    """The folder; it is made with the first message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> list[str]:
        """Return the ids of all messages, those too that some lfg is just sending."""
        with suppress(OSError):
            return sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}"))
        return []

    def put(self, run: str, hook: OnEnd) -> Message:
        """Store a message, for its owner alone; raises `OSError`."""
        message = Message(f"msg_{uuid4().hex}", run, hook, time.time())
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(msgspec.json.encode(message))
        Path(file.name).replace(self._path(message.id))
        return message

    @contextmanager
    def taking(self, message_id: str) -> Iterator[Message | None]:
        """Give the message to this process alone; None where another has it, or it is gone."""
        lease = leases.take(self._folder, message_id)
        try:
            yield None if lease is None else self._read(message_id)
        finally:
            if lease is not None:
                lease.release()

    def drop(self, message_id: str) -> None:
        """Delete a message, which somebody has taken or nobody will."""
        with suppress(OSError):
            self._path(message_id).unlink(missing_ok=True)

    def _read(self, message_id: str) -> Message | None:
        try:
            return msgspec.json.decode(self._path(message_id).read_bytes(), type=Message)
        except (OSError, ValueError):
            return None

    def _path(self, message_id: str) -> Path:
        return self._folder / f"{message_id}{_SUFFIX}"
