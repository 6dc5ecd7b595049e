"""The quiet items: thinking, prompts, lfg's own notes, the rule between attempts."""

from collections.abc import Hashable, Sequence

from rich.style import Style

from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import NoteItem, PromptItem, ReasoningItem
from lfgtui.ui.items.base import BriefView, Context
from lfgtui.ui.items.clipping import shortened
from lfgtui.ui.items.long_text import UnfoldingView
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, fit, width_of, wrap

_TAIL = 400
"""Characters at the end of the thinking in which its last words are looked for."""

_SHORT = 60
"""Most characters of a person's message that begins folded, as its line shows all of it."""


class ReasoningView(UnfoldingView):
    """The model's thinking, one line: its last words while it runs, then how long it took."""

    kind = "reasoning"

    def __init__(self, item: ReasoningItem) -> None:
        super().__init__()
        self._item = item

    @property
    def is_settled(self) -> bool:
        return self._item.closed

    def key(self) -> Hashable:
        return (self._item.revision, self._item.closed)

    def text(self) -> str:
        return self._item.text

    def is_shown(self, text: str) -> bool:
        return not self._item.closed or bool(text.strip())

    def look(self, palette: Palette) -> tuple[Span, Style]:
        return ("  ", palette.text), palette.thought

    def head(self, context: Context, text: str) -> Row:
        palette = self.palette(context)
        if self._item.closed:
            label = f"thought for {self._item.seconds:.1f} s · {len(text):,} chars"
            return self.fold_row(context, [(label, palette.muted)])
        label = "thinking… "
        words = " ".join(text[-_TAIL:].split())
        room = context.width - 2 - len(label)
        if width_of(words) > room:
            kept = words[-max(1, room - 1) :]
            while width_of(kept) > room - 1 and len(kept) > 1:
                kept = kept[1:]
            words = "…" + kept
        return self.fold_row(context, [(label, palette.busy), (words, palette.thought)])


class PromptView(UnfoldingView):
    """A message to the model, folded to its first words; a person's long one begins unfolded."""

    kind = "prompt"

    def __init__(self, item: PromptItem) -> None:
        super().__init__()
        self._item = item
        if item.is_said and (len(item.text) > _SHORT or "\n" in item.text):
            self.override = True

    def key(self) -> Hashable:
        return self._item.revision

    def text(self) -> str:
        return self._item.whole.strip()

    def source(self, text: str) -> str | None:
        return self._item.text.strip()

    def look(self, palette: Palette) -> tuple[Span, Style]:
        return ("▎ ", palette.marker), palette.text

    def head(self, context: Context, text: str) -> Row:
        palette = self.palette(context)
        words = " ".join(self._item.own[: 4 * context.width].split())
        company = f", with {self._item.company}" if self._item.company else ""
        label = "you: " if self._item.is_said else f"prompt{company}: "
        return self.fold_row(context, [(label, palette.marker), (words, palette.muted)])


class NoteView(BriefView):
    """A line of lfg's own, wrapped under its sign."""

    kind = "note"

    def __init__(self, item: NoteItem) -> None:
        super().__init__()
        self._item = item

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision,)

    def drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        palette = self.palette(context)
        sign, style = _note_signs(palette)[self._item.kind]
        body = wrap([(shortened(self._item.message.strip()), style)], context.width - 2)
        prefixes = [((sign + " ", style),)] + [(("  ", style),)] * len(body)
        return [row.indented(prefix) for row, prefix in zip(body, prefixes, strict=False)]


def _note_signs(palette: Palette) -> dict[str, Span]:
    return {
        "status": ("·", palette.muted),
        "retry": ("↻", palette.warn),
        "warning": ("!", palette.warn),
        "error": ("✗", palette.bad),
        "end": ("■", palette.muted),
    }


class RuleView(BriefView):
    """The rule at the beginning of each attempt but the first."""

    kind = "rule"
    known_height = 2

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        palette, attempt = self.palette(context), self._attempt
        going_on = "continues · " if attempt.keeps_partial else ""
        label = f"attempt {attempt.number} · {going_on}{attempt.route} "
        rule = "─" * max(0, context.width - 3 - width_of(label))
        spans = [("── ", palette.faint), (label, palette.muted), (rule, palette.faint)]
        return [Row(()), fit(spans, (), context.width, palette.faint)]
