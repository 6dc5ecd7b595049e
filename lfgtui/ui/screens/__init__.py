"""The screens of a run.

The modules named below are imported lazily (docs/decisions/0005), when they are first used as in
`screens.diff.DiffScreen(...)`, so that the first frame waits for none of them. To import another
one so, name it below, for the type checker.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lfgtui.ui.screens import commands as commands
    from lfgtui.ui.screens import copies as copies
    from lfgtui.ui.screens import dialogs as dialogs
    from lfgtui.ui.screens import diff as diff
    from lfgtui.ui.screens import limit_question as limit_question
    from lfgtui.ui.screens import table_keys as table_keys
else:

    def __getattr__(name: str) -> ModuleType:
        if name.startswith("_"):  # as `__path__`, which Python itself looks for
            raise AttributeError(name)
        return import_module(f"{__name__}.{name}")
