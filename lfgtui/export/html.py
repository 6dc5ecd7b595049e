"""A run as one page of HTML that looks like the panes.

The page has no scripts and loads nothing, and a policy in its head forbids both.
So every text must be escaped where it is put in (`escape`). What unfolds is
`<details>`, and a link to a pane enlarges it (`:target` in `page.css`).
"""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

import msgspec

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
from lfgtui.export.markdown_html import code_html, link_html, markdown_html
from lfgtui.model.events import Citation
from lfgtui.model.fold.attempts import Attempt
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
from lfgtui.model.fold.states import BADGES, PLAN_SIGNS, State
from lfgtui.settings.themes import Colours, ThemeFile
from lfgtui.text.terminal_safe import visible, visible_line

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The page's Content-Security-Policy."""

_LONG_PROMPT = 6
"""Most lines of a prompt that is not folded."""


def run_html(run: RunDocument, themes: Mapping[str, ThemeFile], theme: str) -> Iterator[str]:
    """Yield the page, a piece at a time.

    `theme` is the name of the person's theme. It is used on dark screens or on light ones, as it is
    made; the shipped theme `dark` or `light` on the others.
    """
    title = visible_line(run.title or run.run)
    yield _head(title, _style(themes, theme))
    figures = "".join(f"<span>{escape(figure)}</span>" for figure in run_figures(run.summary))
    state = "streaming" if run.summary.state == "running" else run.summary.state
    yield (
        f'<header class="run"><h1>{escape(title)}</h1><p class="facts">'
        f"{_badge(state)}{figures}<span>{escape(run.run)}</span></p></header>\n"
    )
    yield f'<main class="{"one" if len(run.ids) == 1 else "grid"}">\n'
    for number, document in enumerate(run.tickets(), 1):
        yield from _pane(number, document)
    yield "</main>\n</body>\n</html>\n"


def _head(title: str, style: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="dark light">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
    )


def _style(themes: Mapping[str, ThemeFile], theme: str) -> str:
    """Return the style sheet for dark and light screens; the person's theme is one of the two."""
    own = themes.get(theme, themes["dark"])
    if own.is_terminals:  # its colours have no values that a page could use
        own = themes["dark"]
    dark, light = (own, themes["light"]) if own.dark else (themes["dark"], own)
    sheet = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return (
        f":root {{ {_variables(dark.colours)} }}\n"
        f"@media (prefers-color-scheme: light) {{ :root {{ {_variables(light.colours)} }} }}\n"
        f"{sheet}"
    )


def _variables(colours: Colours) -> str:
    """Return the colours as CSS variables; they are checked, as somebody else may have written the
    theme file."""
    return " ".join(
        f"--{name}: {colour if colour[:1] == '#' and colour[1:].isalnum() else 'inherit'};"
        for name, colour in msgspec.structs.asdict(colours).items()
    )


def _badge(state: State | None) -> str:
    sign, colour, word = BADGES[state]
    return f'<span class="badge {colour}">{sign} {escape(word)}</span>'


def _pane(number: int, document: TicketDocument) -> Iterator[str]:
    """Yield one ticket: its head and its stream."""
    ticket, transcript = document.ticket, document.transcript
    title = visible_line(ticket.title) if ticket.title != ticket.id else ""
    newest, attempts = transcript.attempt, transcript.attempts
    yield (
        f'<article class="pane" id="t{number}">\n<header>\n<p class="who">'
        f"{_badge(transcript.state)}"
        f'<a class="id" href="#t{number}">{escape(visible_line(ticket.id))}</a>'
        f'<span class="title">{escape(title)}</span>'
        f'<span class="model">{escape(_model(newest)) if newest else ""}</span>'
        f'<a class="close" href="#">all panes</a></p>\n'
        f"{_figures(newest) if newest else ''}</header>\n"
        '<div class="stream" tabindex="0">\n'
    )
    for attempt in attempts:
        if len(attempts) > 1:
            head = f"attempt {attempt.number} · {_model(attempt)} · {attempt.state}"
            figures = "" if attempt is newest else _figures(attempt)
            yield f'<div class="attempt"><p>{escape(head)}</p>{figures}</div>\n'
        is_quiet = attempt is not newest and not attempts[-1].continues
        yield '<section class="quiet">\n' if is_quiet else "<section>\n"
        yield from map(_item, attempt.items)
        yield "</section>\n"
    if not attempts:
        yield _prompt(PromptItem(ticket.prompt, ticket.prompt))
        if why := reason_not_started(transcript):
            yield f'<p class="note end">{escape(visible_line(why))}</p>\n'
    yield "</div>\n</article>\n"


def _item(item: Item) -> str:
    """Return one item of a transcript as HTML; a new kind of item needs a case here."""
    match item:
        case TextItem():
            return f'<div class="answer">{markdown_html(item.text)}</div>\n'
        case ToolItem():
            return _call_html(call_of(item))
        case HostedItem():
            return _call_html(hosted_call_of(item))
        case ReasoningItem():
            head = f"<b>thinking</b> <span>{item.seconds:.1f} s</span>"
            return _fold(
                "reasoning", head, f'<div class="thought">{markdown_html(item.text)}</div>'
            )
        case PromptItem():
            return _prompt(item)
        case SourcesItem():
            sources = "".join(f"<li>{_source(citation)}</li>" for citation in item.citations)
            head = f"<b>sources</b> <span>{len(item.citations)}</span>"
            return _fold("sources", head, f"<ul>{sources}</ul>")
        case PlanItem(steps):
            listed = "".join(
                f"<li>{PLAN_SIGNS[step.status]} {escape(visible_line(step.text))}</li>"
                for step in steps
            )
            head = f"<b>plan</b> <span>{item.done} of {len(steps)} done</span>"
            return _fold("sources", head, f"<ul>{listed}</ul>")
        case NoteItem():
            return f'<p class="note {item.kind}">{escape(visible_line(item.message))}</p>\n'


def _model(attempt: Attempt) -> str:
    return visible_line(attempt.route)


def _figures(attempt: Attempt) -> str:
    figures = "".join(
        f"<span>{name} <b>{escape(figure)}</b></span>" for name, figure in attempt_figures(attempt)
    )
    return f'<p class="figures">{figures}</p>\n' if figures else ""


def _call_html(call: Call) -> str:
    """Return a call's line, which unfolds to its sections."""
    colour = {True: "good", False: "bad", None: "muted"}[call.succeeded]
    head = (
        f'<b>{escape(call.name)}</b> <span class="gist">{escape(visible_line(call.summary))}</span>'
        f' <span class="ending {colour}">{escape(visible_line(call.ending))}</span>'
    )
    sections = "".join(
        f'<p class="label">{escape(section.label)}</p>{code_html(section.text, section.language)}'
        for section in call.sections
    )
    return _fold(f"call {colour}", head, sections)


def _prompt(item: PromptItem) -> str:
    """Return a prompt, folded if it is long; its line then is the first of the ticket's own."""
    text = item.whole.strip()
    lines = text.splitlines()
    if len(lines) <= _LONG_PROMPT:
        return f'<div class="prompt">{_plain(text)}</div>\n'
    first = escape(visible_line((item.own.strip() or text).splitlines()[0]))
    label = f"with {escape(visible_line(item.company))}: " if item.company else ""
    head = f'{label}<span class="gist">{first}</span> <span>{len(lines)} lines</span>'
    return _fold("prompt", head, f'<div class="whole">{_plain(text)}</div>')


def _fold(kind: str, head: str, content: str) -> str:
    """Return a folded part; `kind` is its class, `head` and `content` are HTML."""
    return f'<details class="{kind}"><summary>{head}</summary>{content}</details>\n'


def _plain(text: str) -> str:
    return escape(visible(text.strip()))


def _source(citation: Citation) -> str:
    url = visible_line(citation.url)
    return link_html(url, visible_line(citation.title) or url or visible_line(citation.quote))
