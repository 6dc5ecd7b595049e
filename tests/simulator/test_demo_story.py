"""What the demo's agents say is true of what their tools do.

The six scenarios are played by the simulator for the engine, which carries their
tool calls out in a copy of the seed workspace, in several orders.
"""

import asyncio
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from lfgtui import simulator
from lfgtui.model import events as e
from lfgtui.model.tickets_file import load_tickets
from lfgtui.simulator.scenario import Scenario, load_scenario
from tests.engine.harness import Room, finished

SIMULATOR = Path(simulator.__file__).parent
DEMO = SIMULATOR / "demo"
NAMES = ("pricing", "api-docs", "audit", "migrate", "readme", "changelog")
WIRES = {
    "simulator": "chat",
    "simulator-anthropic": "anthropic",
    "simulator-responses": "responses",
}

# The short sleeps are there to be watched and make nothing more or less true.
_SLEEP = re.compile(r"(\bsleep[ (])0\.\d+")


@dataclass
class Story:
    """One ticket's run: the text of each turn, and the outcome of each tool call."""

    said: list[str] = field(default_factory=list)
    calls: list[e.ToolCallFinished] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "\n".join(call.output for call in self.calls)

    @property
    def errors(self) -> list[str]:
        return [call.error for call in self.calls if call.error is not None]

    @property
    def exit_codes(self) -> list[int]:
        return [call.exit_code for call in self.calls if call.exit_code is not None]


def story_of(room: Room, ticket: str) -> Story:
    story = Story()
    for event in room.events(ticket):
        match event:
            case e.RequestSent():
                story.said.append("")
            case e.TextDelta(text):
                story.said[-1] += text
            case e.ToolCallFinished():
                story.calls.append(event)
            case e.Retrying():
                story.retries.append(event.kind)
    return story


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    shutil.copytree(
        DEMO / "workspace", tmp_path / "work", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path / "work"


def scenarios(folder: Path) -> dict[str, Scenario]:
    """The bundled ones without their sleeps."""
    found = {}
    for file in (SIMULATOR / "scenarios").glob("*.toml"):
        awake = folder / file.name
        awake.write_text(_SLEEP.sub(r"\g<1>0", file.read_text()))
        found[file.stem] = load_scenario(awake)
    return found


async def play(workspace: Path, order: Sequence[str], *, at_once: int = 1) -> dict[str, Story]:
    """Run these tickets, in this order or at once."""
    tickets = {
        t.id: t for t in (await asyncio.to_thread(load_tickets, DEMO / "tickets.toml")).tickets
    }
    chosen = [
        msgspec.structs.replace(
            tickets[name],
            workspace=str(workspace),
            provider=WIRES[str(tickets[name].provider)],
            approve="auto",
        )
        for name in order
    ]
    folder = workspace.parent / "-".join(order)
    folder.mkdir()
    played = await asyncio.to_thread(scenarios, folder)
    async with finished(folder, chosen, scenarios=played, concurrency=at_once) as room:
        assert {room.state(name) for name in order} == {"done"}
        return {name: story_of(room, name) for name in order}


def check_pricing(story: Story) -> None:
    assert story.exit_codes == [1, 0, 0]
    assert not story.errors
    assert "FAILED (failures=1)" in story.output
    assert "AssertionError: 8500 != 8075" in story.output
    assert "Ran 5 tests" in story.output
    printed = dict(re.findall(r"(\d+) mugs at 8\.50: +([\d.]+)", story.output))
    rows = re.findall(r"^\| (\d+) \| \d+ % \| ([\d.]+) \|$", story.said[-1], re.MULTILINE)
    assert len(rows) == 4
    assert all(printed[pieces] == price for pieces, price in rows)


def check_audit(story: Story) -> None:
    assert story.retries == ["overloaded"]
    assert not story.errors
    assert "cart.py:7: " in story.output
    assert len(re.findall(r"raise ", story.calls[1].output)) == 1
    assert "Ran 4 tests" in story.output
    assert "FAILED (failures=2)" in story.output
    totals = re.findall(r"^(\d) x 0\.10 = (\S+)$", story.output, re.MULTILINE)
    assert len(totals) == 8
    assert [n for n, total in totals if len(total) > 4] == ["3", "6", "7"]
    assert "3 x 0.10 = 0.30000000000000004" in story.output
    assert "cart with -2 mugs costs -17.0" in story.output
    assert "5 mugs, -3 taken, left: 8" in story.output
    assert "## Audit" in story.said[-1]


def check_readme(story: Story, *, again: bool = False) -> None:
    assert len(story.errors) == (2 if again else 1)
    assert "docs/README.md" in story.errors[0]
    assert story.exit_codes == [0]
    assert story.calls[-1].output.startswith("17.0 3\n")
    assert story.said[-1].startswith("It prints `17.0 3`")


def check_migrate(story: Story, *, again: bool = False) -> None:
    assert len(story.errors) == (1 if again else 0)
    assert story.exit_codes == [0]
    assert "    pip install .\n" in story.output
    assert again or "pyproject: 0.3.0  package: 0.3.0" in story.output


def check_api_docs(story: Story) -> None:
    assert not story.errors
    assert story.exit_codes == [0]
    assert "1666 cents with tax: 19.99\nOutOfStock: mug\n" in story.output


def check_changelog(story: Story) -> None:
    assert not story.errors
    assert story.exit_codes == [0]
    assert "def bulk_discount" in story.output
    assert "five tests pass" in story.said[1]


def check_rest(stories: dict[str, Story]) -> None:
    check_pricing(stories["pricing"])
    check_audit(stories["audit"])
    check_api_docs(stories["api-docs"])
    check_changelog(stories["changelog"])


def check_files(workspace: Path) -> None:
    readme = (workspace / "README.md").read_text()
    assert "    pip install .\n" in readme
    assert readme.count("It prints `17.0 3`.") == 1
    assert "To be written." not in readme
    for name in ("pyproject.toml", "CHANGELOG.md", "docs/API.md", "tests/test_pricing.py"):
        assert (workspace / name).is_file()


async def test_every_word_of_the_demo_is_true_at_first_and_when_retried(workspace: Path) -> None:
    stories = await play(workspace, NAMES, at_once=8)
    check_readme(stories["readme"])
    check_migrate(stories["migrate"])
    check_rest(stories)
    await asyncio.to_thread(check_files, workspace)
    stories = await play(workspace, NAMES[::-1])
    check_readme(stories["readme"], again=True)
    check_migrate(stories["migrate"], again=True)
    check_rest(stories)
    await asyncio.to_thread(check_files, workspace)


@pytest.mark.parametrize("order", [("readme", "migrate"), ("migrate", "readme")])
async def test_two_edit_the_readme_in_either_order(workspace: Path, order: tuple[str, ...]) -> None:
    stories = await play(workspace, order)
    check_readme(stories["readme"])
    check_migrate(stories["migrate"])


def test_the_tickets_play_the_bundled_scenarios_on_all_three_wires() -> None:
    tickets = load_tickets(DEMO / "tickets.toml").tickets
    assert {ticket.model for ticket in tickets} == set(NAMES)
    assert {ticket.provider for ticket in tickets} == WIRES.keys()


def test_one_of_them_asks_so_that_a_newcomer_meets_the_approval_keys() -> None:
    tickets = load_tickets(DEMO / "tickets.toml").tickets
    asks = [one.id for one in tickets if "ask" in map(one.approval_for, one.tools)]
    assert asks == ["api-docs"]
