"""Tickets a minute of one run at 1, 2 and 4 workers on this machine, over a real redis-server.

All of it shares the cores of one machine, so this says what the way through Redis costs, not how
far it scales: models are simulated and answer at once.

    python bench/workers.py [TICKETS]
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

LFG = (sys.executable, "-m", "lfgtui")
SLOTS = 4


async def start(
    folder: Path, *command: str, ready: bytes = b"", config: str = ""
) -> asyncio.subprocess.Process:
    """Start lfg with its data and config in that folder; wait for a line that says it is ready."""
    process, _ = await started(folder, *command, ready=ready, config=config)
    return process


async def started(
    folder: Path, *command: str, ready: bytes, config: str = ""
) -> tuple[asyncio.subprocess.Process, str]:
    """Start a program as `start` does; return the line as well."""
    await asyncio.to_thread(write_config, folder, config)
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "LFG_DATA_DIR": str(folder), "LFG_CONFIG": str(folder / "config.toml")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    line = b""
    while ready and ready not in (line := await process.stdout.readline()):
        if not line:
            raise RuntimeError(f"{command} has ended")
    return process, line.decode()


def write_config(folder: Path, config: str) -> None:
    """Make the folder, with the config in it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(config)


async def simulator(folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    """Start simulated models that wait for nothing; return a config that has them."""
    command = (*LFG, "simulator", "--speed", "max")
    process, line = await started(folder, *command, ready=b"http://")
    found = re.search(r"http://[^/\s]+", line)
    assert found is not None
    return process, f'[providers.quick]\nwire = "openai-chat"\nbase_url = "{found[0]}/v1"\n'


def tickets_file(folder: Path, number: int) -> Path:
    """Write a file of so many simulated tickets."""
    path = folder / "tickets.toml"
    one = '[[ticket]]\nid = "t{}"\nprompt = "Say something short."\ntools = []\n'
    defaults = '[defaults]\nprovider = "quick"\nmodel = "generic"\n'
    path.write_text(defaults + "".join(one.format(index) for index in range(number)))
    return path


async def seconds(folder: Path, file: Path, url: str, config: str, workers: int) -> float:
    """Return how long the run takes with so many workers, which are there before it starts."""
    working = [
        await start(
            folder / f"worker{workers}-{number}",
            *LFG, "worker", url, "--slots", str(SLOTS),
            ready=b"takes tickets", config=config,
        )
        for number in range(workers)
    ]  # fmt: skip
    began = time.monotonic()
    command = (*LFG, "run", str(file), "--headless", "--workers", url)
    run = await start(folder / f"run{workers}", *command, config=config)
    await run.communicate()
    took = time.monotonic() - began
    for one in working:
        one.terminate()
        await one.communicate()
    if run.returncode:
        raise RuntimeError(f"the run ended with {run.returncode}")
    return took


async def main(number: int) -> None:
    """Measure, and print a line for each number of workers."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="lfg-workers-"))
    socket = folder / "redis.sock"
    own = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder))
    redis = await start(folder, program, *own, ready=b"eady to accept")
    models, config = await simulator(folder / "models")
    try:
        file = tickets_file(folder, number)
        for workers in (1, 2, 4):
            took = await seconds(folder, file, f"unix://{socket}", config, workers)
            print(f"{workers} workers: {number / took * 60:6.0f} tickets a minute ({took:.1f} s)")
    finally:
        for process in (redis, models):
            process.kill()
            await process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 200))
