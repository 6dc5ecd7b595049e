"""Tool calls as cards: one line of constant height, more on request."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial

from rich.style import Style

from lfgtui.events import ToolArguments
from lfgtui.transcript import Attempt, HostedItem, ToolItem
from lfgtui.ui.items.view import BriefView, Context, Piece
from lfgtui.ui.lines import Row, Span, cut, wrap
from lfgtui.ui.palette import STRONG, Palette
from lfgtui.visible import plain_output

_HEAD, _TAIL = 12, 36
"""Rows of a long output that an unfolded card shows, from its start and its end."""

_LIVE = 12
"""Rows of output shown while the tool still runs."""

_ARGUMENT = 24
"""Rows of one argument."""


class ToolView(BriefView):
    """One tool call. It unfolds by itself while it waits for the person."""

    kind = "tool"
    is_foldable = True

    def __init__(self, item: ToolItem, attempt: Attempt) -> None:
        super().__init__()
        self._item = item
        self._attempt = attempt

    @property
    def is_settled(self) -> bool:
        return self._item.state == "finished" or self._is_stopped

    @property
    def _is_stopped(self) -> bool:
        return self._attempt.ended_at is not None and self._item.state != "finished"

    @property
    def _is_asking(self) -> bool:
        return self._item.state == "needs_approval" and not self._is_stopped

    @property
    def _is_busy(self) -> bool:
        return self._item.state in ("arriving", "running") and not self._is_stopped

    def is_unfolded(self, context: Context) -> bool:
        if self.override is None and self._is_asking:
            return True
        return super().is_unfolded(context)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        beat = context.beat if self._is_busy else 0
        return (self._item.revision, self._is_stopped, beat)

    def made(self, context: Context) -> list[Piece]:
        return [_card_piece(self, context, self._drawn)]

    def _drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        rows = [self._card(context)]
        if is_unfolded:
            bar = (("  │ ", self.palette(context).faint),)
            rows += [row.indented(bar) for row in self._body(context, context.width - 4)]
        return rows

    def _card(self, context: Context) -> Row:
        palette, item = self.palette(context), self._item
        sign, style = self._sign(context)
        left = [
            (f"{sign} ", style),
            (item.name or "tool", palette.tool),
            ("  ", palette.text),
            (self._summary(context), palette.muted),
        ]
        return self.fold_row(context, left, self._figures(context))

    def _sign(self, context: Context) -> Span:
        palette, item = self.palette(context), self._item
        if self._is_stopped:
            return "■", palette.muted
        if self._is_asking:
            return "?", palette.warn + STRONG
        if self._is_busy:
            return context.spinner, palette.busy
        if item.state != "finished":
            return "·", palette.muted
        if item.denied:
            return "⊘", palette.warn
        failed = item.error is not None or item.exit_code not in (None, 0)
        return ("✗", palette.bad) if failed else ("✓", palette.good)

    def _summary(self, context: Context) -> str:
        item = self._item
        if item.arguments is not None:
            said = context.summarise(item.name, item.arguments)
            verb, _, rest = said.partition(" ")
            return rest if rest and item.name.startswith(f"{verb}_") else said
        json = item.arguments_json
        room = max(8, context.width - len(item.name) - 8)
        return json if len(json) <= room else "…" + json[1 - room :]

    def _figures(self, context: Context) -> list[Span]:
        """What stands at the right edge: the state, or how it ended and how long it took."""
        palette, item = self.palette(context), self._item
        if self._is_stopped:
            return [("stopped", palette.muted)]
        if self._is_asking:
            return [("needs approval", palette.warn)]
        if item.denied:
            return [("denied", palette.warn)]
        if item.state == "running" and item.started_at is not None:
            return [(f"{max(0, int(context.now - item.started_at))} s", palette.busy)]
        if item.state != "finished":
            return []
        parts: list[Span] = []
        if item.exit_code is not None:
            style = palette.bad if item.exit_code else palette.muted
            parts = [(f"exit {item.exit_code} · ", style)]
        elif item.error is not None:
            parts = [("failed · ", palette.bad)]
        return [*parts, (_seconds(item.seconds), palette.muted)]

    def _body(self, context: Context, width: int) -> Iterator[Row]:
        palette, item = self.palette(context), self._item
        question = item.approval or item.name if self._is_asking else ""
        if item.arguments is not None:
            yield from _arguments(item.arguments, palette, width, question)
        elif item.arguments_json:
            yield from _clipped(item.arguments_json, palette.muted, palette, width, 0, _LIVE)
        if item.error is not None:
            yield from wrap([(f"error: {item.error}", palette.bad)], width)
        output = item.output if item.state == "finished" else item.live_output
        if output.strip() and output.strip() != (item.error or "").strip():
            head = _HEAD if item.state == "finished" else 0
            tail = _TAIL if item.state == "finished" else _LIVE
            yield from _clipped(plain_output(output), palette.text, palette, width, head, tail)
        if question:  # last, where following the end shows it
            yield from _question(question, palette, width)


class HostedView(BriefView):
    """A tool the provider ran on its side."""

    kind = "tool"
    is_foldable = True

    def __init__(self, item: HostedItem, attempt: Attempt) -> None:
        super().__init__()
        self._item = item
        self._attempt = attempt

    @property
    def is_settled(self) -> bool:
        return self._attempt.ended_at is not None

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision,)

    def made(self, context: Context) -> list[Piece]:
        return [_card_piece(self, context, self._drawn)]

    def _drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        palette, item = self.palette(context), self._item
        left = [
            ("☁ ", palette.muted),
            (item.name, palette.tool),
            ("  ", palette.text),
            (" ".join(item.input.split()), palette.muted),
        ]
        rows = [self.fold_row(context, left, [("hosted", palette.muted)])]
        if is_unfolded:
            bar, width = (("  │ ", palette.faint),), context.width - 4
            body = list(
                _clipped(plain_output(item.input), palette.muted, palette, width, _ARGUMENT, 0)
            )
            if item.output.strip():
                body += _clipped(
                    plain_output(item.output), palette.text, palette, width, _HEAD, _TAIL
                )
            rows += [row.indented(bar) for row in body]
        return rows


def _card_piece(
    view: BriefView, context: Context, draw: Callable[[Context, bool], Sequence[Row]]
) -> Piece:
    """Folded it is known to be one row, and needs no drawing to be counted."""
    is_unfolded = view.is_unfolded(context)
    return Piece(partial(draw, context, is_unfolded), 1, is_exact=not is_unfolded)


def _question(summary: str, palette: Palette, width: int) -> Iterator[Row]:
    yield from wrap([(summary, palette.text + STRONG)], width)
    key = palette.warn + STRONG
    keys = [("a", " approve · "), ("A", " always · "), ("d", " deny")]
    spans = [span for name, does in keys for span in ((name, key), (does, palette.muted))]
    yield from wrap(spans, width)


def _arguments(
    arguments: ToolArguments, palette: Palette, width: int, question: str
) -> Iterator[Row]:
    """One argument a line, long ones below their name; what the question says is left out."""
    if isinstance(arguments, str):
        yield from _clipped(arguments, palette.muted, palette, width, _ARGUMENT, 0)
        return
    for name, value in arguments.items():
        text = value if isinstance(value, str) else repr(value)
        if text and text in question:
            continue
        if "\n" not in text.strip("\n"):
            yield from wrap([(f"{name}: ", palette.marker), (text, palette.text)], width)
            continue
        yield from wrap([(f"{name}:", palette.marker)], width)
        for row in _clipped(text, palette.text, palette, width - 2, _ARGUMENT, 0):
            yield row.indented((("  ", palette.text),))


def _clipped(
    text: str, style: Style, palette: Palette, width: int, head: int, tail: int
) -> Iterator[Row]:
    """The first and last rows of a long text, and how many lines lie between."""
    lines = text.strip("\n").split("\n")
    if len(lines) <= head + tail + 1:
        yield from cut([("\n".join(lines), style)], width)
        return
    if head:
        yield from cut([("\n".join(lines[:head]), style)], width)
    yield Row(((f"… {len(lines) - head - tail:,} more lines", palette.faint),))
    if tail:
        yield from cut([("\n".join(lines[-tail:]), style)], width)


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"
