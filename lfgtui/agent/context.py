"""The context of an agent: where its events go, what the fold holds, whom to ask.

`engine/ticket/ticket_run.py` implements `AgentContext`, so the agent does not import the engine; a
test can make its own.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from lfgtui.history.answers import AnswerCache
from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.providers.base import Stream
from lfgtui.tools.context_files import ContextFiles
from lfgtui.workspace.kept import TicketFiles


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about a call, made now or by an earlier `rule`.

    `grants` is a rule that they give with it. `option` is the id of one of the options that the
    agent offers, "" for a plain yes or no.
    """

    verdict: Literal["approve", "deny"]
    reason: str = ""
    rule: ApprovalRule | None = None
    grants: ApprovalRule | None = None
    option: str = ""


class StoppedError(Exception):
    """The person stopped a response, a tool or a wait, and has something to say."""


class AgentContext(Protocol):
    """The engine's services to one ticket; the same object for all of its attempts.

    `environment` is added to the environment of commands, which do not get the variables named in
    `secrets`. `kept` has the files as they were before lfg's tools changed them; `files` reads
    those that go with the prompt. `answers` are those of earlier requests, None if they are not
    to be reused. `is_seen` returns True while a person has the ticket in view; it is None for a
    run without a screen.
    """

    ticket: Ticket
    transcript: Transcript
    environment: dict[str, str]
    secrets: frozenset[str]
    kept: TicketFiles | None
    files: ContextFiles
    answers: AnswerCache | None
    is_seen: Callable[[], bool] | None

    def emit(self, event: e.Event) -> None:
        """Hand an event to the recorder; returns at once, before it is folded (`settle`)."""

    async def settle(self, *, saved: bool = False) -> None:
        """Wait until everything emitted so far is folded.

        It is then also committed, unless the history cannot be written; with `saved`, wait for
        that, too: a tool must not change anything before the history says so.
        """

    async def hear(self) -> None:
        """Wait until all that the person said so far is folded; at once if it is."""

    def heard_by(self, stream: Stream) -> AbstractAsyncContextManager[None]:
        """During the body, hand the person's messages to the stream, if it `TakesMessages`."""
        ...

    async def room(self) -> None:
        """Wait while too much is still to be written: for use before reading more of a stream."""

    async def gate(self) -> None:
        """Wait while the ticket is paused."""

    async def take_slot(self, *, beside: bool = False) -> None:
        """Wait for a slot unless the ticket has one; `ask` gives it up.

        The wait is `stoppable`, except `beside` (during) a response, which is stopped as a whole.
        """

    def stoppable(self, *, anew: bool = False) -> AbstractAsyncContextManager[None]:
        """Let the person stop the body; raises `StoppedError` then.

        A stop since the last body counts, too, unless the body begins `anew`.
        """
        ...

    def permit(self) -> AbstractAsyncContextManager[Callable[[e.Event], None]]:
        """Wait until a request may be sent; the body sends it.

        Yields a function to call with each event of the response. Raises
        `ProviderError` if the provider is known not to answer.
        """
        ...

    def rules(self) -> Sequence[ApprovalRule]:
        """Return the rules of approval in force for the ticket: its own, and those of the run."""
        ...

    @property
    def confinement(self) -> Confinement:
        """The sandbox and the limits of the ticket's programs."""
        ...

    @property
    def can_ask(self) -> bool:
        """True if a person is there to decide on calls."""
        ...

    def say(self, text: str) -> None:
        """Emit a message to the agent as if the person had sent it."""

    async def ask(self, call_id: str) -> Decision | None:
        """Wait for the person's decision on a call; return None if nobody can decide.

        Its `ApprovalRequested` must have been emitted.
        """

    def holding_clock(self) -> AbstractContextManager[None]:
        """Stop the ticket's time limit while a person thinks."""
        ...

    async def changes_kept(self) -> None:
        """Wait until copies are kept of the files that an agent is about to change."""

    def watching_command(self, command: str) -> AbstractAsyncContextManager[None]:
        """Note what changes while the body runs the command, as conflicts with other tickets."""
        ...
