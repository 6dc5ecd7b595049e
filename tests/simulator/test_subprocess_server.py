"""A process of ours that serves, with the simulator and with small scripts as the child."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from lfgtui.cli.launching.session import embedded_simulator
from lfgtui.errors import ProviderError
from lfgtui.simulator.subprocess_server import SubprocessServer
from tests.helpers.waiting import is_alive

PIPE = asyncio.subprocess.PIPE


@pytest.fixture
async def simulator() -> AsyncIterator[SubprocessServer]:
    server = embedded_simulator("--speed", "max")
    yield server
    await server.aclose()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - there is no event of a process's own
            await asyncio.sleep(0)


def script(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> SubprocessServer:
    """A child that runs the source."""
    (folder / "a_child_of_ours.py").write_text(source)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    return SubprocessServer("child", "a_child_of_ours")


async def test_all_share_one_child_which_is_gone_after_aclose(simulator: SubprocessServer) -> None:
    roots = await asyncio.gather(simulator.start(), simulator.start())
    pid = simulator.pid
    assert pid is not None
    assert {*roots, await simulator.start()} == {roots[0]}
    assert simulator.pid == pid
    async with httpx2.AsyncClient(base_url=roots[0]) as http:
        listed = await http.get("/v1/models")
    assert "pricing" in [model["id"] for model in listed.json()["data"]]
    await simulator.aclose()
    assert not is_alive(pid)


async def test_one_who_gives_up_leaves_the_start_to_others(simulator: SubprocessServer) -> None:
    first, second = (asyncio.create_task(simulator.start()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).startswith("http://127.0.0.1:")
    assert first.cancelled()


async def test_a_child_that_died_is_started_anew_once(simulator: SubprocessServer) -> None:
    await simulator.start()
    pid = simulator.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: simulator.pid is None)
    roots = await asyncio.gather(simulator.start(), simulator.start())
    assert roots[0] == roots[1]
    assert simulator.pid not in (None, pid)


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


async def test_a_child_may_log_a_lot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = "import sys; sys.stderr.write('log\\n' * 1_000_000); sys.stderr.flush()\n"
    serves = "print('child: http://here', flush=True); sys.stdin.read()"
    server = script(tmp_path, monkeypatch, noise + serves)
    assert await server.start() == "http://here"
    await server.aclose()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import sys; sys.exit('too little memory')", "too little memory"),
        ("print('no such model')", "no such model"),
        ("raise SystemExit", "it printed no reason"),
    ],
)
async def test_a_child_that_does_not_serve_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    server = script(tmp_path, monkeypatch, source)
    with pytest.raises(ProviderError, match=f"^the child did not start: {reason}$") as caught:
        await server.start()
    assert caught.value.kind == "server"
    await server.aclose()


async def test_a_bad_scenario_keeps_the_simulator_from_starting() -> None:
    simulator = embedded_simulator("--scenario", "missing.toml")
    with pytest.raises(ProviderError, match=r"did not start: .*missing\.toml: no such file"):
        await simulator.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_simulator_quietly(number: signal.Signals) -> None:
    command = (sys.executable, "-m", "lfgtui", "simulator")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    process.send_signal(number)
    stdout, stderr = await process.communicate()
    assert (process.returncode, stdout, stderr) == (128 + number, b"", b"")


async def test_a_parent_killed_outright_leaves_no_orphan() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio\n"
        "from lfgtui.cli.launching.session import embedded_simulator\n"
        "async def main():\n"
        "    embedded = embedded_simulator()\n"
        "    print(await embedded.start(), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n",
        stdout=PIPE,
    )
    assert parent.stdout is not None
    url = (await parent.stdout.readline()).decode().strip()
    host, _, port = url.removeprefix("http://").partition(":")
    # An idle connection of ours closes when the would-be orphan goes.
    reader, writer = await asyncio.open_connection(host, int(port))
    parent.kill()
    await parent.wait()
    assert await reader.read() == b""
    writer.close()
