"""Toolboxes: the sources of a ticket's tools (lfg's own, MCP servers); each runs its own tools.

The agent asks for all tools before each request, since a server's may change, and hands each call
to the box that owns its name.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lfgtui.model.events import ToolArguments
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement
from lfgtui.tools.arguments import TOOLS, Tool, is_well_formed
from lfgtui.tools.command import OnOutput
from lfgtui.tools.limits import ToolLimits, ToolOutcome
from lfgtui.tools.preview import Preview, preview
from lfgtui.tools.run import run_tool
from lfgtui.workspace.kept import TicketFiles


class Toolbox(Protocol):
    """The tools that a ticket has from one source: `WorkspaceTools` or `mcp.toolbox.McpTools`."""

    async def offered(self) -> Sequence[Tool]:
        """Return the tools for the next request."""
        ...

    def owns(self, name: str) -> bool:
        """Return True if calls of that name are answered here, even if only with an error."""
        ...

    def offers(self, name: str) -> bool:
        """Return True if the ticket has this tool; a call to any other fails."""
        ...

    def is_well_formed(self, name: str, arguments: ToolArguments) -> bool:
        """Return True if the call can run at all; otherwise there is nothing to ask about."""
        ...

    async def preview(self, name: str, arguments: ToolArguments) -> Preview:
        """Return the call as a person is to approve it; raise `ToolError` if it cannot run."""
        ...

    async def run(
        self, name: str, arguments: ToolArguments, approved: str, on_output: OnOutput
    ) -> ToolOutcome:
        """Carry out the call, as `run_tool` does. `approved` is the preview's version."""
        ...


class WorkspaceTools:
    """The ticket's tools among lfg's six.

    It owns every name, so it has to be the last of the boxes: it answers unknown ones, too, with an
    error.
    """

    def __init__(
        self,
        ticket: Ticket,
        workspace: str,
        environment: Mapping[str, str],
        secrets: frozenset[str],
        kept: TicketFiles | None = None,
        confinement: Confinement = UNCONFINED,
    ) -> None:
        self._names = ticket.tools
        self._workspace = Path(workspace)
        self._environment = environment
        self._secrets = secrets
        self._kept = kept
        self._wall = confinement.wall
        self._limits = ToolLimits(processes=confinement.limits)

    async def offered(self) -> Sequence[Tool]:
        return [TOOLS[name] for name in self._names]

    def owns(self, name: str) -> bool:
        return True

    def offers(self, name: str) -> bool:
        return name in self._names

    def is_well_formed(self, name: str, arguments: ToolArguments) -> bool:
        return is_well_formed(name, arguments)

    async def preview(self, name: str, arguments: ToolArguments) -> Preview:
        return await asyncio.to_thread(preview, name, arguments, self._workspace, ToolLimits())

    async def run(
        self, name: str, arguments: ToolArguments, approved: str, on_output: OnOutput
    ) -> ToolOutcome:
        if name in TOOLS and name not in self._names:
            message = f"{name} is not among this ticket's tools: {', '.join(self._names)}"
            return ToolOutcome(message, message)
        return await run_tool(
            name,
            arguments,
            self._workspace,
            on_output=on_output,
            limits=self._limits,
            environment=self._environment,
            secrets=self._secrets,
            approved=approved,
            kept=self._kept,
            wall=self._wall,
        )


class Toolboxes:
    """All of a ticket's boxes as one: the first that owns a name answers for it.

    The last of them has to own every name.
    """

    def __init__(self, boxes: Sequence[Toolbox]) -> None:
        self._boxes = boxes

    async def offered(self) -> Sequence[Tool]:
        return [tool for box in self._boxes for tool in await box.offered()]

    def of(self, name: str) -> Toolbox:
        """Return the first box that owns the name."""
        return next(box for box in self._boxes if box.owns(name))
