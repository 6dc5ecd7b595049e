"""From a command's options to a run on the screen, in a pipe or in a recording.

Only this package imports lazily at start-up (docs/decisions/0005): a module named here is imported
when it is first used, as in `launching.screen.browse(config)`. So the first frame waits for neither
engine nor SDK, and a command imports Textual only to open a screen. A new module needs a line
below for the type checker, and an entry in `_ROOMS` if it is in a subpackage.
"""

import gc
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING


def import_at_rest(name: str) -> ModuleType:
    """Import a module while the garbage collector rests: nothing that stays is garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        if was_enabled:
            gc.enable()


if TYPE_CHECKING:
    from lfgtui.cli.launching import headless as headless
    from lfgtui.cli.launching import launch as launch
    from lfgtui.cli.launching import next_step as next_step
    from lfgtui.cli.launching import on_end as on_end
    from lfgtui.cli.launching import past_runs as past_runs
    from lfgtui.cli.launching import provider_check as provider_check
    from lfgtui.cli.launching import reachable as reachable
    from lfgtui.cli.launching import redactors as redactors
    from lfgtui.cli.launching import replay as replay
    from lfgtui.cli.launching import rerun as rerun
    from lfgtui.cli.launching import screen as screen
    from lfgtui.cli.launching import session as session
    from lfgtui.cli.launching import start as start
    from lfgtui.cli.launching import trust as trust
    from lfgtui.cli.launching.detaching import detached as detached
    from lfgtui.cli.launching.remote import attach as attach
    from lfgtui.cli.launching.remote import worker as worker
else:
    _ROOMS = {
        "attach": "remote.",
        "worker": "remote.",
        "detached": "detaching.",
    }

    def __getattr__(name: str) -> ModuleType:
        if name.startswith("_"):  # as `__path__`, which Python itself looks for
            raise AttributeError(name)
        return import_at_rest(f"{__name__}.{_ROOMS.get(name, '')}{name}")
