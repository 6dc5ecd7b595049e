"""Facts about a run for documents: its tickets, figures of runs and attempts, the parts of calls.

All of `html`, `markdown` and `terminal` take these, so they say the same.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from lfgtui.errors import shortened
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.stats import Request, requests_of
from lfgtui.model import events as e
from lfgtui.model.call_summary import seen_from
from lfgtui.model.fold.attempts import Attempt, cached_share
from lfgtui.model.fold.items import NOT_RUN, HostedItem, ToolItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.redaction import redacted_entries, redacted_ticket
from lfgtui.model.tickets import Ticket
from lfgtui.model.unified_diff import change_in_words
from lfgtui.text.figures import count, day_and_time, duration, money
from lfgtui.text.redactor import Redactor
from lfgtui.text.terminal_safe import escaped, plain_output, visible


class TicketDocument(NamedTuple):
    """One ticket and its transcript."""

    ticket: Ticket
    transcript: Transcript


class RunDocument:
    """A stored run, or one ticket of it, to be written as a document.

    `tickets` reads and folds one ticket at a time, so only that is in memory. With a redactor
    secrets are removed. Raises `UsageError` if there is no such ticket.
    """

    def __init__(
        self, reader: Reader, run: str, only: str = "", redactor: Redactor | None = None
    ) -> None:
        self._reader = reader
        self._redactor = redactor
        self._stored = reader.tickets(run, only)
        self.is_one_ticket = bool(only)
        self.summary: RunSummary = reader.run(run)
        self.run = self.summary.run
        self.title = redactor.whole(self.summary.title) if redactor else self.summary.title

    @property
    def ids(self) -> Sequence[str]:
        """The tickets' ids, in the order of their file."""
        return [stored.ticket.id for stored in self._stored]

    def tickets(self) -> Iterator[TicketDocument]:
        """Yield the tickets in the order of their file."""
        for stored in self._stored:
            transcript = Transcript(stored.ticket.workspace)
            entries = self._reader.entries(self.run, stored.ticket.id)
            for entry in redacted_entries(self._redactor, entries) if self._redactor else entries:
                transcript.apply(entry)
            ticket = stored.ticket
            if self._redactor:
                ticket = redacted_ticket(self._redactor, ticket)
            yield TicketDocument(ticket, transcript)

    def requests(self, ticket: str) -> Iterator[Request]:
        """Yield the requests of a ticket; they hold figures and no text to be redacted."""
        return requests_of(self._reader.entries(self.run, ticket))


_SHORT, _LINE = 60, 140  # most characters of a part of a call's ending, and of its summary


class Section(NamedTuple):
    """A part of a call, in full: its text, a label, and its language as in a fence."""

    label: str
    text: str
    language: str = ""


class Call(NamedTuple):
    """A tool call: `summary` says in a line what it does, `ending` how it went; sections are its
    input, diffs, approval and output. `succeeded` is None if unknown."""

    name: str
    summary: str
    ending: str
    succeeded: bool | None
    sections: tuple[Section, ...]


def run_figures(run: RunSummary) -> list[str]:
    """Return when a run began, how long it took, what it cost, how many tickets are done."""
    began = datetime.fromtimestamp(run.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    taken = None if run.ended_at is None else run.ended_at - run.started_at
    done = f"{run.done} of {run.tickets} tickets done"
    return list(filter(None, (began, duration(taken), money(run.cost), done)))


def attempt_figures(attempt: Attempt) -> list[tuple[str, str]]:
    """Return the known figures of an attempt with their names."""
    usage, rate = attempt.usage, attempt.tokens_per_second
    output, is_estimate = attempt.tokens.total
    about = "~" if is_estimate else ""
    taken = None if attempt.ended_at is None else attempt.ended_at - attempt.started_at
    size, share = attempt.context_size, cached_share([attempt])
    figures = [
        ("ttft", "" if attempt.ttft is None else f"{attempt.ttft:.2f} s"),
        ("tok/s", "" if rate is None else f"{about}{rate:.0f}"),
        ("tokens in", count(usage.input) if usage.input else ""),
        ("cached", "" if share is None else f"{share:.0%}"),
        ("tokens out", f"{about}{count(output)}" if output else ""),
        ("context", f"{count(attempt.context)} of {count(size)}" if size else ""),
        ("cost", money(usage.cost, attempt.is_cost_estimate)),
        ("time", duration(taken)),
    ]
    return [(name, figure) for name, figure in figures if figure]


def reason_not_started(transcript: Transcript) -> str:
    """Return why a ticket without any attempt ended, or waits; "" if unknown."""
    match transcript.ending:
        case e.TicketBlocked(reason):
            return f"blocked: {reason}"
        case e.TicketFailed(_, message):
            return message
        case _ if (parked := transcript.parked) is not None:
            return f"parked until {day_and_time(parked.until)}: {parked.reason}"
        case _:
            return ""


def call_of(item: ToolItem) -> Call:
    """Return a call of a tool, or one that was only written in the text and not run."""
    diffs = (Section(_diff_label(item, path), visible(d), "diff") for path, d in item.diffs)
    rule = (Section("rule", item.rule_in_words),) if item.rule_in_words else ()
    answer = (Section("answer", visible(item.option)),) if item.option else ()
    sections = (*_given(item.given), *diffs, *rule, *answer, *_output(item))
    return Call(escaped(item.name), _summary(item), *_ending(item), sections)


def _diff_label(item: ToolItem, path: str) -> str:
    return f"diff of {escaped(seen_from(item.workspace, path))}" if item.changes else "diff"


def hosted_call_of(item: HostedItem) -> Call:
    """Return a call of a tool that the provider runs."""
    given = (Section("input", visible(item.input)),) if item.input else ()
    sections = (*given, *_output(item))
    return Call(escaped(item.name), _first_line(item.input), "", None, sections)


def _ending(item: ToolItem) -> tuple[str, bool | None]:
    """Return the `ending` and `succeeded` of a call."""
    if item.is_text_borne:
        return "written as text, not run", None
    if item.is_unrun:
        return NOT_RUN, None
    if item.state != "finished":
        return ("stopped", False) if item.state == "stopped" else ("not finished", None)
    parts = [item.error or "", change_in_words(diff for _, diff in item.diffs)]
    parts.append("" if item.exit_code is None else f"exit code {item.exit_code}")
    parts.append(f"{item.seconds:.1f} s" if item.seconds and item.seconds >= 0.1 else "")
    if item.rule is not None:
        parts.append("by rule")
    ending = " · ".join(_first_line(part) for part in dict.fromkeys(parts) if part)
    return ending, item.error is None and not item.exit_code


def _summary(item: ToolItem) -> str:
    """Return the first line of the call's summary, in which `⏎` stands for a line break."""
    line, broken, _ = item.summary.partition("⏎")
    return line if len(line) <= _LINE and not broken else f"{line[: _LINE - 1]}…"


def _given(given: e.ToolArguments) -> tuple[Section, ...]:
    """Return the arguments: texts of several lines in sections of their own, the rest as JSON."""
    if isinstance(given, str):
        return (Section("arguments", visible(given)),) if given else ()
    long = {key: value for key, value in given.items() if isinstance(value, str) and "\n" in value}
    rest = {key: value for key, value in given.items() if key not in long}
    as_json = msgspec.json.format(msgspec.json.encode(rest)).decode()
    path = given.get("path")
    language = path.rpartition(".")[2] if isinstance(path, str) and "." in path else ""
    return (
        *((Section("arguments", visible(as_json), "json"),) if rest else ()),
        *(Section(escaped(key), visible(str(value)), language) for key, value in long.items()),
    )


def _output(item: ToolItem | HostedItem) -> tuple[Section, ...]:
    output = item.output or str(item.live)
    return (Section("output", visible(plain_output(output)).rstrip()),) if output.strip() else ()


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return escaped(shortened(line, _SHORT))
