"""A program's screen frame by frame, and keys typed at it."""

import re
import time
from collections.abc import Collection, Iterator

import pyte

from lfgtui.ui.stream.requests_in_view import MIN_SECONDS_IN_VIEW
from tests.helpers.terminal import Program
from tests.helpers.waiting import until

END_OF_FRAME = b"\x1b[?2026l"


class Frames:
    """The frames that a program in a terminal has painted."""

    def __init__(self, program: Program, size: tuple[int, int]) -> None:
        self._program = program
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._seen = 0
        self._rows = list(self._screen.display)

    @property
    def rows(self) -> list[str]:
        """The rows of the newest frame."""
        if sum(1 for _ in self._painted()):  # reading the cells is most of the work
            self._rows = list(self._screen.display)
        return self._rows

    @property
    def text(self) -> str:
        """All that is on the newest frame."""
        return "\n".join(self.rows)

    def frames(self) -> Iterator[list[str]]:
        """Yield the rows of each frame that came since the last look."""
        for _ in self._painted():
            self._rows = list(self._screen.display)
            yield self._rows

    def _painted(self) -> Iterator[None]:
        """Paint one frame after the other of those that came."""
        while (at := self._program.written.find(END_OF_FRAME, self._seen)) >= 0:
            end = at + len(END_OF_FRAME)
            self._stream.feed(bytes(self._program.written[self._seen : end]))
            self._seen = end
            yield

    def press(self, keys: str) -> None:
        self._program.type(keys.encode())

    def press_once_read(self, keys: str) -> None:
        """Type an answer, once what it answers was in view for as long as a person needs."""
        since = time.monotonic()
        until(lambda: time.monotonic() - since > 1.5 * MIN_SECONDS_IN_VIEW)
        self.press(keys)

    def wait_for(self, pattern: str, row: int) -> str:
        """Wait until a row has a match; return its first group, or all of it."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.rows[row])

        until(found, f"row {row} never has {pattern}")
        match = found()
        assert match
        return match[match.re.groups]

    def wait_until(self, text: str) -> None:
        """Wait until a text is on the screen."""
        until(lambda: text in self.text, f"{text!r} is never shown")

    def wait_for_any(self, texts: Collection[str]) -> set[str]:
        """Wait until one of the texts is on the screen; return those that are."""
        until(lambda: any(text in self.text for text in texts), f"none is shown: {texts}")
        return {text for text in texts if text in self.text}
