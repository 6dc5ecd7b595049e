"""Copies of a ticket, one of which is handed on to the tickets that need it: the chosen one.

A choice counts while the chosen copy is done. It can be changed until a ticket that needs it has
begun.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lfgtui.model.states import ENDED
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript


class Folds(Protocol):
    """The tickets of a run and their folds."""

    @property
    def tickets(self) -> Sequence[Ticket]: ...

    def transcript(self, ticket: str) -> Transcript: ...


def copies_of(run: Folds, name: str) -> list[str]:
    """Return the copies that a ticket runs as; those of a ticket itself are none."""
    return [ticket.id for ticket in run.tickets if name and ticket.copy_of == name]


def chosen_of(run: Folds, name: str) -> str | None:
    """Return the copy of the ticket that is handed on; None before one was chosen."""
    folds = {copy: run.transcript(copy) for copy in copies_of(run, name)}
    return next((c for c, fold in folds.items() if fold.is_chosen and fold.state == "done"), None)


def open_needs(run: Folds, ticket: Ticket) -> list[str]:
    """Return the tickets that it still has to wait for."""
    copies = {one.copy_of for one in run.tickets}
    return [
        need
        for need in ticket.needs
        if (
            chosen_of(run, need) is None if need in copies else run.transcript(need).state != "done"
        )
    ]


def due_choices(run: Folds) -> Mapping[str, Sequence[str]]:
    """Return the copies that are done, by their tickets, of which one is to be chosen now.

    That is where all have ended, one of them well, and none was chosen.
    """
    due = dict[str, Sequence[str]]()
    for name in dict.fromkeys(ticket.copy_of for ticket in run.tickets if ticket.copy_of):
        states = {copy: run.transcript(copy).state for copy in copies_of(run, name)}
        done = [copy for copy, state in states.items() if state == "done"]
        if done and ENDED.issuperset(states.values()) and chosen_of(run, name) is None:
            due[name] = done
    return due


def is_settled(run: Folds, ticket: Ticket) -> bool:
    """Return True if nothing is left to do: it is done, or another copy was chosen."""
    is_done = run.transcript(ticket.id).state == "done"
    return is_done or chosen_of(run, ticket.copy_of) is not None


def choice_refusal(run: Folds, copy: str) -> str:
    """Return why the copy cannot be chosen; "" if it can."""
    ticket = next(one for one in run.tickets if one.id == copy)
    if not ticket.copy_of:
        return f"“{copy}” is the only one of its kind: there is nothing to choose"
    if run.transcript(copy).state != "done":
        return f"“{copy}” is not done; only a copy that is can be chosen"
    begun = [
        one.id
        for one in run.tickets
        if ticket.copy_of in one.needs and run.transcript(one.id).attempts
    ]
    if begun and not run.transcript(copy).is_chosen:
        return f"“{begun[0]}” has begun with the choice made before"
    return ""
