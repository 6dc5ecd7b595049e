"""run_command: real shells, and proof that nothing of theirs outlives the call."""

import asyncio
import os
import re
import subprocess
import sys
from asyncio import Task
from pathlib import Path

import pytest

from lfgtui.processes import supervisor
from lfgtui.tools import Channel, ToolLimits, ToolOutcome, run_tool
from lfgtui.tools.programs import command_environment
from tests.helpers.leash import Leash, processes_about

LONG = 600
"""Seconds that a command would sleep if nobody stopped it."""

STOPPED = "[what it left in the background was stopped]"


class Runner:
    """Runs commands in a workspace: `await run(command, timeout=..., grace_seconds=...)`.

    `pieces` are what was shown meanwhile; `seen` waits for a text among them.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.environment: dict[str, str] = {}
        self.pieces: list[tuple[Channel, str]] = []
        self._changed = asyncio.Event()

    async def __call__(
        self, command: str, timeout: float | None = None, **limits: float
    ) -> ToolOutcome:
        quick = ToolLimits(**{"grace_seconds": 0.2, "drain_seconds": 0.1, **limits})  # type: ignore[arg-type]  # of floats and integers
        arguments: dict[str, object] = {"command": command, "timeout": timeout}
        return await run_tool(
            "run_command",
            arguments,
            self.workspace,
            on_output=self._show,
            limits=quick,
            environment=self.environment,
        )

    def start(self, command: str) -> "Task[ToolOutcome]":
        return asyncio.create_task(self(command))

    def shown(self, channel: Channel = "stdout") -> str:
        return "".join(text for name, text in self.pieces if name == channel)

    async def seen(self, wanted: str) -> None:
        while wanted not in self.shown():
            self._changed.clear()
            await self._changed.wait()

    def _show(self, channel: Channel, text: str) -> None:
        self.pieces.append((channel, text))
        self._changed.set()


@pytest.fixture
def run(workspace: Path) -> Runner:
    return Runner(workspace)


async def cancelled(running: "Task[ToolOutcome]") -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("echo out; exit 3", ToolOutcome("out\nexit code 3", None, 3)),
        ("printf end", ToolOutcome("end\nexit code 0", None, 0)),
        (r"printf '\377\n'", ToolOutcome("\ufffd\nexit code 0", None, 0)),
        ("kill -SEGV $$", ToolOutcome("killed by SIGSEGV, exit code -11", None, -11)),
        ("cat", ToolOutcome("exit code 0", None, 0)),  # there is no input
        ("basename $PWD", ToolOutcome("workspace\nexit code 0", None, 0)),
        ("no-such-program 2>/dev/null", ToolOutcome("exit code 127", None, 127)),
    ],
)
async def test_a_command_ends_with_its_output_and_its_exit_code(
    run: Runner, command: str, outcome: ToolOutcome
) -> None:
    assert await run(command) == outcome


async def test_the_two_channels_are_shown_apart_and_told_together(run: Runner) -> None:
    outcome = await run("echo out; echo err >&2")
    assert (run.shown("stdout"), run.shown("stderr")) == ("out\n", "err\n")
    assert sorted(outcome.output.split("\n")) == ["err", "exit code 0", "out"]


async def test_output_is_shown_while_the_command_still_runs(run: Runner) -> None:
    """A character whose bytes come apart is whole."""
    os.mkfifo(run.workspace / "gate")
    running = run.start(r"printf 'first\n\303'; read line < gate; printf '\251'; echo $line")
    await run.seen("first\n")
    assert not running.done()
    await asyncio.to_thread((run.workspace / "gate").write_text, "second\n")
    assert (await running).output == "first\nésecond\nexit code 0"
    assert run.shown() == "first\nésecond\n"


@pytest.mark.parametrize(
    "command", ["a\0b", "\ud800", "x" * 3_000_000], ids=("nul", "surrogate", "long")
)
async def test_a_command_that_cannot_be_started_is_an_error(run: Runner, command: str) -> None:
    outcome = await run(command)
    assert "cannot be started" in str(outcome.error)
    assert outcome.exit_code is None


@pytest.mark.parametrize(("timeout", "longest"), [(0.3, 600), (LONG, 0.3)])
async def test_after_its_time_or_the_longest_there_is_it_is_stopped_and_its_output_kept(
    run: Runner, timeout: float, longest: float
) -> None:
    outcome = await run(
        f"echo partial; sleep {LONG}", timeout=timeout, longest_command_seconds=longest
    )
    why = f"stopped after 0.3 s; give a longer timeout (at most {longest}) if it needs one"
    assert outcome == ToolOutcome(f"partial\n[{why}]\nkilled by SIGTERM, exit code -15", why, -15)


async def test_it_may_put_things_in_order_when_its_time_is_up(run: Runner) -> None:
    command = f"trap 'echo bye; exit 7' TERM; sleep {LONG} & wait"
    outcome = await run(command, command_seconds=0.3, grace_seconds=10)
    assert outcome.output.startswith("bye\n")
    assert outcome.exit_code == 7


async def test_what_ignores_sigterm_is_killed(run: Runner, leash: Leash) -> None:
    command = f"exec 3>leash; trap '' TERM; (trap '' TERM; sleep {LONG}); sleep {LONG}"
    assert (await run(command, timeout=0.3)).exit_code == -9
    await asyncio.to_thread(leash.wait_until_free)


async def test_a_cancelled_command_takes_its_descendants_along(run: Runner, leash: Leash) -> None:
    deaf = f"trap : TERM INT HUP; echo ready; sleep {LONG}"
    running = run.start(f"exec 3>leash; bash -c 'bash -c \"{deaf}\" & wait'")
    await run.seen("ready\n")
    await cancelled(running)
    await asyncio.to_thread(leash.wait_until_free)


@pytest.mark.parametrize("is_impatient", [False, True])
@pytest.mark.parametrize("steps", range(8))
async def test_it_can_be_cancelled_at_any_moment_of_its_start_and_is_gone(
    run: Runner, steps: int, is_impatient: bool
) -> None:
    running = run.start(f"sleep {LONG}; : {run.workspace}")
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    while is_impatient and not running.done():
        running.cancel()
        await asyncio.sleep(0)
    await cancelled(running)
    assert not await asyncio.to_thread(processes_about, run.workspace)


@pytest.mark.usefixtures("no_proc")
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
    run: Runner, leash: Leash, command: str, told: str
) -> None:
    outcome = await run(f"exec 3>leash; {command}", timeout=0.3)
    assert re.fullmatch(told.replace("[", "\\["), outcome.output, re.DOTALL)
    await asyncio.to_thread(leash.wait_until_free)


QUIET = ">/dev/null 2>&1"
ESCAPES = {
    "a loud child": f"sleep {LONG}",
    "a silent child": f"sleep {LONG} {QUIET}",
    "its own session": f"setsid sleep {LONG} {QUIET}",
    "double fork": f"(setsid sh -c 'sleep {LONG} & sleep {LONG} &' {QUIET} &)",
    "stopped": f"setsid sh -c 'kill -STOP $$; sleep {LONG}' {QUIET}",
    "deaf": f"setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 9; done' {QUIET}",
    "forking": f"setsid sh -c 'f() {{ sleep 0.01; f & }}; f' {QUIET}",
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
async def test_what_left_its_session_is_stopped(run: Runner, leash: Leash, escape: str) -> None:
    """And what stays in the background, which does not keep the call waiting."""
    outcome = await run(f"exec 3>leash; {escape} & echo started; sleep 0.1")
    assert outcome.output == f"started\n{STOPPED}\nexit code 0"
    await asyncio.to_thread(leash.wait_until_free)


async def test_what_left_its_session_ends_with_the_time_and_with_a_cancellation(
    run: Runner, leash: Leash
) -> None:
    command = f"exec 3>leash; setsid sleep {LONG} & echo started; wait"
    assert "stopped after 1 s" in str((await run(command, timeout=1.0)).error)
    await asyncio.to_thread(leash.wait_until_free)
    running = run.start(command)
    await run.seen("started\nstarted")
    await cancelled(running)
    await asyncio.to_thread(leash.wait_until_free)


async def test_a_command_that_kills_its_supervisor_is_reported(run: Runner, leash: Leash) -> None:
    """What it started is gone all the same, what left its session included."""
    outcome = await run(f"exec 3>leash; setsid sleep {LONG} & kill -9 $PPID; sleep {LONG}")
    told = "the command's supervisor was killed, and so was all that it started"
    assert f"[{told}]" in outcome.output
    assert outcome.error == told
    await asyncio.to_thread(leash.wait_until_free)


async def test_without_a_supervisor_it_fails(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when lfg is being replaced by another version while it runs."""
    monkeypatch.setattr(supervisor, "__file__", str(run.workspace / "gone.py"))
    error = str((await run("echo a")).error)
    assert "cannot be started" in error and "gone.py" in error


async def test_one_commands_end_is_not_anothers(run: Runner) -> None:
    os.mkfifo(run.workspace / "go")
    os.mkfifo(run.workspace / "done")
    orphan = f"setsid sh -c 'read x < go; echo late >&3; echo > done' 3>&1 {QUIET}"
    slow = run.start(f"({orphan} &); echo ready; read x < done; echo end")
    await run.seen("ready\n")
    short = f"(setsid sleep {LONG} &) {QUIET}; echo short"
    others = await asyncio.gather(*(run(short) for _ in range(3)))
    assert [one.output for one in others] == [f"short\n{STOPPED}\nexit code 0"] * 3
    await asyncio.to_thread((run.workspace / "go").write_text, "\n")
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
    program = [sys.executable, "-c", IN_A_PROCESS, str(workspace), command]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()
        leash.wait_until_free()


async def test_a_long_output_is_told_from_both_ends_and_shown_up_to_a_bound(run: Runner) -> None:
    outcome = await run("seq 100000; exit 4", output_characters=1_000, live_characters=500)
    assert outcome.output.startswith("1\n2\n3\n")
    assert "characters left out" in outcome.output
    assert outcome.output.endswith("99999\n100000\nexit code 4")
    assert len(outcome.output) < 1_100
    assert run.shown().startswith("1\n2\n3\n")
    assert run.shown().endswith("[there is more output; it is not shown here]\n")
    assert len(run.shown()) < 600


async def test_a_flood_without_end_is_stopped(run: Runner, leash: Leash) -> None:
    outcome = await run("exec 3>leash; yes | cat", output_characters=1_000, command_bytes=2_000_000)
    why = "stopped because it printed more than 2,000,000 bytes"
    assert str(outcome.error).startswith(why)
    assert len(outcome.output) < 1_400
    await asyncio.to_thread(leash.wait_until_free)


def test_a_command_gets_no_secret_but_what_is_given_on_purpose() -> None:
    secrets = "ANTHROPIC_API_KEY GITHUB_TOKEN TOKEN DB_PASSWORD client_secret MY_MODEL"
    withheld = dict.fromkeys(secrets.split(), "x")
    inherited = {"PATH": "/bin", "HOME": "/root", "TOKENIZERS_PARALLELISM": "1", "TERM": "xterm"}
    given = {"TOKEN": "on purpose"}
    found = command_environment({**withheld, **inherited}, given, frozenset({"MY_MODEL"}))
    assert found.keys() & withheld.keys() == given.keys()
    assert found.items() >= {**inherited, **given, "TERM": "dumb"}.items()


async def test_that_is_its_environment(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hidden")
    monkeypatch.setenv("HARMLESS", "shown")
    run.environment = {"GIVEN": "too"}
    assert (await run("echo $SOME_API_KEY $HARMLESS $GIVEN")).output == "shown too\nexit code 0"
