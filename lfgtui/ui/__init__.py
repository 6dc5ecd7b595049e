"""The screen; it alone knows Textual.

A module named here is imported when it is first used (docs/decisions/0005), as in
`ui.commands.open_palette(app)`, and not for the first frame.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lfgtui.ui import commands as commands
else:

    def __getattr__(name: str) -> ModuleType:
        if name.startswith("_"):  # as `__path__`, which Python itself looks for
            raise AttributeError(name)
        return import_module(f"{__name__}.{name}")
