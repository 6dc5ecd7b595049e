"""A simulator in the test's own loop, and scenarios written in the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from lfgtui.simulator.scenario import Scenario, load_scenario
from lfgtui.simulator.server import Settings, running

LoadScenario = Callable[[str], Awaitable[Scenario]]
Serve = Callable[[str], AbstractAsyncContextManager[httpx2.AsyncClient]]

TWO_TURNS = r"""
[[turn]]
reasoning = "First I think about é, \\ and \"quotes\"."
text = "I will look: **é** and 漢字."
[[turn.call]]
name = "read_file"
arguments = { path = "a \"b\" \\ é\n.md", line = 12345, deep = { list = [1, 2.5, true] } }
[[turn.call]]
name = "list_files"

[[turn]]
reasoning = "Second thoughts."
text = "Done."
[turn.when_failed]
reasoning = "Second thoughts."
text = "It failed."

[[follow_up]]
text = "Gladly."
"""


@pytest.fixture
def scenario(tmp_path: Path) -> LoadScenario:
    """Reads a scenario from text."""

    def load(text: str) -> Scenario:
        path = tmp_path / "scenario.toml"
        path.write_text(text, encoding="utf-8")
        return load_scenario(path)

    return lambda text: asyncio.to_thread(load, text)


@pytest.fixture
async def url(scenario: LoadScenario) -> AsyncIterator[str]:
    """A simulator without waiting that knows `two-turns`."""
    settings = Settings(speed=0, scenarios={"two-turns": await scenario(TWO_TURNS)})
    async with running(settings) as root:
        yield root


@pytest.fixture
def serve(scenario: LoadScenario) -> Serve:
    """A client of a simulator without waiting, whose model `m` plays the scenario."""

    @asynccontextmanager
    async def serve(text: str) -> AsyncIterator[httpx2.AsyncClient]:
        settings = Settings(speed=0, scenarios={"m": await scenario(text)})
        async with running(settings) as url, httpx2.AsyncClient(base_url=url) as http:
            yield http

    return serve
