"""Servers that lfg runs itself: the simulator and the local model."""

import asyncio

from lfgtui.providers.registry import Starter
from lfgtui.settings.config import LOCAL, PRESETS, SIMULATED, Config
from lfgtui.simulator.local.model import local_model
from lfgtui.simulator.subprocess_server import SubprocessServer


class OwnServers:
    """The simulator and the local model; each starts with the first request to its provider.

    `at_once` is the number of concurrent requests; `starters` is for `Providers`.
    """

    def __init__(self, config: Config, *, at_once: int = 1) -> None:
        self._simulator = embedded_simulator()
        self._local = local_model(config.providers.get(LOCAL, PRESETS[LOCAL]), at_once=at_once)
        self.starters: dict[str, Starter] = {
            **dict.fromkeys(SIMULATED, self._simulator.start),
            LOCAL: self._local.start,
        }

    async def aclose(self) -> None:
        """Stop those that run."""
        await asyncio.gather(self._simulator.aclose(), self._local.aclose())


def embedded_simulator(*options: str) -> SubprocessServer:
    """Return the simulator as a child process; `options` are those of `lfg simulator`."""
    return SubprocessServer("simulator", "lfgtui.simulator", ("--embedded", *options))
