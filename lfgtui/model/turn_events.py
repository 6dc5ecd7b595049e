"""Events between responses: a request, an answer reused instead, tool output left out of requests,
and a command from elsewhere than the run's screen.
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
"""Commands in the past tense."""


class TurnBegun(Event, Bounded, frozen=True):
    """A response begins. `turn` counts responses from 1, over attempts that continue."""

    facets = Facets(ends="turn")
    turn: int


class RequestSent(TurnBegun, frozen=True):
    """A model request left.

    Equal requests have the same `fingerprint`, by which they are found; absent where answers are
    not to be reused.
    """

    facets = Facets("fingerprint", "fingerprint", ends="turn")
    fingerprint: str | UnsetType = UNSET


class AnswerReused(TurnBegun, frozen=True):
    """Nothing was sent: the answer to an equal, earlier request follows.

    `source` is the RUN/TICKET that got it at `recorded_at` (seconds since the epoch); `tokens` are
    those of request and answer.
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
    """The head of a response came.

    `connect`: seconds that its connection took to open; None if it was open already.
    """

    connect: float | None = None


class ContextCompacted(Event, Bounded, frozen=True):
    """The output of `calls` is left out of the requests from here on, to save about `tokens`."""

    calls: tuple[str, ...]
    tokens: int

    @property
    def in_words(self) -> str:
        """The number of outputs left out, as a line of the pane."""
        calls = f"{len(self.calls)} old call{'s' * (len(self.calls) != 1)}"
        much = f"about {count(self.tokens)} tokens"
        return f"output of {calls} omitted from further requests ({much})"


class CommandTaken(Event, frozen=True):
    """A command came from another screen, shell or program; its effects are events that follow.

    `command` is its name, as `approve`; `by` is its sender's own name, as `ann@laptop`.
    """

    command: str
    by: str
    call_id: str | UnsetType = UNSET

    @property
    def in_words(self) -> str:
        """The command and its sender, as a line of the pane; an unknown command by its name."""
        return f"{_DONE.get(self.command, self.command.replace('_', ' '))} by {self.by}"
