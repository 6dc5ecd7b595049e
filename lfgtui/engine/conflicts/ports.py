"""Ports that a command could not have, since a process of another ticket listens on them.

Two processes cannot listen on one port: the second fails and prints the number. So ports are
looked up only after such a message.
"""

import asyncio
import re
from collections.abc import Collection, Mapping

from lfgtui.engine.conflicts.accesses import Accesses
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.ticket_run import TICKET_VARIABLE, TicketRun
from lfgtui.processes.ports import listeners, parents_of, variable_of

_TAKEN = re.compile(
    r"EADDRINUSE|address (?:is )?already in use|port\W.{0,40}\b(?:in use|already|taken|occupied)"
    r"|only one usage of each socket address",
    re.IGNORECASE,
)
"""Messages that a port is taken; the last form is that of Windows."""

_PORT = re.compile(r"(?:\bport\W{1,3}|[:,]\s?)(\d{2,5})\b", re.IGNORECASE)
"""A port near such a message: `port 8080`, `:8080`, `, 8080`."""

_NUMBER = re.compile(r"\b\d{2,5}\b")
"""A number in a command that may be a port."""

_LINES = 3
"""Lines before and after the message in which the port may stand."""

_MOST = 20
"""Most ports that are looked up for one output."""


def ports_in_use(output: str, command: str = "") -> list[int]:
    """Return the ports that may be in use, according to a command's output.

    If it says that a port is in use and names none, they are the numbers in the command.
    """
    is_taken = False
    lines = output.splitlines()
    found: dict[int, None] = {}
    for number, line in enumerate(lines):
        if _TAKEN.search(line[:2000]):
            is_taken = True
            near = "\n".join(lines[max(0, number - _LINES) : number + _LINES + 1])
            found |= {int(port): None for port in _PORT.findall(near) if 0 < int(port) < 65536}
    given = [int(number) for number in _NUMBER.findall(command[:2000])]
    return list(found or dict.fromkeys(given if is_taken else ()))[:_MOST]


class PortWatch:
    """Finds the ticket in `runs` that listens on a port which another ticket's command wanted."""

    def __init__(self, runs: Mapping[str, TicketRun], accesses: Accesses, session: Session) -> None:
        self._runs = runs
        self._accesses = accesses
        self._session = session
        self._tasks: set[asyncio.Task[None]] = set()

    def read(self, ticket: str, output: str, command: str) -> None:
        """Look up the ports that a command's output says are in use, if any."""
        if ports := ports_in_use(output, command):
            task = asyncio.create_task(self._look_up(ticket, ports))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until all look-ups are done."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _look_up(self, ticket: str, ports: Collection[int]) -> None:
        agents = self._session.providers.agents.roots
        owners = await asyncio.to_thread(_owners, self._session.run, ports, agents)
        for port, owner in owners.items():
            if owner != ticket and owner in self._runs and self._runs[ticket].phase != "ended":
                self._accesses.used(ticket, str(port), [owner], "port")


def _owners(run: str, ports: Collection[int], agents: Mapping[int, str]) -> dict[int, str]:
    """Return the tickets of the run whose processes listen on the ports, by port.

    A process is a ticket's if it has its `TICKET_VARIABLE`, or if one of its parents is in
    `agents`, the processes of installed agents and their tickets.
    """
    owners: dict[int, str] = {}
    for port, process in listeners(ports).items():
        name = variable_of(process, TICKET_VARIABLE) or ""
        ticket = name.removeprefix(f"{run}/") if name.startswith(f"{run}/") else None
        above = (agents[one] for one in parents_of(process) if one in agents)
        if owner := ticket or next(above, None):
            owners[port] = owner
    return owners
