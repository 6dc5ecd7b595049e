"""The simulator as a process of its own."""

import asyncio
import os
import signal
import sys

import httpx2
import pytest

from lfgtui.cli.launching.session import embedded_simulator
from lfgtui.errors import LfgError

COMMAND = (sys.executable, "-m", "lfgtui.simulator")
PIPE = asyncio.subprocess.PIPE


async def start(*options: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode()


async def test_it_starts_answers_and_is_gone_after_aclose() -> None:
    embedded = embedded_simulator("--speed", "max")
    url = await embedded.start()
    pid = embedded.pid
    assert pid is not None
    async with httpx2.AsyncClient(base_url=url) as http:
        listed = await http.get("/v1/models")
    await embedded.aclose()
    assert "pricing" in [model["id"] for model in listed.json()["data"]]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_bad_scenario_keeps_it_from_starting() -> None:
    embedded = embedded_simulator("--scenario", "missing.toml")
    with pytest.raises(LfgError, match=r"did not start: missing\.toml: no such file"):
        await embedded.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_quietly(number: signal.Signals) -> None:
    process, _ = await start()
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
    # An idle connection of ours closes when the orphan would-be goes.
    reader, writer = await asyncio.open_connection(host, int(port))
    parent.kill()
    await parent.wait()
    assert await reader.read() == b""
    writer.close()
