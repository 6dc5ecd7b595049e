"""Programs that nobody here wrote: found where they are installed, started, ended."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest


def find(variable: str, name: str, how: str) -> str:
    """The program's path: what the variable says, or what PATH has; else the test is skipped."""
    path = os.environ.get(variable) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: {how}, or set {variable} to its path")
    return path


@contextlib.contextmanager
def serving(
    command: Sequence[str], ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run it; gives the line that says `ready`. Whatever else it says is read and let go."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    with process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if ready in line:
                    break
            else:
                pytest.fail(f"{command[0]} did not start: {''.join(said[-20:])}")
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield line.strip()
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port
