"""Tickets behind their walls, with all of the engine around them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.availability import Sandboxing
from lfgtui.processes.sandbox.walls import Walls
from lfgtui.settings import paths
from lfgtui.settings.sandbox import SandboxPolicy
from tests.engine.harness import Room, calls, finished, room, ticket
from tests.helpers.checkouts import Checkout, configure_person, make_checkout
from tests.helpers.sandbox import FOUND, walled


@pytest.fixture
def walls(tmp_path: Path) -> Iterator[Walls]:
    hidden = (paths.data_dir(), tmp_path / "data")
    made = Walls(SandboxPolicy(), FOUND, hidden, 10**10)
    yield made
    made.close()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    configure_person(tmp_path, monkeypatch)
    return make_checkout(tmp_path / "project")


@pytest.fixture
def nowhere() -> Walls:
    return Walls(SandboxPolicy(), Sandboxing("", "bubblewrap is not installed"), (), 10**10)


def outputs(made: Room, name: str) -> list[str]:
    return [event.output for event in made.events(name, e.ToolCallFinished)]


@pytest.fixture
def folders(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    (tmp_path / "other").write_text("other")


@walled
@pytest.mark.usefixtures("folders")
async def test_a_command_runs_behind_its_tickets_wall(tmp_path: Path, walls: Walls) -> None:
    look = calls("run_command", {"command": f"cat {tmp_path}/other; ls {tmp_path}/data"})
    tickets = [
        ticket("walled", tmp_path / "a", approve="auto"),
        ticket("bare", tmp_path / "b", approve="auto", sandbox="none"),
    ]
    how = {"scenarios": {"walled": look, "bare": look}, "walls": walls}
    async with finished(tmp_path, tickets, **how) as made:
        assert outputs(made, "walled")[0].count("No such file") == 2
        assert outputs(made, "bare")[0].startswith("otherhistory.db")
        assert made.engine.health.without_sandbox == 1


@walled
async def test_a_worktree_is_worked_in_set_up_and_committed_to(
    checkout: Checkout, tmp_path: Path, walls: Walls
) -> None:
    """It lies in lfg's own folder, which is hidden, as the rest of the repository is."""
    commit = f"git commit -qam agent && git log -1 --format=%s; ls {checkout.folder}"
    does = calls("run_command", {"command": f"echo x >> a.txt; cat made; {commit}"})
    mine = ticket(
        "w", checkout.folder, worktree=True, approve="auto", setup="echo set up > made; id -u"
    )
    async with finished(tmp_path, [mine], scenarios={"w": does}, walls=walls) as made:
        set_up, worked = outputs(made, "w")
        assert set_up.endswith("exit code 0")
        assert worked == "set up\nagent\nexit code 0"  # and no file of the checkout
    assert checkout.git("status", "--porcelain") == ""
    assert checkout.git("log", "-1", "--format=%s", f"lfg/{made.engine.run}/w").strip() == "agent"


async def test_without_a_wall_the_header_says_so_and_commands_ask(
    tmp_path: Path, nowhere: Walls
) -> None:
    look = calls("run_command", {"command": "echo hello"})
    mine: list[Ticket] = [ticket("a", tmp_path, approve="auto")]
    async with room(tmp_path, mine, scenarios={"a": look}, walls=nowhere) as made:
        assert made.engine.health.without_sandbox == 1
        await made.approve("a")
        await made.engine.wait_idle()
        assert outputs(made, "a") == ["hello\nexit code 0"]
    reading = [ticket("a", tmp_path, tools=("read_file",))]
    async with finished(tmp_path / "2", reading, walls=nowhere) as made:
        assert made.engine.health.without_sandbox == 0
