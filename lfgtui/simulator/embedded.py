"""The simulator as a child process, for runs that use the built-in models.

It imports nothing of the server, so it costs nothing before the first frame.
"""

from collections.abc import Sequence

from lfgtui.childserver import ChildServer


def embedded_simulator(
    *, seed: int = 0, speed: float = 1.0, options: Sequence[str] = ()
) -> ChildServer:
    """One that is shared by all three wires. See `ChildServer`."""
    said = ("--port", "0", "--exit-on-stdin-eof", "--seed", str(seed), "--speed", f"{speed:g}")
    return ChildServer("simulator", "lfgtui.simulator", (*said, *options))
