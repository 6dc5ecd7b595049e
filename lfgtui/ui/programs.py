"""The person's programs that the screen starts, such as for notifications."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE


async def run_program(command: Sequence[str], text: str, patience: float) -> str:
    """Run the command with the text as its input; return why it failed, "" if it did not.

    It has `patience` seconds. Its output is discarded, and signals of lfg's terminal do not reach
    it. If this is cancelled, it is killed with all that it started, and waited for. Raises
    `FileNotFoundError` if it is not installed.
    """
    name = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    except FileNotFoundError:
        raise
    except OSError as error:
        return f"{name} failed ({error.strerror})"
    try:
        await asyncio.wait_for(process.communicate(text.encode()), patience)
    except TimeoutError:
        return f"{name} took more than {patience:.0f} s"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return f"{name} failed (exit code {process.returncode})" if process.returncode else ""
