"""Long-lived children: their lines, their input, and ends that leave nothing running."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lfgtui.processes import supervisor
from lfgtui.processes.child import ChildProcess, StartError, UnwritableError, start_child
from lfgtui.processes.lines import Line, LongLine, PartialLine
from lfgtui.processes.usage import usages_of
from tests.helpers.children import python
from tests.helpers.leash import Leash, processes_about

from .conftest import Start

LONG = 600
"""Seconds that a child would sleep if nobody stopped it."""

HOLD = "leash = open('leash', 'w'); os.set_inheritable(leash.fileno(), True)\n"
"""Has the child hold the leash, and all that it starts."""


async def all_lines(child: ChildProcess) -> list[Line]:
    found: list[Line] = []
    while lines := await child.read_lines():
        found += lines
    return found


async def test_lines_go_in_and_come_out(start: Start) -> None:
    child = await start("for line in sys.stdin: say(line.strip()[::-1]); os.write(2, b'!\\n')")
    await child.write_line(b"abc")
    assert await child.read_lines() == [b"cba"]
    await child.write_line("é".encode() * 500_000)
    lines = await child.read_lines()
    assert lines == ["é".encode() * 500_000]
    assert child.ending == ""
    assert await child.terminate(10) == []
    assert (child.ending, child.stderr) == ("exit code 0", "!\n!")
    assert await child.read_lines() == []


async def test_it_runs_where_and_with_what_it_is_told(start: Start, tmp_path: Path) -> None:
    child = await start_child(
        ["env", "sh", "-c", 'echo "$PWD" "$GIVEN" "$HOME"'],
        tmp_path,
        {"PATH": os.environ["PATH"], "GIVEN": "given"},
    )
    assert await all_lines(child) == [os.fsencode(tmp_path) + b" given "]
    await child.wait()
    assert child.reports.code == 0


async def test_what_is_started_is_no_more_than_the_three_channels(start: Start) -> None:
    child = await start("say(*sorted(os.listdir('/dev/fd'))[:4])")
    assert await all_lines(child) in ([b"0 1 2 3"], [b"0 1 2"])  # 3 is the folder itself


@pytest.mark.parametrize(
    ("command", "message", "is_missing"),
    [
        ("no-such-agent", "no-such-agent: command not found", True),
        ("./no-such-agent", "./no-such-agent: command not found", True),
        ("./folder", "./folder: permission denied", False),
        ("./text", "./text: exec format error", False),
        ("a\0b", "a\0b: embedded null byte", False),
    ],
)
async def test_what_cannot_be_started_says_why(
    tmp_path: Path, command: str, message: str, is_missing: bool
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_bytes(b"\x00text")
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(StartError) as raised:
        await start_child([command], tmp_path, os.environ)
    assert str(raised.value) == message
    assert (raised.value.program, raised.value.is_missing) == (command, is_missing)


async def test_a_missing_folder_is_not_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"sh: .*/gone: no such file or directory") as raised:
        await start_child(["sh"], tmp_path / "gone", os.environ)
    assert not raised.value.is_missing


async def test_without_a_supervisor_nothing_starts(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "__file__", str(tmp_path / "gone.py"))
    with pytest.raises(StartError, match=r"its supervisor ended at once: .*gone\.py"):
        await start("")


@pytest.mark.parametrize("steps", range(8))
async def test_a_start_can_be_cancelled_at_any_moment(
    start: Start, tmp_path: Path, steps: int
) -> None:
    starting = asyncio.ensure_future(start(f"'{tmp_path}'; time.sleep({LONG})"))
    for _ in range(steps):
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not await asyncio.to_thread(processes_about, tmp_path)


async def test_a_line_too_long_is_told_and_the_next_ones_come(start: Start) -> None:
    child = await start("say('x' * 10_000_000); say('short')", line_bytes=1_000_000)
    assert await all_lines(child) == [LongLine(b"x" * 500, 1_000_000), b"short"]


async def test_half_a_line_at_the_end_is_told(start: Start) -> None:
    child = await start("say('whole'); sys.stdout.write('ha'); sys.exit(3)")
    assert await all_lines(child) == [b"whole", PartialLine(b"ha")]
    await child.wait()
    assert child.ending == "exit code 3"


async def test_output_that_nobody_takes_waits_in_the_child(start: Start, tmp_path: Path) -> None:
    """And none of it is lost, also what the child has written before its end."""
    script = """
        for number in range(200):
            say('x' * 10_000)
            with open('written', 'w') as file: file.write(str(number))
        """
    child = await start(script, unread_bytes=100_000)
    await child.write_line(b"")  # does not wait for output to be taken
    found = await child.read_lines()
    while len(found) < 200:
        lines = await child.read_lines()
        assert sum(len(line) for line in lines if isinstance(line, bytes)) < 100_000 + 300_000
        found += lines
    assert found == [b"x" * 10_000] * 200
    assert await child.read_lines() == []


async def test_its_output_may_be_left_in_its_pipe(start: Start) -> None:
    child = await start("say('one'); sys.stdin.readline(); say('two')")
    assert await child.read_lines() == [b"one"]
    with child.unread():
        await child.write_line(b"")
        await child.wait()  # what it has printed is read then all the same
    assert await child.read_lines() == [b"two"]


@pytest.mark.parametrize("text", ["x" * 1000, "\\n" * 10_000])
async def test_a_flood_that_nobody_takes_is_bounded(start: Start, text: str) -> None:
    child = await start(f"while True: say('{text}')", unread_bytes=100_000)
    lines = await child.read_lines()
    for _ in range(2_000):  # time for many megabytes
        await asyncio.sleep(0)
    lines = await child.read_lines()
    assert sum(len(line) + 1 for line in lines if isinstance(line, bytes)) < 100_000 + 300_000
    assert await child.terminate(0) == []


async def test_a_flood_of_errors_is_dropped_but_for_its_end(start: Start) -> None:
    child = await start("""
        sys.stderr.write('x' * 1_000_000); say('between'); sys.stderr.write('\\nthe reason\\n')
        """)
    assert await all_lines(child) == [b"between"]
    await child.wait()
    assert child.stderr.endswith("x\nthe reason")
    assert len(child.stderr) <= 8 * 1024


async def test_a_child_that_reads_nothing_holds_nobody_up(start: Start) -> None:
    child = await start(f"say('up'); time.sleep({LONG})", write_seconds=0.2, unsent_bytes=3_000_000)
    await child.read_lines()
    with pytest.raises(UnwritableError, match=r"has not read its standard input for 0\.2 s"):
        await child.write_line(b"x" * 2_000_000)
    with pytest.raises(UnwritableError, match="bytes of input unread"):
        await child.write_line(b"x" * 2_000_000)
    assert await child.terminate(0.1) == []
    with pytest.raises(UnwritableError, match="has ended"):
        await child.write_line(b"")


async def test_a_child_that_reads_slowly_is_waited_for(start: Start) -> None:
    """Each wait ends with some progress, though all of them take longer than one may."""
    script = """
        left = 800_001
        while left: left -= len(os.read(0, min(left, 200_000))); time.sleep(0.1)
        say('all')
        """
    child = await start(script, write_seconds=0.5)
    await child.write_line(b"x" * 800_000)
    assert await child.read_lines() == [b"all"]


async def test_a_writer_is_told_of_a_child_that_ends_or_closes_its_input(start: Start) -> None:
    for script in ("say('up'); time.sleep(0.2)", f"say('up'); os.close(0); time.sleep({LONG})"):
        child = await start(script)
        await child.read_lines()
        with pytest.raises(UnwritableError, match="has ended, or has closed"):
            await child.write_line(b"x" * 5_000_000)


async def test_a_cancelled_writer_leaves_whole_lines(start: Start) -> None:
    child = await start("say('up'); time.sleep(0.3); say(*(len(line) for line in sys.stdin))")
    await child.read_lines()
    writing = asyncio.ensure_future(child.write_line(b"x" * 1_000_000))
    await asyncio.sleep(0)
    writing.cancel()
    await child.write_line(b"y" * 10)
    await child.terminate(10)
    assert await child.read_lines() == [b"1000001 11"]


ESCAPES = {
    "child": "",
    "session": "os.setsid()",
    "double fork": "os.setsid(); os.fork() and os._exit(0)",
    "deaf": "os.setsid(); [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]",
    "silent": "os.setsid(); [os.close(n) for n in (0, 1, 2)]",
}


@pytest.mark.parametrize("ending", ["exit", "terminate", "cancel", "kill"])
@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
async def test_nothing_that_it_started_outlives_it(
    start: Start, leash: Leash, escape: str, ending: str
) -> None:
    last = "sys.stdin.readline()" if ending == "exit" else f"time.sleep({LONG})"
    script = f"{HOLD}\nif not os.fork():\n  {escape}\n  time.sleep({LONG})\nsay('up')\n{last}"
    child = await start(script)
    await child.read_lines()
    match ending:
        case "exit":
            await child.write_line(b"")
            await child.wait()
            assert child.reports.code == 0
        case "terminate":
            assert await child.terminate(0.3) == []
            assert child.ending == "killed by SIGTERM, exit code -15"
        case "cancel":
            terminating = asyncio.ensure_future(child.terminate(LONG))
            await asyncio.sleep(0)
            terminating.cancel()
            with pytest.raises(asyncio.CancelledError):
                await terminating
            assert child.ending == "killed by SIGKILL, exit code -9"
        case _:
            await child.terminate(0)
    await asyncio.to_thread(leash.wait_until_free)
    assert await child.read_lines() == []


async def test_it_has_its_grace_at_the_end_of_its_input_and_at_sigterm(start: Start) -> None:
    for script, last in (
        ("say('up'); sys.stdin.read(); say('bye'); sys.exit(4)", b"bye"),
        (
            "signal.signal(15, lambda *_: (say('term'), sys.exit(4)));"
            f"say('up'); [time.sleep({LONG}) for _ in '12']",
            b"term",
        ),
    ):
        child = await start(script)
        assert await child.read_lines() == [b"up"]
        await child.terminate(10 if last == b"bye" else 0.5)
        assert await all_lines(child) == [last]
        assert child.reports.code == 4


async def test_what_ignores_sigterm_is_killed(start: Start, leash: Leash) -> None:
    child = await start(f"{HOLD}signal.signal(15, signal.SIG_IGN); say('up'); time.sleep({LONG})")
    await child.read_lines()
    first, second = await asyncio.gather(child.terminate(0.1), child.terminate(0.1))
    assert first == second == []
    assert child.ending == "killed by SIGKILL, exit code -9"
    await asyncio.to_thread(leash.wait_until_free)


@pytest.mark.usefixtures("no_proc")
async def test_without_proc_its_process_group_is_stopped(start: Start, leash: Leash) -> None:
    deaf = "signal.signal(15, signal.SIG_IGN)"
    for script, ending in (
        ("sys.stdin.read()", "exit code 0"),
        (f"time.sleep({LONG})", "killed by SIGTERM, exit code -15"),
        (f"{deaf}; say('up'); time.sleep({LONG})", "killed by SIGKILL, exit code -9"),
    ):
        child = await start(f"{HOLD}if not os.fork(): time.sleep({LONG})\nsay('up'); {script}")
        await child.read_lines()
        await child.terminate(0.3)
        assert child.ending == ending
        await asyncio.to_thread(leash.wait_until_free)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="nothing can be found without /proc")
@pytest.mark.parametrize("victim", ["os.getppid()", "guard"])
async def test_a_supervisor_may_be_killed_and_nothing_is_left(
    start: Start, leash: Leash, victim: str
) -> None:
    """Either of its two processes; what has left the session ends as well."""
    child = await start(f"""
        {HOLD}
        for _ in '12':
            if not os.fork():
                os.setsid()
                if not os.fork(): time.sleep({LONG})
                os._exit(0)
        guard = int(open(f'/proc/{{os.getppid()}}/stat').read().split()[3])
        os.kill({victim}, 9)
        time.sleep({LONG})
        """)
    await child.wait()
    if victim == "guard":
        assert child.ending == "killed by SIGKILL, exit code -9"
    else:
        assert child.ending == "its supervisor was killed, and so was all that it started"
    assert await child.read_lines() == []
    await asyncio.to_thread(leash.wait_until_free)


IN_A_PROCESS = """
import asyncio, os, sys
from pathlib import Path
from lfgtui.processes.child import ChildProcess, start_child

async def main():
    child = await start_child(sys.argv[2:], Path(sys.argv[1]), os.environ)
    print((await child.read_lines())[0].decode(), flush=True)
    await child.wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
def test_a_killed_lfg_takes_its_children_with_it(tmp_path: Path, leash: Leash, escape: str) -> None:
    script = f"{HOLD}\nif not os.fork():\n  {escape}\n  time.sleep({LONG})\nsay('up')\n"
    command = python(f"{script}time.sleep({LONG})")
    program = [sys.executable, "-c", IN_A_PROCESS, str(tmp_path), *command]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.kill()
        leash.wait_until_free()


async def test_its_usage_is_that_of_the_whole_tree(start: Start) -> None:
    """A child that has left its session counts, and so does the time of one that has ended."""
    script = f"""
        if not os.fork():
            os.setsid()
            if os.fork(): os._exit(0)
            memory = bytearray(50_000_000)
            say('up')
            time.sleep({LONG})
        if not os.fork():
            until = time.process_time() + 0.3
            while time.process_time() < until: pass
            os._exit(0)
        os.wait()
        os.wait()
        say('up')
        sys.stdin.read()
        """
    child = await start(script)
    lines = await child.read_lines()
    while len(lines) < 2:
        lines += await child.read_lines()
    root = child.root
    assert root is not None
    usages = await asyncio.to_thread(usages_of, [root])
    if not os.path.isdir("/proc/self"):  # noqa: PTH112, ASYNC240
        assert usages == {}
        return
    usage = usages[root]
    assert 50_000_000 < usage.memory < 300_000_000
    assert 0.25 < usage.cpu < 60
    await child.terminate(10)
    assert child.root is None
    assert await asyncio.to_thread(usages_of, [root]) == {}
