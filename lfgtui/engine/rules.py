"""The rules of approval in force in a run, collected from its tickets' transcripts.

`agent.approval_rules` decides which calls a rule covers.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lfgtui.agent.approval_rules import covering
from lfgtui.engine.person import Person
from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket


class _Holder(NamedTuple):
    """A ticket of the run, whose transcript may hold rules."""

    ticket: Ticket
    transcript: Transcript
    person: Person
    approve: Callable[[str, ApprovalRule], None]


class Rules:
    """The rules of a run: each ticket has its own, and those that others hold for the run."""

    def __init__(self) -> None:
        self._tickets: dict[str, _Holder] = {}

    def add(
        self,
        ticket: Ticket,
        transcript: Transcript,
        person: Person,
        approve: Callable[[str, ApprovalRule], None],
    ) -> None:
        """Add a ticket of the run; `approve(call_id, rule)` lets a call that waits go ahead."""
        self._tickets[ticket.id] = _Holder(ticket, transcript, person, approve)

    def of(self, ticket: Ticket) -> Sequence[ApprovalRule]:
        """Return the rules in force for the ticket: its own, and others' for the run."""
        return [
            rule
            for holder, transcript, *_ in self._tickets.values()
            for rule in transcript.rules
            if holder.id == ticket.id or _reaches(rule, holder, ticket)
        ]

    def withdraw(self, ticket: str, rule: ApprovalRule) -> None:
        """Withdraw a rule of the ticket; a rule for the run, in all tickets that hold it."""
        for holder, transcript, person, _ in self._tickets.values():
            if rule in transcript.rules and (rule.scope == "run" or holder.id == ticket):
                person.withdraw(rule)

    def apply(self, event: e.Event) -> None:
        """Note a folded event: after a new request or rule, approve waiting calls it covers."""
        if not isinstance(event, e.ApprovalRequested | e.ApprovalGiven):
            return
        for ticket, transcript, _, approve in self._tickets.values():
            rules = self.of(ticket)
            for call in transcript.calls.waiting if rules else ():
                given = (call.name, call.arguments, call.path, transcript.workspace)
                rule = covering(rules, *given, call.definition)
                if rule is not None:
                    approve(call.call_id, rule)


def _reaches(rule: ApprovalRule, holder: Ticket, ticket: Ticket) -> bool:
    """Return True if a rule in the transcript of `holder` is in force for another ticket."""
    is_same_place = not rule.is_of_workspace or holder.workspace == ticket.workspace
    return rule.scope == "run" and is_same_place
