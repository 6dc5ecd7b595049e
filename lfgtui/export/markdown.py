"""A run as Markdown that reads well where HTML is allowed, on GitHub say.

Answers stand as they are, at the top; what the agents did and thought is
folded. Nothing that a model, a tool or a person wrote can end a fold or begin
one.
"""

from collections.abc import Iterator
from html import escape

from lfgtui.export.escaping import fenced, literally, self_contained
from lfgtui.export.figures import (
    Call,
    RunDocument,
    Section,
    TicketDocument,
    attempt_figures,
    call_of,
    hosted_call_of,
    reason_not_started,
    run_figures,
)
from lfgtui.model.attempt import Attempt
from lfgtui.model.items import (
    HostedItem,
    Item,
    NoteItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.text.terminal_safe import visible, visible_line


def run_markdown(run: RunDocument) -> Iterator[str]:
    """Yield the document, a piece at a time."""
    figures = " · ".join([f"**{run.summary.state}**", *run_figures(run.summary)])
    yield f"# {_title(run.title or run.run)}\n\n{figures}\n\n`lfg` run {run.run}\n"
    for document in run.tickets():
        yield "\n" + "\n\n".join(_ticket(document)) + "\n"


def _ticket(document: TicketDocument) -> Iterator[str]:
    ticket, attempts = document.ticket, document.transcript.attempts
    title = f": {_title(ticket.title)}" if ticket.title and ticket.title != ticket.id else ""
    yield f"## {_title(ticket.id)}{title}"
    yield f"**{document.transcript.state or 'queued'}**"
    if not attempts and (why := reason_not_started(document.transcript)):
        yield f"*{_title(why)}*"
    for attempt in attempts:
        if len(attempts) > 1:
            yield f"### Attempt {attempt.number}: {attempt.state}"
        yield _figures(attempt)
        for item in attempt.items:
            if piece := _item(item):
                yield piece


def _figures(attempt: Attempt) -> str:
    figures = [f"{name} {figure}" for name, figure in attempt_figures(attempt)]
    return " · ".join([_title(f"{attempt.provider}/{attempt.model}"), *figures])


def _item(item: Item) -> str:
    match item:
        case TextItem():
            return self_contained(visible(item.text))
        case ToolItem():
            return _call(call_of(item))
        case HostedItem():
            return _call(hosted_call_of(item))
        case ReasoningItem():
            return _folded("thinking", f"{item.seconds:.1f} s", [_thought(item.text)])
        case PromptItem():
            return _quoted(self_contained(visible(item.text)))
        case SourcesItem():
            return "\n".join("- " + _source(c.title, c.url, c.quote) for c in item.citations)
        case NoteItem():
            return f"*{literally(visible_line(item.message)) or item.kind}*"


def _call(call: Call) -> str:
    ending = f" ({call.ending})" if call.ending else ""
    return _folded(
        call.name, call.summary + ending, [_section(section) for section in call.sections]
    )


def _section(section: Section) -> str:
    return f"{literally(section.label)}:\n\n{fenced(section.text, section.language)}"


def _folded(name: str, summary: str, content: list[str]) -> str:
    suffix = f": {escape(visible_line(summary))}" if summary else ""
    head = f"<details>\n<summary><b>{escape(visible_line(name))}</b>{suffix}</summary>"
    return "\n\n".join([head, *content, "</details>"])


def _thought(text: str) -> str:
    return _quoted(self_contained(visible(text)))


def _quoted(text: str) -> str:
    # A tab is as wide as its column makes it: behind `> ` an indented line would be none.
    return "\n".join(f"> {line}".rstrip() for line in text.expandtabs(4).split("\n"))


def _source(title: str, url: str, quote: str) -> str:
    is_link = url.startswith(("http://", "https://")) and not set(url) & set("<> \t\n\\")
    where = f"<{visible_line(url)}>" if is_link else literally(visible_line(url))
    label = literally(visible_line(title)) or ("" if url else literally(visible_line(quote)))
    return f"{label} {where}".strip()


def _title(text: str) -> str:
    return literally(visible_line(text))
