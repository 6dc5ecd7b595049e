"""Opens a run's socket, for commands from other shells, for viewers and for `lfg serve`."""

from contextlib import AbstractAsyncContextManager

from lfgtui.cli.launching.launch import Plan, check_providers
from lfgtui.engine.engine import Engine
from lfgtui.server.control.listening import listening


def reachable(engine: Engine) -> AbstractAsyncContextManager[None]:
    """Take requests and viewers for the run meanwhile; tickets they add are checked as at start."""
    return listening(
        engine, lambda tickets: check_providers(Plan(engine.title, tickets, engine.config))
    )
