"""Events between responses: a request that leaves, an answer of the history in its place, tool
output that requests no longer have, and a command that came from elsewhere than the run's screen.
"""

from msgspec import UNSET, UnsetType

from lfgtui.model.bounds import Bounded
from lfgtui.model.facets import Facets
from lfgtui.model.wire_events import Event
from lfgtui.text.figures import count, day_and_time

_DONE = {
    "approve": "approved",
    "deny": "denied",
    "withdraw_rule": "rule withdrawn",
    "cancel": "cancelled",
    "retry": "started again",
    "restart": "started over",
    "pause": "paused",
    "resume": "resumed",
    "tell": "message sent",
    "choose": "chosen",
    "note_discard": "worktree discarded",
}
"""Commands as what was done."""


class TurnBegun(Event, Bounded, frozen=True):
    """A response begins. `turn` counts them from 1, attempts that continue included."""

    facets = Facets(ends="turn")
    turn: int


class RequestSent(TurnBegun, frozen=True):
    """A model request left.

    `fingerprint` is the same for all that are equal, and found again by it; absent where answers
    are not to be reused.
    """

    facets = Facets("fingerprint", "fingerprint", ends="turn")
    fingerprint: str | UnsetType = UNSET


class AnswerReused(TurnBegun, frozen=True):
    """An equal request was answered well before; what follows is that answer, and nothing was sent.

    `source` is the RUN/TICKET that has it since `recorded_at`, in seconds since the epoch; request
    and answer were so many `tokens`.
    """

    source: str
    recorded_at: float
    tokens: int = 0

    @property
    def in_words(self) -> str:
        """The source of the answer, as a line of the pane."""
        when = day_and_time(self.recorded_at)
        return f"from cache, recorded {when} in {self.source}; nothing was sent"


class ResponseStarted(Event, Bounded, frozen=True):
    """The head of a response came: the first byte of what was asked for.

    `connect`: seconds that its connection took to open; None where one was open already.
    """

    connect: float | None = None


class ContextCompacted(Event, Bounded, frozen=True):
    """The output of `calls` is left out of the requests from here on, to save about `tokens`."""

    calls: tuple[str, ...]
    tokens: int

    @property
    def in_words(self) -> str:
        """The output that left, for the person."""
        calls = f"{len(self.calls)} old call{'s' * (len(self.calls) != 1)}"
        much = f"about {count(self.tokens)} tokens"
        return f"output of {calls} omitted from further requests ({much})"


class CommandTaken(Event, frozen=True):
    """A command came from another screen, shell or program; what it does is said by what follows.

    `command` is its name, as `approve`; `by` is who sent it, as ann@laptop says of itself.
    """

    command: str
    by: str
    call_id: str | UnsetType = UNSET

    @property
    def in_words(self) -> str:
        """The command and its sender, as a line of the pane; a newer lfg's command by its name."""
        return f"{_DONE.get(self.command, self.command.replace('_', ' '))} by {self.by}"
