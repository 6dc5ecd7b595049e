"""The bounds of a tool call and its outcome; functions that cut and compare texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import islice
from operator import itemgetter

from lfgtui.processes.limits import NO_LIMITS, ProcessLimits

TEXTS = 2_000
"""Most texts that `closest` considers."""

COMPARED = 20
"""Most texts that `closest` compares in full."""

_WIDTH = 255
"""Most characters of a text that `closest` considers; a file name has no more bytes."""

_ENOUGH = 0.6
"""The least similarity of the closest text, as in difflib."""

_MOST_ERROR = 2_000
"""Most characters of an error message that the model gets."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Bounds of one tool call. Times are in seconds.

    `output_characters` bounds the output for the model, `live_characters`
    the output shown while a command runs, `line_characters` a line of
    search_files. A command that prints more than `command_bytes` is stopped.
    It may take `command_seconds` or, if the model asks for that, up to
    `longest_command_seconds`; for `grace_seconds` and `drain_seconds` see
    `command`. `search_seconds` bounds list_files and search_files.
    `processes` bounds what a command may use.
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
    processes: ProcessLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """The result of a call.

    `output` is all that the model gets, the error included; `error` is
    the error alone and None where there was none. A command that ran and
    exited with a code other than 0 is not an error: its `exit_code` says so.
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
        self._tail_limit = limit // 2
        self._head_limit = limit - self._tail_limit
        self._head = self._tail = ""
        self._total = 0

    def add(self, text: str) -> None:
        """Append the text; of too long a text only the middle is dropped."""
        self._total += len(text)
        room = self._head_limit - len(self._head)
        self._head += text[:room]
        self._tail += text[room:]
        if len(self._tail) > 2 * self._tail_limit:  # twice, so that most calls only append
            self._tail = self._end()

    def __str__(self) -> str:
        tail = self._end()
        left_out = self._total - len(self._head) - len(tail)
        note = f"\n[... {left_out:,} characters left out ...]\n" if left_out else ""
        return f"{self._head}{note}{tail}"

    def _end(self) -> str:
        return self._tail[max(0, len(self._tail) - self._tail_limit) :]


def cut_middle(text: str, limit: int) -> str:
    """Return the text, or its beginning and end with a note of how much is missing."""
    kept = HeadAndTail(limit)
    kept.add(text)
    return str(kept)


def cut_line(line: str, limit: int) -> str:
    """Return the line; from `limit` characters on, a note says how much was cut."""
    if len(line) <= limit:
        return line
    return f"{line[:limit]}… (+{len(line) - limit:,} characters)"


def one_line(message: str) -> str:
    """Return an error's message as the model gets it: on one line, bounded, sendable."""
    return sendable(cut_line(" ".join(message.split()), _MOST_ERROR))


def sendable(text: str) -> str:
    """Replace characters that UTF-8 cannot hold, e.g. those of a file name that is not UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def fitting(lines: list[str], room: int) -> list[str]:
    """Return as many whole lines as fit into `room` characters, but at least one."""
    for count, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return lines[: max(count, 1)]
    return lines


def closest(wanted: str, texts: Iterable[str]) -> str | None:
    """Return the text most like `wanted`, the first of equals; None if none is similar enough.

    `difflib.get_close_matches` takes quadratic time for each text, however many
    there are. Here a linear measure chooses the few that are compared in full.
    """
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted[:_WIDTH])

    def share(text: str) -> float:
        matcher.set_seq1(text)
        return matcher.quick_ratio()

    def likeness(text: str) -> float:
        matcher.set_seq1(text)
        return matcher.ratio()

    short = (text for text in islice(texts, TEXTS) if len(text) <= _WIDTH)
    likely = nlargest(COMPARED, dict.fromkeys(short), share)
    scored = ((likeness(text), text) for text in likely)
    score, best = max(scored, key=itemgetter(0), default=(0.0, ""))
    return best if score >= _ENOUGH else None
