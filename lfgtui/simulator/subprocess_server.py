"""A server in a child process, which starts when it is needed and ends with its parent.

The simulator and the local model are such servers. The parent does not import what
they need.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence

from lfgtui.errors import ProviderError, too_many_files

_GRACE = 3.0
"""Seconds that the child has to exit by itself before it is killed."""

_TAIL = 4096
"""Bytes of the child's last error output that are kept."""


class SubprocessServer:
    """Starts `python -m module` once and ends it; `start` returns its URL.

    The child must print `NAME: URL` when it serves, or why it cannot, and exit
    when its stdin closes. The parent holds the other end of that pipe, so the
    child ends with its parent, even if that is killed. It is in a session of its
    own, so that ctrl+c in the terminal reaches only the parent.
    """

    def __init__(self, name: str, module: str, options: Sequence[str] = ()) -> None:
        self._name = name
        # -P: a file named like a module in the current folder must not be imported.
        self._command = (sys.executable, "-P", "-m", module, *options)
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[str] | None = None
        self._errors: asyncio.Task[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self) -> str:
        """Return the root URL once the child serves; start it unless it runs.

        Any number of callers share one child; if one of them is cancelled, the
        start goes on for the others. Raises `ProviderError` with the child's
        message if it does not start.
        """
        if self._starting is None or (self._starting.done() and self.pid is None):
            self._starting = asyncio.create_task(self._start(), name=self._name)
            # If all callers are cancelled before it fails, this retrieves its exception.
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._starting)

    async def aclose(self) -> None:
        """End the child, if it runs, and wait for it."""
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.wait([starting])
        await self._end()

    async def _start(self) -> str:
        """Start the child, and return the URL that it prints."""
        await self._end()  # closes the pipes of a child that died
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            why = too_many_files(error)
            message = f"the {self._name} did not start: {why or error}"
            raise ProviderError("connection" if why else "server", message) from error
        assert process.stdout is not None and process.stderr is not None
        # Read all the time, since a child that writes to a full pipe would block.
        self._errors = asyncio.create_task(_tail(process.stderr))
        announced = f"{self._name}: "
        line = (await process.stdout.readline()).decode(errors="replace")
        if line.startswith(announced):
            return line.removeprefix(announced).strip()
        lines = (await self._end()).decode(errors="replace").strip().splitlines()
        last = line.strip() or (lines[-1] if lines else "it printed no reason")
        raise ProviderError("server", f"the {self._name} did not start: {last}")

    async def _end(self) -> bytes:
        """End the child, if there is one; return its last error output."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), timeout=_GRACE)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        errors, self._errors = self._errors, None
        return b"" if errors is None else await errors


async def _tail(stream: asyncio.StreamReader) -> bytes:
    """Return the last bytes of a stream, once it has ended."""
    kept = b""
    while chunk := await stream.read(_TAIL):
        kept = (kept + chunk)[-_TAIL:]
    return kept
