"""From a command's options to a run on the screen, in a pipe or in a recording.

This is the one lazy seam at start-up (docs/decisions/0005): a module named here is imported when
it is first used, as in `launching.screen.browse(config)`. So the first frame waits for neither
engine nor SDK, and a command imports Textual only to open a screen.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lfgtui import tools as tools
    from lfgtui.cli.launching import cast as cast
    from lfgtui.cli.launching import headless as headless
    from lfgtui.cli.launching import launch as launch
    from lfgtui.cli.launching import past_runs as past_runs
    from lfgtui.cli.launching import provider_check as provider_check
    from lfgtui.cli.launching import redactors as redactors
    from lfgtui.cli.launching import screen as screen
    from lfgtui.cli.launching import session as session
    from lfgtui.history import reader as reader
else:
    _LATE = {
        "tools": "lfgtui.tools",
        "cast": f"{__name__}.cast",
        "headless": f"{__name__}.headless",
        "launch": f"{__name__}.launch",
        "past_runs": f"{__name__}.past_runs",
        "provider_check": f"{__name__}.provider_check",
        "redactors": f"{__name__}.redactors",
        "screen": f"{__name__}.screen",
        "session": f"{__name__}.session",
        "reader": "lfgtui.history.reader",
    }

    def __getattr__(name: str) -> ModuleType:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(_LATE[name])
