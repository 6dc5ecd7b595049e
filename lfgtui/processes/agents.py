"""The installed agents that run as processes of this lfg: what they use, and which may be ended.

An agent's memory grows for a while after its start. So each counts with as much as the largest
known one of its provider, and at least `ASSUMED` until one of them has answered or has run for
`GROWTH`: memory that one agent will need is not promised to another.
"""

import asyncio
from collections.abc import Callable, Container, Mapping
from time import monotonic

from lfgtui.model.fold.metrics import AgentUsage
from lfgtui.processes.usage import Usage, usages_of

ASSUMED = 750_000_000
"""Bytes that an agent may need; measured ones took 200 to 750 MB."""

GROWTH = 60.0
"""Seconds after which an agent counts as fully grown even if it has not answered yet."""

PERIOD = 3.0
"""Seconds between two measurements; one takes some milliseconds of a thread."""


class AgentProcess:
    """One agent of a ticket, from before its start until all its processes are gone.

    The provider that starts it (`providers.acp`) sets `root` and calls `spare`.
    """

    def __init__(self, provider: str, ticket: str) -> None:
        self.provider, self.ticket = provider, ticket
        self.root: int | None = None
        """The process below which all its processes run; None before its start."""
        self.usage: AgentUsage | None = None
        self.has_answered = False
        """True once one of its turns has ended."""
        self.spare_since = 0.0
        """Monotonic time of the last call of `spare`."""
        self.is_ending = False
        self._end: Callable[[], object] | None = None
        self._began = monotonic()
        self._seen: tuple[float, float] = (self._began, 0.0)
        """Monotonic time and CPU seconds of the last measurement."""

    @property
    def is_spare(self) -> bool:
        """True while it is idle: ending it would cost only the time of another start."""
        return self._end is not None and not self.is_ending

    def is_grown(self, now: float) -> bool:
        """Return True if it probably uses as much memory as it will need."""
        return self.has_answered or now - self._began >= GROWTH

    def spare(self, end: Callable[[], object] | None) -> None:
        """Note that it is idle, and how to end it; None: it works now."""
        self._end, self.spare_since = end, monotonic()

    def end(self) -> None:
        """Begin to end the agent, if it is spare."""
        if self._end is not None and not self.is_ending:
            self.is_ending = True
            self._end()

    def measured(self, usage: Usage, at: float) -> None:
        """Take a measurement into account."""
        since, cpu = self._seen
        share = (usage.cpu - cpu) / max(at - since, 0.001)
        self.usage, self._seen = AgentUsage(usage.memory, max(0.0, share)), (at, usage.cpu)


class AgentProcesses:
    """All agent processes of this lfg. `on_change` is called when one is gone or figures changed.

    The engine sets it, as more tickets may begin then.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._all: list[AgentProcess] = []
        self._largest: dict[str, int] = {}
        """The most bytes that an agent used, by provider."""
        self._known: set[str] = set()
        """Providers of which a grown agent was measured."""
        self._watch: asyncio.Task[None] | None = None

    @property
    def usage(self) -> Mapping[str, AgentUsage]:
        """The agents' usage, by ticket."""
        sums = dict[str, AgentUsage]()
        for one in self._all:
            if one.usage is not None:
                memory, cpu = sums.get(one.ticket, AgentUsage(0, 0.0))
                sums[one.ticket] = AgentUsage(memory + one.usage.memory, cpu + one.usage.cpu)
        return sums

    @property
    def roots(self) -> Mapping[int, str]:
        """The processes below which the agents run, with their tickets."""
        return {one.root: one.ticket for one in self._all if one.root is not None}

    @property
    def prepared(self) -> int:
        """The number of agents started for tickets that have not begun."""
        return sum(one.is_spare and not one.has_answered for one in self._all)

    def has(self, provider: str, ticket: str) -> bool:
        """Return True if the ticket's agent runs, or is being started."""
        of_ticket = (one for one in self._all if one.ticket == ticket)
        return any(one.provider == provider and not one.is_ending for one in of_ticket)

    def need(self, provider: str) -> int:
        """Return the bytes to be set aside for an agent of that provider."""
        least = 0 if provider in self._known else ASSUMED
        return max(least, self._largest.get(provider, 0))

    def set_aside(self, *, ending: bool = True) -> int:
        """Return the bytes set aside for all agents; without `ending`, not for those that end."""
        counted = [one for one in self._all if ending or not one.is_ending]
        return sum(self.need(one.provider) for one in counted)

    def begin(self, provider: str, ticket: str) -> AgentProcess:
        """Return a new agent that is about to be started; call `gone` in the end."""
        process = AgentProcess(provider, ticket)
        self._all.append(process)
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_watch())
        return process

    def gone(self, process: AgentProcess) -> None:
        """Forget an agent that has no process left; a second call changes nothing."""
        if process in self._all:
            self._all.remove(process)
            if not self._all and self._watch is not None:
                self._watch.cancel()
                self._watch = None
            self.on_change()

    async def answered(self, process: AgentProcess) -> None:
        """Note that a turn ended; the first agent of a provider is then measured at once."""
        process.has_answered = True
        if process.provider not in self._known:
            await self._measure()

    def free(self, memory: int, kept: Container[tuple[str, str]]) -> None:
        """End spare agents of `memory` bytes in all, longest idle first.

        None of those in `kept` is ended: pairs of a ticket and its provider.
        """
        spare = [one for one in self._all if one.is_spare]
        spare.sort(key=lambda one: one.spare_since)
        for one in spare:
            if memory > 0 and (one.ticket, one.provider) not in kept:
                memory -= self.need(one.provider)
                one.end()

    def end_spare(self, ticket: str) -> None:
        """End the ticket's idle agents."""
        for one in self._all:
            if one.ticket == ticket and one.is_spare:
                one.end()

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            before = len(self._known), _rounded(self.usage)
            await self._measure()
            if (len(self._known), _rounded(self.usage)) != before:
                self.on_change()

    async def _measure(self) -> None:
        """Measure all agents that run, in a thread."""
        roots = [one.root for one in self._all if one.root is not None]
        found = await asyncio.to_thread(usages_of, roots)
        at = monotonic()
        for one in self._all:
            if one.root is None or (usage := found.get(one.root)) is None:
                continue  # it is being started, or is gone
            one.measured(usage, at)
            self._largest[one.provider] = max(self._largest.get(one.provider, 0), usage.memory)
            if one.is_grown(at):
                self._known.add(one.provider)


def _rounded(usage: Mapping[str, AgentUsage]) -> Mapping[str, tuple[int, int]]:
    """Return the usage about as it is shown, so that equal figures paint nothing."""
    return {ticket: (one.memory // 10**7, round(one.cpu * 100)) for ticket, one in usage.items()}
