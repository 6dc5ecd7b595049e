"""Commands: the only way back from the screen into the work."""

import re
from typing import TypeAlias

import msgspec
from msgspec import UNSET

from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.model.tickets import Ticket
from lfgtui.model.turn_events import CommandTaken

_LONGEST_NAME = 80
"""Most characters of a sender's name."""


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop the ticket now; its output is kept."""

    ticket: str


class CancelAll(msgspec.Struct, frozen=True, tag=True):
    """Stop every ticket that has not ended."""


class Retry(msgspec.Struct, frozen=True, tag=True):
    """Start an ended ticket over, as a new attempt; have a parked one go on now."""

    ticket: str


class Restart(msgspec.Struct, frozen=True, tag=True):
    """Stop the ticket if it has not ended, and start it over with another prompt."""

    ticket: str
    prompt: str


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Finish this response, then hold."""

    ticket: str


class Resume(msgspec.Struct, frozen=True, tag=True):
    """Let a paused ticket go on."""

    ticket: str


class Approve(msgspec.Struct, frozen=True, tag=True):
    """Allow the call, and what the rule covers from then on.

    `option` is the id of an answer that the agent offers, if it is not a plain yes.
    """

    ticket: str
    call_id: str
    rule: ApprovalRule | None = None
    option: str = ""


class WithdrawRule(msgspec.Struct, frozen=True, tag=True):
    """Have calls that the rule covers asked about again.

    The rule was granted in the ticket; one for the run is withdrawn in all tickets.
    """

    ticket: str
    rule: ApprovalRule


class Deny(msgspec.Struct, frozen=True, tag=True):
    """Refuse the call; the reason goes back to the model. `option`: see `Approve`."""

    ticket: str
    call_id: str
    reason: str = ""
    option: str = ""


class SetConcurrency(msgspec.Struct, frozen=True, tag=True):
    """Change how many tickets work at once, at least 1. Tickets at work go on."""

    slots: int


class SetRunLimits(msgspec.Struct, frozen=True, tag=True):
    """Have the run go on under these limits, or stop at the one that it has reached."""

    limits: RunLimits


class Add(msgspec.Struct, frozen=True, tag=True):
    """Add tickets to the run, after those it has; a run that has ended goes on.

    Their ids are new, and the tickets they need are among them or in the run.
    """

    tickets: tuple[Ticket, ...]


class AddPrompt(msgspec.Struct, frozen=True, tag=True):
    """Add a ticket for a prompt, with the settings that most tickets of the run have."""

    prompt: str


class Tell(msgspec.Struct, frozen=True, tag=True):
    """Say something to the ticket's agent, which takes it at once if it can.

    Otherwise it goes with the next request. With `stops` that is soon: a response or a tool under
    way is stopped first. A ticket that has ended goes on from its conversation, as a new attempt.
    """

    ticket: str
    text: str
    stops: bool = False


class Choose(msgspec.Struct, frozen=True, tag=True):
    """Hand on this copy, and no other, to the tickets that need the one it is a copy of."""

    ticket: str


class NoteDiscard(msgspec.Struct, frozen=True, tag=True):
    """Take note that the ticket's worktree was discarded."""

    ticket: str


_Answer: TypeAlias = Approve | Deny | WithdrawRule
TicketCommand: TypeAlias = (
    Cancel | Retry | Restart | Pause | Resume | _Answer | Tell | Choose | NoteDiscard
)
Command: TypeAlias = TicketCommand | CancelAll | SetConcurrency | SetRunLimits | Add | AddPrompt


def taken(command: TicketCommand, by: str) -> CommandTaken:
    """Return the event that says who sent the command."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(command).__name__).lower()
    return CommandTaken(name, by[:_LONGEST_NAME], getattr(command, "call_id", UNSET))
