"""Proof that processes are gone."""

import asyncio
import os
import select
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.helpers.waiting import until


class Leash:
    """A FIFO that the processes of a command hold open for as long as they live."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_until_free(self) -> None:
        """Return once no process holds it; fails if one still does after 10 s."""
        hung_up = select.poll()
        hung_up.register(self.descriptor, select.POLLIN)
        events = dict(hung_up.poll(10_000))
        assert events.get(self.descriptor, 0) & select.POLLHUP, "a process is still alive"

    async def written(self) -> None:
        """Return once a process has written to it."""
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.descriptor, ready.set)
        await ready.wait()
        loop.remove_reader(self.descriptor)
        os.read(self.descriptor, 10)


def processes_about(folder: Path) -> list[str]:
    """Process ids with the folder in their command line; none where there is no /proc."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(folder) in line.read_bytes():
                found.append(line.parent.name)
    return found


class Processes:
    """The processes with a variable `name=value` in their environment, which children inherit."""

    def __init__(self, variable: str) -> None:
        self._variable = variable.encode()

    def found(self) -> dict[int, str]:
        """Return their ids, and the words of each."""
        return dict(self._all())

    def left(self) -> dict[int, str]:
        """Return those that do not end by themselves soon."""
        with suppress(AssertionError):
            until(lambda: not self.found(), patience=10)
        return self.found()

    def _all(self) -> Iterator[tuple[int, str]]:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ends while we look, or is another user's
                if self._variable in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    yield int(folder.name), words.decode(errors="replace")
