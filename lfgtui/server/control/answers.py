"""The run's answers to requests from its socket, which it carries out or refuses in one line."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from lfgtui.engine.commands import (
    Add,
    AddPrompt,
    Approve,
    Cancel,
    Choose,
    Command,
    Deny,
    Pause,
    Restart,
    Resume,
    SetConcurrency,
    Tell,
)
from lfgtui.engine.engine import Engine
from lfgtui.errors import LfgError, did_you_mean, shortened
from lfgtui.model.choices import choice_refusal
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.fold.states import ENDED
from lfgtui.model.needs import check_added, needs_of
from lfgtui.model.tickets import Ticket
from lfgtui.model.unified_diff import beside
from lfgtui.server.control.messages import (
    ListApprovals,
    ListTickets,
    Reply,
    WaitingCall,
    without_rule,
)

Check: TypeAlias = Callable[[Sequence[Ticket]], object]
"""Raises `LfgError` if the run could not work on the tickets, which are to be added."""


class Answers:
    """Carries out requests to a run."""

    def __init__(self, engine: Engine, check: Check) -> None:
        self._engine = engine
        self._check = check

    def reply_to(self, request: Command | ListApprovals | ListTickets, by: str) -> Reply:
        """Return the reply to a request of the person `by`; for commands see `without_rule`."""
        match request:
            case ListTickets():
                return Reply(tickets=tuple(needs_of(self._engine.tickets)))
            case ListApprovals(ticket):
                if unknown := self._unknown(ticket):
                    return Reply(unknown)
                return Reply(approvals=tuple(self._waiting(ticket)))
            case _:
                return self.carry_out(without_rule(request), by)

    def carry_out(self, command: Command, by: str) -> Reply:
        """Carry out a viewer's command, which is stored with the name of its sender."""
        engine = self._engine
        before = len(engine.tickets)
        if refusal := self._refusal(command):
            return Reply(refusal)
        try:
            if isinstance(command, Add):
                check_added(command.tickets, needs_of(engine.tickets))
                self._check(command.tickets)
            engine.send(command, by)
        except LfgError as error:
            return Reply(str(error))
        return Reply(tickets=tuple(one.id for one in engine.tickets[before:]))

    def _refusal(self, command: Command) -> str:
        """Return why the command cannot be carried out; "" if it can."""
        engine = self._engine
        ticket = getattr(command, "ticket", None)
        if ticket is not None and (unknown := self._unknown(ticket)):
            return unknown
        match command:
            case Approve(name, call_id, option=option) | Deny(name, call_id, option=option):
                call = next((c for c in self._waiting(name) if c.call_id == call_id), None)
                if call is None:
                    return f"{name} is no longer waiting for approval of that call"
                if option and option not in (one.option_id for one in call.options):
                    return f"{name} does not offer that answer to the call"
            case Choose(name) if refusal := choice_refusal(engine, name):
                return refusal
            case Cancel(name) | Pause(name) | Resume(name):
                state = engine.transcript(name).state
                if state in ENDED:
                    return f"{name} has already ended ({state})"
            case Tell(_, text) | Restart(_, text) | AddPrompt(text) if not text.strip():
                return "the message is empty"
            case SetConcurrency(slots) if slots < 1:
                return f"slots: at least 1, not {slots}"
        if engine.is_closing:
            return f"run {engine.run} is ending; to continue: lfg resume {engine.run}"
        return ""

    def _unknown(self, ticket: str) -> str:
        """Return the error for a ticket that the run does not have; "" if it has it."""
        ids = [one.id for one in self._engine.tickets]
        if ticket in ids:
            return ""
        name, hint = shortened(ticket), did_you_mean(ticket, ids)
        return f'run {self._engine.run} has no ticket "{name}"{hint}'

    def _waiting(self, ticket: str) -> Iterator[WaitingCall]:
        """Yield the ticket's calls that a person can decide on."""
        decided = self._engine.ticket_run(ticket).person.decided
        for call in self._engine.transcript(ticket).calls.waiting:
            if call.call_id in decided:
                continue  # a second decision would be confirmed, but have no effect
            yield WaitingCall(call.call_id, call.approval or call.name, _shown(call), call.options)


def _shown(call: ToolItem) -> str:
    """Return the call as text: its diffs, and the arguments that these do not show."""
    parts, given = [diff for _, diff in call.diffs], call.given
    if call.is_agent_call and not isinstance(given, str):
        given = beside(parts, given)
        parts = [f"{path}:\n{diff}" for path, diff in call.diffs]
    if isinstance(given, str):
        parts.insert(0, given)
    elif given and (call.is_agent_call or not parts):
        parts.insert(0, msgspec.json.format(msgspec.json.encode(given)).decode())
    return "\n".join(parts)
