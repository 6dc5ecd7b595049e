"""Whether there can be a sandbox on this machine, for tests that need one."""

import pytest

from lfgtui.processes.sandbox.availability import find_sandbox

FOUND = find_sandbox()

walled = pytest.mark.skipif(not FOUND.program, reason=f"no sandbox here: {FOUND.reason}")
"""For what runs behind a wall, and for runs whose commands would ask without one."""
