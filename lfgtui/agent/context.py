"""The surroundings of an agent: where events go, what the fold holds, whom to ask.

The engine makes one for each ticket; a test can make another.
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
    """A person's decision about a call, made now or by a `rule`; `grants` is a rule they give.

    `option` is the id of one of an agent's own answers, "" for a plain yes or no.
    """

    verdict: Literal["approve", "deny"]
    reason: str = ""
    rule: ApprovalRule | None = None
    grants: ApprovalRule | None = None
    option: str = ""


class StoppedError(Exception):
    """The person stopped a response or a tool, and has something to say."""


class AgentContext(Protocol):
    """One ticket's side of the engine; the same for all of its attempts.

    `environment` is added to that of commands, from which the variables `secrets` are left out.
    The files that lfg's tools change are `kept` before; `files` go with the prompt. Equal requests
    have `answers` again. `is_seen` tells if a person has the ticket in view just now; None where
    nobody can.
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
        """Record what happened."""

    async def settle(self, *, saved: bool = False) -> None:
        """Wait until everything emitted so far is folded.

        It is committed then, but for a history that is behind; `saved` waits
        for that too: what a tool does must not be ahead of the record.
        """

    async def hear(self) -> None:
        """Wait until all that the person said so far is folded; at once if it is."""

    def heard_by(self, stream: Stream) -> AbstractAsyncContextManager[None]:
        """Hand what the person says during the body to the stream, if it takes messages."""
        ...

    async def room(self) -> None:
        """Wait while too much is on its way to the disk; then the socket is not read."""

    async def gate(self) -> None:
        """Wait while the ticket is paused."""

    async def take_slot(self, *, beside: bool = False) -> None:
        """Wait for a slot, unless it has one: `ask` gives it up.

        As `stoppable` meanwhile, but `beside` a response, which the person stops as a whole.
        """

    def stoppable(self, *, anew: bool = False) -> AbstractAsyncContextManager[None]:
        """Let the person stop the body; raises `StoppedError` in its place then.

        So does what they stopped since the last one, unless the body begins `anew`.
        """
        ...

    def permit(self) -> AbstractAsyncContextManager[Callable[[e.Event], None]]:
        """Wait until a request may be sent; the body sends it.

        Yields a function to call with what comes back. Raises
        `ProviderError` where the provider is known not to answer.
        """
        ...

    def rules(self) -> Sequence[ApprovalRule]:
        """Return the rules of approval in force for the ticket."""
        ...

    @property
    def confinement(self) -> Confinement:
        """The wall around the programs of the ticket."""
        ...

    @property
    def can_ask(self) -> bool:
        """True if a person is there to decide on calls."""
        ...

    def say(self, text: str) -> None:
        """Say something to the agent in the person's name."""

    async def ask(self, call_id: str) -> Decision | None:
        """Wait for the person's decision on a call; None where nobody can give one."""

    def holding_clock(self) -> AbstractContextManager[None]:
        """Stop the ticket's time limit while a person thinks."""
        ...

    async def changes_kept(self) -> None:
        """Wait until the files that an agent has said it changes are kept, as they are."""

    def watching_command(self, command: str) -> AbstractAsyncContextManager[None]:
        """Run the command in the body, and look at what it changes."""
        ...
