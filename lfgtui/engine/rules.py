"""The rules of approval in force in a run."""

from collections.abc import Sequence

from lfgtui.agent.approval_rules import covering
from lfgtui.agent.context import Decision
from lfgtui.engine.person import Person
from lfgtui.model import events as e
from lfgtui.model.tickets import ApprovalRule
from lfgtui.model.transcript import Transcript


class Rules:
    """The rules that the tickets' transcripts hold, for each of the tickets."""

    def __init__(self) -> None:
        self._tickets: dict[str, tuple[Transcript, Person]] = {}

    def add(self, ticket: str, transcript: Transcript, person: Person) -> None:
        """Add a ticket of the run."""
        self._tickets[ticket] = (transcript, person)

    def of(self, ticket: str) -> Sequence[ApprovalRule]:
        """Return the rules in force for the ticket: its own, and others' for the run."""
        return [
            rule
            for holder, (transcript, _) in self._tickets.items()
            for rule in transcript.rules
            if holder == ticket or rule.scope == "run"
        ]

    def apply(self, event: e.Event) -> None:
        """Approve calls that wait and that a rule covers, after a folded event that may matter."""
        if not isinstance(event, e.ApprovalRequested | e.ApprovalGiven):
            return
        for ticket, (transcript, person) in self._tickets.items():
            rules = self.of(ticket)
            for call in transcript.waiting_approvals if rules else ():
                rule = covering(rules, call.name, call.arguments, call.path)
                if rule is not None:
                    person.decide(call.call_id, Decision("approve", rule=rule))
