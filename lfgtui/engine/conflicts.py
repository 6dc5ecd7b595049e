"""Two agents in one file: worth a person's look while both still run."""

from collections import defaultdict
from pathlib import Path


class FileTouches:
    """Who changed which file in this run."""

    def __init__(self) -> None:
        self._by_file: defaultdict[Path, list[str]] = defaultdict(list)

    def touched(self, ticket: str, file: Path) -> tuple[str, ...]:
        """Note a change; returns the other tickets that changed the file before.

        Says so once for each pair: a ticket that goes on editing a shared file
        is told nothing new.
        """
        tickets = self._by_file[file]
        if ticket in tickets:
            return ()
        others = tuple(tickets)
        tickets.append(ticket)
        return others
