"""Speech: the answer in focus read aloud as it grows, or how tickets end.

One program at a time reads a few sentences on its standard input, and speaks them.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from lfgtui.model.fold.items import TextItem
from lfgtui.model.fold.states import IN_WORDS, State
from lfgtui.model.fold.transcript import Transcript
from lfgtui.settings.config import Config, Speak
from lfgtui.text.markdown_lines import open_fence, without_marks
from lfgtui.text.terminal_safe import without_controls
from lfgtui.text.units import UnitSplitter
from lfgtui.ui.programs import run_program
from lfgtui.ui.run_view import RunView

_PROGRAMS: Sequence[Sequence[str]] = (
    ("espeak-ng", "--stdin"),
    ("say",),
    ("spd-say", "--wait", "--pipe-mode"),
)
"""Programs that are tried if there is no `speak_command`."""

_PATIENCE = 15.0
"""Seconds that a program may take besides the speaking itself."""

_SLOWEST = 0.3
"""Seconds that a character may take to be spoken."""

_LAST_WORDS = 2.0
"""Seconds that a killed program may take to end when lfg does."""

_PIECE = 1_000
"""Characters read at a time: about a minute of speech, which one program gets."""

_LONGEST = 2_000
"""Most characters of a line; some programs break longer ones, and look for commands there."""

# Matches `https://example.com/a` and `<www.example.com>`, without a full stop or bracket after it.
_ADDRESS = r"<?\b(?:[a-z]{2,9}://|www\.)[^\s<>()\[\]]*[^\s<>()\[\].,;:!?'\"*_`]>?"


class Speech:
    """Speaks one text after the other. A failure is shown by `complain` and switches speech off.

    The app calls `update` regularly while a run is on the screen; a key calls `stop`.
    """

    def __init__(self, config: Config, complain: Callable[[str], None]) -> None:
        self._mode = config.speak
        self._programs = (config.speak_command,) if config.speak_command else _PROGRAMS
        self._complain = complain
        self._ticket: str | None = None
        self._answers: AnswerReader | None = None
        self._states: Mapping[str, State | None] | None = None
        self._endings: list[str] = []
        self._speaking: asyncio.Task[None] | None = None

    @property
    def mode(self) -> Speak:
        """The texts that are spoken now."""
        return self._mode

    def switch(self, mode: Speak) -> None:
        """Speak something else from now on."""
        self.stop()
        self._mode, self._ticket, self._answers, self._states = mode, None, None, None

    def update(self, run: RunView, ticket: str | None) -> None:
        """Speak new text of a run; `ticket` is the one in focus."""
        if self._mode == "off":
            return
        if self._mode == "endings":
            self._note_endings(run)
        elif ticket != self._ticket:
            self.stop()
            self._ticket, self._answers = ticket, None
            if ticket is not None:
                self._answers = AnswerReader(partial(run.transcript, ticket))
        if self._speaking is None or self._speaking.done():
            self._speaking = asyncio.create_task(self._speak())

    def _note_endings(self, run: RunView) -> None:
        states = {one.id: run.transcript(one.id).state for one in run.tickets}
        before, self._states = states if self._states is None else self._states, states
        for ticket, state in states.items():
            if state in IN_WORDS and state != before.get(ticket):
                self._endings.append(f"ticket {ticket} {IN_WORDS[state]}.\n")

    def stop(self) -> None:
        """Break off speaking, and skip the rest of what would have been spoken next."""
        if self._speaking is not None and not self._speaking.done():
            if not self._speaking.cancelling():  # it waits until the program has ended
                self._speaking.cancel()
            self._endings.clear()
            if self._answers is not None:
                self._answers.skip()

    async def close(self) -> None:
        """Stop for good; return when the program has ended."""
        self.switch("off")
        if self._speaking is not None:
            await asyncio.wait([self._speaking], timeout=_LAST_WORDS)

    async def _speak(self) -> None:
        while (text := self._next()) is not None:
            if text:
                await self._say(text)
            await asyncio.sleep(0)

    def _next(self) -> str | None:
        """Return the next text to speak, "" if it has no words; None if there is none now."""
        if self._endings:
            text = "".join(self._endings)
            self._endings.clear()
            return text
        return None if self._answers is None else self._answers.next()

    async def _say(self, text: str) -> None:
        """Have the first program that is installed say the text."""
        names = [name for name, *_ in self._programs]
        several = f"none of {', '.join(names)} is installed"
        failure = several if len(names) > 1 else f"{names[0]} is not installed"
        for program in self._programs:
            with suppress(FileNotFoundError):
                failure = await _run(program, text)
                break
        if failure:
            self._mode, self._answers = "off", None
            self._complain(f"speech is off: {failure}")


async def _run(program: Sequence[str], text: str) -> str:
    """Have the program say the text; returns and raises as `run_program`."""
    try:
        return await run_program(program, text, _PATIENCE + _SLOWEST * len(text))
    except asyncio.CancelledError:
        if program[0] == "spd-say":  # its server would go on speaking when it is killed
            with suppress(FileNotFoundError):
                await run_program(("spd-say", "--stop"), "", _PATIENCE)
        raise


class AnswerReader:
    """Takes new text from a ticket's answers by sentences, from the one that is still open on."""

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
        """Begin to read an item, of which `_read` characters have been read."""
        self._read, self._has_code = 0, False
        self._splitter = UnitSplitter("sentence")

    def next(self) -> str | None:
        """Return the words of the next piece, each sentence on a line; "" if it has none.

        None if nothing is new; later there may be.
        """
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
