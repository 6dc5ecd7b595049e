"""Commands: the only way back from the screen into the work."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the ticket now; what it said is kept."""

    ticket: str


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Stop every ticket that has not ended."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Start an ended ticket over, as a new attempt."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Finish this response, then hold."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a paused ticket go on."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Allow the call; `always` allows this tool for the rest of the ticket."""

    ticket: str
    call_id: str
    always: bool = False


@dataclass(frozen=True, slots=True)
class Deny:
    """Refuse the call; the reason goes back to the model."""

    ticket: str
    call_id: str
    reason: str = ""


Command: TypeAlias = Cancel | CancelAll | Retry | Pause | Resume | Approve | Deny
