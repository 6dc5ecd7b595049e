"""Cards: one line and, if unfolded, rows below it; those of hosted tools, plans and sources."""

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence

from lfgtui.model.call_summary import call_summary, members_summary
from lfgtui.model.events import Citation
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import HostedItem, PlanItem, SourcesItem
from lfgtui.model.fold.states import PLAN_SIGNS
from lfgtui.text.terminal_safe import plain_output, visible_line
from lfgtui.ui.items.arguments import argument_rows, raw_rows
from lfgtui.ui.items.base import BriefView, Context
from lfgtui.ui.items.clipping import output_rows
from lfgtui.ui.items.partial_json import PartialObject
from lfgtui.ui.markdown.paragraph import linked
from lfgtui.ui.text.palette import EM, Palette
from lfgtui.ui.text.wrapping import Row, Span, wrap

_WEB = ("http://", "https://")


class CardView(BriefView):
    """A card: the line is `left` and `right`, the unfolded rows are `body`."""

    kind = "tool"
    is_foldable = True

    def drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        rows = [self.fold_row(context, self.left(context), self.right(context))]
        if is_unfolded:
            bar = (("  │ ", self.palette(context).faint),)
            rows += [row.indented(bar) for row in self.body(context, context.width - 4)]
        return rows

    @abstractmethod
    def left(self, context: Context) -> Sequence[Span]:
        """Return the line; it is shortened to fit."""

    @abstractmethod
    def right(self, context: Context) -> Sequence[Span]:
        """Return the spans at the line's right edge."""

    @abstractmethod
    def body(self, context: Context, width: int) -> Iterable[Row]:
        """Return the unfolded rows."""


class HostedView(CardView):
    """A call of a tool that the provider runs, busy until it has output or its response ended."""

    def __init__(self, item: HostedItem, attempt: Attempt) -> None:
        super().__init__()
        self._item = item
        self._attempt = attempt
        self._input = ""
        self._object = PartialObject()

    @property
    def is_settled(self) -> bool:
        return self._attempt.ended_at is not None  # a result may come with the next response

    @property
    def _is_busy(self) -> bool:
        item = self._item
        return not (item.output or item.closed or self._attempt.ended_at is not None)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision, context.beat if self._is_busy else -1)

    def left(self, context: Context) -> list[Span]:
        palette, item = self.palette(context), self._item
        sign = (f"{context.spinner} ", palette.busy) if self._is_busy else ("☁ ", palette.muted)
        given = self._given()
        summary = (
            call_summary(item.input) if given is None else members_summary(given.members.values())
        )
        return [
            sign,
            (item.name or "tool", palette.tool),
            ("  ", palette.text),
            (summary, palette.muted),
        ]

    def right(self, context: Context) -> list[Span]:
        return [("hosted", self.palette(context).muted)]

    def body(self, context: Context, width: int) -> Iterator[Row]:
        palette, item = self.palette(context), self._item
        given = self._given()
        if given is not None:
            yield from argument_rows(given.members.values(), palette, width)
        elif item.input.strip():
            yield from raw_rows(item.input, palette, width)
        yield from output_rows(item.output, item.live.end, palette, width)

    def _given(self) -> PartialObject | None:
        """Return the input if it is a JSON object, even a cut-off one."""
        if self._input != self._item.input:
            self._input, self._object = self._item.input, PartialObject()
            self._object.feed(self._input)
        return None if self._object.is_broken else self._object


class PlanView(CardView):
    """An agent's plan: all steps while the response goes on, then one line."""

    def __init__(self, item: PlanItem) -> None:
        super().__init__()
        self._item = item

    @property
    def is_settled(self) -> bool:
        return self._item.closed

    def is_unfolded(self, context: Context) -> bool:
        is_live = self.override is None and not self._item.closed
        return is_live or super().is_unfolded(context)

    @property
    def source(self) -> str:
        """The list, even if only its line is shown."""
        return "\n".join(f"{PLAN_SIGNS[step.status]} {step.text}" for step in self._item.steps)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision, self._item.closed)

    def left(self, context: Context) -> list[Span]:
        palette, steps = self.palette(context), self._item.steps
        by_status = {step.status: step.text for step in reversed(steps)}
        now = by_status.get("in_progress") or by_status.get("pending", "")
        return [("plan  ", palette.tool), (_flat(now), palette.muted)]

    def right(self, context: Context) -> list[Span]:
        done, count = self._item.done, len(self._item.steps)
        return [(f"{done} of {count} done", self.palette(context).muted)]

    def body(self, context: Context, width: int) -> Iterator[Row]:
        palette = self.palette(context)
        styles = {
            "pending": palette.muted,
            "in_progress": palette.text,
            "completed": palette.good,
        }
        for step in self._item.steps:
            first = (f"{PLAN_SIGNS[step.status]} ", styles[step.status])
            style = palette.muted if step.status == "completed" else palette.text
            yield from wrap([(_flat(step.text), style)], width, (first,), (("  ", style),))


class SourcesView(CardView):
    """The sources of one response."""

    def __init__(self, item: SourcesItem) -> None:
        super().__init__()
        self._item = item

    @property
    def source(self) -> str:
        """The list, even if only its line is shown."""
        named = ((number, _name(c), c.url) for number, c in enumerate(self._item.citations, 1))
        return "\n".join(f"{n}. {name}" + f" {url}" * (url != name) for n, name, url in named)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision,)

    def left(self, context: Context) -> list[Span]:
        palette, citations = self.palette(context), self._item.citations
        count = f"{len(citations)} source{'s' * (len(citations) != 1)}"
        names = " · ".join(map(_name, citations))
        return [(f"{count}  ", palette.tool), (names, palette.muted)]

    def right(self, context: Context) -> list[Span]:
        return []

    def body(self, context: Context, width: int) -> Iterator[Row]:
        palette = self.palette(context)
        for number, citation in enumerate(self._item.citations, 1):
            first = (f"{number}. ", palette.marker)
            rest = (" " * len(first[0]), palette.marker)
            yield from wrap(_cited(citation, palette), width, (first,), (rest,))
            if citation.quote and _name(citation) != (quote := _flat(citation.quote)):
                yield from wrap([(quote, palette.muted + EM)], width, (rest,), (rest,))


def _cited(citation: Citation, palette: Palette) -> Iterator[Span]:
    """Yield a source's name, then its URL in any case: the name may claim another address."""
    name, url = _name(citation), citation.url
    is_web = url.startswith(_WEB)
    yield name, linked(palette.link, url) if is_web else palette.text
    if url and url != name:
        yield " ", palette.text
        yield visible_line(url), linked(palette.muted, url) if is_web else palette.muted


def _name(citation: Citation) -> str:
    return _flat(citation.title) or citation.url or _flat(citation.quote)


def _flat(text: str) -> str:
    """Return the text on one line, without escape sequences."""
    return " ".join(plain_output(text).split())
