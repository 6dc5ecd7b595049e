"""A run as Markdown that reads well where HTML is allowed, on GitHub say.

Answers stand as they are, at the top; what the agents did and thought is
folded. Nothing that a model, a tool or a person wrote can end a fold or begin
one.
"""

from collections.abc import Iterator
from html import escape

from lfgtui.export.escaping import fenced, literally, self_contained
from lfgtui.export.figures import (
    Block,
    Call,
    attempt_facts,
    call_of,
    hosted_call_of,
    run_facts,
    unbegun,
)
from lfgtui.export.run import ToldRun, ToldTicket
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


def run_markdown(run: ToldRun) -> Iterator[str]:
    """The document, a piece at a time."""
    facts = " · ".join([f"**{run.summary.state}**", *run_facts(run.summary)])
    yield f"# {_title(run.title or run.run)}\n\n{facts}\n\n`lfg` run {run.run}\n"
    for told in run.tickets():
        yield "\n" + "\n\n".join(_ticket(told)) + "\n"


def _ticket(told: ToldTicket) -> Iterator[str]:
    ticket, attempts = told.ticket, told.transcript.attempts
    title = f": {_title(ticket.title)}" if ticket.title and ticket.title != ticket.id else ""
    yield f"## {_title(ticket.id)}{title}"
    yield f"**{told.transcript.state or 'queued'}**"
    if not attempts and (why := unbegun(told.transcript)):
        yield f"*{_title(why)}*"
    for attempt in attempts:
        if len(attempts) > 1:
            yield f"### Attempt {attempt.number}: {attempt.state}"
        yield _figures(attempt)
        for item in attempt.items:
            if piece := _item(item):
                yield piece


def _figures(attempt: Attempt) -> str:
    facts = [f"{name} {figure}" for name, figure in attempt_facts(attempt)]
    return " · ".join([_title(f"{attempt.provider}/{attempt.model}"), *facts])


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
    return _folded(call.name, call.gist + ending, [_block(block) for block in call.blocks])


def _block(block: Block) -> str:
    return f"{literally(block.label)}:\n\n{fenced(block.text, block.language)}"


def _folded(name: str, gist: str, content: list[str]) -> str:
    told = f": {escape(visible_line(gist))}" if gist else ""
    head = f"<details>\n<summary><b>{escape(visible_line(name))}</b>{told}</summary>"
    return "\n\n".join([head, *content, "</details>"])


def _thought(text: str) -> str:
    return _quoted(self_contained(visible(text)))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _source(title: str, url: str, quote: str) -> str:
    is_link = url.startswith(("http://", "https://")) and not set(url) & set("<> \t\n\\")
    where = f"<{visible_line(url)}>" if is_link else literally(visible_line(url))
    said = literally(visible_line(title)) or ("" if url else literally(visible_line(quote)))
    return f"{said} {where}".strip()


def _title(text: str) -> str:
    return literally(visible_line(text))
