"""The simulator as a child process, for runs that use the built-in models.

It imports nothing of the server, so it costs nothing before the first frame.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence

from lfgtui.errors import LfgError

_URL = "simulator: "


class EmbeddedSimulator:
    """Starts one, tells its URL, and leaves none behind.

    The child holds the other end of a pipe and exits when it closes, so it
    goes with its parent even when that is killed. It is in a session of its
    own: a ctrl+c in the terminal is the parent's to handle.
    """

    def __init__(self, *, seed: int = 0, speed: float = 1.0, options: Sequence[str] = ()) -> None:
        self._options = ("--seed", str(seed), "--speed", f"{speed:g}", *options)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> str:
        """Start the child; gives the root URL once it listens.

        Raises `LfgError` with what the child said where it does not start.
        """
        # -P: a file named like a module in the current folder must not be imported.
        command = [sys.executable, "-P", "-m", "lfgtui.simulator", "--port", "0"]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--exit-on-stdin-eof",
            *self._options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._process = process
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode(errors="replace")
        if line.startswith(_URL):
            return line.removeprefix(_URL).strip()
        _, said = await process.communicate()
        self._process = None
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise LfgError(f"the simulator did not start: {last[0]}")

    async def aclose(self) -> None:
        """Have the child exit and wait for it."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), timeout=3.0)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
