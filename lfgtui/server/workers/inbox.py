"""The stream in which workers report to a run.

Each record comes with the time at which Redis got it, by the clock of the run's machine.
"""

import logging
from collections.abc import Iterator

import msgspec

from lfgtui.model.clock import now
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.connection import Connection, Received

_log = logging.getLogger(__name__)


class Inbox:
    """The run's stream in Redis. After an error of Redis it has to be read anew: see `rewind`."""

    def __init__(self, connection: Connection, run: str) -> None:
        self._redis = connection
        self._stream = p.entries_key(run)
        self._after = "0"
        """Id of the newest message that was forgotten."""
        self._read = "0"
        """Id of the newest message that was received."""
        self._ahead: float | None = None
        """Seconds by which this machine's clock is ahead of Redis's; None if not known."""

    async def receive(self) -> Iterator[tuple[p.Record, float]]:
        """Return the next records; none if none comes within `connection.BLOCK`.

        Once they are stored, `forget` has to be called, or they come again.
        """
        if self._ahead is None:
            self._ahead = now() - await self._redis.clock()
        received = await self._redis.read(self._stream, self._after)
        self._read = received[-1].id if received else self._after
        return self._understood(received, self._ahead)

    def _understood(
        self, received: list[Received], ahead: float
    ) -> Iterator[tuple[p.Record, float]]:
        for one in received:
            try:
                yield p.record_of(one.body), one.at + ahead
            except msgspec.MsgspecError as error:
                _log.warning("not understood: %s", error)

    @property
    def has_received(self) -> bool:
        """True if records were received that are not forgotten yet."""
        return self._read != self._after

    async def forget(self) -> None:
        """Forget the received records: Redis need not keep what the history has."""
        self._after = self._read
        await self._redis.trim(self._stream, self._after)

    def rewind(self) -> None:
        """Read from the start again: Redis may have lost its memory."""
        self._after, self._ahead = "0", None

    async def delete(self) -> None:
        """Delete the stream: nothing more comes."""
        await self._redis.delete(self._stream)
