"""A run as Markdown: a document for readers anywhere, or a plain page for a terminal and a pipe.

A document (`DOCUMENT`) is for places where some HTML is allowed, as on GitHub: calls and reasoning
are folded, and nothing that a model, a tool or a person wrote can end a fold or begin one. On a
plain page (`PLAIN`) nothing is folded, and answers are as they arrived.
"""

from collections.abc import Callable, Iterator
from html import escape
from typing import NamedTuple

from lfgtui.export.escaping import fenced, literally, self_contained
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
from lfgtui.model.events import Citation
from lfgtui.model.fold.items import (
    HostedItem,
    Item,
    NoteItem,
    PlanItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.fold.states import PLAN_SIGNS
from lfgtui.text.terminal_safe import visible, visible_line


class Style(NamedTuple):
    """Ways to write the texts of models, tools and persons.

    `text` returns Markdown, `line` a text on one line, `folded` a part that unfolds, given its
    name, its summary and its paragraphs.
    """

    text: Callable[[str], str]
    line: Callable[[str], str]
    folded: Callable[[str, str, list[str]], str]


def run_markdown(run: RunDocument, style: Style) -> Iterator[str]:
    """Yield the run, a piece at a time."""
    figures = " · ".join([f"**{run.summary.state}**", *run_figures(run.summary)])
    yield f"# {style.line(run.title or run.run)}\n\n{figures}\n\n`lfg` run {run.run}\n"
    for document in run.tickets():
        yield "\n" + ticket_markdown(document, style)


def ticket_markdown(document: TicketDocument, style: Style) -> str:
    """Return one ticket: answers in full, calls as a line and the sections below it."""
    return "\n\n".join(_ticket(document, style)) + "\n"


def _ticket(document: TicketDocument, style: Style) -> Iterator[str]:
    ticket, attempts = document.ticket, document.transcript.attempts
    title = f": {style.line(ticket.title)}" if ticket.title and ticket.title != ticket.id else ""
    yield f"## {style.line(ticket.id)}{title}"
    yield f"**{document.transcript.state or 'queued'}**"
    if not attempts and (why := reason_not_started(document.transcript)):
        yield f"*{style.line(why)}*"
    for attempt in attempts:
        if len(attempts) > 1:
            yield f"### Attempt {attempt.number}: {attempt.state}"
        figures = [f"{name} {figure}" for name, figure in attempt_figures(attempt)]
        yield " · ".join([style.line(attempt.route), *figures])
        yield from filter(None, (_item(item, style) for item in attempt.items))


def _item(item: Item, style: Style) -> str:
    """Return one item of a transcript; a new kind of item needs a case here."""
    match item:
        case TextItem():
            return style.text(item.text)
        case ToolItem():
            return _call(call_of(item), style)
        case HostedItem():
            return _call(hosted_call_of(item), style)
        case ReasoningItem():
            thought = _quoted(style.text(item.text))
            return style.folded("thinking", f"{item.seconds:.1f} s", [thought])
        case PromptItem():
            # Not a list: an indented text after it would become part of its last item.
            names = " · ".join(style.line(file.in_words) for file in item.files)
            text = style.text(item.text)
            return _quoted(f"with {names}\n\n{text}" if names else text)
        case SourcesItem():
            return "\n".join("- " + _source(c, style) for c in item.citations)
        case PlanItem(steps):
            return "\n".join(f"- {PLAN_SIGNS[s.status]} {style.line(s.text)}" for s in steps)
        case NoteItem():
            return f"*{style.line(item.message) or item.kind}*"


def _call(call: Call, style: Style) -> str:
    ending = f" ({call.ending})" if call.ending else ""
    parts = [
        f"{style.line(part.label)}:\n\n{fenced(part.text, part.language)}" for part in call.sections
    ]
    return style.folded(call.name, call.summary + ending, parts)


def _quoted(text: str) -> str:
    # A tab's width depends on its column: after `> `, an indented line could lose its indentation.
    return "\n".join(f"> {line}".rstrip() for line in text.expandtabs(4).split("\n"))


def _source(source: Citation, style: Style) -> str:
    url = source.url
    is_link = url.startswith(("http://", "https://")) and not set(url) & set("<> \t\n\\")
    where = f"<{visible_line(url)}>" if is_link else style.line(url)
    label = style.line(source.title) or ("" if url else style.line(source.quote))
    return f"{label} {where}".strip()


def _details(name: str, summary: str, parts: list[str]) -> str:
    suffix = f": {escape(visible_line(summary))}" if summary else ""
    head = f"<details>\n<summary><b>{escape(visible_line(name))}</b>{suffix}</summary>"
    return "\n\n".join([head, *parts, "</details>"])


def _unfolded(name: str, summary: str, parts: list[str]) -> str:
    return "\n\n".join([f"**{name}**: {summary}" if summary else f"**{name}**", *parts])


def _one_line(text: str) -> str:
    return " ".join(text.split())


DOCUMENT = Style(
    text=lambda text: self_contained(visible(text)),
    line=lambda text: literally(visible_line(text)),
    folded=_details,
)
PLAIN = Style(text=lambda text: text.strip("\n"), line=_one_line, folded=_unfolded)
