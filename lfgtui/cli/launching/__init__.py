"""From a command's options to a run on the screen, in a pipe or in a recording.

This is the one lazy seam at start-up (docs/decisions/0005): a module named here is imported when
it is first used, as in `launching.screen.browse(config)`. So the first frame waits for neither
engine nor SDK, and a command imports Textual only to open a screen.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = [
    "cast",
    "headless",
    "launch",
    "local_model",
    "past_runs",
    "provider_check",
    "reader",
    "redactors",
    "screen",
    "session",
    "tools",
    "trust",
]

if TYPE_CHECKING:
    from lfgtui import tools
    from lfgtui.cli.launching import (
        cast,
        headless,
        launch,
        past_runs,
        provider_check,
        redactors,
        screen,
        session,
        trust,
    )
    from lfgtui.history import reader
    from lfgtui.simulator.local import model as local_model
else:
    _ELSEWHERE = {
        "local_model": "lfgtui.simulator.local.model",
        "reader": "lfgtui.history.reader",
        "tools": "lfgtui.tools",
    }

    def __getattr__(name: str) -> ModuleType:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(_ELSEWHERE.get(name, f"{__name__}.{name}"))
