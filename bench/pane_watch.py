"""What leaves for the terminal and when: the bench's eyes in a measured process."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from textual import events
from textual.app import App
from textual.message import Message

_LEAST_FRAME = 16
"""Characters: what is shorter only brackets a frame (synchronised output)."""

_PATIENCE = 120.0


class Watcher:
    """Counts frames, says when one left, and follows text and keys to where they end.

    `drawn[pane]` is how many characters the pane has taken in; they are on the
    screen with the next frame that leaves.
    """

    def __init__(self, panes: int) -> None:
        self.frames = 0
        self.written = 0
        self.painted = asyncio.Event()
        self.drawn = [0] * panes
        self.on_frame: Callable[[], None] | None = None
        self.writes: list[tuple[float, str]] | None = None
        """CPU time and data of each write, while wanted."""
        self.go: Path | None = None
        """A file to make when keys may come."""
        self.keys: list[tuple[float, float]] = []
        """When each key was read and when its action had run."""
        self._arrived: deque[float] = deque()

    def attach(self, app: App[object]) -> None:
        """Look at what passes the app's driver."""
        driver = app._driver
        assert driver is not None
        write, process = driver.write, driver.process_message

        def watched_write(data: str) -> None:
            write(data)
            self._wrote(data)

        def watched_process(message: Message) -> None:
            if isinstance(message, events.Key):
                self._arrived.append(time.monotonic())
            process(message)

        driver.write = watched_write  # type: ignore[method-assign]  # a bench may
        driver.process_message = watched_process  # type: ignore[method-assign]  # a bench may

    def key_handled(self) -> None:
        """The oldest key's action has run."""
        if self._arrived:
            self.keys.append((self._arrived.popleft(), time.monotonic()))

    @property
    def keys_waiting(self) -> list[float]:
        """When the keys were read whose actions have not run."""
        return list(self._arrived)

    def _wrote(self, data: str) -> None:
        if self.writes is not None:
            self.writes.append((time.process_time(), data))
        if len(data) < _LEAST_FRAME:
            return
        self.frames += 1
        self.written += len(data)
        if self.on_frame is not None:
            self.on_frame()
        self.painted.set()


async def settle(app: App[object], watch: Watcher) -> float:
    """Wait until all that is to be painted has left for the terminal.

    Returns the CPU seconds spent on looking whether that is so, which are
    not the program's.
    """
    looking, quiet = 0.0, 0
    give_up = time.monotonic() + _PATIENCE
    while quiet < 2:
        watch.painted.clear()
        began = time.process_time()
        busy = _is_busy(app)
        looking += time.process_time() - began
        if busy:
            quiet = 0
            with suppress(TimeoutError):
                await asyncio.wait_for(watch.painted.wait(), 0.05)
            if time.monotonic() > give_up:
                raise TimeoutError("the screen never came to rest")
        else:
            quiet += 1
            await asyncio.sleep(0)
    return looking


def _is_busy(app: App[object]) -> bool:
    screen = app.screen
    if screen._dirty_widgets or screen._layout_required or screen._repaint_required:
        return True
    if screen._scroll_required or screen._callbacks or app.message_queue_size:
        return True
    return any(widget.message_queue_size for widget in screen.walk_children(with_self=True))
