"""News of a ticket, its new text and calls, for a ticket that watches it.

Answers and reasoning are kept as they are, a call and its result as one line each. The newest are
kept, in bounded memory, with the `seq` of their entries, which separates read from unread ones.
"""

from collections import deque
from typing import TypeAlias

from lfgtui.model import events as e
from lfgtui.model.call_summary import call_summary
from lfgtui.model.fold.tokens import CHARACTERS_PER_TOKEN

KEPT = 100_000
"""Characters that are kept of each ticket."""

_Piece: TypeAlias = tuple[int, str, str]
"""The `seq` of a text, its label ("" for an answer), the text."""

_RESULT = 160
"""Most characters that are shown of a result."""

_CALL = 300
"""Most characters of a call's line."""


class News:
    """The news of one ticket. Paths in calls are shown relative to its `workspace`."""

    def __init__(self, workspace: str) -> None:
        self.last_seq = 0
        """The `seq` of the ticket's newest entry."""
        self._workspace = workspace
        self._pieces: deque[_Piece] = deque()
        self._kept = self._unread = self._read_to = 0
        """Characters in `_pieces`, characters that are unread (dropped ones, too), a `seq`."""

    @property
    def tokens(self) -> int:
        """Unread tokens, estimated."""
        return int(self._unread / CHARACTERS_PER_TOKEN)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to read."""
        return self._unread == 0

    def apply(self, entry: e.Entry) -> None:
        """Add what an entry of the ticket says."""
        self.last_seq = entry.seq
        event = entry.event
        if type(event) is e.TextDelta:  # most events are, so this test comes first
            self._add(entry.seq, "", event.text)
            return
        match event:
            case e.ReasoningDelta(text):
                self._add(entry.seq, "thinks", text)
            case e.ToolCallRequested(_, name, arguments):
                line = f"{name} {call_summary(arguments, self._workspace)}"
                self._add(entry.seq, "calls", line[:_CALL])
            case e.ToolCallFinished(_, output, error):
                result = " ".join((error or output)[: 2 * _RESULT].split())[:_RESULT]
                self._add(entry.seq, "failed" if error else "result", result)
            case _:
                pass

    def read(self, seq: int) -> None:
        """Mark all up to that entry as read."""
        self._read_to = max(self._read_to, seq)
        self._unread = sum(len(text) for seq, _, text in self._pieces if seq > self._read_to)

    def forget(self) -> None:
        """Mark all as unread."""
        self._read_to, self._unread = 0, self._kept

    def text(self, most: int) -> str:
        """Return what is unread, in at most `most` characters, with a note if it is cut."""
        parts, before = list[str](), None
        for seq, label, text in self._pieces:
            if seq > self._read_to:
                if label != before or label in ("calls", "result", "failed"):
                    parts.append(f"\n[{label}] " if label else "\n")
                parts.append(text)
                before = label
        whole = "".join(parts).strip()
        gone = self._unread - sum(len(text) for seq, _, text in self._pieces if seq > self._read_to)
        over = max(0, len(whole) - most)
        if not gone + over:
            return whole
        head = most // 3 if over else 0
        cut = f"\n[… {gone + over:,} characters are left out here …]\n"
        return whole[:head] + cut + whole[head + over :]

    def _add(self, seq: int, label: str, text: str) -> None:
        self._pieces.append((seq, label, text))
        size = len(text)
        self._kept += size
        if seq > self._read_to:
            self._unread += size
        while self._kept > KEPT and len(self._pieces) > 1:
            self._kept -= len(self._pieces.popleft()[2])
