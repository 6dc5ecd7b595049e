"""The context of an agent: where its events go, what the fold holds, whom to ask.

The engine makes one for each ticket; a test can make its own.
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

    `option` is the id of an answer that the agent offers, "" for a plain yes or no.
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

    `environment` is added to that of commands, which do not get the variables `secrets`. `kept`
    has the files as they were before lfg's tools changed them; `files` go with the prompt. Equal
    requests reuse `answers`. `is_seen` tells if a person has the ticket in view just now; None if
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

        It is then committed, unless history is behind; `saved` waits for that,
        too: a tool must not work ahead of the record.
        """

    async def hear(self) -> None:
        """Wait until all that the person said so far is folded; at once if it is."""

    def heard_by(self, stream: Stream) -> AbstractAsyncContextManager[None]:
        """Hand the person's messages during the body to the stream, if it takes any."""
        ...

    async def room(self) -> None:
        """Wait while too much is on its way to the disk, before reading more from the socket."""

    async def gate(self) -> None:
        """Wait while the ticket is paused."""

    async def take_slot(self, *, beside: bool = False) -> None:
        """Wait for a slot unless the ticket has one; `ask` gives it up.

        The wait is `stoppable`, except `beside` a response, which the person stops as a whole.
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
        """Wait for the person's decision on a call; return None if nobody can give one."""

    def holding_clock(self) -> AbstractContextManager[None]:
        """Stop the ticket's time limit while a person thinks."""
        ...

    async def changes_kept(self) -> None:
        """Wait until the files that an agent is about to change are kept as they are."""

    def watching_command(self, command: str) -> AbstractAsyncContextManager[None]:
        """Run the command in the body, and look at what it changes."""
        ...
