"""run_command: real shells, and proof that nothing of theirs outlives the call."""

import asyncio
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from lfgtui.tools import Channel, ToolLimits, ToolOutcome, run_tool, supervisor
from lfgtui.tools.programs import command_environment

from .conftest import Leash

QUICK = ToolLimits(grace_seconds=0.2, drain_seconds=0.1)
LONG = 600
"""Seconds that a command would sleep if nobody stopped it."""

STOPPED = "[what it left in the background was stopped]"


class Screen:
    """What is shown while a command runs; `seen` waits for a text to appear."""

    def __init__(self) -> None:
        self.pieces: list[tuple[Channel, str]] = []
        self._changed = asyncio.Event()

    def __call__(self, channel: Channel, text: str) -> None:
        self.pieces.append((channel, text))
        self._changed.set()

    def text(self, channel: Channel) -> str:
        return "".join(text for name, text in self.pieces if name == channel)

    async def seen(self, wanted: str) -> None:
        while wanted not in self.text("stdout"):
            self._changed.clear()
            await self._changed.wait()


async def run(
    workspace: Path,
    command: str,
    *,
    screen: Screen | None = None,
    limits: ToolLimits = QUICK,
    environment: dict[str, str] | None = None,
    secrets: frozenset[str] = frozenset(),
    **arguments: object,
) -> ToolOutcome:
    return await run_tool(
        "run_command",
        {"command": command, **arguments},
        workspace,
        on_output=screen or Screen(),
        limits=limits,
        environment=environment,
        secrets=secrets,
    )


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("echo out; exit 3", ToolOutcome("out\nexit code 3", None, 3)),
        ("printf end", ToolOutcome("end\nexit code 0", None, 0)),
        (r"printf '\377\n'", ToolOutcome("\ufffd\nexit code 0", None, 0)),
        ("kill -SEGV $$", ToolOutcome("killed by SIGSEGV, exit code -11", None, -11)),
        ("cat", ToolOutcome("exit code 0", None, 0)),  # there is no input
    ],
)
async def test_a_command_ends_with_its_output_and_its_exit_code(
    workspace: Path, command: str, outcome: ToolOutcome
) -> None:
    assert await run(workspace, command) == outcome


async def test_the_two_channels_are_shown_apart_and_told_together(workspace: Path) -> None:
    screen = Screen()
    outcome = await run(workspace, "echo out; echo err >&2", screen=screen)
    assert (screen.text("stdout"), screen.text("stderr")) == ("out\n", "err\n")
    assert sorted(outcome.output.split("\n")) == ["err", "exit code 0", "out"]


async def test_output_is_shown_while_the_command_still_runs(workspace: Path) -> None:
    """A character whose bytes come apart is whole."""
    os.mkfifo(workspace / "gate")
    screen = Screen()
    command = r"printf 'first\n\303'; read line < gate; printf '\251'; echo $line"
    running = asyncio.ensure_future(run(workspace, command, screen=screen))
    await screen.seen("first\n")
    assert not running.done()
    await asyncio.to_thread((workspace / "gate").write_text, "second\n")
    assert (await running).output == "first\nésecond\nexit code 0"
    assert screen.text("stdout") == "first\nésecond\n"


async def test_it_runs_in_the_workspace(workspace: Path) -> None:
    await run(workspace, "touch here")
    assert "here" in await asyncio.to_thread(os.listdir, workspace)


async def test_a_command_that_does_not_exist_is_the_shells_business(workspace: Path) -> None:
    outcome = await run(workspace, "no-such-program-at-all")
    assert (outcome.error, outcome.exit_code) == (None, 127)
    assert "not found" in outcome.output


@pytest.mark.parametrize(
    "command", ["a\0b", "\ud800", "x" * 3_000_000], ids=("nul", "surrogate", "long")
)
async def test_a_command_that_cannot_be_started_is_an_error(workspace: Path, command: str) -> None:
    outcome = await run(workspace, command)
    assert outcome.error is not None
    assert "cannot be started" in outcome.error
    assert outcome.exit_code is None


async def test_after_its_time_it_is_stopped_and_what_it_said_is_kept(workspace: Path) -> None:
    outcome = await run(workspace, f"echo partial; sleep {LONG}", timeout=0.3)
    assert (
        outcome.error == "stopped after 0.3 s; give a longer timeout (at most 600) if it needs one"
    )
    assert outcome.output == f"partial\n[{outcome.error}]\nkilled by SIGTERM, exit code -15"
    assert outcome.exit_code == -15


async def test_it_may_put_things_in_order_when_its_time_is_up(workspace: Path) -> None:
    command = f"trap 'echo bye; exit 7' TERM; sleep {LONG} & wait"
    limits = ToolLimits(command_seconds=0.3, grace_seconds=10, drain_seconds=0.1)
    outcome = await run(workspace, command, limits=limits)
    assert outcome.output.startswith("bye\n")
    assert outcome.exit_code == 7


async def test_what_ignores_sigterm_is_killed(workspace: Path, leash: Leash) -> None:
    command = f"exec 3>leash; trap '' TERM; (trap '' TERM; sleep {LONG}); sleep {LONG}"
    outcome = await run(workspace, command, timeout=0.3)
    assert outcome.exit_code == -9
    await asyncio.to_thread(leash.wait_until_free)


async def test_nobody_gets_more_time_than_there_is(workspace: Path) -> None:
    limits = ToolLimits(longest_command_seconds=0.2, grace_seconds=0.2)
    outcome = await run(workspace, f"sleep {LONG}", timeout=LONG, limits=limits)
    assert outcome.error is not None
    assert outcome.error.startswith("stopped after 0.2 s")


async def test_a_cancelled_command_takes_its_grandchildren_with_it(
    workspace: Path, leash: Leash
) -> None:
    screen = Screen()
    command = (
        f"exec 3>leash; bash -c 'bash -c \"trap : TERM INT HUP; echo ready; sleep {LONG}\" & wait'"
    )
    running = asyncio.ensure_future(run(workspace, command, screen=screen))
    await screen.seen("ready\n")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(leash.wait_until_free)


@pytest.mark.parametrize("is_impatient", [False, True])
@pytest.mark.parametrize("steps", range(8))
async def test_it_can_be_cancelled_at_any_moment_of_its_start_and_is_gone(
    workspace: Path, steps: int, is_impatient: bool
) -> None:
    running = asyncio.ensure_future(run(workspace, f"sleep {LONG}; : {workspace}"))
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    while is_impatient and not running.done():
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not await asyncio.to_thread(processes_about, workspace)


def processes_about(workspace: Path) -> list[str]:
    """Process ids with the workspace in their command line; none where there is no /proc."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(workspace) in line.read_bytes():
                found.append(line.parent.name)
    return found


@pytest.mark.parametrize("elsewhere", ["", ">/dev/null 2>&1"], ids=["loud", "silent"])
async def test_a_child_in_the_background_neither_hangs_the_call_nor_outlives_it(
    workspace: Path, leash: Leash, elsewhere: str
) -> None:
    outcome = await run(workspace, f"exec 3>leash; sleep {LONG} {elsewhere} & echo started")
    assert outcome.output == f"started\n{STOPPED}\nexit code 0"
    await asyncio.to_thread(leash.wait_until_free)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor as on a system with neither /proc nor prctl."""
    source = Path(supervisor.__file__).read_text()
    for linux in ("/proc/self", "linux"):
        assert f'"{linux}"' in source
        source = source.replace(f'"{linux}"', '"elsewhere"')
    changed = tmp_path / "elsewhere.py"
    changed.write_text(source)
    monkeypatch.setattr(supervisor, "__file__", str(changed))


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        (f"sleep {LONG} & echo a", f"a\n{STOPPED}\nexit code 0"),
        (f"echo a; sleep {LONG}; true", "a\n[stopped after 0.3 s; .*]\nkilled by SIGTERM, .*"),
        (f"trap '' TERM; echo a; sleep {LONG}; sleep {LONG}", "a\n[stopped after .*SIGKILL, .*"),
    ],
    ids=("background", "time", "deaf"),
)
async def test_without_proc_the_process_group_is_stopped(
    workspace: Path, leash: Leash, command: str, told: str
) -> None:
    outcome = await run(workspace, f"exec 3>leash; {command}", timeout=0.3)
    assert re.fullmatch(told.replace("[", "\\["), outcome.output, re.DOTALL)
    await asyncio.to_thread(leash.wait_until_free)


ESCAPES = {
    "its own session": f"setsid sleep {LONG} >/dev/null 2>&1",
    "double fork": f"(setsid sh -c 'sleep {LONG} & sleep {LONG} &' >/dev/null 2>&1 &)",
    "stopped": f"setsid sh -c 'kill -STOP $$; sleep {LONG}' >/dev/null 2>&1",
    "deaf": "setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 9; done' >/dev/null 2>&1",
    "forking": "setsid sh -c 'f() { sleep 0.01; f & }; f' >/dev/null 2>&1",
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
async def test_what_leaves_its_session_is_stopped_too(
    workspace: Path, leash: Leash, escape: str
) -> None:
    outcome = await run(workspace, f"exec 3>leash; {escape} & echo started; sleep 0.1")
    assert outcome.output == f"started\n{STOPPED}\nexit code 0"
    await asyncio.to_thread(leash.wait_until_free)


async def test_what_left_its_session_ends_with_the_time_and_with_a_cancellation(
    workspace: Path, leash: Leash
) -> None:
    command = f"exec 3>leash; setsid sleep {LONG} & echo started; wait"
    outcome = await run(workspace, command, timeout=1.0)
    assert "stopped after 1 s" in str(outcome.error)
    await asyncio.to_thread(leash.wait_until_free)
    screen = Screen()
    running = asyncio.create_task(run(workspace, command, screen=screen))
    await screen.seen("started")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(leash.wait_until_free)


async def test_a_command_that_kills_its_supervisor_is_said_to_have_left_something(
    workspace: Path, leash: Leash
) -> None:
    outcome = await run(workspace, f"exec 3>leash; echo a; kill -9 $PPID; sleep {LONG}")
    told = "the command's supervisor was killed: what it started may still be running"
    assert f"[{told}]" in outcome.output
    assert outcome.error == told
    await asyncio.to_thread(leash.wait_until_free)


async def test_a_supervisor_that_can_not_start_is_an_error(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when lfg is being replaced by another version while it runs."""
    monkeypatch.setattr(supervisor, "__file__", str(workspace / "gone.py"))
    outcome = await run(workspace, "echo a")
    assert outcome.error is not None
    assert "cannot be started" in outcome.error and "gone.py" in outcome.error


async def test_one_commands_end_is_not_anothers(workspace: Path) -> None:
    os.mkfifo(workspace / "go")
    os.mkfifo(workspace / "done")
    orphan = "setsid sh -c 'read x < go; echo late >&3; echo > done' 3>&1 >/dev/null 2>&1"
    screen = Screen()
    slow = asyncio.create_task(
        run(workspace, f"({orphan} &); echo ready; read x < done; echo end", screen=screen)
    )
    await screen.seen("ready")
    short = f"(setsid sleep {LONG} &) >/dev/null 2>&1; echo short"
    others = await asyncio.gather(*(run(workspace, short) for _ in range(3)))
    assert [one.output for one in others] == [f"short\n{STOPPED}\nexit code 0"] * 3
    await asyncio.to_thread((workspace / "go").write_text, "\n")
    assert (await slow).output.startswith("ready\nlate\nend\n")


IN_A_PROCESS = """
import asyncio, sys
from pathlib import Path
from lfgtui.tools import ToolLimits, run_tool

command = {"command": sys.argv[2]}
show = lambda channel, text: print(text, end="", flush=True)
asyncio.run(
    run_tool("run_command", command, Path(sys.argv[1]), on_output=show, limits=ToolLimits())
)
"""


def test_a_killed_lfg_takes_its_commands_with_it(workspace: Path, leash: Leash) -> None:
    command = f"exec 3>leash; (setsid sleep {LONG} &); echo started; sleep {LONG}"
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_PROCESS, str(workspace), command],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()
        leash.wait_until_free()


async def test_a_long_output_is_told_from_both_ends_and_shown_up_to_a_bound(
    workspace: Path,
) -> None:
    screen = Screen()
    limits = ToolLimits(output_characters=1_000, live_characters=500)
    outcome = await run(workspace, "seq 100000; exit 4", screen=screen, limits=limits)
    assert outcome.output.startswith("1\n2\n3\n")
    assert "characters left out" in outcome.output
    assert outcome.output.endswith("99999\n100000\nexit code 4")
    assert len(outcome.output) < 1_100
    shown = screen.text("stdout")
    assert shown.startswith("1\n2\n3\n")
    assert shown.endswith("[there is more output; it is not shown here]\n")
    assert len(shown) < 600


async def test_a_flood_without_end_is_stopped(workspace: Path, leash: Leash) -> None:
    limits = ToolLimits(output_characters=1_000, command_bytes=2_000_000)
    outcome = await run(workspace, "exec 3>leash; yes | cat", limits=limits)
    assert outcome.error is not None
    assert outcome.error.startswith("stopped because it printed more than 2,000,000 bytes")
    assert len(outcome.output) < 1_400
    await asyncio.to_thread(leash.wait_until_free)


async def test_a_command_sees_no_keys(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hidden-1")
    monkeypatch.setenv("MY_MODEL", "hidden-2")
    monkeypatch.setenv("HARMLESS", "shown")
    outcome = await run(
        workspace, "env", environment={"GIVEN": "too"}, secrets=frozenset({"MY_MODEL"})
    )
    assert "hidden" not in outcome.output
    assert "HARMLESS=shown\n" in outcome.output
    assert "GIVEN=too\n" in outcome.output


@pytest.mark.parametrize(
    "name",
    [
        *("ANTHROPIC_API_KEY", "GITHUB_TOKEN", "TOKEN", "DB_PASSWORD", "client_secret"),
        *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DJANGO_SECRET_KEY"),
    ],
)
def test_a_name_like_a_secrets_is_withheld_unless_it_is_given_on_purpose(name: str) -> None:
    assert name not in command_environment({name: "x"}, None, frozenset())
    assert command_environment({name: "x"}, {name: "y"}, frozenset())[name] == "y"


def test_the_rest_of_the_environment_is_inherited() -> None:
    inherited = {"PATH": "/bin", "HOME": "/root", "TOKENIZERS_PARALLELISM": "1", "TERM": "xterm"}
    found = command_environment(inherited, None, frozenset())
    assert {name: found[name] for name in inherited} == {**inherited, "TERM": "dumb"}
