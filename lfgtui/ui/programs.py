"""Programs of the person's that the screen starts, beside those of the agents."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE


async def run_program(command: Sequence[str], text: str, patience: float) -> int:
    """Run the command with the text as its input; return its exit code.

    Its output goes nowhere, and a signal to lfg's terminal is none to it. Raises `OSError`
    where it cannot be started, `TimeoutError` after `patience` seconds. It is killed with
    all that it started, and waited for, where it is not awaited to its end.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
    try:
        await asyncio.wait_for(process.communicate(text.encode()), patience)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    assert process.returncode is not None
    return process.returncode
