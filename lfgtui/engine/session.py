"""The session: all that a run's tickets share (recorder, providers, limits, circuits, slots)."""

import math
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from lfgtui.engine.admission import Admission
from lfgtui.engine.recovery.limits import Limits
from lfgtui.engine.recovery.recovery import Circuits
from lfgtui.engine.rules import Rules
from lfgtui.engine.slots import Slots
from lfgtui.engine.workspaces import Workspaces
from lfgtui.errors import ProviderError, UsageError
from lfgtui.history.answers import AnswerCache
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.ticket_keys.run_limits import NO_LIMITS, RunLimit, RunLimits
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.walls import Walls
from lfgtui.providers.base import Provider
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.registry import Providers
from lfgtui.settings import paths
from lfgtui.settings.config import Config, programs_of
from lfgtui.text.figures import age_seconds
from lfgtui.text.redactor import Redactor
from lfgtui.workspace.kept import KeptFiles


class InView(Collection[str]):
    """The tickets that somebody can see, on the run's own screen or as a viewer from elsewhere."""

    def __init__(self) -> None:
        self._of: dict[object, frozenset[str]] = {}
        self._union: frozenset[str] = frozenset()

    def watch(self, tickets: Collection[str], viewer: object = None) -> None:
        """Note which tickets the viewer can see from now on; None is the run's own screen."""
        if self._of.get(viewer, frozenset()) != frozenset(tickets):
            self._of[viewer] = frozenset(tickets)
            self._of = {one: seen for one, seen in self._of.items() if seen}
            self._union = frozenset().union(*self._of.values())

    def __contains__(self, ticket: object) -> bool:
        return ticket in self._union

    def __iter__(self) -> Iterator[str]:
        return iter(self._union)

    def __len__(self) -> int:
        return len(self._union)


@dataclass(slots=True, kw_only=True)
class Session:
    """The parts of a run that its tickets share.

    `run` is the run's id. In a `headless` run nobody can be asked. `environment` is added to that
    of commands. What the `redactor` takes out goes neither to the history nor, since requests are
    made from it, to a model. `in_view` are the tickets that people can see just now, whose answers
    are read sooner. The config's `max_memory` is a share of `available_memory` (bytes). Without
    `kept`, changes of files cannot be undone. `run_limits` override those that a resumed run had;
    `run_limit`, set by `RunLimiter`, is the one that was reached and stops the run. `walls` confine
    the tickets' programs; without them nothing does. `worker` is the name of the worker that this
    process is, if it is one.
    """

    run: str
    recorder: Recorder
    config: Config
    providers: Providers
    redactor: Redactor
    headless: bool = False
    in_view: InView = field(default_factory=InView)
    available_memory: int = sys.maxsize
    environment: dict[str, str] = field(default_factory=dict)
    kept: KeptFiles | None = None
    run_limits: RunLimits = NO_LIMITS
    run_limit: RunLimit | None = None
    walls: Walls | None = None
    worker: str | UnsetType = UNSET
    circuits: Circuits = field(init=False)
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    slots: Slots = field(init=False)
    admission: Admission = field(init=False)
    workspaces: Workspaces = field(init=False)

    def __post_init__(self) -> None:
        self.circuits = Circuits(self.config.breaker)
        self.slots = Slots(self.config.concurrency, are_kept=self.config.hold_slot)
        self.workspaces = Workspaces(paths.worktrees_dir(), self.run)
        self.admission = Admission(self.config, self.providers.agents, self.available_memory)

    def lacks_wall(self, ticket: Ticket) -> bool:
        """Return True if the ticket has programs that no wall confines although the run has walls.

        Perhaps no sandbox is available, perhaps the person wants none.
        """
        has_programs = "run_command" in ticket.tools or bool(programs_of(self.config, ticket))
        return has_programs and self.walls is not None and self.walls.of(ticket).wall is None

    def answers_for(self, ticket: Ticket) -> AnswerCache | None:
        """Return the answers that the ticket's equal requests reuse; None if it reuses none.

        Copies reuse none: each is to give an answer of its own.
        """
        own, common = ticket.cache_answers, self.config.cache_answers
        wanted = common if own is None else own
        if wanted is False:
            return None
        age = math.inf if wanted is True else age_seconds(wanted)
        cache = AnswerCache(self.recorder.path, age)
        return cache.unread() if ticket.copy_of else cache

    async def provider(self, name: str) -> Provider:
        """Return the provider; raises `ProviderError` for whatever keeps it from being made."""
        try:
            return await self.providers.get(name)
        except UsageError as error:  # e.g. a key or a header is missing
            raise ProviderError("auth", str(error)) from error
        except (
            Exception
        ) as error:  # from an SDK's import, certificates, or a server that lfg starts
            raise as_provider_error(error) from error
