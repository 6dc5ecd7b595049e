"""What is streamed at a side, and what came of it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

WireName = Literal["openai-chat", "openai-responses", "anthropic"]
WIRES: tuple[WireName, ...] = ("openai-chat", "openai-responses", "anthropic")


class Load(msgspec.Struct, frozen=True):
    """So many streams at once, each of so many tokens by the clock."""

    wire: WireName
    streams: int
    rate: float
    """Tokens a second in each stream."""
    seconds: float

    @property
    def length(self) -> int:
        """Tokens of each stream."""
        return round(self.seconds * self.rate)

    @property
    def tokens(self) -> int:
        """Tokens of all streams."""
        return self.streams * self.length


class Log(msgspec.Struct):
    """What the server did, by stream; times on the monotonic clock."""

    asked: list[float]
    """When each request had come; 0 where none came."""
    due: list[float]
    """When each first token was due."""
    written: list[list[float]]
    """When each token was written."""
    sent: list[int]
    """Bytes, with HTTP's own."""
    cpu: float = 0.0

    def late(self, load: Load) -> list[float]:
        """Seconds from when each token was due to its write."""
        return [
            at - (due + number / load.rate)
            for due, times in zip(self.due, self.written, strict=True)
            for number, at in enumerate(times)
        ]


class Taken(msgspec.Struct):
    """One run of one side."""

    cpu: float
    """Seconds, user and system, of the process and its children from start to end."""
    ended: float
    """When the side had the last token of all, on the monotonic clock."""
    dropped: int
    """Streams of which it did not have exactly what was sent."""
    log: Log
    others: float = 0.0
    """Cores that were busy with something else meanwhile."""
    written: Sequence[tuple[float, bytes]] = ()
    """What it wrote on its terminal, and when."""

    @property
    def asking(self) -> float:
        """Seconds from the first request to the last."""
        return max(self.log.asked) - min(self.log.asked)

    def over_ideal(self, load: Load) -> float:
        """Time from the first request to the end, by how long one stream takes."""
        return (self.ended - min(self.log.asked)) * load.rate / load.length
