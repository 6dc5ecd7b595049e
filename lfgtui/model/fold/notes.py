"""The notes: what events without an item of their own say to the person, in lines of the pane."""

from collections.abc import Callable

from lfgtui.model import events as e
from lfgtui.model.fold.items import NoteItem

LIMIT_SETTINGS = {
    "turns": "max_turns",
    "tokens": "max_output_tokens",
    "cost": "max_cost",
    "time": "timeout",
    "run_cost": "max_run_cost",
    "run_tokens": "max_run_tokens",
    "run_time": "max_run_time",
}
"""The key by which a person sets each limit, by the name that a `TicketLimited` has."""

NOTES: dict[type[e.Event], Callable[..., NoteItem | None]] = {
    e.Status: lambda event: NoteItem("status", event.message),
    e.Paused: lambda event: NoteItem("status", "paused"),
    e.Resumed: lambda event: NoteItem("status", "resumed"),
    e.RestartRequested: lambda event: NoteItem("status", "stopping to start over"),
    e.FailedOver: lambda event: NoteItem(
        "retry", f"{event.source} failed; switching to {event.target}"
    ),
    e.ChoiceMade: lambda event: NoteItem("status", "chosen" if event.chosen else "not chosen"),
    e.RuleWithdrawn: lambda event: NoteItem("status", f"rule withdrawn: {event.rule.description}"),
    e.CommandTaken: lambda event: NoteItem("status", event.in_words),
    e.LateEntries: lambda event: NoteItem("warning", event.in_words) if event.in_words else None,
    e.ContextCompacted: lambda event: NoteItem("status", event.in_words),
    e.AnswerReused: lambda event: NoteItem("status", event.in_words),
    e.GuardTripped: lambda event: NoteItem("warning", f"{event.guard}: {event.message}"),
    e.ConflictDetected: lambda event: NoteItem("warning", event.in_words),
    e.ContradictionFound: lambda event: NoteItem("warning", event.message),
    e.WorktreeOpened: lambda event: NoteItem(
        "status", f"works in {event.path}, branch {event.branch}"
    ),
    e.WorktreeDiscarded: lambda event: NoteItem(
        "status", f"discarded its worktree and branch {event.branch}"
    ),
    e.TicketFailed: lambda event: NoteItem(
        "error", f"{event.kind.replace('_', ' ')}: {event.message}"
    ),
    e.TicketCancelled: lambda event: NoteItem("end", f"cancelled {event.reason or ''}".rstrip()),
    e.TicketLimited: lambda event: NoteItem(
        "end", f"stopped: reached {LIMIT_SETTINGS[event.limit]}"
    ),
    e.TicketBlocked: lambda event: NoteItem("end", f"blocked: {event.reason}"),
    e.TicketInterrupted: lambda event: NoteItem(
        "end", f"interrupted: {event.reason}" if event.reason else "interrupted"
    ),
}
"""The note that each of these events adds to the attempt, None where it has nothing to say."""


def note_of(event: e.Event) -> NoteItem | None:
    """Return the note that the event adds to the attempt, if it adds one."""
    make = NOTES.get(type(event))
    return None if make is None else make(event)
