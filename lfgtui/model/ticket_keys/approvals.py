"""The names of tools (`tools`), and whether their calls run, ask or are refused (`approve`).

A tool of an MCP server has the name `mcp__SERVER__TOOL`, which no other tool may have. Histories
hold the names of tools and the rules, so neither can change.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import msgspec

from lfgtui.errors import did_you_mean
from lfgtui.text.terminal_safe import escaped

ToolName = Literal[
    "read_file", "list_files", "search_files", "write_file", "edit_file", "run_command"
]
ALL_TOOLS: tuple[ToolName, ...] = get_args(ToolName)
READING_TOOLS: frozenset[ToolName] = frozenset({"read_file", "list_files", "search_files"})

Approval: TypeAlias = Literal["auto", "ask", "deny"]
Approvals: TypeAlias = Approval | dict[str, Approval]
"""One for all tools, or one each by the name of a tool or of a server (`mcp__SERVER`)."""

_SERVERS, _SEPARATOR = "mcp", "__"


class ApprovalRule(msgspec.Struct, frozen=True):
    """Calls of one tool that a person allowed beforehand, in a ticket or in all of its run.

    `text` depends on `matches`: the `command`, or the `prefix` of one with all of its options; the
    absolute path of the `file` or the `folder`, links resolved; "" for every call of a `tool`. For
    an MCP server's tool it is the tool's definition, since another definition is another tool.
    `agent/approval_rules.py` decides which calls a rule covers.
    """

    tool: str
    matches: Literal["command", "prefix", "file", "folder", "tool"]
    text: str = ""
    scope: Literal["ticket", "run"] = "ticket"

    @property
    def description(self) -> str:
        """The calls, in words for the person."""
        text = escaped(self.text)
        match self.matches:
            case "command":
                return f"the command `{text}`"
            case "prefix":
                return f"commands beginning with `{text}`, without further options"
            case "file":
                return f"{self.tool} on `{text}`"
            case "folder":
                return f"{self.tool} on files in `{text}` and below"
            case "tool":
                return f"every {self.tool}" + (", as its server describes it now" if text else "")

    @property
    def is_of_workspace(self) -> bool:
        """True for a rule that is valid in one workspace: elsewhere `./x.sh` is another program."""
        return self.matches in ("command", "prefix")


def server_prefix(server: str) -> str:
    """Return the beginning of the names of the server's tools."""
    return f"{_SERVERS}{_SEPARATOR}{server}{_SEPARATOR}"


def approval_for(approve: Approvals | None, tool: str) -> Approval:
    """Return the approval of a tool's calls: run (`auto`), ask or refuse (`deny`).

    An entry for the tool counts before one for its server; without any, only reading runs unasked.
    """
    if isinstance(approve, str):
        return approve
    given = approve or {}
    server = _SEPARATOR.join(tool.split(_SEPARATOR, 2)[:2])
    default: Approval = "auto" if tool in READING_TOOLS else "ask"
    return given.get(tool, given.get(server, default))


def unasked(
    approve: Approvals | None, tools: Sequence[ToolName], servers: Sequence[str]
) -> Iterator[str]:
    """Yield what would run unasked: tools that do more than read, servers, and tools of these."""
    for tool in tools:
        if tool not in READING_TOOLS and approval_for(approve, tool) == "auto":
            yield tool
    given: Mapping[str, Approval] = approve if isinstance(approve, dict) else {}
    for server in servers:
        prefix = server_prefix(server)
        names = [prefix.removesuffix(_SEPARATOR), *(n for n in given if n.startswith(prefix))]
        yield from (name for name in names if approval_for(approve, name) == "auto")


def approval_mistake(approve: Approvals | None, servers: Sequence[str]) -> str:
    """Return what is wrong with the names in `approve`; "" if nothing is.

    It may name servers that the ticket does not use, but not unknown tools.
    """
    known = [*ALL_TOOLS, *(server_prefix(name).removesuffix(_SEPARATOR) for name in servers)]
    for name in approve if isinstance(approve, dict) else ():
        if name not in known and not name.startswith(server_prefix("").removesuffix(_SEPARATOR)):
            return f'unknown tool "{escaped(name)}"{did_you_mean(name, known)}'
    return ""
