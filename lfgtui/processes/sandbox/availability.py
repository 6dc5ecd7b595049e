"""A test whether this machine can run a sandbox: a program is run once behind a real wall."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from lfgtui.processes.sandbox.wall import Wall

_SECONDS = 5.0
"""Seconds that the program behind the wall may take."""

_PLACES = ("/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin", "/run/wrappers/bin")
_INSTALL = "install bubblewrap (`apt install bubblewrap`, `dnf install bubblewrap`)"
_OPEN = "see “The sandbox” in the guide for Ubuntu and Docker"
_VERSIONS = ((True, True), (False, True), (False, False))
"""Abilities of bubblewrap's versions, the newest first: forbid user namespaces inside (0.8), bound
a tmpfs (0.7)."""

_CLOSED = "this system does not let bwrap make user namespaces"


class Sandboxing(NamedTuple):
    """The outcome. `program` is bwrap's path, or "" if it cannot be used because of the `reason`.

    `fix` tells the person what to do then. For the rest see `_VERSIONS`.
    """

    program: str
    reason: str = ""
    fix: str = ""
    can_forbid_nesting: bool = True
    has_sizes: bool = True


def find_sandbox(path: str | None = None) -> Sandboxing:
    """Try to run a program behind a wall; blocks for some 20 ms.

    bwrap is looked for in the `path` or in the system's folders, where no workspace can put one.
    """
    if sys.platform != "linux":
        return Sandboxing("", "there is no bubblewrap for this system")
    program = shutil.which("bwrap", path=path or os.pathsep.join(_PLACES))
    if program is None:
        return Sandboxing("", "bubblewrap is not installed", _INSTALL)
    program = str(Path(program).absolute())
    failure = ""
    for can_forbid_nesting, has_sizes in _VERSIONS:
        failure = _try(program, may_nest=not can_forbid_nesting, has_sizes=has_sizes)
        if not failure:
            return Sandboxing(program, can_forbid_nesting=can_forbid_nesting, has_sizes=has_sizes)
    return Sandboxing("", f"{_CLOSED} ({failure})", _OPEN)


def _try(program: str, *, may_nest: bool, has_sizes: bool) -> str:
    """Return why no program can run behind a wall by this bwrap; "" if one can."""
    place = Path(tempfile.gettempdir()), Path("/home")
    try:
        wall = Wall(program, *place, may_nest=may_nest, has_sizes=has_sizes)
        done = subprocess.run(
            wall.command(("/bin/sh", "-c", ":"), {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
