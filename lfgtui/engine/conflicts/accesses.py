"""The reads and changes of a run's tickets, and the reports of their conflicts.

Each conflict is reported once, to both tickets. A ticket that needs the other gets no report, since
it begins with the other's work; nor does one that ended before.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Literal, NamedTuple, TypeAlias

from msgspec import UNSET, UnsetType

from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.needs import with_needs

Kind: TypeAlias = e.ConflictKind | UnsetType
"""A kind of conflict; UNSET for two tickets that changed the same file."""

Told: TypeAlias = tuple[Kind, str, str, str]
"""A reported conflict: its kind, the file, port or branch, the ticket that got the report, and the
other ticket."""

MOST = 50
"""The report to a ticket that is the last one: it says that there are too many. (Checking out a
branch can change all files.)"""

_ENOUGH = "too many conflicts; further ones are not shown"


class _How(NamedTuple):
    """A change of a thing, as the reports describe it.

    `beside` are other tickets that may have done it instead. `tells_others`: the tickets that it
    conflicts with get a report, too.
    """

    by_command: bool = False
    beside: tuple[str, ...] = ()
    tells_others: bool = True


class Accesses:
    """Accesses to files, by absolute path, ports and branches. `runs` are all tickets, by id."""

    def __init__(self, runs: Mapping[str, TicketRun]) -> None:
        self._runs = runs
        self._writers: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._readers: defaultdict[str, set[str]] = defaultdict(set)
        self._told: set[Told] = set()
        self._counts = Counter[str]()
        """The number of reports, by ticket."""
        self.is_silent = False
        """True while entries of an earlier process are noted: nothing is reported then."""

    @property
    def files(self) -> Collection[str]:
        """Files that were read or changed."""
        return self._writers.keys() | self._readers.keys()

    def recall(self, ticket: str, event: e.ConflictDetected) -> None:
        """Note that the conflict was reported to the ticket before the run was resumed."""
        name = self._absolute(ticket, event)
        self._told |= {(event.kind, name, ticket, other) for other in event.tickets}

    def start_over(self, ticket: str) -> None:
        """Forget what the ticket has read, since it starts over."""
        for readers in self._readers.values():
            readers.discard(ticket)

    def read(self, ticket: str, file: str) -> None:
        """Note that the ticket has read the file, as it is now."""
        self._readers[file].add(ticket)

    def wrote(self, tickets: Sequence[str], file: str, *, by_command: bool = False) -> None:
        """Note that one of the tickets changed the file, and report conflicts.

        If there are several tickets, nobody can tell which of them did it.
        """
        others = [one for one in self._writers[file] if one not in tickets]
        stale = [one for one in self._readers[file] if one not in (*tickets, *others)]
        stale = [one for one in stale if self._runs[one].phase != "ended"]
        for ticket in tickets:
            beside = tuple(one for one in tickets if one != ticket)
            how = _How(by_command, beside, tells_others=ticket == tickets[0])
            self._report(ticket, file, others, (UNSET, UNSET), how)
            self._report(ticket, file, stale, ("read", "stale"), how)
            self._writers[file][ticket] = None

    def used(self, ticket: str, name: str, others: Iterable[str], kind: e.ConflictKind) -> None:
        """Report the use of a port or a branch that the others use too."""
        self._report(ticket, name, others, (kind, kind), _How())

    def _report(
        self, ticket: str, name: str, others: Iterable[str], kinds: tuple[Kind, Kind], how: "_How"
    ) -> None:
        """Report a conflict to the ticket, as `kinds[0]`, and to the others, as `kinds[1]`."""
        unrelated = [one for one in others if not self._is_related(ticket, one)]
        self._tell(ticket, name, unrelated, kinds[0], how)
        for other in unrelated if how.tells_others else ():
            if self._runs[other].phase != "ended":
                self._tell(other, name, (ticket,), kinds[1], how)

    def _tell(self, ticket: str, name: str, others: Iterable[str], kind: Kind, how: "_How") -> None:
        """Emit the report for one ticket, unless it was told before."""
        new = tuple(one for one in others if (kind, name, ticket, one) not in self._told)
        if new and not self.is_silent:
            self._told |= {(kind, name, ticket, one) for one in new}
            self._counts[ticket] += 1
            if self._counts[ticket] >= MOST:
                if self._counts[ticket] == MOST:
                    self._runs[ticket].emit(e.Status(_ENOUGH))
                return
            by: Literal["command"] | UnsetType = "command" if how.by_command else UNSET
            shown = self._shown(ticket, name, kind)
            event = e.ConflictDetected(shown, new, kind, by, how.beside or UNSET)
            self._runs[ticket].emit(event)

    def _is_related(self, one: str, other: str) -> bool:
        """Return True if one of the tickets needs the other, directly or not."""
        by_id = {ticket: run.ticket for ticket, run in self._runs.items()}
        return one in with_needs(by_id, [other]) or other in with_needs(by_id, [one])

    def _shown(self, ticket: str, name: str, kind: Kind) -> str:
        """Return the name as it is stored: a file's is relative to the ticket's folder."""
        folder = self._runs[ticket].transcript.workspace
        is_inside = kind in e.FILE_CONFLICTS and PurePath(name).is_relative_to(folder)
        return str(PurePath(name).relative_to(folder)) if is_inside else name

    def _absolute(self, ticket: str, event: e.ConflictDetected) -> str:
        is_file = event.kind in e.FILE_CONFLICTS
        folder = self._runs[ticket].transcript.workspace
        return str(PurePath(folder, event.path)) if is_file else event.path
