"""Leakage control: tool markup and hidden reasoning kept out of the visible answer.

Some servers let through as text what their models meant for others: reasoning
in tags, tool calls in the markup their templates taught. The filter stands
between a provider's stream and the ticket. What it withholds is not dropped:
reasoning becomes reasoning and a call becomes a card, both marked as found in
the text. Such a call is shown and never run.

What counts as markup:

- Never what stands in code, fenced or between backticks.
- A tag counts at the beginning of a line (indented by three columns at most),
  at the beginning of the answer, and after other markup. In mid-sentence it is
  spoken about. A special token counts anywhere.
- A head decides nothing yet for what needs more to be sure of (a tag of calls
  without one, `Action:`): what turns out to be none goes back as it came, and
  is not read a second time, so the whole takes linear time.

White space: between two pieces of markup, behind an opening tag and before the
answer's first visible character, where markup stands too, it is dropped; all
other visible text is character for character what arrived. An answer without
any markup is what arrived, its first blank lines included.

Held back is at most what may still become markup: the beginning of a tag (some
30 characters), the header of a call (300), arguments that come before their
call's name (4,000), white space before what may be a tag (1,000), an `Action:`
line and the `Thought:` an answer begins with (1,000). All else goes out at once.
"""

import re
from collections.abc import Sequence
from functools import cache

from lfgtui.agent.leakage import react, special_tokens, tag_calls, thinking
from lfgtui.agent.leakage.code import CodeTracker
from lfgtui.agent.leakage.reading import Reading, Table
from lfgtui.agent.leakage.stream_buffer import SPACE, Heads, Parsing
from lfgtui.model import events as e
from lfgtui.settings.dialects import Dialect

_TAGS: dict[Dialect, Table] = {
    "think": thinking.TAGS,
    "tools": tag_calls.TAGS,
    "react": react.LABELS,
}
_TOKENS: dict[Dialect, Table] = {
    "think": thinking.TOKENS,
    "deepseek": special_tokens.DEEPSEEK,
    "kimi": special_tokens.KIMI,
    "harmony": special_tokens.HARMONY,
}
_GAP_LIMIT = 1000
"""Characters of white space that are held before what may be markup."""

_STOPS = re.compile(r"(?=<)|(?<=\n)")
_BLANKS = re.compile(" +")


@cache
def _heads(dialects: frozenset[Dialect]) -> tuple[Table, Heads, Heads]:
    """The blocks by head, the heads that count at a line's start, those that count anywhere."""
    tags = {head: block for d in sorted(dialects) for head, block in _TAGS.get(d, {}).items()}
    tokens = {head: block for d in sorted(dialects) for head, block in _TOKENS.get(d, {}).items()}
    return tags | tokens, Heads({*tags, *tokens}), Heads(tokens)


class LeakageFilter:
    """One response's events in, what the ticket gets out.

    `turn` names the response: the ids of the calls found in its text begin with it.
    """

    def __init__(self, dialects: frozenset[Dialect], turn: str = "1") -> None:
        self._blocks, self._heads_at_start, self._heads_anywhere = _heads(dialects)
        self._reading = Reading(turn)
        self._tape = self._reading.tape
        self._code = CodeTracker()
        self._gap: str | None = ""
        """White space since the answer began or markup ended; None behind visible text."""
        self._has_withheld = False
        self._is_in_block = False
        self._parser = self._read()

    def feed(self, event: e.WireEvent) -> Sequence[e.WireEvent]:
        """What an event comes to, together with what it decides of the text before it."""
        if not self._blocks or event.facets.is_aside:
            return (event,)
        match event:
            case e.TextDelta(text):
                self._tape.append(text)
                next(self._parser)
                return self._reading.out.take()
            case e.ResponseFinished():
                return (*self.finish(), event)
            case e.ReasoningDelta():
                self._reading.has_thought = True
                return (*self._settle(), event)
            case _:
                return (*self._settle(), event)

    def finish(self) -> Sequence[e.WireEvent]:
        """The end of the text, or of the stream that broke: what was held, decided."""
        self._tape.is_closed = True
        for _ in self._parser:
            pass
        self._end_gap()
        self._tape.is_closed = False
        self._parser = self._read()
        return self._reading.out.take()

    def _settle(self) -> Sequence[e.WireEvent]:
        """Something else than text goes on: what may have become markup no longer can."""
        self._tape.is_settling = True
        next(self._parser)
        self._tape.is_settling = False
        if not self._is_in_block:
            self._end_gap()
            self._gap = ""
        return self._reading.out.take()

    def _read(self) -> Parsing[None]:
        """The visible text, and by way of its heads all other."""
        tape = self._tape
        while (yield from tape.wait()):
            if self._gap is not None and (space := tape.take(SPACE, self._gap_left)):
                self._gap += space
                if not self._gap_left:
                    self._end_gap()
                    self._gap = ""
                continue
            if (yield from self._withhold()):
                continue
            blanks = tape.take(_BLANKS) if self._code.at_line_start else ""
            self._show(blanks or tape.take_to(_STOPS, least=1))

    def _withhold(self) -> Parsing[bool]:
        """Read markup, if that is what stands here; False where nothing was read."""
        tape, reading = self._tape, self._reading
        counts = self._gap is not None or self._code.at_line_start
        heads = self._heads_at_start if counts else self._heads_anywhere
        if tape.next not in heads.firsts or self._code.in_code:
            return False
        tape.mark()
        head = yield from tape.starts_with(heads)
        if head is None:
            tape.unmark()
            return False
        tape.skip(len(head))
        reading.counts, reading.is_fresh = counts, self._gap is not None
        reading.follows_markup = reading.is_fresh and self._has_withheld
        self._is_in_block = True
        is_markup = yield from self._blocks[head](reading, head)
        self._is_in_block = False
        if is_markup:
            self._gap, self._has_withheld = "", True
        else:
            self._show(tape.since_mark)
        tape.unmark()
        return True

    @property
    def _gap_left(self) -> int:
        return _GAP_LIMIT - len(self._gap or "")

    def _end_gap(self) -> None:
        """The white space stands before visible text, or at the end."""
        gap, self._gap = self._gap, None
        if gap and (self._reading.has_shown or not self._has_withheld):
            self._reading.out.show(gap)
            self._code.track(gap)

    def _show(self, text: str) -> None:
        self._end_gap()
        self._reading.has_shown = True
        self._reading.out.show(text)
        self._code.track(text)
