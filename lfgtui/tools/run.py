"""`run_tool`: one call of lfg's own tools and its outcome, whatever the model sent."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lfgtui.errors import ToolError, too_many_files
from lfgtui.model.events import ToolArguments
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.waiting import finish
from lfgtui.tools.arguments import (
    LONE_SURROGATE,
    Arguments,
    EditFile,
    ListFiles,
    ReadFile,
    RunCommand,
    SearchFiles,
    WriteFile,
    parse,
)
from lfgtui.tools.command import OnOutput, run_command
from lfgtui.tools.file_tools import edit_file, read_file, write_file
from lfgtui.tools.limits import ToolLimits, ToolOutcome, one_line, sendable
from lfgtui.tools.listing import list_files
from lfgtui.tools.programs import command_environment
from lfgtui.tools.searching import search_files
from lfgtui.workspace.kept import TicketFiles

_log = logging.getLogger(__name__)


async def run_tool(
    name: str,
    arguments: ToolArguments,
    workspace: Path,
    *,
    on_output: OnOutput,
    limits: ToolLimits,
    environment: Mapping[str, str] | None = None,
    secrets: frozenset[str] = frozenset(),
    approved: str = "",
    wall: Wall | None = None,
    kept: TicketFiles | None = None,
) -> ToolOutcome:
    """Carry out the call. Never raises for what the model did wrong.

    An unknown tool, bad arguments, a path outside the workspace, a failed
    edit: each is an outcome whose `error` is one line that says what to do.
    `environment` is added to that of commands, and `secrets` are names of variables that they do
    not get (`command_environment`); they run in the sandbox that `wall` describes. A file is
    changed only if it is the `approved` version (`Preview.version`; "": any), and its old content
    is stored in `kept` first. A cancellation is passed on once all processes are dead.
    """
    try:
        parsed = parse(name, arguments)
        if isinstance(parsed, RunCommand):
            inherited = os.environ if wall is None else wall.variables(os.environ)
            variables = command_environment(inherited, environment, secrets)
            outcome = await run_command(parsed, workspace, limits, on_output, variables, wall)
        else:
            outcome = ToolOutcome(await _run(parsed, workspace, limits, approved, kept))
    except ToolError as error:
        outcome = _failed(str(error))
    except UnicodeError:
        outcome = _failed(f"{name}: {LONE_SURROGATE}")
    except OSError as error:
        outcome = _failed(f"{name}: {too_many_files(error) or error.strerror or error}")
    except Exception as error:  # a bug of lfg fails only this call
        _log.exception("%s", name)
        outcome = _failed(f"{name}: a bug in lfg: {type(error).__name__}: {error}")
    error_line = None if outcome.error is None else sendable(outcome.error)
    return ToolOutcome(sendable(outcome.output), error_line, outcome.exit_code)


async def _run(
    parsed: Arguments, workspace: Path, limits: ToolLimits, approved: str, kept: TicketFiles | None
) -> str:
    work: Callable[[], str]
    match parsed:
        case ListFiles():
            return await list_files(parsed, workspace, limits)
        case SearchFiles():
            return await search_files(parsed, workspace, limits)
        case ReadFile():
            work = partial(read_file, parsed, workspace, limits)
        case WriteFile():
            work = partial(write_file, parsed, workspace, limits, approved, kept)
        case EditFile():
            work = partial(edit_file, parsed, workspace, limits, approved, kept)
        case _:
            raise AssertionError(f"no tool takes {type(parsed).__name__}")
    return await finish(asyncio.to_thread(work))  # a thread cannot be stopped


def _failed(message: str) -> ToolOutcome:
    line = one_line(message)
    return ToolOutcome(line, line)
