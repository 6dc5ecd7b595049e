"""A process of ours that serves, with the simulator and with small scripts as the child."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from lfgtui.errors import ProviderError
from lfgtui.simulator.subprocess_server import SubprocessServer

SIMULATOR = ("simulator", "lfgtui.simulator", ("--embedded",))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - there is no event of a process's own
            await asyncio.sleep(0)


def script(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> SubprocessServer:
    """A child that runs the source."""
    (folder / "a_child_of_ours.py").write_text(source)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    )
    return SubprocessServer("child", "a_child_of_ours")


async def test_all_who_ask_share_one_child() -> None:
    server = SubprocessServer(*SIMULATOR)
    roots = await asyncio.gather(server.start(), server.start())
    pid = server.pid
    assert {*roots, await server.start()} == {roots[0]}
    assert server.pid == pid
    await server.aclose()
    assert server.pid is None


async def test_one_who_gives_up_waiting_leaves_the_start_to_the_others() -> None:
    server = SubprocessServer(*SIMULATOR)
    first, second = (asyncio.create_task(server.start()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).startswith("http://127.0.0.1:")
    assert first.cancelled()
    await server.aclose()


async def test_a_child_that_died_is_started_anew_once() -> None:
    server = SubprocessServer(*SIMULATOR)
    await server.start()
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: server.pid is None)
    roots = await asyncio.gather(server.start(), server.start())
    assert roots[0] == roots[1]
    assert server.pid not in (None, pid)
    await server.aclose()


async def test_closing_in_the_middle_of_a_start_leaves_no_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = script(tmp_path, monkeypatch, "import sys; sys.stdin.read()")  # serves never
    start = asyncio.create_task(server.start())
    await until(lambda: server.pid is not None)
    pid = server.pid
    assert pid is not None
    await server.aclose()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not is_alive(pid)


async def test_a_child_that_logs_a_lot_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = "import sys; sys.stderr.write('log\\n' * 1_000_000); sys.stderr.flush()\n"
    serves = "print('child: http://here', flush=True); sys.stdin.read()"
    server = script(tmp_path, monkeypatch, noise + serves)
    assert await server.start() == "http://here"
    await server.aclose()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys; sys.exit('too little memory')", "too little memory"),
        ("print('no such model')", "no such model"),
        ("raise SystemExit", "it printed no reason"),
    ],
)
async def test_a_child_that_does_not_serve_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    server = script(tmp_path, monkeypatch, source)
    with pytest.raises(ProviderError, match=f"^the child did not start: {said}$") as caught:
        await server.start()
    assert caught.value.kind == "server"
    await server.aclose()
