"""The answers of a ticket, sentence by sentence, as they are read aloud."""

import re
from collections.abc import Callable

from lfgtui.model.fold.items import TextItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.markdown_lines import open_fence, without_marks
from lfgtui.text.terminal_safe import without_controls
from lfgtui.text.units import UnitSplitter

_PIECE = 1_000
"""Characters read at a time: about a minute of speech, which one program gets."""

_LONGEST = 2_000
"""Most characters of a line; some programs break longer ones, and look for commands there."""

_ADDRESS = r"<?\b(?:[a-z]{2,9}://|www\.)[^\s<>()\[\]]*[^\s<>()\[\].,;:!?'\"*_`]>?"


class AnswerReader:
    """Takes new text from a ticket's answers, beginning with the one that is still open."""

    def __init__(self, transcript: Callable[[], Transcript]) -> None:
        self._transcript = transcript
        self.skip()
        items = self._attempt.items if self._attempt is not None else []
        if items and isinstance(items[-1], TextItem) and not items[-1].closed:
            self._index -= 1

    def skip(self) -> None:
        """Skip the rest of this answer."""
        self._attempt = self._transcript().attempt
        self._index = 0 if self._attempt is None else len(self._attempt.items)
        self._begin()

    def _begin(self) -> None:
        self._read, self._has_code = 0, False
        self._splitter = UnitSplitter("sentence")

    def next(self) -> str | None:
        """Return the words of the next piece, a sentence a line; None if nothing is new."""
        if (item := self._item()) is None:
            return None
        piece = item.source.piece(self._read, _PIECE)
        self._read += len(piece)
        if piece:
            return self._words(self._splitter.feed(piece))
        if not item.closed:
            return None
        words = self._words(self._splitter.close())
        self._index += 1
        self._begin()
        return words

    def _item(self) -> TextItem | None:
        """Return the answer to be read, once it has begun."""
        if (attempt := self._transcript().attempt) is not self._attempt:
            self._attempt, self._index = attempt, 0
            self._begin()
        items = self._attempt.items if self._attempt is not None else []
        while self._index < len(items):
            if isinstance(item := items[self._index], TextItem):
                return item
            self._index += 1
        return None

    def _words(self, units: list[str]) -> str:
        return "".join(f"{words}\n" for unit in units if (words := self._words_of(unit)))

    def _words_of(self, unit: str) -> str:
        """Return the words of a unit; for an answer's first code block, a remark instead."""
        if not is_code(unit):
            return speakable(unit)
        had_code, self._has_code = self._has_code, True
        return "" if had_code else "code."


def is_code(unit: str) -> bool:
    """Return True if the unit is a code block."""
    return open_fence(unit.lstrip().partition("\n")[0], "") != ""


def speakable(markdown: str) -> str:
    """Return the words on one line; "" if there are none.

    It never begins with `!` or has `[[`, which are commands to spd-say, espeak-ng and say. It
    ends in a punctuation mark, so that they pause, say, after a heading.
    """
    text = re.sub(_ADDRESS, "", without_marks(without_controls(markdown)))
    text = text.replace("[", "").replace("]", "").replace("|", ", ")
    line = " ".join(text.split())[:_LONGEST].lstrip("!")
    if not any(map(str.isalnum, line)):
        return ""
    return f"{line}." if line[-1].isalnum() else line
