"""A small run that works: entries come when the test says so, commands are noted and obeyed.

It folds real events into real transcripts with the program's own state
table, so a test cannot show the screen what the engine could not.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
from msgspec import UNSET

from lfgtui.engine.commands import (
    AddPrompt,
    Approve,
    Cancel,
    CancelAll,
    Choose,
    Command,
    Deny,
    NoteDiscard,
    Pause,
    Resume,
    Retry,
    SetConcurrency,
    Tell,
    WithdrawRule,
)
from lfgtui.model import events as e
from lfgtui.model.events import Sink
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.states import ENDED
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket, ticket_like
from lfgtui.tools import ToolLimits, preview

START = 1_772_600_000.0
"""When every run of a test begins, in seconds since the epoch."""


OPTIONS = (
    e.ApprovalOption("always", "Always allow", "allow_always"),
    e.ApprovalOption("once", "Allow", "allow_once"),
    e.ApprovalOption("no", "Reject", "reject_once"),
    e.ApprovalOption("never", "Never allow", "reject_always"),
)
"""The answers of an agent that asks."""


class FakeLive:
    """`LiveRun`. `now` is its clock: nothing moves it but the test."""

    def __init__(self, *ids: str, title: str = "Checkout rewrite", workspace: Path | None = None):
        self.run = "20260304-0513-a1b2"
        self.title = title
        self.health = Health()
        self.now = START
        self.in_view: set[str] = set()
        self.in_frame: set[str] = set()
        self.sent: list[Command] = []
        self.started = 0
        self.closed = 0
        self.tickets = tuple(
            Ticket(
                id=name,
                title=name.replace("-", " ").capitalize(),
                prompt=f"Do {name}.",
                workspace=str(workspace or "."),
            )
            for name in ids
        )
        self._transcripts = {one.id: Transcript(one.workspace) for one in self.tickets}
        self._meters = {name: Meter() for name in ids}
        self._sinks: list[Sink] = []
        self.subscribe = self._sinks.append
        self.stored: dict[str, list[e.Entry]] = {name: [] for name in ids}

    # What the screen reads

    def transcript(self, ticket: str) -> Transcript:
        return self._transcripts[ticket]

    def meter(self, ticket: str) -> Meter:
        return self._meters[ticket]

    def watch(self, tickets: Collection[str]) -> None:
        self.in_view = set(tickets)

    def painted(self, tickets: Collection[str]) -> None:
        self.in_frame = set(tickets)

    @property
    def unfinished(self) -> Sequence[str]:
        return [name for name, t in self._transcripts.items() if t.state not in ENDED]

    def start(self) -> None:
        self.started += 1
        for name in self._transcripts:
            if self._transcripts[name].state is None:
                self.happen(name, e.TicketQueued())

    async def shutdown(self) -> None:
        self.closed += 1
        for name in self.unfinished:
            self.happen(name, e.TicketInterrupted())

    def send(self, command: Command) -> None:
        self.sent.append(command)
        match command:
            case Cancel(ticket):
                self.happen(ticket, e.TicketCancelled())
            case CancelAll():
                for ticket in self.unfinished:
                    self.happen(ticket, e.TicketCancelled())
            case Retry(ticket):
                self.happen(ticket, e.TicketQueued())
                self.begin(ticket)
            case Pause(ticket):
                self.happen(ticket, e.Paused())
            case Resume(ticket):
                self.happen(ticket, e.Resumed())
            case Approve(ticket, call_id, rule, option):
                given = e.ApprovalGiven(call_id, grants=rule or UNSET, option=option or UNSET)
                self.happen(ticket, given)
            case WithdrawRule(ticket, rule):
                self.happen(ticket, e.RuleWithdrawn(rule))
            case Deny(ticket, call_id, reason, option):
                self.happen(ticket, e.ApprovalDenied(call_id, reason, option or UNSET))
            case Tell(ticket, text):
                if self._transcripts[ticket].state in ENDED:
                    self.happen(ticket, e.TicketQueued())
                self.happen(ticket, e.UserMessage(text, origin="person"))
            case AddPrompt(prompt):
                self.add(ticket_like(self.tickets, prompt))
            case Choose(ticket):
                self.happen(ticket, e.ChoiceMade())
            case NoteDiscard(ticket):
                self.happen(ticket, e.WorktreeDiscarded("lfg/branch"))
            case SetConcurrency(slots):
                self.health = msgspec.structs.replace(self.health, slots=max(1, slots))

    # What the test makes happen

    def add(self, ticket: Ticket) -> None:
        """A ticket joins the run."""
        self.tickets += (ticket,)
        self._transcripts[ticket.id], self._meters[ticket.id] = Transcript(), Meter()
        self.stored[ticket.id] = []
        self.happen(ticket.id, e.TicketQueued())

    def happen(self, ticket: str, *events: e.Event, after: float = 0.0) -> None:
        """Fold the events and show them to the sinks, `after` seconds later."""
        self.now += after
        transcript = self._transcripts[ticket]
        entries = []
        for event in events:
            started = isinstance(event, e.AttemptStarted)
            attempt = max(1, len(transcript.attempts) + started)
            entry = e.Entry(self.run, ticket, attempt, transcript.last_seq + 1, self.now, event)
            transcript.apply(entry)
            self._meters[ticket].apply(entry)
            entries.append(entry)
        self.stored[ticket] += entries
        for sink in self._sinks:
            sink(entries)

    def begin(self, ticket: str, model: str = "claude-sonnet-4-5") -> None:
        """An attempt begins and its first request leaves."""
        if self._transcripts[ticket].state is None:
            self.happen(ticket, e.TicketQueued())
        turn = e.RequestSent(1)
        prompt = e.UserMessage(f"Do {ticket}.")
        self.happen(ticket, e.AttemptStarted("anthropic", model), prompt, turn)

    def stream(self, ticket: str, text: str, *, after: float = 0.5) -> None:
        """A piece of the answer arrives."""
        self.happen(ticket, e.TextDelta(text), after=after)

    def ask(self, ticket: str, call_id: str = "call-1", command: str = "pytest -q") -> None:
        """The response ends with a command that wants to be allowed."""
        arguments: dict[str, object] = {"command": command}
        asked = preview("run_command", arguments, Path(), ToolLimits())
        self.happen(
            ticket,
            e.ToolCallStarted(call_id, "run_command"),
            e.ToolCallRequested(call_id, "run_command", arguments),
            e.ResponseFinished(1, "tool_use"),
            e.ApprovalRequested(call_id, "run_command", asked.summary),
        )

    def ask_as_agent(
        self,
        ticket: str,
        call_id: str = "call-1",
        *,
        name: str = "Bash",
        arguments: e.ToolArguments | None = None,
        summary: str = "make deploy",
        diff: str = "",
        path: str = "",
        options: tuple[e.ApprovalOption, ...] = OPTIONS,
    ) -> None:
        """An agent asks within its response before it runs a tool of its own."""
        given: e.ToolArguments = {"command": "make deploy"} if arguments is None else arguments
        self.happen(
            ticket,
            e.ToolCallStarted(call_id, name, "agent"),
            e.ToolCallRequested(call_id, name, given, origin="agent"),
            e.ApprovalRequested(
                call_id, name, summary, diff or UNSET, path or UNSET, options or UNSET
            ),
        )

    def ask_to_write(self, ticket: str, path: str, content: str, summary: str, diff: str) -> None:
        """The response ends with a file that wants to be written."""
        arguments: dict[str, object] = {"path": path, "content": content}
        self.happen(
            ticket,
            e.ToolCallStarted("call-1", "write_file"),
            e.ToolCallRequested("call-1", "write_file", arguments),
            e.ResponseFinished(1, "tool_use"),
            e.ApprovalRequested("call-1", "write_file", summary, diff),
        )

    def finish(self, ticket: str, *, tokens: tuple[int, int] = (1200, 340)) -> None:
        """The ticket ends well."""
        self.happen(
            ticket,
            e.Usage(tokens[0], tokens[1], cost=0.012),
            e.ResponseFinished(1, "end"),
            e.TicketDone("end"),
            after=0.5,
        )
