"""Output written in a thread, so that a slow reader, or one that is gone, delays no ticket.

What it has not read yet is kept, since no line may be lost: in memory, and what
exceeds `IN_MEMORY` in a file, which has the older text.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import FileIO
from tempfile import TemporaryFile
from typing import TypeAlias

from lfgtui.model import events as e
from lfgtui.settings import paths

Formatter: TypeAlias = Callable[[e.Entry], str]
"""Returns what to print for an entry, "" for nothing."""

IN_MEMORY = 4_000_000
"""Characters that wait in memory for the reader."""


class Overflow:
    """A queue of texts in a file, which is deleted when it is closed."""

    def __init__(self) -> None:
        self._file: FileIO | None = None
        self._sizes: deque[int] = deque()
        self._begin = self._end = 0

    def __bool__(self) -> bool:
        return bool(self._sizes)

    def put(self, text: str) -> None:
        """Append; if the disk is full, raises `OSError` and leaves the queue as it was."""
        if self._file is None:  # not in /tmp, which is memory on many machines
            self._file = TemporaryFile(dir=paths.data_dir(), buffering=0)  # noqa: SIM115  # see close
        data = text.encode("utf-8", "surrogatepass")
        self._file.seek(self._end)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._end += len(data)
        self._sizes.append(len(data))

    def take(self) -> str:
        """Remove and return the oldest text; the queue must not be empty."""
        assert self._file is not None
        self._file.seek(self._begin)
        data = self._file.read(self._sizes[0])
        self._begin += self._sizes.popleft()
        if not self._sizes:
            self._begin = self._end = 0
            os.ftruncate(self._file.fileno(), 0)
        return data.decode("utf-8", "surrogatepass")

    def close(self) -> None:
        """Delete the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


class Printer:
    """Writes formatted entries in a thread.

    `sink` takes the entries of an engine; `run` is the task that writes, until `finish`.
    """

    def __init__(self, text_of: Formatter, write: Callable[[str], None]) -> None:
        self._text_of = text_of
        self._write = write
        self._newest: list[str] = []
        self._size = 0
        self._older = Overflow()
        self._moving = asyncio.Lock()
        self._more = asyncio.Event()
        self._too_much = asyncio.Event()
        self._finished = False

    def sink(self, entries: Sequence[e.Entry]) -> None:
        """Format the entries and queue the text. Called on the event loop; never blocks."""
        texts = [text for entry in entries if (text := self._text_of(entry))]
        self._newest += texts
        self._size += sum(map(len, texts))
        self._more.set()
        if self._size > IN_MEMORY:
            self._too_much.set()

    def finish(self) -> None:
        """Let `run` end once everything is written."""
        self._finished = True
        self._more.set()

    async def run(self) -> None:
        """Write until finished; raises `BrokenPipeError` if the reader is gone."""
        setting_aside = asyncio.create_task(self._set_aside())
        try:
            while not (self._finished and not self._newest):
                await self._more.wait()
                self._more.clear()
                while text := await self._next():
                    await asyncio.to_thread(self._write, text)
        finally:
            setting_aside.cancel()
            self._older.close()

    async def _next(self) -> str:
        """Return the text to be written next; empty if there is none."""
        async with self._moving:
            return await asyncio.to_thread(self._older.take) if self._older else self._take()

    async def _set_aside(self) -> None:
        """Whenever memory has too much, append it to the file, from which `_next` reads first."""
        while True:
            await self._too_much.wait()
            self._too_much.clear()
            async with self._moving:
                if self._size > IN_MEMORY:
                    await self._put(self._take())

    async def _put(self, text: str) -> None:
        try:
            await asyncio.to_thread(self._older.put, text)
        except OSError:  # the disk is full: using more memory is better than losing a line
            self._newest.insert(0, text)
            self._size += len(text)

    def _take(self) -> str:
        """Remove and return all text in memory."""
        text, self._newest, self._size = "".join(self._newest), [], 0
        return text
