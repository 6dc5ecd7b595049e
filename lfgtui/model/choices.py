"""Copies of a ticket: the answer of the chosen one goes to the tickets that need it.

A choice counts as long as the chosen copy is done. It can be changed until a ticket that needs it
has begun. All is read from the transcripts; `engine/needs.py` makes the choice.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lfgtui.model.fold.states import ENDED
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket


class Folds(Protocol):
    """The tickets of a run and their transcripts: the engine, or a stored or remote run."""

    @property
    def tickets(self) -> Sequence[Ticket]: ...

    def transcript(self, ticket: str) -> Transcript: ...


def copies_of(run: Folds, name: str) -> list[str]:
    """Return the copies that a ticket runs as; none for a ticket that runs as itself."""
    return [ticket.id for ticket in run.tickets if name and ticket.copy_of == name]


def choices(run: Folds) -> dict[str, str]:
    """Return the choices that count: the id of the chosen copy, by that of the ticket copied."""
    folds = [(one, run.transcript(one.id)) for one in run.tickets if one.copy_of]
    return {t.copy_of: t.id for t, fold in folds if fold.is_chosen and fold.state == "done"}


def open_needs(run: Folds, ticket: Ticket) -> list[str]:
    """Return the needs that the ticket still has to wait for: not done, or no copy chosen."""
    if not ticket.needs:
        return []
    groups, chosen = {one.copy_of for one in run.tickets}, choices(run)
    return [
        need
        for need in ticket.needs
        if (need not in chosen if need in groups else run.transcript(need).state != "done")
    ]


def due_choices(run: Folds) -> Mapping[str, Sequence[str]]:
    """Return the copies that a person has to choose from now, by the ticket they are copies of.

    These are the copies that are done, once all copies have ended and none has been chosen.
    """
    groups = dict[str, dict[str, Transcript]]()
    for ticket in run.tickets:
        if ticket.copy_of:
            groups.setdefault(ticket.copy_of, {})[ticket.id] = run.transcript(ticket.id)
    due = dict[str, Sequence[str]]()
    for name, folds in groups.items():
        done = {copy: fold for copy, fold in folds.items() if fold.state == "done"}
        has_ended = all(fold.state in ENDED for fold in folds.values())
        if done and has_ended and not any(fold.is_chosen for fold in done.values()):
            due[name] = list(done)
    return due


def group_of(run: Folds, name: str) -> str:
    """Return the id of the ticket that `name` is a copy of, or whose choice it waits for, or ""."""
    ticket = next(one for one in run.tickets if one.id == name)
    due = due_choices(run) if ticket.needs else {}
    return ticket.copy_of or next((need for need in ticket.needs if need in due), "")


def is_settled(run: Folds, ticket: Ticket) -> bool:
    """Return True if the ticket is done, or another copy was chosen."""
    return run.transcript(ticket.id).state == "done" or ticket.copy_of in choices(run)


def choice_refusal(run: Folds, copy: str) -> str:
    """Return why the copy cannot be chosen; "" if it can."""
    ticket = next(one for one in run.tickets if one.id == copy)
    if not ticket.copy_of:
        return f"“{copy}” has no copies to choose from"
    if run.transcript(copy).state != "done":
        return f"“{copy}” is not done; only a copy that is done can be chosen"
    if choices(run).get(ticket.copy_of, copy) == copy:
        return ""
    needing = (one.id for one in run.tickets if ticket.copy_of in one.needs)
    begun = next((name for name in needing if run.transcript(name).attempts), "")
    return f"“{begun}” has already started with the earlier choice" if begun else ""
