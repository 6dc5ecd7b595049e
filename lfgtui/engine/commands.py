"""Commands: the only way by which the screen, or another client, acts on a run.

`Engine.send` carries them out. They also travel as JSON between processes, and histories hold their
names (`taken`), so the name of a class or field cannot change, and a new field needs a default.
"""

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
    """Start an ended ticket over, as a new attempt; let a parked one try at once."""

    ticket: str


class Restart(msgspec.Struct, frozen=True, tag=True):
    """Stop the ticket if it has not ended, and start it over with another prompt."""

    ticket: str
    prompt: str


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Let the ticket finish its present response, then hold it."""

    ticket: str


class Resume(msgspec.Struct, frozen=True, tag=True):
    """Let a paused ticket continue."""

    ticket: str


class Approve(msgspec.Struct, frozen=True, tag=True):
    """Allow the call and, with a `rule`, from then on all calls that the rule covers.

    `option` is the id of the answer that was chosen from those that the agent offers, "" for a
    plain yes.
    """

    ticket: str
    call_id: str
    rule: ApprovalRule | None = None
    option: str = ""


class WithdrawRule(msgspec.Struct, frozen=True, tag=True):
    """Ask about calls again that the rule covers.

    The rule was granted in the ticket; a rule for the whole run is withdrawn in all tickets.
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
    """Change how many tickets work at once, at least 1. Tickets at work are not stopped."""

    slots: int


class SetRunLimits(msgspec.Struct, frozen=True, tag=True):
    """Replace the run's limits: a higher one lets a held run go on; `at_limit` may stop it."""

    limits: RunLimits


class Add(msgspec.Struct, frozen=True, tag=True):
    """Add tickets to the run, after those it has; a run whose tickets have ended goes on.

    Their ids are new, and the tickets they need are among them or in the run.
    """

    tickets: tuple[Ticket, ...]


class AddPrompt(msgspec.Struct, frozen=True, tag=True):
    """Add a ticket for a prompt, with the settings that most tickets of the run have."""

    prompt: str


class Tell(msgspec.Struct, frozen=True, tag=True):
    """Send a message to the ticket's agent, which takes it at once if its stream can.

    Otherwise the message goes with the next request. With `stops` that is soon, since a response or
    tool under way is stopped. A ticket that has ended continues its conversation in a new attempt.
    """

    ticket: str
    text: str
    stops: bool = False


class Choose(msgspec.Struct, frozen=True, tag=True):
    """Choose this copy: its answer, and no other's, goes to the tickets that need the original."""

    ticket: str


class NoteDiscard(msgspec.Struct, frozen=True, tag=True):
    """Note in the ticket that its worktree was discarded, which somebody else has done."""

    ticket: str


_Answer: TypeAlias = Approve | Deny | WithdrawRule
TicketCommand: TypeAlias = (
    Cancel | Retry | Restart | Pause | Resume | _Answer | Tell | Choose | NoteDiscard
)
Command: TypeAlias = TicketCommand | CancelAll | SetConcurrency | SetRunLimits | Add | AddPrompt
"""A new command belongs in one of these unions, and needs a case in `Engine.send` or `_send_to`."""


def taken(command: TicketCommand, by: str) -> CommandTaken:
    """Return the event that says who sent the command, e.g. `withdraw_rule` for `WithdrawRule`."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(command).__name__).lower()
    return CommandTaken(name, by[:_LONGEST_NAME], getattr(command, "call_id", UNSET))
