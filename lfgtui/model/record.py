"""A folded ticket as the JSON object and the Markdown page that `lfg show` prints."""

import re

import msgspec

from lfgtui.model import events as e
from lfgtui.model.attempt import Attempt, AttemptError, UsageTotals
from lfgtui.model.items import (
    HostedItem,
    NoteItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.states import State
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript


class ToolCallRecord(msgspec.Struct):
    id: str
    name: str
    arguments: e.ToolArguments
    output: str
    error: str | None
    exit_code: int | None
    seconds: float | None


class HostedToolRecord(msgspec.Struct):
    name: str
    input: str
    output: str


class CitationRecord(msgspec.Struct):
    url: str
    title: str
    quote: str


class AttemptRecord(msgspec.Struct):
    attempt: int
    provider: str
    model: str
    state: State
    text: str
    reasoning: str
    tool_calls: list[ToolCallRecord]
    hosted_tools: list[HostedToolRecord]
    citations: list[CitationRecord]
    stop_reason: str | None
    error: AttemptError | None
    usage: UsageTotals
    ttft_ms: int | None
    tokens_per_s: float | None
    started_at: float
    ended_at: float | None


class TicketRecord(msgspec.Struct):
    """The `lfg show RUN/TICKET --json` object. Times are seconds since the epoch."""

    run: str
    ticket: str
    title: str
    state: State | None
    attempts: list[AttemptRecord]


def ticket_record(run: str, ticket: Ticket, transcript: Transcript) -> TicketRecord:
    """Return the record of a ticket."""
    attempts = [_attempt_record(attempt) for attempt in transcript.attempts]
    return TicketRecord(run, ticket.id, ticket.title, transcript.state, attempts)


def _attempt_record(attempt: Attempt) -> AttemptRecord:
    rate = attempt.tokens_per_second
    hosted = [item for item in attempt.items if isinstance(item, HostedItem)]
    return AttemptRecord(
        attempt.number,
        attempt.provider,
        attempt.model,
        attempt.state,
        attempt.text,
        attempt.reasoning,
        [_call_record(call) for call in attempt.tools],
        [HostedToolRecord(one.name, one.input, one.output or one.live_output) for one in hosted],
        [CitationRecord(one.url, one.title, one.quote) for one in attempt.citations],
        attempt.stop_reason,
        attempt.error,
        attempt.usage,
        ttft_ms=None if attempt.ttft is None else round(attempt.ttft * 1000),
        tokens_per_s=None if rate is None else round(rate, 1),
        started_at=round(attempt.started_at, 3),
        ended_at=None if attempt.ended_at is None else round(attempt.ended_at, 3),
    )


def _call_record(call: ToolItem) -> ToolCallRecord:
    return ToolCallRecord(
        call.call_id,
        call.name,
        call.arguments_json if call.arguments is None else call.arguments,
        call.output or call.live_output,
        call.error,
        call.exit_code,
        call.seconds,
    )


def ticket_markdown(ticket: Ticket, transcript: Transcript) -> str:
    """The ticket as a readable page: answers whole, tool calls as short blocks."""
    title = f"{ticket.id}: {ticket.title}" if ticket.title else ticket.id
    lines = [f"## {title}", "", f"*{transcript.state}*", ""]
    for attempt in transcript.attempts:
        if len(transcript.attempts) > 1:
            lines += [f"### Attempt {attempt.number}: {attempt.provider}/{attempt.model}", ""]
        for item in attempt.items:
            match item:
                case TextItem():
                    lines += [item.text.strip("\n"), ""]
                case ToolItem():
                    lines += [_call_markdown(item), ""]
                case PromptItem():
                    lines += [*_quoted(item.text), ""]
                case NoteItem():
                    lines += [f"*{item.message}*", ""]
                case ReasoningItem():
                    lines += ["*thinking:*", "", *_quoted(item.text), ""]
                case HostedItem():
                    lines += [_hosted_markdown(item), ""]
                case SourcesItem():
                    lines += [*(_source_markdown(c) for c in item.citations), ""]
    return "\n".join(lines)


def _source_markdown(citation: e.Citation) -> str:
    title = " ".join(citation.title.split())
    where = f"<{citation.url}>" if citation.url.startswith(("http://", "https://")) else ""
    return "- " + (f"{title} {where}".strip() or citation.url or citation.quote)


def _quoted(text: str) -> list[str]:
    return [f"> {line}".rstrip() for line in text.strip("\n").splitlines()]


def _hosted_markdown(item: HostedItem) -> str:
    head = f"`{item.name}` {item.input}".rstrip()
    output = (item.output or item.live_output).rstrip()
    return "\n\n".join([head, _fenced(output)]) if output else head


def _call_markdown(call: ToolItem) -> str:
    given = call.arguments_json if call.arguments is None else call.arguments
    if not isinstance(given, str):
        given = msgspec.json.format(msgspec.json.encode(given)).decode()
    output = call.output or call.live_output
    blocks = [given, output.rstrip()] if output else [given]
    name = f"**{call.name}**" + (" (in the text, not run)" if call.is_text_borne else "")
    return "\n\n".join([name, *map(_fenced, blocks)])


def _fenced(block: str) -> str:
    """The block in a fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", block)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{block}\n{fence}"
