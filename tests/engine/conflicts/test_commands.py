"""What commands change counts as well: files, a port, the branch that is checked out."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from lfgtui.engine.conflicts.accesses import MOST
from lfgtui.engine.conflicts.ports import ports_in_use
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.tools.undo import plan_undo
from lfgtui.workspace.kept import KeptFiles
from tests.acp.agent import Steps
from tests.acp.scripts import call, diff, ended, scripted, shell, write
from tests.engine.acp import mine, working
from tests.engine.harness import Room, finished, room, ticket

from .test_files import HOLD, READ, WRITE, Call, conflicts, held, turns

SERVER = """
import socket, sys, time, pathlib
with socket.create_server(("127.0.0.1", 0)) as server:
    pathlib.Path("port.new").write_text(str(server.getsockname()[1]))
    pathlib.Path("port.new").rename("port")
    while not pathlib.Path("enough").exists():
        time.sleep(0.01)
"""
WANTS = """
import socket, pathlib
port = int(pathlib.Path("port").read_text())
try:
    socket.create_server(("127.0.0.1", port))
except OSError as error:
    print(f"127.0.0.1:{port}: {error.strerror}")
"""


def run(command: str) -> Call:
    return {"name": "run_command", "arguments": {"command": command}}


def waits_for(file: str) -> str:
    return f"while ! [ -e {file} ]; do sleep 0.01; done"


def trusted(name: str, folder: Path) -> Ticket:
    return ticket(name, folder, approve="auto")


def git(folder: Path, *arguments: str) -> None:
    names = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "x").write_text("old\n")
    return folder


async def test_a_command_that_changes_what_another_has_read(
    tmp_path: Path, workspace: Path
) -> None:
    tickets = [held("reads", workspace), trusted("runs", workspace)]
    story = {
        "reads": turns(READ, HOLD),
        "runs": turns(run(waits_for("go")), run("echo new > x; mkdir -p deep; cp -p x deep/z")),
    }
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.until_event("reads", e.ApprovalRequested)
        (workspace / "go").touch()
        await r.until(lambda: conflicts(r, "reads"))
        assert conflicts(r, "reads") == [e.ConflictDetected("x", ("runs",), "stale", "command")]
        assert conflicts(r, "runs") == [e.ConflictDetected("x", ("reads",), "read", "command")]
        await r.approve("reads")
        await r.engine.wait_idle()


async def test_a_file_that_a_command_removes(tmp_path: Path, workspace: Path) -> None:
    tickets = [held("writes", workspace), trusted("runs", workspace)]
    story = {"writes": turns(WRITE, HOLD), "runs": turns(run(waits_for("go")), run("rm x go"))}
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.until_event("writes", e.ApprovalRequested)
        (workspace / "go").touch()
        await r.until(lambda: conflicts(r, "writes"))
        assert conflicts(r, "writes") == [e.ConflictDetected("x", ("runs",), by="command")]
        await r.approve("writes")
        await r.engine.wait_idle()


async def test_of_commands_that_ran_at_once_both_are_named(tmp_path: Path, workspace: Path) -> None:
    tickets = [held("reads", workspace), *(trusted(name, workspace) for name in "ab")]
    story = {
        "reads": turns(READ, HOLD),
        "a": turns(run(f"touch runs; {waits_for('enough')}")),
        "b": turns(run(f"{waits_for('go')}; {waits_for('runs')}; echo new > x; touch enough")),
    }
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.until_event("reads", e.ApprovalRequested)
        (workspace / "go").touch()
        await r.until(lambda: all(r.state(name) == "done" for name in "ab"))
        (told,) = conflicts(r, "reads")
        assert {*told.tickets, *(told.beside or ())} == {"a", "b"}
        assert "while commands ran, including those of" in told.in_words
        (of_a,), (of_b,) = conflicts(r, "a"), conflicts(r, "b")
        assert (of_a.tickets, of_a.beside) == (("reads",), ("b",))
        assert (of_b.tickets, of_b.beside) == (("reads",), ("a",))
        await r.approve("reads")
        await r.engine.wait_idle()


async def test_a_tools_change_is_not_the_commands_that_runs_meanwhile(
    tmp_path: Path, workspace: Path
) -> None:
    tickets = [held("writes", workspace), trusted("runs", workspace)]
    story = {
        "writes": turns(HOLD, WRITE, HOLD),
        "runs": turns(run(f"echo here; {waits_for('enough')}")),
    }
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.until_event("runs", e.ToolOutputDelta)
        await r.approve("writes")
        await r.until(lambda: len(r.events("writes", e.ToolCallFinished)) == 2)
        (workspace / "enough").touch()
        await r.until(lambda: r.state("runs") == "done")
        await r.approve("writes")
        await r.engine.wait_idle()
        assert conflicts(r, "writes") == conflicts(r, "runs") == []


async def test_what_git_ignores_is_nobodys_business(tmp_path: Path, workspace: Path) -> None:
    git(workspace, "init", "-q")
    (workspace / ".gitignore").write_text("*.log\n/build/\n")
    made = "mkdir -p build && echo 1 > build/x && echo 1 > a.log"
    tickets = [trusted(name, workspace) for name in "ab"]
    story = {name: turns(run(made)) for name in "ab"}
    async with finished(tmp_path, tickets, scenarios=story, concurrency=1) as r:
        assert conflicts(r, "b") == []


async def test_two_that_move_the_branch_of_one_work_tree(tmp_path: Path, workspace: Path) -> None:
    git(workspace, "init", "-q", "-b", "main")
    git(workspace, "add", "x")
    git(workspace, "commit", "-q", "-m", "One")
    commit = "git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m Two"
    tickets = [held("commits", workspace), trusted("leaves", workspace)]
    story = {
        "commits": turns(run(commit), HOLD),
        "leaves": turns(run(waits_for("go")), run("git checkout -q -b other")),
    }
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.approve("commits")
        await r.until(lambda: r.engine.transcript("commits").calls.waiting and ran(r, "commits"))
        (workspace / "go").touch()
        await r.until(lambda: conflicts(r, "commits"))
        assert conflicts(r, "leaves") == [e.ConflictDetected("other", ("commits",), "branch")]
        assert conflicts(r, "commits") == [e.ConflictDetected("other", ("leaves",), "branch")]
        await r.approve("commits")
        await r.engine.wait_idle()


def ran(r: Room, ticket: str) -> bool:
    return bool(r.events(ticket, e.ToolCallFinished))


async def test_a_port_that_another_tickets_command_has(tmp_path: Path, workspace: Path) -> None:
    (workspace / "server.py").write_text(SERVER)
    (workspace / "wants.py").write_text(WANTS)
    tickets = [trusted("serves", workspace), trusted("wants", workspace)]
    story = {
        "serves": turns(run("exec python3 server.py")),
        "wants": turns(run(f"{waits_for('port')}; python3 wants.py"), run(waits_for("enough"))),
    }
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.until(lambda: conflicts(r, "wants") and conflicts(r, "serves"))
        port = (workspace / "port").read_text()
        assert conflicts(r, "wants") == [e.ConflictDetected(port, ("serves",), "port")]
        assert conflicts(r, "serves") == [e.ConflictDetected(port, ("wants",), "port")]
        assert conflicts(r, "wants")[0].in_brief == f"port {port} · serves"
        (workspace / "enough").touch()
        await r.engine.wait_idle()


@pytest.mark.parametrize(
    ("output", "ports"),
    [
        ("Error: listen EADDRINUSE: address already in use :::3000\n  port: 3000\n", [3000]),
        ("OSError: [Errno 98] Address already in use: ('127.0.0.1', 8000)\n", [8000]),
        ("Port 5173 is in use, trying another one...\n", [5173]),
        ("Port 8080\nis ready\n", []),
        ("bind: address already in use\n0.0.0.0:99999\n", []),
    ],
)
def test_the_ports_that_an_output_complains_of(output: str, ports: list[int]) -> None:
    assert ports_in_use(output) == ports


def test_a_port_that_the_output_does_not_name_is_in_the_command() -> None:
    taken = "OSError: [Errno 98] Address already in use\n"
    assert ports_in_use(taken, "python3 -m http.server 8765") == [8765]
    assert ports_in_use("ok\n", "python3 -m http.server 8765") == []


async def test_a_command_of_an_installed_agent(tmp_path: Path, workspace: Path) -> None:
    agent = scripted(tmp_path, turns=[[*shell("echo new > x"), ended("run-1", "")]])
    tickets = [held("reads", workspace), mine(workspace, "agent", needs=[])]
    story = {"reads": turns(READ, HOLD)}
    async with working(tmp_path, agent, tickets, scenarios=story, concurrency=1) as r:
        await r.until_event("reads", e.ApprovalRequested)
        await r.until(lambda: conflicts(r, "reads"))
        assert conflicts(r, "reads") == [e.ConflictDetected("x", ("agent",), "stale", "command")]
        await r.approve("reads")
        await r.engine.wait_idle()


async def test_a_file_that_its_ticket_then_formats_with_a_command_can_be_undone(
    tmp_path: Path, workspace: Path
) -> None:
    story = {"a": turns(WRITE, run("echo formatted >> x; echo more > z"))}
    async with finished(tmp_path, [trusted("a", workspace)], scenarios=story) as r:
        kept = KeptFiles.beside(r.history)
        planned = await asyncio.to_thread(plan_undo, kept, r.engine.run, "a")
        steps = {step.path.given: step for step in planned}
        assert (steps["x"].content, steps["x"].refusal) == (b"old\n", "")
        assert steps["z"].is_commands


async def test_what_an_agent_asks_to_change_can_be_undone_and_what_it_just_does_cannot(
    tmp_path: Path, workspace: Path
) -> None:
    (workspace / "y").write_text("was here\n")
    told = diff(str(workspace / "y"), "was here\n", "it is\n")
    unasked: Steps = [
        {"file": {"path": str(workspace / "y"), "text": "it is\n"}},
        *call("edit-1", "Edit y", "edit", {"file_path": str(workspace / "y")}, content=[told]),
        ended("edit-1", "Done."),
    ]
    asked = [*write(workspace / "x", "new\n"), *write(workspace / "z", "z\n", call_id="w2")]
    agent = scripted(tmp_path, turns=[[*asked, *unasked]])
    async with working(tmp_path, agent, [mine(workspace)]) as r:
        await r.approve("a")
        await r.approve("a")
        await r.engine.wait_idle()
        await r.engine.shutdown()
        planned = await asyncio.to_thread(plan_undo, KeptFiles.beside(r.history), r.engine.run, "a")
        steps = {step.path.given: (step.content, step.refusal) for step in planned}
        assert steps == {
            "x": (b"old\n", ""),
            "z": (None, ""),
            "y": (None, "not kept: the agent reported the change only after making it"),
        }


async def test_a_checkout_of_everything_is_told_a_bounded_number_of_times(
    tmp_path: Path, workspace: Path
) -> None:
    for number in range(MOST + 5):
        (workspace / str(number)).write_text("old\n")
    search: Call = {"name": "search_files", "arguments": {"pattern": "old"}}
    tickets = [held("reads", workspace), trusted("runs", workspace)]
    story = {
        "reads": turns(search, HOLD),
        "runs": turns(run(waits_for("go")), run("touch [0-9]*")),
    }
    async with room(tmp_path, tickets, scenarios=story) as r:
        await r.until_event("reads", e.ApprovalRequested)
        (workspace / "go").touch()
        await r.until(lambda: r.state("runs") == "done")
        assert len(conflicts(r, "reads")) == MOST - 1
        assert "too many conflicts; further ones are not shown" in [
            o.message for o in r.events("reads", e.Status)
        ]
        await r.approve("reads")
        await r.engine.wait_idle()
