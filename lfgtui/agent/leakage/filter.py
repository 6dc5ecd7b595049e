"""Leakage control: tool markup and hidden reasoning kept out of the visible answer.

Some servers send as text what their models did not write as an answer: reasoning
in tags, and tool calls in the markup of their chat templates. The filter stands
between a provider's stream and the ticket. What it withholds is not dropped:
reasoning becomes reasoning, and a call is shown as it came in a card of its own,
both with `origin` "text". Such a call is never run.

What counts as markup:

- Nothing in code, fenced or between backticks.
- A tag at the beginning of a line (indented by three columns at most), at the
  beginning of the answer, and after other markup; in mid-sentence it is only
  mentioned. A special token anywhere.
- A head, that is the string with which markup begins, may prove nothing by itself
  (a tag around calls, `Action:`). Then it counts only if its shape follows;
  otherwise it is text.

White space between two pieces of markup, after an opening tag, and between markup
and the answer's first visible character is dropped; all other visible text is
character for character what arrived. An answer without any markup is what
arrived, its first blank lines included.

Held back is at most what may still become markup: the beginning of a tag (some
30 characters), the header of a call (300), white space before a possible tag
(1,000), an `Action:` line and the `Thought:` an answer begins with (1,500). All
else goes out at once.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import groupby
from operator import itemgetter

from lfgtui.agent.leakage.blocks import TAGS, TOKENS, Block, HeadContext, Table
from lfgtui.agent.leakage.code import CodeTracker
from lfgtui.agent.leakage.shapes import Heads
from lfgtui.model import events as e
from lfgtui.settings.providers import Dialect

CALL_NAME = "tool_call"
"""The name of every call found in the text; the tool's own name is in its markup."""

_GAP_LIMIT = 1000
"""Most characters of white space that are held before possible markup."""

_SPACE = re.compile(r"\s+")
_STOPS = re.compile(r"(?=<)|(?<=\n)")
"""Positions to which visible text is read in one step, since a head may begin there."""
_BLANKS = re.compile(" +")


_reasoning = partial(e.ReasoningDelta, origin="text")
_call = partial(e.ToolCallStarted, name=CALL_NAME, origin="text")


@cache
def _heads(dialects: frozenset[Dialect]) -> tuple[Table, Heads, Heads]:
    """Return the dialects' blocks by head, all heads, and those that count anywhere."""
    tags = {head: blocks for d in sorted(dialects) for head, blocks in TAGS.get(d, {}).items()}
    tokens = {head: blocks for d in sorted(dialects) for head, blocks in TOKENS.get(d, {}).items()}
    return tags | tokens, Heads({*tags, *tokens}), Heads(tokens)


class LeakageFilter:
    """A filter of one response's events on their way to its ticket: `feed` all, then `finish`.

    `turn` is unique in the ticket: the ids of calls found in the text, `text_TURN_1`, contain it.
    Without dialects nothing is filtered.
    """

    def __init__(self, dialects: frozenset[Dialect], turn: str = "1") -> None:
        self._blocks, self._heads_at_start, self._heads_anywhere = _heads(dialects)
        self._turn = turn
        self._pieces: list[tuple[Callable[[str], e.WireEvent], str]] = []  # for `_take`
        self._calls = 0  # found so far
        self._keep: Callable[[str], e.WireEvent] = _reasoning
        """Makes events of the text within a block."""
        self._code = CodeTracker()
        self._context = HeadContext()
        self._text = ""  # what is not read yet, from `_at` on
        self._at = 0
        self._gap: str | None = ""
        """White space since the answer began or markup ended; None after visible text."""
        self._inside: Block | None = None  # the block that is being read; None in visible text
        self._skips_space = False  # after an opening tag

    def feed(self, event: e.WireEvent) -> Sequence[e.WireEvent]:
        """Return events for the text that is certain now, then the event if it is not text."""
        if not self._blocks or event.facets.is_aside:
            return (event,)
        match event:
            case e.TextDelta(text) if self._is_plain(text):
                self._code.track(text)
                return [event]
            case e.TextDelta(text):
                self._text += text
                self._read(is_over=False)
                return self._take()
            case e.ResponseFinished():
                return (*self.finish(), event)
            case e.ReasoningDelta():
                self._context.has_thought = True
                return (*self._settle(), event)
            case _:
                return (*self._settle(), event)

    def _is_plain(self, text: str) -> bool:
        """Return True if no part of the text can be markup: then it needs no reading, as usual."""
        is_in_line = self._gap is None and not self._code.at_line_start
        is_certain = is_in_line and self._inside is None and not self._text
        return is_certain and self._heads_anywhere.may_begin.search(text) is None

    def finish(self) -> Sequence[e.WireEvent]:
        """Return events for the text held back, as no more follows: the stream ended or broke."""
        self._read(is_over=True)
        self._inside = None
        self._end_gap()
        return self._take()

    def _settle(self) -> Sequence[e.WireEvent]:
        """Return events for the text held back, since something other than text follows.

        A block that is open goes on after it.
        """
        self._read(is_over=True)
        if self._inside is None:
            self._end_gap()
            self._gap = ""
        return self._take()

    def _read(self, *, is_over: bool) -> None:
        """Read the text as far as it can be decided on, or all of it if it is over."""
        while self._at < len(self._text):
            step = self._read_visible if self._inside is None else self._read_block
            if not step(is_over=is_over):
                break
        self._text, self._at = self._text[self._at :], 0

    def _read_visible(self, *, is_over: bool) -> bool:
        """Read a piece of visible text, or a head; return False if more text must come first."""
        text, at = self._text, self._at
        if self._gap is not None:
            room = _GAP_LIMIT - len(self._gap)
            if space := _SPACE.match(text, at, at + room):
                self._at = space.end()
                self._gap += space[0]
                if len(self._gap) == _GAP_LIMIT:
                    self._end_gap()
                    self._gap = ""
                return True
        counts = self._gap is not None or self._code.at_line_start
        heads = self._heads_at_start if counts else self._heads_anywhere
        if text[at] in heads.firsts and not self._code.in_code:
            if heads.is_cut_off(text, at) and not is_over:
                return False
            if head := heads.match(text, at):
                context, is_fresh = self._context, self._gap is not None
                context.counts, context.is_fresh = counts, is_fresh
                context.follows_markup = is_fresh and bool(context.withheld)
                return self._read_head(head, is_over=is_over)
        blanks = _BLANKS.match(text, at) if self._code.at_line_start else None
        stop = blanks or _STOPS.search(text, at + 1)
        self._at = len(text) if stop is None else stop.end()
        self._show(text[at : self._at])
        return True

    def _read_head(self, head: str, *, is_over: bool) -> bool:
        """Begin one of the head's blocks, or show the head as text if none fits.

        Return False if more text must come first.
        """
        after = self._at + len(head)
        for block in self._blocks[head]:
            if not block.when(self._context):
                continue
            if match := block.follows.full.match(self._text, after):
                self._begin(block, head, match.end())
                return True
            if block.follows.begun.fullmatch(self._text, after):
                if not is_over:
                    return False
                if block.may_be_cut:
                    self._begin(block, head, len(self._text))
                    return True
        self._context.mentioned.add(head)
        self._at = after
        self._show(head)
        return True

    def _begin(self, block: Block, head: str, end: int) -> None:
        """Begin a block whose header, the head and what belongs to it, lasts to `end`."""
        header = self._text[self._at : end]
        kind = block.kind(header) if callable(block.kind) else block.kind
        context, self._at = self._context, end
        if block.remark and context.has_shown and not context.has_thought:
            self._add(e.Status, block.remark)
        self._gap = ""
        context.withheld.add(head)
        context.has_thought |= kind == "reasoning" or bool(block.remark)
        if kind == "mark":
            return
        self._inside, self._keep = block, _reasoning
        self._skips_space = kind == "reasoning" and not block.keeps_head
        if kind == "call":
            context.has_call = True
            self._calls += 1
            call_id = f"text_{self._turn}_{self._calls}"
            self._keep = partial(e.ToolArgumentsDelta, call_id)
            self._add(_call, call_id)
        if not self._skips_space:
            self._add(self._keep, header)

    def _read_block(self, *, is_over: bool) -> bool:
        """Read a piece of a block, or its end; return False if more text must come first."""
        text, block = self._text, self._inside
        assert block is not None
        if self._skips_space and (space := _SPACE.match(text, self._at)):
            self._at = space.end()
            return True
        self._skips_space = False
        match = block.heads.pattern.search(text, self._at)
        held = len(text) if is_over else block.heads.cut_off_at(text, self._at)
        if match is None or match.start() > held:
            self._add(self._keep, text[self._at : held])
            self._at = held
            return False
        self._add(self._keep, text[self._at : match.start()])
        end, self._at = match[0], match.end()
        if end in block.quoted:
            self._add(self._keep, end)
            return True
        if end in block.stops:  # begins something else, on its own line
            newline = end[: len(end) - len(end.lstrip("\n"))]
            self._at = match.start() + len(newline)
            self._add(self._keep, newline)
        elif self._keep is not _reasoning:
            self._add(self._keep, end)
        self._inside, self._gap = None, ""
        return True

    def _end_gap(self) -> None:
        """Show the white space before visible text, or at the end."""
        gap, self._gap = self._gap, None
        if gap and (self._context.has_shown or not self._context.withheld):
            self._add(e.TextDelta, gap)
            self._code.track(gap)

    def _show(self, text: str) -> None:
        """Add visible text."""
        self._end_gap()
        self._context.has_shown = True
        self._add(e.TextDelta, text)
        self._code.track(text)

    def _add(self, make: Callable[[str], e.WireEvent], text: str) -> None:
        """Add a piece of text for the next `_take`; `make` makes its event."""
        if text:
            self._pieces.append((make, text))

    def _take(self) -> list[e.WireEvent]:
        """Return the events so far; adjacent pieces of one kind become one event."""
        groups = groupby(self._pieces, itemgetter(0))
        events = [make("".join(text for _, text in pieces)) for make, pieces in groups]
        self._pieces.clear()
        return events
