"""What the demo's agents say is true of what their tools do.

The six scenarios are played by the simulator and their tool calls carried out
in a copy of the seed workspace, as the agent loop would, in several orders.
"""

import asyncio
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lfgtui import simulator
from lfgtui.model.tickets import Ticket, load_tickets
from lfgtui.simulator.server import Settings, running
from lfgtui.tools import TOOLS, ToolLimits, ToolOutcome, run_tool

DEMO = Path(simulator.__file__).parent / "demo"
NAMES = ("pricing", "api-docs", "audit", "migrate", "readme", "changelog")

# The short sleeps are there to be watched and make nothing more or less true.
_SLEEP = re.compile(r"(\bsleep[ (])0\.\d+")


@dataclass
class Agent:
    """One ticket on its way: what was said, and what each tool call came to."""

    ticket: Ticket
    workspace: Path
    http: httpx2.AsyncClient
    messages: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    calls: list[tuple[str, ToolOutcome]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    done: bool = False

    async def turn(self) -> None:
        if not self.messages:
            self.messages.append({"role": "user", "content": self.ticket.prompt})
        offered = [
            {"type": "function", "function": {"name": t.name, "parameters": t.parameters}}
            for t in TOOLS.values()
        ]
        body = {"model": self.ticket.model, "messages": self.messages, "tools": offered}
        response = await self.http.post("/v1/chat/completions", json=body)
        self.statuses.append(response.status_code)
        if response.status_code != 200:
            return
        message = response.json()["choices"][0]["message"]
        self.messages.append(message)
        self.said.append(message["content"])
        self.done = "tool_calls" not in message
        for call in message.get("tool_calls", ()):
            await self.run(call["id"], call["function"])

    async def run(self, call_id: str, function: dict[str, str]) -> None:
        arguments = json.loads(function["arguments"])
        if "command" in arguments:
            arguments["command"] = _SLEEP.sub(r"\g<1>0", arguments["command"])
        outcome = await run_tool(
            function["name"],
            arguments,
            self.workspace,
            on_output=lambda channel, text: None,
            limits=ToolLimits(),
        )
        self.calls.append((function["name"], outcome))
        result = {"role": "tool", "tool_call_id": call_id, "content": outcome.output}
        self.messages.append(result)

    async def finish(self) -> None:
        while not self.done:
            await self.turn()

    @property
    def output(self) -> str:
        return "\n".join(outcome.output for _, outcome in self.calls)

    @property
    def errors(self) -> list[str]:
        return [f"{name}: {o.error}" for name, o in self.calls if o.error is not None]

    @property
    def exit_codes(self) -> list[int | None]:
        return [outcome.exit_code for name, outcome in self.calls if name == "run_command"]


def seed(tmp_path: Path) -> Path:
    workspace = tmp_path / "scratch"
    shutil.copytree(DEMO / "workspace", workspace, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(DEMO / "tickets.toml", workspace)
    return workspace


async def agents_in(workspace: Path, http: httpx2.AsyncClient) -> dict[str, Agent]:
    file = await asyncio.to_thread(load_tickets, workspace / "tickets.toml")
    return {ticket.id: Agent(ticket, workspace, http) for ticket in file.tickets}


async def play(workspace: Path, order: Sequence[str], *, together: bool) -> dict[str, Agent]:
    async with running(Settings(speed=0)) as url, httpx2.AsyncClient(base_url=url) as http:
        agents = await agents_in(workspace, http)
        free = [agents[name] for name in order if not agents[name].ticket.needs]
        if together:
            await asyncio.gather(*(agent.finish() for agent in free))
        for name in (*(agent.ticket.id for agent in free), *order):
            await agents[name].finish()
        return agents


def check_pricing(agent: Agent) -> None:
    assert agent.exit_codes == [1, 0, 0]
    assert not agent.errors
    assert "FAILED (failures=1)" in agent.output
    assert "AssertionError: 8500 != 8075" in agent.output
    assert "Ran 5 tests" in agent.output
    printed = dict(re.findall(r"(\d+) mugs at 8\.50: +([\d.]+)", agent.output))
    rows = re.findall(r"^\| (\d+) \| \d+ % \| ([\d.]+) \|$", agent.said[-1], re.MULTILINE)
    assert len(rows) == 4
    assert all(printed[pieces] == price for pieces, price in rows)


def check_audit(agent: Agent) -> None:
    assert agent.statuses[:2] == [503, 200]
    assert not agent.errors
    assert "cart.py:7: " in agent.output
    assert len(re.findall(r"raise ", agent.calls[1][1].output)) == 1
    assert "Ran 4 tests" in agent.output
    assert "FAILED (failures=2)" in agent.output
    totals = re.findall(r"^(\d) x 0\.10 = (\S+)$", agent.output, re.MULTILINE)
    assert len(totals) == 8
    assert [n for n, total in totals if len(total) > 4] == ["3", "6", "7"]
    assert "3 x 0.10 = 0.30000000000000004" in agent.output
    assert "cart with -2 mugs costs -17.0" in agent.output
    assert "5 mugs, -3 taken, left: 8" in agent.output
    assert "## Audit" in agent.said[-1]


def check_readme(agent: Agent, *, again: bool = False) -> None:
    assert len(agent.errors) == (2 if again else 1)
    assert "docs/README.md" in agent.errors[0]
    assert agent.exit_codes == [0]
    assert agent.calls[-1][1].output.startswith("17.0 3\n")
    assert agent.said[-1].startswith("It prints `17.0 3`")


def check_migrate(agent: Agent, *, again: bool = False) -> None:
    assert len(agent.errors) == (1 if again else 0)
    assert agent.exit_codes == [0]
    assert "    pip install .\n" in agent.output
    assert again or "pyproject: 0.3.0  package: 0.3.0" in agent.output


def check_api_docs(agent: Agent) -> None:
    assert not agent.errors
    assert agent.exit_codes == [0]
    assert "1666 cents with tax: 19.99\nOutOfStock: mug\n" in agent.output


def check_changelog(agent: Agent) -> None:
    assert not agent.errors
    assert agent.exit_codes == [0]
    assert "def bulk_discount" in agent.output
    assert "five tests pass" in agent.said[1]


def check_rest(agents: dict[str, Agent]) -> None:
    check_pricing(agents["pricing"])
    check_audit(agents["audit"])
    check_api_docs(agents["api-docs"])
    check_changelog(agents["changelog"])


def check_files(workspace: Path) -> None:
    readme = (workspace / "README.md").read_text()
    assert "    pip install .\n" in readme
    assert readme.count("It prints `17.0 3`.") == 1
    assert "To be written." not in readme
    for name in ("pyproject.toml", "CHANGELOG.md", "docs/API.md", "tests/test_pricing.py"):
        assert (workspace / name).is_file()


async def test_every_word_of_the_demo_is_true_at_first_and_when_tried_again(
    tmp_path: Path,
) -> None:
    workspace = await asyncio.to_thread(seed, tmp_path)
    agents = await play(workspace, NAMES, together=True)
    check_readme(agents["readme"])
    check_migrate(agents["migrate"])
    check_rest(agents)
    await asyncio.to_thread(check_files, workspace)
    agents = await play(workspace, NAMES[::-1], together=False)
    check_readme(agents["readme"], again=True)
    check_migrate(agents["migrate"], again=True)
    check_rest(agents)
    await asyncio.to_thread(check_files, workspace)


@pytest.mark.parametrize("order", [("readme", "migrate"), ("migrate", "readme")])
async def test_two_tickets_edit_the_readme_in_either_order(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    workspace = await asyncio.to_thread(seed, tmp_path)
    agents = await play(workspace, order, together=False)
    check_readme(agents["readme"])
    check_migrate(agents["migrate"])


def test_the_tickets_play_the_bundled_scenarios_on_all_three_wires() -> None:
    tickets = load_tickets(DEMO / "tickets.toml").tickets
    assert {ticket.model for ticket in tickets} == set(NAMES)
    assert {ticket.provider for ticket in tickets} == {
        "simulator",
        "simulator-anthropic",
        "simulator-responses",
    }
