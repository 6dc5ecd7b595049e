"""The bounds of a tool call, its outcome, and how long texts are cut."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Bounds of one tool call. Times are in seconds.

    `output_characters` bounds the output for the model, `live_characters`
    the output shown while a command runs; a command that prints more than
    `command_bytes` is stopped. `longest_command_seconds` bounds what the
    model may ask for.
    """

    output_characters: int = 30_000
    live_characters: int = 200_000
    line_characters: int = 400
    command_seconds: float = 120.0
    longest_command_seconds: float = 600.0
    command_bytes: int = 50_000_000
    grace_seconds: float = 2.0
    drain_seconds: float = 0.5
    search_seconds: float = 30.0
    max_file_bytes: int = 10_000_000
    max_listed_files: int = 1_000
    max_matches: int = 200


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The result of a call.

    `output` is all that the model gets, the error included; `error` is
    the error alone and None where there was none. A command that ran and
    exited with another code than 0 is no error: its `exit_code` says so.
    """

    output: str
    error: str | None = None
    exit_code: int | None = None


class HeadAndTail:
    """Text of any length in bounded memory: its beginning and its end.

    Both are kept because a build's first line says what ran and its last
    one how it ended. `limit` is in characters, without the note that stands
    for what was left out.
    """

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._room = limit - limit // 2
        self._tail_limit = limit // 2
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_length = 0

    def add(self, text: str) -> None:
        """Append; only the middle of what was added is ever forgotten."""
        self.total += len(text)
        if self._room:
            self._head.append(text[: self._room])
            text, self._room = text[self._room :], max(0, self._room - len(text))
        if not text:
            return
        self._tail.append(text)
        self._tail_length += len(text)
        while self._tail_length - len(self._tail[0]) >= self._tail_limit > 0:
            self._tail_length -= len(self._tail.popleft())
        if self._tail_limit == 0:
            self._tail.clear()
            self._tail_length = 0

    def __str__(self) -> str:
        head = "".join(self._head)
        joined = "".join(self._tail)
        tail = joined[max(0, len(joined) - self._tail_limit) :]
        left_out = self.total - len(head) - len(tail)
        if not left_out:
            return head + tail
        return f"{head}\n[... {left_out:,} characters left out ...]\n{tail}"


def cut_middle(text: str, limit: int) -> str:
    """Return the text, or its beginning and end with a note of how much is missing."""
    kept = HeadAndTail(limit)
    kept.add(text)
    return str(kept)


def cut_line(line: str, limit: int) -> str:
    """Bound a line's length; its end is replaced by how much was cut."""
    if len(line) <= limit:
        return line
    return f"{line[:limit]}… (+{len(line) - limit:,} characters)"


def fitting(lines: list[str], room: int) -> list[str]:
    """Return as many whole lines as fit into `room` characters, and one at least."""
    for count, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return lines[: max(count, 1)]
    return lines
