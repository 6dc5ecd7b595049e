"""A simulator that takes a second over an answer, and wires opened by name."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from lfgtui.doctor.diagnose import report
from lfgtui.doctor.examine import Examination, examine
from lfgtui.doctor.findings import Report
from lfgtui.settings.providers import WireName
from lfgtui.simulator.scenario import Scenario, Stall, Turn
from lfgtui.simulator.server import Settings, running
from tests.providers.sdk_wires import open_wire

LINES = "\n".join(f"line {number} of forty" for number in range(40))
# Few and slow enough that a machine that is busy elsewhere for a moment makes no lumps of them.
PACED = Scenario(turn=(Turn(text=LINES[:200]),), rate=110, jitter=0.2, first_token=0.05)
STALL = Stall(300, 3.0, pings=False)
SILENT = Scenario(turn=(Turn(text=LINES, stall=STALL),), rate=900, first_token=0.05)


@pytest.fixture
async def simulator() -> AsyncIterator[str]:
    scenarios = {"paced": PACED, "silent": SILENT}
    async with running(Settings(scenarios=scenarios, require_key="sk-right")) as url:
        yield url


Ask = Callable[..., Awaitable[Report]]


@pytest.fixture
def ask() -> Ask:
    """Examines the server at a root URL."""

    async def ask(
        url: str, wire: WireName = "openai-chat", model: str = "paced", key: str = "sk-right"
    ) -> Report:
        provider = await open_wire(wire, url, key)
        seen = Examination("it", wire, model)
        try:
            await examine(provider, seen)
        finally:
            await provider.aclose()
        return report(seen, has_key=True)

    return ask
