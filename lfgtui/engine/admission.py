"""Admission: which tickets may begin, as far as their provider and the memory go.

It comes before the slots. A ticket that is held back keeps no slot, so tickets of other providers
overtake it; and no ticket with a slot waits for memory, so one always goes on. An agent that has a
process goes on with it; any other ticket of such a provider needs room for one more process, except
the first, which may always begin. Idle processes are ended to make room.
"""

from collections.abc import Mapping

from lfgtui.processes.agents import AgentProcesses
from lfgtui.settings.config import Config
from lfgtui.text import figures
from lfgtui.text.figures import memory_bytes

MOST_PREPARED = 2
"""Most agents that are started before their tickets begin."""


class Admission:
    """The bounds of a run. `available` is the memory that the machine can spare, in bytes."""

    def __init__(self, config: Config, agents: AgentProcesses, available: int) -> None:
        self._config = config
        self._agents = agents
        self._most = memory_bytes(config.max_memory, available)

    def is_bounded(self, provider: str) -> bool:
        """Return True if tickets may have to wait for room at the provider."""
        config = self._config.provider(provider)
        return config.concurrency is not None or bool(config.command)

    def refusal(self, ticket: str, provider: str, working: Mapping[str, str]) -> str:
        """Return what the ticket must wait for; "" if it may begin.

        `working` are the tickets with a slot, and the provider of each.
        """
        config = self._config.provider(provider)
        at_work = sum(one == provider for one in working.values())
        if config.concurrency is not None and at_work >= config.concurrency:
            return f"a slot at {provider} ({at_work} of {config.concurrency} in use)"
        if not config.command or self._agents.has(provider, ticket):
            return ""
        need, used = self._agents.need(provider), self._set_aside(working)
        if not used or used + need <= self._most:
            return ""
        still_used = self._set_aside(working, ending=False)
        self._agents.free(still_used + need - self._most, kept=working.items())
        size = figures.memory(self._most)
        in_use = figures.memory(used)
        return f"memory ({in_use.removesuffix(size[-3:])} of {size} set aside for agents)"

    def may_prepare(
        self, ticket: str, provider: str, working: Mapping[str, str], *, is_next: bool
    ) -> bool:
        """Return True if the provider may get ready for the ticket, which has no slot yet.

        Agents are started while there is memory. A connection to a server is opened for the next
        ticket alone: servers close connections that are not used for long.
        """
        if not self._config.provider(provider).command:
            return is_next
        if self._agents.has(provider, ticket):
            return False
        free = self._most - self._set_aside(working)
        return self._agents.prepared < MOST_PREPARED and self._agents.need(provider) <= free // 2

    def _set_aside(self, working: Mapping[str, str], *, ending: bool = True) -> int:
        """Return the bytes of all running processes and of those about to be started."""
        starting = (
            self._agents.need(provider)
            for ticket, provider in working.items()
            if self._config.provider(provider).command and not self._agents.has(provider, ticket)
        )
        return self._agents.set_aside(ending=ending) + sum(starting)
