"""Tickets: what a person asks of agents.

A `Ticket` is complete: defaults merged, prompt read, workspace absolute. It
is stored with its run, so a resume needs nothing but the history. The types
here are also those of the keys in a tickets file (`tickets_file`).
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from lfgtui.model.ticket_keys.approvals import (
    ALL_TOOLS,
    READING_TOOLS,
    Approval,
    Approvals,
    ToolName,
    approval_for,
    unasked,
)
from lfgtui.model.ticket_keys.context import ContextGlobs
from lfgtui.model.ticket_keys.guards import Guard
from lfgtui.model.ticket_keys.watch import INSTRUCTIONS
from lfgtui.text.figures import age_seconds

SandboxMode: TypeAlias = Literal["auto", "bwrap", "none"]
"""`auto`: a sandbox if one is available; otherwise a person decides on each command."""

NO_SANDBOX = "without a sandbox"
"""The `sandbox` of an `ApprovalRequested` whose program would run in none; shown as a warning."""

Title: TypeAlias = Annotated[str, msgspec.Meta(max_length=1000)]
Reasoning: TypeAlias = Literal["low", "medium", "high"] | Annotated[int, msgspec.Meta(ge=1)]
"""An effort, or a number of tokens; a provider that takes only the other gets the nearest."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
CacheAnswers: TypeAlias = bool | str
"""True: answers to equal requests are reused; a string is their maximum age (`7d`)."""
Compact: TypeAlias = Literal["auto", "ask", "off"]
"""`auto`: old tool output is left out of requests when the context is nearly full; `ask`: only once
a person allows it. See `agent/compaction.py`."""
Repetition: TypeAlias = Literal["ask", "off"]
"""The reaction to calls that go in circles (`agent/repetition.py`). `ask`: a person decides; `off`:
nothing, for a ticket that polls."""
DEFAULT_OUTPUT_TOKENS = 8192  # of one response
Amount: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Copies: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=9)]
CopyProviders: TypeAlias = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=9)]

TICKET_ID = re.compile(r"[A-Za-z0-9._-]+")
ID_CHARACTERS = 'only letters, digits, ".", "_" and "-"'
LABEL = re.compile(r"[A-Za-z0-9._-]{1,40}")
"""A label of workers; a worker or ticket has at most `MOST_LABELS`."""
MOST_LABELS = 6
PROMPT_ID = "prompt"
"""The id of a ticket that was given as a prompt alone, by `lfg run -p`."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of work for one agent. Times are in seconds, `max_cost` in USD.

    The fields are the keys of a tickets file, which docs/guide.md explains, except these: `copy_of`
    is the id of the ticket that this is a copy of (tickets that need that one get the answer of the
    copy that the person chooses, or with `choose` of the first that is done); `guards` are those of
    the file that are for this ticket; `schema` is the JSON Schema itself. `readable` and `writable`
    are absolute. The config decides where `sandbox`, `network` or `cache_answers` is None.

    A new field needs a default, so that stored runs can still be read. If it lets something run
    unasked, `distrusted` must reset it.
    """

    id: str
    prompt: str
    workspace: str
    context: ContextGlobs = ()
    worktree: bool = False
    watch: bool = False
    watch_every: int = 4000
    watch_interval: float = 15.0
    setup: str = ""
    copy_of: str = ""
    choose: Literal["first"] | None = None
    title: str = ""
    system: str | None = None
    provider: str | None = None
    model: str | None = None
    fallback: tuple[str, ...] = ()
    tools: tuple[ToolName, ...] = ALL_TOOLS
    mcp: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    reasoning: Reasoning | None = None
    extra: dict[str, object] = {}
    max_turns: int = 30
    max_output_tokens: int = DEFAULT_OUTPUT_TOKENS
    compact: Compact = "auto"
    repetition: Repetition = "ask"
    timeout: float = 900.0
    first_token_timeout: float = 120.0
    idle_timeout: float = 120.0
    max_cost: float | None = None
    stream: bool = True
    cache: bool = True
    cache_answers: CacheAnswers | None = None
    approve: Approvals | None = None
    guards: tuple[Guard, ...] = ()
    sandbox: SandboxMode | None = None
    network: bool | None = None
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    schema: dict[str, object] | bool | None = None

    @property
    def file_id(self) -> str:
        """The ticket's id in the tickets file, which all its copies share."""
        return self.copy_of or self.id

    @property
    def instructions(self) -> str | None:
        """The system prompt; for a ticket that watches others, lfg's instructions before it."""
        if not self.watch:
            return self.system
        return "\n\n".join(filter(None, (INSTRUCTIONS, self.system)))

    def approval_for(self, tool: str) -> Approval:
        """Return the approval of a call: run, ask or refuse."""
        return approval_for(self.approve, tool)

    @property
    def may_write(self) -> bool:
        """True if one of its tools may change the workspace."""
        writing = (t for t in self.tools if t not in READING_TOOLS)
        return bool(self.mcp) or any(self.approval_for(t) != "deny" for t in writing)

    def approves_by_itself(self) -> tuple[str, ...]:
        """Return the tools and MCP servers that do more than read and would run without asking."""
        return tuple(unasked(self.approve, self.tools, self.mcp))


def age_mistake(wanted: CacheAnswers | None) -> str:
    """Return what is wrong with the age in `cache_answers`; "" if nothing is."""
    try:
        if isinstance(wanted, str):
            age_seconds(wanted)
    except ValueError as error:
        return f"cache_answers: {error}"
    return ""


def label_mistake(labels: Sequence[str]) -> str:
    """Return why `labels` cannot be those of a worker or a ticket; "" if they can."""
    if len(labels) > MOST_LABELS:
        return f"{len(labels)} labels; at most {MOST_LABELS} are possible"
    wrong = next((one for one in labels if not LABEL.fullmatch(one)), None)
    return "" if wrong is None else f'label "{wrong}": {ID_CHARACTERS}, 40 at most'


def side_by_side(tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Return versions of one ticket as copies, numbered from 1; a single one as it is."""
    if len(tickets) == 1:
        return tuple(tickets)
    return tuple(
        msgspec.structs.replace(ticket, id=f"{ticket.id}.{number}", copy_of=ticket.id)
        for number, ticket in enumerate(tickets, 1)
    )


_SEALED: dict[str, object] = {"sandbox": None, "network": None, "readable": (), "writable": ()}
"""The values of the fields with which a ticket opens its sandbox no further than the config."""


def distrusted(ticket: Ticket) -> Ticket:
    """Return the ticket of an imported run, whose file nobody trusted: each tool asks or is denied.

    It has no `extra`; no context files, which are read unasked; neither MCP servers nor a setup,
    which are started unasked; and opens its sandbox no further than the config.
    """
    approve: dict[str, Approval] = {
        tool: "deny" if ticket.approval_for(tool) == "deny" else "ask" for tool in ticket.tools
    }
    own = {"approve": approve, "extra": {}, "context": (), "mcp": (), "setup": ""}
    return msgspec.structs.replace(ticket, **own, **_SEALED)


def ticket_like(tickets: Sequence[Ticket], prompt: str) -> Ticket:
    """Return a ticket for one more prompt, with a new id and the settings that most tickets have.

    If no two have the same settings, it has those of the first. It has a system prompt only if all
    have the same.
    """
    taken = {name for ticket in tickets for name in (ticket.id, ticket.file_id)}
    names = (PROMPT_ID, *(f"{PROMPT_ID}-{number}" for number in range(2, len(tickets) + 2)))
    name = next(name for name in names if name not in taken)
    own: dict[str, object] = {
        "id": name,
        "prompt": prompt,
        "title": "",
        "needs": (),
        "copy_of": "",
        "watch": False,
    }
    if len({ticket.system for ticket in tickets}) > 1:
        own["system"] = None
    alike = [msgspec.structs.replace(ticket, **own) for ticket in tickets]
    return max(alike, key=alike.count)
