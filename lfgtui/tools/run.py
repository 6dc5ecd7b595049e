"""One call: the line by which a person allows it, and its outcome, whatever the model sent."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lfgtui.errors import ToolError, too_many_files
from lfgtui.model.call_summary import members_of, members_summary
from lfgtui.model.events import ToolArguments
from lfgtui.text.terminal_safe import escaped
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
from lfgtui.tools.files import locate
from lfgtui.tools.limits import ToolLimits, ToolOutcome, cut_line
from lfgtui.tools.listing import list_files
from lfgtui.tools.programs import command_environment, finish
from lfgtui.tools.searching import search_files

_log = logging.getLogger(__name__)

_MOST_ERROR = 2_000
_WIDTH = 600
_BLANK = "\\x20"


def summary(name: str, arguments: ToolArguments, workspace: Path | None = None) -> str:
    """`edit_file README.md · -3 +5 lines`: one line, nothing in it hidden or silently cut.

    With the workspace it also names the target of links. Never raises: the line of a call
    that cannot run says so.
    """
    try:
        parsed = parse(name, arguments)
        given = {} if isinstance(arguments, str) else arguments
        present = {key: value for key, value in given.items() if value is not None}
        line = members_summary(members_of(present), _exact)
        line = line if line.startswith("$ ") else f"{name} {line}".rstrip()
        line += "" if workspace is None else _destination(parsed, workspace)
    except ToolError as error:
        line = f"cannot run: {error}"
    half = _WIDTH // 2
    if (over := len(line) - 4 * _WIDTH) > 0:  # escaping millions of characters takes seconds
        ends = escaped(line[: 2 * _WIDTH]), escaped(line[-2 * _WIDTH :])
        over += len(ends[0]) + len(ends[1]) - 2 * half
        return f"{ends[0][:half]} [... {over:,} more characters ...] {ends[1][-half:]}"
    line = escaped(line)
    if len(line) <= _WIDTH:
        return line
    return f"{line[:half]} [... {len(line) - 2 * half:,} more characters ...] {line[-half:]}"


def _destination(parsed: Arguments, workspace: Path) -> str:
    """Return where links lead the path, as the end of the line; empty if it has none."""
    relative = getattr(parsed, "path", None)
    if not isinstance(relative, str):
        return ""
    path = locate(workspace, relative)
    if os.path.normpath(path.root / relative) == str(path.absolute):
        return ""
    return f", through a link to {_exact(path.relative)}"


def _exact(value: str) -> str:
    """Return the argument with whatever cannot be seen written out, blanks at its ends too."""
    inner = value.strip(" ")
    begin = value.index(inner) if inner else len(value)
    blanks = (_BLANK * begin, _BLANK * (len(value) - begin - len(inner)))
    return f"{blanks[0]}{escaped(inner, blanks=False)}{blanks[1]}"


async def run_tool(
    name: str,
    arguments: ToolArguments,
    workspace: Path,
    *,
    on_output: OnOutput,
    limits: ToolLimits,
    environment: Mapping[str, str] | None = None,
    secrets: frozenset[str] = frozenset(),
) -> ToolOutcome:
    """Carry out the call. Never raises for what the model did wrong.

    An unknown tool, bad arguments, a path outside of the workspace, a failed
    edit: each is an outcome whose `error` is one line that says what to do.
    `environment` is added to what commands find in theirs, and `secrets` are
    names of variables that they do not get (`command_environment`). A
    cancellation goes through, once everything that was started is dead.
    """
    try:
        parsed = parse(name, arguments)
        if isinstance(parsed, RunCommand):
            variables = command_environment(os.environ, environment, secrets)
            outcome = await run_command(parsed, workspace, limits, on_output, variables)
        else:
            outcome = ToolOutcome(await _run(parsed, workspace, limits))
    except ToolError as error:
        outcome = _failed(str(error))
    except UnicodeError:
        outcome = _failed(f"{name}: {LONE_SURROGATE}")
    except OSError as error:
        outcome = _failed(f"{name}: {too_many_files(error) or error.strerror or error}")
    except Exception as error:  # a bug of ours is the call's failure, and no more than that
        _log.exception("%s", name)
        outcome = _failed(f"{name}: a bug in lfg: {type(error).__name__}: {error}")
    error_line = None if outcome.error is None else _sendable(outcome.error)
    return ToolOutcome(_sendable(outcome.output), error_line, outcome.exit_code)


async def _run(parsed: Arguments, workspace: Path, limits: ToolLimits) -> str:
    work: Callable[[], str]
    match parsed:
        case ListFiles():
            return await list_files(parsed, workspace, limits)
        case SearchFiles():
            return await search_files(parsed, workspace, limits)
        case ReadFile():
            work = partial(read_file, parsed, workspace, limits)
        case WriteFile():
            work = partial(write_file, parsed, workspace, limits)
        case EditFile():
            work = partial(edit_file, parsed, workspace, limits)
        case _:
            raise AssertionError(f"no tool takes {type(parsed).__name__}")
    return await finish(asyncio.to_thread(work))  # a thread cannot be stopped


def _failed(message: str) -> ToolOutcome:
    line = cut_line(" ".join(message.split()), _MOST_ERROR)
    return ToolOutcome(line, line)


def _sendable(text: str) -> str:
    """Replace what UTF-8 cannot hold, as in file names of other bytes."""
    return text.encode("utf-8", "replace").decode("utf-8")
