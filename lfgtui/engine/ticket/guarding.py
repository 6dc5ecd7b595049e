"""The guards of a ticket at work: what they see is recorded, and acted on.

All events of a ticket pass here on their way to the history. First `EventRedactor` takes out
secrets and what redacting guards look for; then the other guards see them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import get_args

from lfgtui.agent.guards import Guards, Trip
from lfgtui.engine.person import Person
from lfgtui.engine.ticket.hold import Hold
from lfgtui.model import events as e
from lfgtui.model.redaction import EventRedactor, is_empty_delta
from lfgtui.model.ticket_keys.guards import SECRETS, Channel, Guard, in_force
from lfgtui.model.tickets import Ticket
from lfgtui.text.marking import Marking
from lfgtui.text.redactor import Redactor
from lfgtui.text.secret_rules import RULES

_PROSE = (e.TextDelta, e.ReasoningDelta)  # text that a line in the middle would cut in two
_SECRET_RULES = frozenset(rule.name for rule in RULES)

_TO_AGENT = (
    'lfg stopped this: its guard "{}" saw {}. The person watching has looked at it'
    " and lets you go on; heed what else they say."
)


class Guarding:
    """Feeds a ticket's events to its guards and on to the history; `act` gets what guards see.

    A guard that only flags is recorded when the text it saw ends: a line in the middle would cut
    a paragraph, or a block of code, in two.
    """

    def __init__(
        self,
        ticket: Ticket,
        guards: Sequence[Guard],
        redactor: Redactor,
        act: Callable[[Trip], None],
    ) -> None:
        known = in_force(guards, ticket.guards, ticket.id, ticket.file_id)
        self._redactor = EventRedactor(redactor, _by_channel(redactor, known))
        self._guards = Guards(known)
        self._act = act
        self._redacting = {guard.name for guard in known if guard.action == "redact"}
        self._marked: set[str] = set()
        """Redacting guards that were recorded in this response."""
        self._later: list[e.GuardTripped] = []
        """Events to record when the present text ends."""
        self._text: type[e.Event] | None = None
        """The class of events that this text is made of."""

    def feed(self, event: e.Event, record: Callable[[e.Event], None]) -> None:
        """Record the event, and after it (before it, if it is the ending) what guards saw in it."""
        if self._redactor.is_idle:
            self._feed(event, record)
            return
        fed = self._redactor.feed(event)
        if self._redacting:
            self._note_marks(event)
        for one in fed:
            if not is_empty_delta(one):
                self._feed(one, record)

    def _feed(self, event: e.Event, record: Callable[[e.Event], None]) -> None:
        """Do the work of `feed` for an event after redaction."""
        trips = self._guards.feed(event)
        if self._later and not event.facets.is_aside and type(event) is not self._text:
            self._record_later(record)
        if not trips:
            record(event)
            return
        if isinstance(event, e.Ending):  # nothing may follow it
            for trip in trips:
                record(_tripped(trip))
            record(event)
            return
        record(event)
        for trip in trips:
            if isinstance(event, _PROSE) and trip.guard.action == "flag":
                self._text = type(event)
                self._later.append(_tripped(trip))
            else:
                record(_tripped(trip))
                self._act(trip)

    def _note_marks(self, event: e.Event) -> None:
        """Note that something was redacted, once for each guard and response."""
        if isinstance(event, e.TurnBegun):
            self._marked.clear()
        for kind in self._redactor.taken():
            name = SECRETS if kind in _SECRET_RULES else kind
            if name in self._redacting - self._marked:
                self._marked.add(name)
                what = "a match" if name == kind else kind
                message = f"{what} was redacted before it was stored"
                self._text = type(event)
                self._later.append(e.GuardTripped(name, message, "redact"))

    def _record_later(self, record: Callable[[e.Event], None]) -> None:
        later, self._later = self._later, []
        for event in later:
            record(event)


def _tripped(trip: Trip) -> e.GuardTripped:
    """Return the event for what a guard saw."""
    action = trip.guard.action
    assert action != "off"
    return e.GuardTripped(trip.guard.name, trip.message, action)


def act_on(
    trip: Trip, hold: Hold, person: Person, stop: Callable[[e.Ending], None], *, can_ask: bool
) -> None:
    """Act as the guard's `action` says: pause the ticket, cancel it, or do nothing."""
    name, seen = trip.guard.name, trip.message
    match trip.guard.action:
        case "cancel":
            stop(e.TicketCancelled(f'by the guard "{name}": {seen}'))
        case "pause" if can_ask:
            hold.begin(at_once=False, says_so=False)
            person.say(_TO_AGENT.format(name, seen), stops=True)
        case "pause":
            stop(
                e.TicketBlocked(f'paused by the guard "{name}", with nobody to look at it: {seen}')
            )
        case _:
            pass


def _by_channel(base: Redactor, guards: Sequence[Guard]) -> Mapping[Channel, Redactor]:
    """Return the redactors of those channels for which there are redacting guards."""
    found: dict[Channel, Redactor] = {}
    made: dict[tuple[Guard, ...], Redactor] = {}
    for channel in get_args(Channel):
        redacting = tuple(g for g in guards if g.action == "redact" and channel in g.on)
        if redacting:
            if redacting not in made:
                rules = RULES if any(guard.name == SECRETS for guard in redacting) else ()
                own = tuple((g.name, g.pattern) for g in redacting if g.name != SECRETS)
                made[redacting] = base.narrowed(_marking(own) if own else None, rules)
            found[channel] = made[redacting]
    return found


@cache
def _marking(named: tuple[tuple[str, str], ...]) -> Marking:
    return Marking(named)
