"""A run as a page for a person at a terminal: answers in full, calls in a few lines.

It uses the sixteen colours that every terminal has and its owner chose. Lines consist of Rich's
segments; the caller must print them by `text.output`, which makes their text safe.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff

from rich.console import Console, ConsoleOptions, OverflowMethod, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from lfgtui.errors import shortened
from lfgtui.export.figures import (
    Call,
    RunDocument,
    TicketDocument,
    attempt_figures,
    call_of,
    hosted_call_of,
    reason_not_started,
    run_figures,
)
from lfgtui.export.markdown_terminal import MARKDOWN_STYLES, Answer
from lfgtui.model.call_summary import NEW, OLD
from lfgtui.model.events import ToolArguments
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import (
    HostedItem,
    Item,
    NoteItem,
    NoteKind,
    PlanItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.fold.states import BADGES, PLAN_SIGNS, State
from lfgtui.text.terminal_safe import visible, visible_line

_NARROWEST, _WIDEST = 40, 120
"""Cells of a line. Longer lines are hard to read; a narrower terminal wraps them itself."""

_ROW, _PARAGRAPH = 2 * _WIDEST, 600
"""Most characters of a line that is cropped to one row, and of one that is wrapped."""

_THEME = Theme(
    {
        # the theme variables that badges name
        **{"faint": "dim", "muted": "dim", "primary": "blue", "secondary": "magenta"},
        **{"accent": "cyan", "success": "green", "warning": "yellow", "error": "red"},
        "thought": "dim italic",
        **MARKDOWN_STYLES,
    }
)

# Signs with their styles: of a call, by whether it succeeded, and of a note; styles of a diff.
_ENDINGS = {True: ("✓", "success"), False: ("✗", "error"), None: ("·", "muted")}
_NOTES: dict[NoteKind, tuple[str, str]] = {
    "status": ("·", "muted"),
    "retry": ("↻", "warning"),
    "warning": ("!", "warning"),
    "error": ("✗", "error"),
    "end": ("■", "muted"),
}
_DIFF = {"+": "success", "-": "error"}

_PROMPT, _OUTPUT, _FAILURE, _CHANGE = (6, 0), (3, 3), (4, 12), (16, 8)
"""Numbers of first and last lines shown of a longer prompt, output, failed output or change."""

_MOST_COMPARED = 1000
"""Most lines of an edit that are compared; more could take long."""


class _Barred:
    """A text with a bar to its left."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update(width=max(1, options.max_width - 2))
        for line in console.render_lines(self._text, inner, pad=False):
            yield Segment("▎ ", console.get_style("primary"))
            yield from line
            yield Segment.line()


def lines_of(page: Iterable[RenderableType], width: int) -> Iterator[Sequence[Segment]]:
    """Yield the lines of `run_page`'s parts for a terminal of this width, without blanks at the
    ends."""
    width = max(_NARROWEST, min(width, _WIDEST))
    console = Console(width=width, file=io.StringIO(), theme=_THEME, markup=False, highlight=False)
    for part in page:
        for line in console.render_lines(part, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
            yield line


def run_page(run: RunDocument) -> Iterator[RenderableType]:
    """Yield the parts of the page of a run, or of a ticket if the document is of one ticket."""
    if not run.is_one_ticket:
        yield from _head(run)
    for document in run.tickets():
        if not run.is_one_ticket:
            yield Text()
        yield from _ticket(document)


def _head(run: RunDocument) -> Iterator[RenderableType]:
    summary = run.summary
    sign, colour, _ = BADGES["streaming" if summary.state == "running" else summary.state]
    yield Text(_one_line(run.title or run.run), "bold")
    figures = (f" · {figure}" for figure in run_figures(summary))
    yield Text.assemble((f"{sign} {summary.state}", colour), ("".join(figures), "muted"))
    yield Text(f"run {run.run}", "muted")


def _ticket(document: TicketDocument) -> Iterator[RenderableType]:
    ticket, transcript = document.ticket, document.transcript
    title = f"  {_one_line(ticket.title)}" if ticket.title not in ("", ticket.id) else ""
    badge = _badge(transcript.state or "queued")
    head = Text.assemble(badge, "  ", (_one_line(ticket.id), "bold"), title)
    yield Rule(head, align="left", style="faint")
    if not transcript.attempts and (why := reason_not_started(transcript)):
        yield Text(_one_line(why), badge[1])
    for attempt in transcript.attempts:
        if len(transcript.attempts) > 1:
            yield Text.assemble(
                "\n", (f"attempt {attempt.number}  ", "bold"), _badge(attempt.state)
            )
        figures = " · ".join(f"{name} {figure}" for name, figure in attempt_figures(attempt))
        model = _one_line(attempt.route)
        yield Text(f"{model} · {figures}" if figures else model, "muted")
        yield from _items(attempt)


def _badge(state: State) -> tuple[str, str]:
    sign, colour, word = BADGES[state]
    return f"{sign} {word}", colour


def _items(attempt: Attempt) -> Iterator[RenderableType]:
    """Yield the items, with a blank line between two unless both are brief, as calls are."""
    was_brief = False
    for item in attempt.items:
        is_brief = not isinstance(item, TextItem | PromptItem | SourcesItem)
        parts = list(_item(item))
        if parts and not (is_brief and was_brief):
            yield Text()
        if parts:
            yield from parts
            was_brief = is_brief


def _item(item: Item) -> Iterator[RenderableType]:
    """Yield the parts of one item of a transcript; a new kind of item needs a case here."""
    match item:
        case TextItem():
            if item.text.strip():
                yield Answer(item.text)
        case ToolItem():
            is_broken = item.error is not None
            change = None if is_broken else _change(item)
            yield from _call(call_of(item), change, "error" if is_broken else "muted")
        case HostedItem():
            yield from _call(hosted_call_of(item), None, "muted")
        case ReasoningItem():
            if words := _one_line(item.text[: 2 * _ROW]):
                yield _line((f"· thought for {item.seconds:.1f} s  ", "muted"), (words, "thought"))
        case PromptItem():
            yield _Barred(_prompt(item))
        case SourcesItem():
            for source in item.citations:
                label = " ".join(filter(None, (source.title or source.quote, source.url)))
                yield Text(f"• {_one_line(label)}", "muted")
        case PlanItem(steps):
            for step in steps:
                yield Text(f"{PLAN_SIGNS[step.status]} {_one_line(step.text)}", "muted")
        case NoteItem():
            sign, style = _NOTES[item.kind]
            yield Text(f"{sign} {_one_line(item.message) or item.kind}", style)


def _prompt(item: PromptItem) -> Text:
    company = _one_line(item.company)
    text = _clipped(item.own.strip() or item.text.strip(), _PROMPT)
    return Text.assemble((f"with {company}\n" if company else "", "muted"), text)


def _call(call: Call, change: Text | None, style: str) -> Iterator[RenderableType]:
    """Yield a call's line, and below it the change, or else its output in this style."""
    sign, colour = _ENDINGS[call.succeeded]
    line = Table.grid(expand=True, padding=(0, 0, 0, 1))
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    head = _line((f"{sign} ", colour), (f"{call.name}  ", "bold"), call.summary)
    line.add_row(head, Text(call.ending, "error" if call.succeeded is False else "muted"))
    yield line
    if change is None and call.sections and call.sections[-1].label == "output":
        most = _FAILURE if call.succeeded is False else _OUTPUT
        change = _clipped(call.sections[-1].text, most, style, is_cropped=True)
    if change is not None:
        yield Padding(change, (0, 0, 0, 2))


def _change(item: ToolItem) -> Text | None:
    """Return a call's diffs, or else its edit as a diff; None if it has neither."""
    diffs = [diff.removesuffix("\n") for _, diff in item.diffs]
    rows = "\n".join(diffs) or _edit(item.given)
    return _clipped(rows, _CHANGE, "muted", _DIFF, is_cropped=True) if rows else None


def _edit(given: ToolArguments) -> str:
    """Return the arguments of an edit, old and new text, as a diff; "" for other calls, or if they
    are too long to be compared."""
    if isinstance(given, str):
        return ""
    old, new = (next((given[n] for n in names if n in given), None) for names in (OLD, NEW))
    if not isinstance(old, str) or not isinstance(new, str):
        return ""
    before, after = old.split("\n"), new.split("\n")
    if len(before) + len(after) > _MOST_COMPARED:
        return ""
    diff = list(unified_diff(before, after, lineterm="", n=1))[2:]  # after the files' names
    return "\n".join(row for row in diff if not row.startswith("@@"))


def _line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _clipped(
    text: str,
    most: tuple[int, int],
    style: str = "none",
    marks: Mapping[str, str] = {},
    *,
    is_cropped: bool = False,
) -> Text:
    """Return the `most` first and last lines, and how many are left out.

    `marks` are styles by a line's first character. If cropped, each line takes one row.
    """
    lines, (head, tail) = visible(text).split("\n"), most
    if (hidden := len(lines) - head - tail) > 1:
        lines[head : head + hidden] = [f"… {hidden:,} more lines"]
    cut = _ROW if is_cropped else _PARAGRAPH
    rows = (Text(shortened(line, cut), marks.get(line[:1], style)) for line in lines)
    crop: OverflowMethod | None = "ellipsis" if is_cropped else None
    return Text("\n", no_wrap=is_cropped, overflow=crop).join(rows)


def _one_line(text: str) -> str:
    return visible_line(" ".join(text.split()))
