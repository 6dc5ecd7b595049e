"""Events between responses: a request, an answer reused instead, tool output left out of requests,
a command from elsewhere than the run's screen, conflicts with other tickets, and the entries of a
worker that came too late.
"""

from pathlib import PurePath
from typing import Literal, TypeAlias

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
"""Commands in the past tense, by the name that a `CommandTaken` has."""


class TurnBegun(Event, Bounded, frozen=True):
    """A turn begins; a base class. `turn` counts from 1, over attempts that continue."""

    facets = Facets(ends="turn")
    turn: int


class RequestSent(TurnBegun, frozen=True):
    """A request was sent to the model.

    Equal requests have the same `fingerprint`, by which an earlier answer is found; it is absent
    where answers are not to be reused.
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
    """The head of a response came, before any content.

    `connect`: seconds that its connection took to open; None if it was open already.
    """

    connect: float | None = None


class ContextCompacted(Event, Bounded, frozen=True):
    """The output of `calls` (ids) is left out of requests from here on, saving about `tokens`."""

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


ConflictKind: TypeAlias = Literal["read", "stale", "port", "branch"]
"""`read`: this ticket changed a file that the others had read; `stale`: the others changed one
that it had read; `port`: both use the port; `branch`: both check out or commit in one work tree."""

FILE_CONFLICTS: frozenset[ConflictKind | UnsetType | None] = frozenset(
    {None, UNSET, "read", "stale"}
)
"""The kinds of conflict that are about a file; a conflict without a kind is, too."""


class ConflictDetected(Event, frozen=True):
    """Other tickets of the run get in this one's way. `tickets` are the others' ids.

    Without a `kind` both changed the file `path`; with one, `path` may be a port's number or a
    branch's name. `by`: the file changed while a command ran. `beside`: tickets whose commands ran
    at the same time, so that one of theirs may have changed it.
    """

    path: str
    tickets: tuple[str, ...]
    kind: ConflictKind | UnsetType = UNSET
    by: Literal["command"] | UnsetType = UNSET
    beside: tuple[str, ...] | UnsetType = UNSET

    @property
    def in_brief(self) -> str:
        """The file's name, or the kind and its port or branch, and the other tickets."""
        is_file = self.kind in FILE_CONFLICTS
        what = PurePath(self.path).name if is_file else f"{self.kind} {self.path}"
        return f"{what} · {', '.join(self.tickets)}"

    @property
    def in_words(self) -> str:
        """The conflict as a line of this ticket's pane."""
        others = ", ".join(self.tickets)
        match self.kind:
            case "read":
                what = f"{self.path} was read by {others} before it changed here"
            case "stale":
                what = f"{self.path} was changed by {others} after it was read here"
            case "port":
                what = f"port {self.path} is also used by {others}"
            case "branch":
                what = f"{others} also checks out or commits here (branch {self.path})"
            case _:
                what = f"{self.path} was also changed by {others}"
        if self.by is UNSET:
            return what
        also = f"commands ran, including those of {', '.join(self.beside)}" if self.beside else ""
        return f"{what} (while {also or 'a command ran'})"


JsonEvent: TypeAlias = dict[str, object]
"""An event in its JSON form."""


class LateEntries(Event, Bounded, frozen=True, rename={"attempt": "late_attempt"}):
    """Events of an attempt that came from its worker after the ticket had been taken from it.

    They are kept and shown, but change no state, and the model does not get them: the ticket went
    on without them.
    """

    facets = Facets("text", json="entries")
    worker: str
    attempt: int
    entries: list[JsonEvent]

    @property
    def in_words(self) -> str:
        """The text and the calls among them, as lines of the pane; "" if there are none."""
        text = "".join(str(one.get("text")) for one in self._of("text_delta"))
        calls = [f"called {one.get('name')}" for one in self._of("tool_call_requested")]
        did = [f'wrote "{text}"'] * bool(text.strip()) + calls
        if not did:
            return ""
        return f"worker {self.worker}, attempt {self.attempt}, too late to count: {', '.join(did)}"

    def _of(self, kind: str) -> list[JsonEvent]:
        return [one for one in self.entries if one.get("type") == kind]
