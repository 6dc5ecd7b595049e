"""The lines for a run's viewers: batches of entries, encoded once, and the run's state.

A viewer costs the run at most `MOST_BYTES`, and no time. Frames that it does not read in time are
dropped, since the history has the entries; once it reads again, it is told up to which place to
read the history. The same happens while entries cannot be saved: viewers get only stored ones.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec

from lfgtui.engine.engine import Engine
from lfgtui.model import events as e
from lfgtui.model.event_json import entry_json
from lfgtui.model.tickets import Ticket
from lfgtui.server.control.messages import Frame, Status, line

MOST_BYTES = 2 << 20
"""Most bytes of frames that wait for a viewer; with more it has fallen behind."""

_AT_ONCE = 1 << 18
"""Bytes of frames after which no more are written until the viewer has read most of them."""

_ANSWERS = 64
"""Unread answers from which on no more commands of the viewer are taken."""

_QUEUE = 1 << 17  # bytes to which the size of the queue is rounded down


class Viewer:
    """The lines that are still to be sent to one viewer.

    The feed queues them from the engine's sinks, without waiting; `write_to` is a task of its own.
    """

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._news: dict[str, bytes] = {}
        """The newest line of each kind, "tickets" or "status"; it replaces the one before."""
        self._frames: deque[bytes] = deque()
        self._size = 0
        """Bytes of `_frames`."""
        self._is_behind = False
        """True while the viewer lacks entries that it has not been told to read elsewhere."""
        self._answers: list[bytes] = []
        self._is_over = False
        self._due = asyncio.Event()
        self._written = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Queue a frame of entries; drop it, and all that wait, if the viewer is too slow."""
        if self._is_behind:
            return
        self._frames.append(frame)
        self._size += len(frame)
        if self._size > MOST_BYTES:
            self._frames.clear()
            self._size = 0
            self.fall_behind()
        self._due.set()

    def fall_behind(self) -> None:
        """Queue no more frames until the viewer is told up to where the history has them."""
        self._is_behind = True

    def tell(self, kind: str, frame: bytes) -> None:
        """Queue a frame that replaces an earlier one of its kind."""
        self._news[kind] = frame
        self._due.set()

    async def answer(self, frame: bytes) -> None:
        """Queue the answer to a command; wait while many are unread."""
        self._answers.append(frame)
        self._due.set()
        while len(self._answers) > _ANSWERS:
            self._written.clear()
            await self._written.wait()

    def catch_up(self) -> None:
        """If the viewer has fallen behind, tell it where the dropped entries are stored."""
        self._due.set()

    def end(self) -> None:
        """Have `write_to` say, after all else, that the run's process ends."""
        self._is_over = True
        self._due.set()

    async def write_to(self, writer: asyncio.StreamWriter) -> None:
        """Write queued lines as fast as they are read, until `end`."""
        while True:
            await self._due.wait()
            self._due.clear()
            while chunk := self._next():
                writer.write(chunk)
                await writer.drain()
                self._written.set()
            if self._is_over:
                writer.write(line(Frame(has_ended=True)))
                await writer.drain()
                return

    def _next(self) -> bytes:
        """Return what to write next: tickets before entries, which may belong to a new one."""
        chunk, self._news = list(self._news.values()), {}
        if self._is_behind and not self._frames and self._feed.is_saved:
            self._is_behind = False
            chunk.append(self._feed.left_out())
        size = 0
        while self._frames and size < _AT_ONCE:
            chunk.append(self._frames.popleft())
            size += len(chunk[-1])
        self._size -= min(size, self._size)
        if not self._frames:
            chunk += self._answers
            self._answers = []
        return b"".join(chunk)


class Feed:
    """The viewers of a run, each with its queue. Without viewers it does next to nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.viewers: set[Viewer] = set()
        """Viewers that get new frames."""
        self.place = engine.delivery.place
        """The place up to which all entries are stored and given to viewers that keep up."""
        self.is_saved = engine.health.behind is None
        self._tickets: Sequence[Ticket] = ()
        self._status = Status()
        engine.subscribe(self._take)

    def join(self) -> Viewer:
        """Return a new viewer, which gets frames from now on."""
        viewer = Viewer(self)
        if not self.viewers:
            self._tickets, self._status = self._engine.tickets, self.status()
        if not self.is_saved:
            viewer.fall_behind()
        self.viewers.add(viewer)
        return viewer

    def end(self) -> None:
        """Tell the viewers that the run's process ends."""
        for viewer in self.viewers:
            viewer.end()

    def status(self) -> Status:
        """Return the present status of the run, its queue's size rounded so that it is stable."""
        health = self._engine.health
        queued = health.queued_bytes // _QUEUE * _QUEUE
        health = msgspec.structs.replace(health, queued_bytes=queued)
        return Status(health, tuple(self._engine.unfinished))

    def left_out(self) -> bytes:
        """Return the frame that says where the entries are that a viewer was not given."""
        return line(Frame(stored_to=self.place, file=str(self._engine.recorder.file.path)))

    def tell_news(self, *, is_due: bool = False) -> None:
        """Send the viewers the run's status and tickets, if they changed or it `is_due`."""
        if not self.viewers:
            return
        tickets, status = self._engine.tickets, self.status()
        if tickets != self._tickets:
            self._tickets = tickets
            self._tell("tickets", Frame(tickets=raw_tickets(tickets)))
        if is_due or status != self._status:
            self._status = status
            self._tell("status", Frame(status=status))

    def _tell(self, kind: str, frame: Frame) -> None:
        sent = line(frame)
        for viewer in self.viewers:
            viewer.tell(kind, sent)

    def _take(self, entries: Sequence[e.Entry]) -> None:
        """Pass on entries that were delivered; the engine's sink."""
        if self.viewers and not _is_all_generated(entries):
            self.tell_news()
        if entries and not entries[-1].saved:
            self.is_saved = False
            for viewer in self.viewers:
                viewer.fall_behind()
        elif entries and self.is_saved:
            self.place = entries[-1].place
            self._send(entries)
        elif not self.is_saved and (entries or self._engine.health.behind is None):
            self.place = self._engine.delivery.place  # all entries so far have been saved
            self.is_saved = True
            for viewer in self.viewers:
                viewer.catch_up()

    def _send(self, entries: Sequence[e.Entry]) -> None:
        if not self.viewers:
            return
        texts = ",".join(map(entry_json, entries))
        frame = f'{{"entries":[{texts}],"place":{self.place}}}\n'.encode()
        for viewer in self.viewers:
            viewer.put(frame)


def _is_all_generated(entries: Sequence[e.Entry]) -> bool:
    """Return True if all entries are a model's text, which does not change the run's status."""
    return bool(entries) and all(entry.event.facets.is_generated for entry in entries)


def raw_tickets(tickets: Sequence[Ticket]) -> tuple[msgspec.Raw, ...]:
    """Return tickets in the form of messages."""
    return tuple(msgspec.Raw(msgspec.json.encode(ticket)) for ticket in tickets)
