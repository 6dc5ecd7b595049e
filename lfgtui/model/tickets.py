"""Tickets: what a person asks of agents, as written in `tickets.toml`.

A `Ticket` is complete: defaults merged, prompt read, workspace absolute. It
is stored with its run, so a resume needs nothing but the history.
"""

import re
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from lfgtui.errors import SourceError, did_you_mean
from lfgtui.text import toml_file
from lfgtui.text.terminal_safe import escaped

ToolName = Literal[
    "read_file", "list_files", "search_files", "write_file", "edit_file", "run_command"
]
Approval = Literal["auto", "ask", "deny"]
Title: TypeAlias = Annotated[str, msgspec.Meta(max_length=1000)]
Reasoning: TypeAlias = Literal["low", "medium", "high"] | Annotated[int, msgspec.Meta(ge=1)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Amount: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Copies: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=9)]
CopyProviders: TypeAlias = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=9)]

ALL_TOOLS: tuple[ToolName, ...] = get_args(ToolName)
READING_TOOLS: frozenset[ToolName] = frozenset({"read_file", "list_files", "search_files"})

_MOST_BYTES = 10_000_000
"""Size of the largest file that is read as a prompt."""

TICKET_ID = re.compile(r"[A-Za-z0-9._-]+")
ID_CHARACTERS = 'only letters, digits, ".", "_" and "-"'
_NO_PROVIDERS = ("copies", "provider", "model")
"""Keys of a ticket that take the place of `providers` in `[defaults]`."""
_PROMPT = "prompt"
"""The id of a ticket that was given as nothing but a prompt."""


class ApprovalRule(msgspec.Struct, frozen=True):
    """Calls of one tool that a person allowed beforehand, in a ticket or in all of its run.

    `text` is the `command`, its `prefix` with all of its options, or the absolute path of the
    `file` or the `folder`, without links; any call of the `tool` needs none.
    """

    tool: str
    matches: Literal["command", "prefix", "file", "folder", "tool"]
    text: str = ""
    scope: Literal["ticket", "run"] = "ticket"

    @property
    def description(self) -> str:
        """The calls, as the person is told of them."""
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
                return f"every {self.tool}"

    @property
    def is_of_workspace(self) -> bool:
        """True if it says nothing about other workspaces: `./x.sh` is another program there."""
        return self.matches in ("command", "prefix")


class TicketKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys a ticket, or `[defaults]`, may have; None where not given."""

    title: Title | None = None
    prompt: str | None = None
    prompt_file: str | None = None
    system: str | None = None
    provider: str | None = None
    model: str | None = None
    workspace: str | None = None
    worktree: bool | None = None
    copies: Copies | None = None
    providers: CopyProviders | None = None
    choose: Literal["first"] | None = None
    tools: tuple[ToolName, ...] | None = None
    needs: tuple[str, ...] | None = None
    fallback: tuple[str, ...] | None = None
    reasoning: Reasoning | None = None
    extra: dict[str, object] | None = None
    max_turns: Count | None = None
    max_output_tokens: Count | None = None
    timeout: Amount | None = None
    first_token_timeout: Amount | None = None
    idle_timeout: Amount | None = None
    max_cost: Amount | None = None
    stream: bool | None = None
    cache: bool | None = None
    approve: Approval | dict[ToolName, Approval] | None = None


class TicketTable(TicketKeys, frozen=True, kw_only=True):
    """One `[[ticket]]`."""

    id: str


class TicketsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `tickets.toml`."""

    ticket: tuple[TicketTable, ...] = ()
    title: Title | None = None
    defaults: TicketKeys = TicketKeys()


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of work for one agent. Times are in seconds, `max_cost` in USD.

    `copy_of` is the id of the ticket that it is one of several copies of, one of which is handed
    on to those that need that one: the one the person chooses, or with `choose` the first done.
    """

    id: str
    prompt: str
    workspace: str
    copy_of: str = ""
    choose: Literal["first"] | None = None
    title: str = ""
    system: str | None = None
    provider: str | None = None
    model: str | None = None
    fallback: tuple[str, ...] = ()
    tools: tuple[ToolName, ...] = ALL_TOOLS
    needs: tuple[str, ...] = ()
    reasoning: Reasoning | None = None
    extra: dict[str, object] = {}
    max_turns: int = 30
    max_output_tokens: int = 8192
    timeout: float = 900.0
    first_token_timeout: float = 120.0
    idle_timeout: float = 120.0
    max_cost: float | None = None
    stream: bool = True
    cache: bool = True
    approve: Approval | dict[ToolName, Approval] | None = None

    @property
    def file_id(self) -> str:
        """Its id in the tickets file, which its copies have in common."""
        return self.copy_of or self.id

    def approval_for(self, tool: ToolName) -> Approval:
        """Return the approval of a call: run, ask or refuse."""
        default: Approval = "auto" if tool in READING_TOOLS else "ask"
        if self.approve is None:
            return default
        if isinstance(self.approve, dict):
            return self.approve.get(tool, default)
        return self.approve

    @property
    def may_write(self) -> bool:
        """True if a tool of it may change the workspace."""
        return any(t not in READING_TOOLS and self.approval_for(t) != "deny" for t in self.tools)

    def approves_by_itself(self) -> tuple[ToolName, ...]:
        """Return the tools beyond reading that would run without asking: what trust is about."""
        return tuple(
            tool
            for tool in self.tools
            if tool not in READING_TOOLS and self.approval_for(tool) == "auto"
        )


def side_by_side(tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Return these versions of one ticket as copies, numbered from 1; a single one as it is."""
    if len(tickets) == 1:
        return tuple(tickets)
    return tuple(
        msgspec.structs.replace(ticket, id=f"{ticket.id}.{number}", copy_of=ticket.id)
        for number, ticket in enumerate(tickets, 1)
    )


def distrusted(ticket: Ticket) -> Ticket:
    """Return the ticket for a run that nobody trusted: each tool asks or is denied, no `extra`."""
    approve: dict[ToolName, Approval] = {
        tool: "deny" if ticket.approval_for(tool) == "deny" else "ask" for tool in ticket.tools
    }
    return msgspec.structs.replace(ticket, approve=approve, extra={})


class TicketsFile(msgspec.Struct, frozen=True):
    """A tickets file, checked: ids unique, needs known and free of circles.

    `prompt_files` are the files that prompts were read from, by ticket, with
    every link resolved.
    """

    title: str
    tickets: tuple[Ticket, ...]
    prompt_files: dict[str, str] = {}


def single_ticket(prompt: str, workspace: Path) -> TicketsFile:
    """Return the run of `lfg run -p PROMPT`: one ticket that answers and, if asked, works."""
    ticket = Ticket(id=_PROMPT, prompt=prompt, workspace=str(workspace))
    return TicketsFile(title=_shorten(prompt), tickets=(ticket,))


def ticket_like(tickets: Sequence[Ticket], prompt: str) -> Ticket:
    """Return a ticket for one more prompt, with a new id and the settings that most have.

    Where no two have the same, those of the first; a system prompt only if all have it.
    """
    taken = {name for ticket in tickets for name in (ticket.id, ticket.file_id)}
    names = (_PROMPT, *(f"{_PROMPT}-{number}" for number in range(2, len(tickets) + 2)))
    name = next(name for name in names if name not in taken)
    own: dict[str, object] = {"id": name, "prompt": prompt, "title": "", "needs": (), "copy_of": ""}
    if len({ticket.system for ticket in tickets}) > 1:
        own["system"] = None
    alike = [msgspec.structs.replace(ticket, **own) for ticket in tickets]
    return max(alike, key=alike.count)


def load_tickets(path: Path, known: Collection[str] = ()) -> TicketsFile:
    """Read and check a tickets file; raises `SourceError` with line and nearest name.

    `known` are the ids of the run that it is added to: they are taken, and may be needed.
    """
    text = toml_file.read_text(path)
    document = toml_file.convert(path, text, toml_file.parse(path, text), TicketsDocument)
    if not document.ticket:
        raise SourceError(path, None, "no [[ticket]] in it; a run needs at least one")
    source = _Source(path, text, document)
    _check(source, known)
    read: dict[str, str] = {}
    taken = {*known, *(table.id for table in document.ticket)}
    tickets: list[Ticket] = []
    for index, table in enumerate(document.ticket):
        for ticket in _complete(source, index, read):
            if ticket.copy_of and ticket.id in taken:
                message = f'"{table.id}" has a copy "{ticket.id}", but that id is taken'
                raise source.refusal(message, index, "id")
            tickets.append(ticket)
    return TicketsFile(document.title or path.stem, tuple(tickets), read)


def find_cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a cycle among the needs, as ids with the first repeated at the end; or nothing."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1][:0:-1]  # it goes from a need to who needs it
        start = cycle.index(next(name for name in needs if name in cycle))
        return [*cycle[start:], *cycle[: start + 1]]
    return []


class _Source(msgspec.Struct, frozen=True):
    """The file that is checked; where a key stands is looked up only to refuse it."""

    path: Path
    text: str
    document: TicketsDocument

    def refusal(self, message: str, *at: str | int) -> SourceError:
        """Return the error to raise, at the key's line; a ticket's index stands for its table."""
        at = ("ticket", *at) if at and isinstance(at[0], int) else at
        return SourceError(self.path, toml_file.line_of(self.text, at), message)


def _check(source: _Source, known: Collection[str]) -> None:
    document = source.document
    if document.defaults.needs:
        message = '"needs" belongs to a ticket, not to [defaults]'
        raise source.refusal(message, "defaults", "needs")
    first: dict[str, int] = {}
    for index, table in enumerate(document.ticket):
        if not TICKET_ID.fullmatch(table.id):
            message = f'id "{table.id}": {ID_CHARACTERS}'
            raise source.refusal(message, index, "id")
        if table.id in known:
            message = f'the run has a ticket "{table.id}" already; give it only new ones'
            raise source.refusal(message, index, "id")
        if table.id in first:
            line = toml_file.line_of(source.text, ("ticket", first[table.id], "id"))
            message = f'id "{table.id}" is taken (line {line}); ids are unique'
            raise source.refusal(message, index, "id")
        first[table.id] = index
    for index, table in enumerate(document.ticket):
        for need in table.needs or ():
            if need not in first and need not in known:
                hint = did_you_mean(need, {*first, *known} - {table.id})
                message = f'"{table.id}" needs "{need}", which is not a ticket{hint}'
                raise source.refusal(message, index, "needs")
    if cycle := find_cycle({table.id: table.needs or () for table in document.ticket}):
        message = f"circular needs: {' -> '.join(cycle)}"
        raise source.refusal(message, first[cycle[0]], "needs")


def _complete(source: _Source, index: int, read: dict[str, str]) -> Sequence[Ticket]:
    """Return a ticket with defaults merged, or the copies it runs as.

    Adds the file of its prompt, if any, to `read`.
    """
    table = source.document.ticket[index]
    own = {k: v for k, v in msgspec.structs.asdict(table).items() if v is not None}
    defaults = source.document.defaults
    keys = msgspec.structs.asdict(defaults) | own
    if defaults.provider not in (None, keys["provider"]):
        keys["model"] = own.get("model")  # a model belongs to its provider
    folder = source.path.absolute().parent

    def refusal(key: str, message: str) -> SourceError:
        return source.refusal(message, index if key in own else "defaults", key)

    if keys.pop("worktree"):
        raise refusal("worktree", '"worktree" is not supported by this version; remove it')
    workspace = _from(folder, keys.pop("workspace") or ".")
    if not _is_folder(workspace):
        raise refusal("workspace", f'workspace "{workspace}" is not a folder')
    prompt, prompt_file = keys.pop("prompt"), keys.pop("prompt_file")
    if prompt is not None and prompt_file is not None:
        raise source.refusal('has both "prompt" and "prompt_file"; keep one', index)
    if prompt_file is not None:
        file = _resolved(_from(folder, prompt_file))
        if fault := _fault(file):
            raise source.refusal(f'prompt_file "{file}" is {fault}', index)
        prompt, read[table.id] = toml_file.read_text(file), str(file)
    if not (prompt or "").strip():
        raise source.refusal(f'ticket "{table.id}" has no prompt', index)
    if rival := next((key for key in _NO_PROVIDERS if key in own), None):
        if "providers" in own:
            raise refusal("providers", f'has both "providers" and "{rival}"; keep one')
        keys["providers"] = None
    copies, providers = keys.pop("copies") or 1, keys.pop("providers")
    values = {key: value for key, value in keys.items() if value is not None}
    ticket = Ticket(prompt=prompt, workspace=str(workspace.resolve()), **values)
    return side_by_side([_on(ticket, one) for one in providers] if providers else [ticket] * copies)


def _on(ticket: Ticket, route: str) -> Ticket:
    """Return the ticket on PROVIDER/MODEL, or on the default model of a PROVIDER."""
    provider, _, model = route.partition("/")
    return msgspec.structs.replace(ticket, provider=provider, model=model or None)


def _from(folder: Path, name: str) -> Path:
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:  # "~name" of nobody: then it is a file's name
        return folder / name


def _resolved(path: Path) -> Path:
    """Return the path without links, so that the file shown to the person is the one read."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # reading it says what is wrong
        return path


def _fault(path: Path) -> str | None:
    """Return what a file is that is not to be read: the start screen reads it unasked."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # reading it says what is wrong
        return None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return "a device or a pipe, not a file"
    return "larger than 10 MB, too large for a prompt" if status.st_size > _MOST_BYTES else None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its name is too long, or it may not be looked at
        return False


def _shorten(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
