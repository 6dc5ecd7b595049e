"""Tool calls as cards: one line of constant height, more on request.

While a call's arguments arrive, the card shows what the agent is about to do: the path
as soon as it is there and, if unfolded, the growing content below.
"""

from collections.abc import Hashable, Iterator

from lfgtui.model.call_summary import members_summary
from lfgtui.model.fold.items import NOT_RUN, SHOWN, ToolItem
from lfgtui.model.unified_diff import change_in_words
from lfgtui.ui.items.arguments import argument_rows, raw_rows
from lfgtui.ui.items.base import Context
from lfgtui.ui.items.cards import CardView
from lfgtui.ui.items.clipping import live_rows, output_rows, shortened
from lfgtui.ui.items.diff import diff_rows
from lfgtui.ui.items.partial_json import PartialObject
from lfgtui.ui.items.requests import question_rows, unsaid_arguments
from lfgtui.ui.text.palette import STRONG, Palette
from lfgtui.ui.text.wrapping import Row, Span, wrap

_LOOK = 50_000
"""Most characters of arriving arguments that one drawing reads: for a flat list, 25 ms."""


class ToolView(CardView):
    """One tool call. It unfolds by itself while it waits for the person."""

    def __init__(self, item: ToolItem) -> None:
        super().__init__()
        self._item = item
        self._arriving = _Arriving(item)
        self._summed: tuple[int, str] | None = None  # the item's revision, and its summary then

    @property
    def is_settled(self) -> bool:
        return self._item.state in ("finished", "stopped", "written")

    @property
    def _is_asking(self) -> bool:
        return self._item.state == "needs_approval"

    @property
    def _is_busy(self) -> bool:
        return self._item.state == "arriving" or self._item.is_at_work

    def is_unfolded(self, context: Context) -> bool:
        if self.override is None and (self._is_asking or self._item.is_unfinished_setup):
            return True
        return super().is_unfolded(context)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        beat = context.beat if self._is_busy else 0
        return (self._item.revision, beat)

    def left(self, context: Context) -> list[Span]:
        palette, item = self.palette(context), self._item
        sign, style = self._sign(context)
        return [
            (f"{sign} ", style),
            (item.name or "tool", palette.muted if item.is_text_borne else palette.tool),
            ("  ", palette.text),
            (self._summary(context), palette.muted),
        ]

    def _sign(self, context: Context) -> Span:
        """Return the sign of the call's state or outcome."""
        palette, item = self.palette(context), self._item
        if item.state == "stopped" or item.is_unrun:
            return "■", palette.muted
        if self._is_asking:
            return "?", palette.warn + STRONG
        if self._is_busy and not context.awaits_slot:
            return context.spinner, palette.muted if item.is_text_borne else palette.busy
        if item.state == "written":
            return "¶", palette.muted
        if item.state != "finished":
            return "·", palette.muted
        if item.denied:
            return "⊘", palette.warn
        failed = item.error is not None or item.exit_code not in (None, 0)
        return ("✗", palette.bad) if failed else ("✓", palette.good)

    def _summary(self, context: Context) -> str:
        """Return the arguments on one line, as far as they have arrived."""
        item = self._item
        if item.is_text_borne:
            return " ".join(item.json.piece(0, max(8, context.width - len(item.name))).split())
        if item.arguments is None:
            partly = self._arriving.read()
            if partly.is_broken:
                json = item.arguments_end
                room = max(8, context.width - len(item.name) - 8)
                return json if len(json) <= room else "…" + json[1 - room :]
            return members_summary(partly.members.values(), workspace=item.workspace)
        if self._summed is None or self._summed[0] != item.revision:
            self._summed = item.revision, item.summary
        return self._summed[1]

    def right(self, context: Context) -> list[Span]:
        """Return the state, or the outcome and the time that it took."""
        palette, item = self.palette(context), self._item
        if item.is_text_borne:
            return [("written as text, not run", palette.muted)]
        if item.state == "stopped":
            return [("stopped", palette.muted)]
        if self._is_asking:
            return [*self._change(palette), ("needs approval", palette.warn)]
        if item.is_unrun:
            return [(NOT_RUN, palette.muted)]
        if item.denied:
            return [("denied", palette.warn)]
        if item.state == "running" and context.awaits_slot:
            return [("approved", palette.muted)]
        if item.is_at_work and item.started_at is not None:
            return [(f"{max(0, int(context.now - item.started_at))} s", palette.busy)]
        if item.state != "finished":
            return []
        parts = self._change(palette)
        parts += [("by rule · ", palette.muted)] * (item.rule is not None)
        if item.exit_code is not None:
            style = palette.bad if item.exit_code else palette.muted
            parts.append((f"exit {item.exit_code} · ", style))
        elif item.error is not None:
            parts.append(("failed · ", palette.bad))
        return [*parts, (_seconds(item.seconds), palette.muted)]

    def _change(self, palette: Palette) -> list[Span]:
        words = change_in_words(diff for _, diff in self._item.diffs)
        return [(f"{words} · ", palette.muted)] if words else []

    def body(self, context: Context, width: int) -> Iterator[Row]:
        palette, item = self.palette(context), self._item
        question = item.approval or item.name if self._is_asking else ""
        yield from self._arguments(palette, width, question)
        for words in filter(None, (item.rule_in_words, item.answer_in_words)):
            yield from wrap([(shortened(words), palette.muted)], width)
        if item.error is not None:
            yield from wrap([(f"error: {shortened(item.error)}", palette.bad)], width)
        output = item.output if item.state == "finished" else ""
        if not output.strip() or output.strip() != (item.error or "").strip():
            live = item.live.end if item.state != "finished" else ("", 0)
            yield from output_rows(output, live, palette, width)
        if question:  # last, where following the end shows it
            yield from question_rows(item, question, palette, width)

    def _arguments(self, palette: Palette, width: int, question: str) -> Iterator[Row]:
        """Yield the rows of the arguments and diffs, without what the `question` says already."""
        item = self._item
        if item.is_text_borne:
            yield from raw_rows(item.json.piece(0, SHOWN), palette, width)
        elif item.arguments is not None:
            is_asking = self._is_asking
            if isinstance(item.arguments, str):
                yield from raw_rows(item.arguments, palette, width, is_asking=is_asking)
            else:
                members = unsaid_arguments(item, item.arguments, question)
                yield from argument_rows(members, palette, width, is_asking=is_asking)
            diffs = item.diffs
            for path, diff in diffs:
                if len(diffs) > 1:
                    yield from wrap([(f"{path}:", palette.marker)], width)
                yield from diff_rows(diff, palette, width, is_asking=is_asking)
        elif (partly := self._arriving.read()).is_broken:
            yield from live_rows(item.arguments_end, palette, width)
        else:
            is_arriving = item.state == "arriving"
            yield from argument_rows(
                partly.members.values(), palette, width, is_arriving=is_arriving
            )


class _Arriving:
    """A call's arguments as they arrive: each `read` takes a bounded piece more."""

    def __init__(self, item: ToolItem) -> None:
        self._item = item
        self._object = PartialObject()
        self._read = 0

    def read(self) -> PartialObject:
        text = self._item.json.piece(self._read, _LOOK)
        self._read += len(text)
        self._object.feed(text)
        return self._object


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"
