"""The six tools: their description and schema for the model, and the check of its arguments.

Each tool has one msgspec struct: its docstring and its JSON schema go to the model, and
`parse` checks the model's arguments by the same declaration. So to change a docstring or a
description here changes what models do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lfgtui.errors import ToolError, did_you_mean
from lfgtui.model.events import ToolArguments
from lfgtui.model.ticket_keys.approvals import ToolName


def _text(description: str) -> Meta:
    return Meta(min_length=1, description=description)


_FilePath = Annotated[str, _text("Path relative to the workspace.")]
_Folder = Annotated[str, _text("File or folder to look in, relative to the workspace.")]
_SECONDS = Meta(gt=0, description="Seconds after which it is stopped.")
_EXACTLY = Meta(description="Text to replace, exactly as it is in the file, spaces included.")
_EVERYWHERE = Meta(description="Replace every occurrence instead of exactly one.")
_GLOB = (
    "`*` and `?` within a name, `**` for any folders, `{a,b}` for either; a pattern without /"
    " matches in any folder"
)


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of any tool."""


class ReadFile(Arguments, frozen=True):
    """Read a text file. A long file is cut; go on with start_line."""

    path: _FilePath
    start_line: Annotated[int, Meta(ge=1, description="First line to read, from 1.")] = 1
    max_lines: Annotated[int, Meta(ge=1, description="Lines to read at most.")] | UnsetType = UNSET


class ListFiles(Arguments, frozen=True):
    """List the files in a folder and all folders below it, without what .gitignore excludes."""

    path: _Folder = "."
    pattern: Annotated[str, _text(f"Glob of the files wanted: {_GLOB}.")] | UnsetType = UNSET


class SearchFiles(Arguments, frozen=True):
    """Search files for a regular expression. Gives `file:line: text` for each matching line."""

    pattern: Annotated[str, _text("Regular expression, matched line by line.")]
    path: _Folder = "."
    glob: Annotated[str, _text(f"Glob of the files to search: {_GLOB}.")] | UnsetType = UNSET


class WriteFile(Arguments, frozen=True):
    """Create a file or replace all of it. Missing folders are created.

    To change part of a file use edit_file.
    """

    path: _FilePath
    content: Annotated[str, Meta(description="The whole new content of the file.")]


class EditFile(Arguments, frozen=True):
    """Replace one piece of text in a file.

    `old` must occur exactly once, so give it with enough lines around it, or set replace_all.
    """

    path: _FilePath
    old: Annotated[str, _EXACTLY]
    new: Annotated[str, Meta(description="Text to put in its place.")]
    replace_all: Annotated[bool, _EVERYWHERE] = False


class RunCommand(Arguments, frozen=True):
    """Run a shell command in the workspace and give its output and exit code.

    It gets no input, and what it leaves in the background is stopped when it returns.
    """

    command: Annotated[str, _text("A shell command line.")]
    timeout: Annotated[float, _SECONDS] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as it is offered to the model; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class OwnTool(Tool):
    """A tool of lfg, with the struct that its arguments are checked by."""

    arguments: type[Arguments]


def _tool(name: ToolName, arguments: type[Arguments]) -> OwnTool:
    schema = msgspec.json.schema(arguments)["$defs"][arguments.__name__]
    parameters = {key: schema[key] for key in schema if key not in ("title", "description")}
    return OwnTool(name, " ".join(schema["description"].split()), parameters, arguments)


_ALL = (
    _tool("read_file", ReadFile),
    _tool("list_files", ListFiles),
    _tool("search_files", SearchFiles),
    _tool("write_file", WriteFile),
    _tool("edit_file", EditFile),
    _tool("run_command", RunCommand),
)
TOOLS: Mapping[str, OwnTool] = MappingProxyType({tool.name: tool for tool in _ALL})
"""Every tool of lfg, in the order in which they are offered."""

_WORDS = {  # msgspec's words in error messages, and words for the model
    "`int`": "an integer",
    "`str`": "a string",
    "`bool`": "true or false",
    "`float`": "a number",
    "`object`": "an object",
    "`array`": "an array",
    "`null`": "null",
    "a string of length >= 1": "a string that is not empty",
    " >= ": " of at least ",
    " > 0.0": " above 0",
}
LONE_SURROGATE = "the arguments have half a surrogate pair in them; leave it out"
_AT = re.compile(r" - at `\$\.([^`]+)`$")
"""The end of msgspec's messages: " - at `$.max_lines`"."""


def parse(name: str, arguments: ToolArguments) -> Arguments:
    """Return the arguments as their tool's struct; raises `ToolError` with a message for the model.

    Lenient where the meaning is plain: `"7"` counts as 7, and null as an argument
    that was left out.
    """
    if (tool := TOOLS.get(name)) is None:
        raise ToolError(f'there is no tool "{name}"{did_you_mean(name, TOOLS)}')
    if isinstance(arguments, str):
        if arguments.strip():
            shown = arguments if len(arguments) <= 60 else f"{arguments[:60]}…"
            raise ToolError(
                f"{name}: the arguments are not a JSON object: {shown!r}; send {_form(tool)}"
            )
        arguments = {}
    present = {key: value for key, value in arguments.items() if value is not None}
    try:
        return msgspec.convert(present, tool.arguments, strict=False)
    except msgspec.ValidationError as error:
        raise ToolError(f"{name}: {_complaint(tool, str(error))}") from None
    except UnicodeEncodeError:
        raise ToolError(f"{name}: {LONE_SURROGATE}") from None


def is_well_formed(name: str, arguments: ToolArguments) -> bool:
    """Return True if the call can run at all; otherwise there is nothing to ask about."""
    try:
        parse(name, arguments)
    except ToolError:
        return False
    return True


def _complaint(tool: OwnTool, message: str) -> str:
    """Return msgspec's message about the arguments in words for the model."""
    names = tool.arguments.__struct_fields__
    if missing := re.search(r"missing required field `([^`]+)`", message):
        return f'the argument "{missing[1]}" is missing; send {_form(tool)}'
    if unknown := re.search(r"unknown field `(.*)`", message, re.DOTALL):
        hint = did_you_mean(unknown[1], names)
        return f'there is no argument "{unknown[1]}"{hint}'
    at = _AT.search(message)
    what = message[: at.start()] if at else message
    for word, plain in _WORDS.items():
        what = what.replace(word, plain)
    where = f'argument "{at[1]}": ' if at else ""
    return f"{where}{what[:1].lower()}{what[1:]}"


def _form(tool: OwnTool) -> str:
    """Return the call as it should look: `{"path": ..., "start_line"?: ...}`."""
    fields = msgspec.structs.fields(tool.arguments)
    named = (f'"{field.name}"{"" if field.required else "?"}: ...' for field in fields)
    return f"{{{', '.join(named)}}}"
