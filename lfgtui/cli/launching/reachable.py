"""A run that others reach: from another shell, as viewers, through a server."""

from contextlib import AbstractAsyncContextManager

from lfgtui.cli.launching.launch import Plan, check_providers
from lfgtui.engine.engine import Engine
from lfgtui.server.control.listening import listening


def reachable(engine: Engine) -> AbstractAsyncContextManager[None]:
    """Take requests and viewers for the run while the body runs."""
    return listening(
        engine, lambda tickets: check_providers(Plan(engine.title, tickets, engine.config))
    )
