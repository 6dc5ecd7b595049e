"""The needs between tickets; the id that copies have in common can be needed, too."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from lfgtui.errors import UsageError, did_you_mean
from lfgtui.model.tickets import ID_CHARACTERS, TICKET_ID, Ticket
from lfgtui.model.tickets_file import TicketsFile, find_cycle


def needs_of(tickets: Iterable[Ticket]) -> dict[str, tuple[str, ...]]:
    """Return the needs of each ticket by id.

    The id that copies have in common is listed, too: it needs the copies.
    """
    needs = dict[str, tuple[str, ...]]()
    for ticket in tickets:
        needs[ticket.id] = ticket.needs
        if ticket.copy_of:
            needs[ticket.copy_of] = (*needs.get(ticket.copy_of, ()), ticket.id)
    return needs


def with_needs(by_id: Mapping[str, Ticket], ids: Iterable[str]) -> set[str]:
    """Return the ids, and the ids of all tickets needed by these, directly or through others."""
    needs = needs_of(by_id.values())
    closure: set[str] = set()
    pending = list(ids)
    while pending:
        if (name := pending.pop()) not in closure:
            closure.add(name)
            pending += needs[name]
    return closure & by_id.keys()


def select(file: TicketsFile, only: tuple[str, ...]) -> TicketsFile:
    """Return the file with the named tickets (`--only`) and all that they need, in its order.

    Copies stay together, since one of them is to be chosen. Raises `UsageError`.
    """
    by_id = {ticket.id: ticket for ticket in file.tickets}
    known = needs_of(file.tickets)
    for name in only:
        if name not in known:
            raise UsageError(f'--only: no ticket "{name}"{did_you_mean(name, known)}')
    wanted = with_needs(by_id, [by_id[n].file_id if n in by_id else n for n in only])
    tickets = tuple(ticket for ticket in file.tickets if ticket.id in wanted)
    return msgspec.structs.replace(file, tickets=tickets)


def check_added(tickets: Sequence[Ticket], known: Collection[str]) -> None:
    """Check tickets to be added to a run that has the `known` ones; raises `UsageError`."""
    needs, seen = needs_of(tickets), set[str]()
    for ticket in tickets:
        if not TICKET_ID.fullmatch(ticket.id):
            raise UsageError(f'id "{ticket.id}": {ID_CHARACTERS}')
        if taken := [name for name in (ticket.id, ticket.copy_of) if name in known]:
            raise UsageError(f'the run already has a ticket "{taken[0]}"')
        if lost := [need for need in ticket.needs if need not in {*needs, *known}]:
            raise UsageError(f'"{ticket.id}" needs "{lost[0]}", which is not a ticket')
        if ticket.id in seen:
            raise UsageError(f'two of the tickets have the id "{ticket.id}"')
        seen.add(ticket.id)
    if cycle := find_cycle(needs):
        raise UsageError(f"circular needs: {' -> '.join(cycle)}")
