"""Why a ticket does not run, and what it said last: one line each, for the table and the pane."""

import re

from lfgtui.model.choices import due_choices, open_needs
from lfgtui.model.events import TicketBlocked
from lfgtui.model.fold.items import HostedItem, Item, NoteItem, ReasoningItem, TextItem, ToolItem
from lfgtui.model.fold.metrics import Health
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.text.figures import clock_time
from lfgtui.text.growing_text import Growing
from lfgtui.text.markdown_lines import without_marks
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import one_line

_SENTENCE = r"(?<=[.!?:;。！？])\s+"
"""The gap between two sentences of a line."""

_LONGEST = 300
"""Most characters of such a line."""

_TAIL = 2000
"""Characters at the end of a text in which its last line is looked for."""


def waiting_reason(run: RunView, ticket: Ticket, now: float, health: Health) -> str:
    """Return why the ticket does not run; "" if it does, or has."""
    transcript = run.transcript(ticket.id)
    if transcript.parked is not None and transcript.parked_until is not None:
        time = clock_time(transcript.parked_until, now)
        return f"parked until {time}: {one_line(transcript.parked.reason)}"
    if ticket.id in health.held_back:
        return f"waiting for {health.held_back[ticket.id]}"
    if ticket.id in health.waiting_for_slot:
        return _waiting_for_slot(health)
    if transcript.state not in (None, "queued", "blocked"):
        return ""
    needs = open_needs(run, ticket)
    if transcript.state == "blocked":
        if needs and isinstance(transcript.ending, TicketBlocked):
            return f"blocked: {one_line(transcript.ending.reason)}"
        return ""
    if needs:
        due = due_choices(run)
        names = [f"{'your choice of ' if need in due else ''}“{need}”" for need in needs]
        return "waiting for " + ", ".join(names)
    return "" if transcript.state is None else _waiting_for_slot(health)


def _waiting_for_slot(health: Health) -> str:
    in_use = f" ({health.slots_in_use} of {health.slots} in use)" if health.slots else ""
    return f"waiting for a slot{in_use}"


def last_words(run: RunView, ticket: Ticket, now: float, health: Health) -> str:
    """Return the ticket's request or why it waits, else its last line, call or note."""
    transcript = run.transcript(ticket.id)
    words = waiting_reason(run, ticket, now, health)
    if transcript.state == "needs_approval" and (calls := transcript.calls.waiting):
        words = f"approve: {_words_of(calls[0])}"
    elif transcript.asks and transcript.attempt is not None:
        texts = (one for one in reversed(transcript.attempt.items) if isinstance(one, TextItem))
        words = next(map(_last_sentence, texts), "")
    elif not words and transcript.own_error is not None:
        words = transcript.own_error.message
    elif not words and transcript.attempt is not None:
        items = map(_words_of, reversed(transcript.attempt.items))
        words = next((one for one in items if one not in ("", transcript.state)), "")
    return one_line(words[:_LONGEST])


def last_tool(transcript: Transcript) -> str:
    """Return the line of the last call."""
    items = reversed(transcript.attempt.items) if transcript.attempt else ()
    call = next((item for item in items if isinstance(item, ToolItem | HostedItem)), None)
    return one_line(_words_of(call)[:_LONGEST]) if call is not None else ""


def _words_of(item: Item) -> str:
    match item:
        case TextItem(source=source) | ReasoningItem(source=source):
            return _last_line(source)
        case ToolItem(name=name, arguments=arguments):
            return name if arguments is None else f"{name} {item.summary}"
        case HostedItem(name=name, input=given):
            return f"{name} {given[:_LONGEST]}"
        case NoteItem(message=message):
            return message
        case _:
            return ""


def _last_sentence(item: TextItem) -> str:
    """Return the words of the text's last sentence, or the end of a long one."""
    line = item.source.since(max(0, len(item.source) - _LONGEST)).rstrip().rpartition("\n")[2]
    return without_marks(re.split(_SENTENCE, line)[-1])


def _last_line(text: Growing) -> str:
    """Return the words of the last line with a letter or a digit in it."""
    lines = reversed(text.since(max(0, len(text) - _TAIL)).splitlines())
    return next((words for words in map(_words, lines) if any(map(str.isalnum, words))), "")


def _words(line: str) -> str:
    """Return the line without Markdown's marks; for a table's row, its cells."""
    words = without_marks(line[:_LONGEST]).strip()
    return " · ".join(map(str.strip, words.strip("|").split("|"))) if words[:1] == "|" else words
