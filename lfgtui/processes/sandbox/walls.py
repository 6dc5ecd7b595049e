"""The walls of a run: which of its tickets have one, and what their programs may use."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lfgtui.model.tickets import NO_SANDBOX, Ticket
from lfgtui.processes.limits import NO_LIMITS, ProcessLimits
from lfgtui.processes.private_folder import PrivateFolder
from lfgtui.processes.sandbox.availability import Sandboxing
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.settings.sandbox import SandboxPolicy
from lfgtui.text.figures import memory_bytes


class Confinement(NamedTuple):
    """The wall around a ticket's programs, and their limits.

    `missing` is the reason why there is no wall although there should be: a person then decides on
    each command.
    """

    wall: Wall | None = None
    missing: str = ""
    limits: ProcessLimits = NO_LIMITS

    @property
    def of_agent(self) -> "Confinement":
        """The confinement of a whole agent: with the network, and wider limits."""
        limits = replace(self.limits, cpu=None, memory=None)
        wall = self.wall and replace(self.wall, network=True, may_nest=True)
        return self._replace(wall=wall, limits=limits)

    @property
    def description(self) -> str:
        """The limits of commands, in a few words, for the person; "" if it is `UNCONFINED`."""
        if self.wall is not None:
            return self.wall.description
        return "" if self == UNCONFINED else NO_SANDBOX


UNCONFINED = Confinement()
"""No wall and no limits: for programs about which nothing was decided."""


class Walls:
    """The walls of one run. `close` removes the folders private to its commands.

    `found` says if there can be any. `hidden` are paths of lfg's own; `memory` is the available
    memory, in bytes. No command runs past the `deadline`. Blocks on the disk.
    """

    def __init__(
        self,
        policy: SandboxPolicy,
        found: Sandboxing,
        hidden: Sequence[Path],
        memory: int,
        deadline: SharedDeadline | None = None,
    ) -> None:
        self._mode = policy.mode
        self._missing = found.reason
        self._limits = ProcessLimits(
            cpu=policy.cpu_seconds,
            memory=memory_bytes(policy.memory, memory),
            processes=policy.processes,
            file_size=memory_bytes(policy.file_size, 0),
            deadline=deadline,
        )
        self._private = PrivateFolder() if found.program else None
        self._usual = Wall(
            found.program,
            Path("/"),
            home=_home(),
            network=policy.network,
            readable=_paths(policy.readable),
            writable=_paths(policy.writable),
            hidden=tuple(path.absolute().resolve() for path in hidden),
            may_nest=not found.can_forbid_nesting,
            has_sizes=found.has_sizes,
        )

    def of(self, ticket: Ticket, workspace: str = "", worktree: str = "") -> Confinement:
        """Return the confinement of the ticket's programs.

        `workspace` is its present one, `worktree` the top folder of lfg's worktree around that.
        """
        if (ticket.sandbox or self._mode) == "none":
            return Confinement(limits=self._limits)
        if self._private is None:
            return Confinement(missing=self._missing, limits=self._limits)
        wall = replace(
            self._usual,
            workspace=Path(workspace or ticket.workspace),
            network=self._usual.network if ticket.network is None else ticket.network,
            worktree=Path(worktree) if worktree else None,
            private=self._private.path / f"ticket-{ticket.id}",
        )
        trees = [worktree] if worktree else []
        wall = wall.with_paths(_paths(ticket.readable), _paths([*ticket.writable, *trees]))
        return Confinement(wall, limits=self._limits)

    def close(self) -> None:
        """Delete the temporary folders and the homes of all tickets."""
        if self._private is not None:
            self._private.close()


def _home() -> Path:
    try:
        return Path.home().resolve()
    except RuntimeError:  # the user has no home folder
        return Path("/nonexistent")


def _paths(names: Sequence[str]) -> tuple[Path, ...]:
    return tuple(Path(name).expanduser() for name in names)
