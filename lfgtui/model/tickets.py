"""Tickets: what a person asks of agents, as written in `tickets.toml`.

A `Ticket` is complete: defaults merged, prompt read, workspace absolute. It
is stored with its run, so a resume needs nothing but the history.
"""

import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from lfgtui.errors import SourceError, UsageError, did_you_mean
from lfgtui.text import toml_file

ToolName = Literal[
    "read_file", "list_files", "search_files", "write_file", "edit_file", "run_command"
]
Approval = Literal["auto", "ask", "deny"]
Title: TypeAlias = Annotated[str, msgspec.Meta(max_length=1000)]
Reasoning: TypeAlias = Literal["low", "medium", "high"] | Annotated[int, msgspec.Meta(ge=1)]

ALL_TOOLS: tuple[ToolName, ...] = (
    "read_file",
    "list_files",
    "search_files",
    "write_file",
    "edit_file",
    "run_command",
)
READING_TOOLS: frozenset[ToolName] = frozenset({"read_file", "list_files", "search_files"})

_ID = re.compile(r"[A-Za-z0-9._-]+")
_NOT_YET = ("worktree",)


class TicketKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys a ticket, or `[defaults]`, may have; None where not said."""

    title: Title | None = None
    prompt: str | None = None
    prompt_file: str | None = None
    system: str | None = None
    provider: str | None = None
    model: str | None = None
    workspace: str | None = None
    worktree: bool | None = None
    tools: tuple[ToolName, ...] | None = None
    needs: tuple[str, ...] | None = None
    fallback: tuple[str, ...] | None = None
    reasoning: Reasoning | None = None
    extra: dict[str, object] | None = None
    max_turns: int | None = None
    max_output_tokens: int | None = None
    timeout: float | None = None
    first_token_timeout: float | None = None
    idle_timeout: float | None = None
    max_cost: Annotated[float, msgspec.Meta(gt=0)] | None = None
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
    """One unit of work for one agent. Times are in seconds, `max_cost` in USD."""

    id: str
    prompt: str
    workspace: str
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

    def approval_for(self, tool: ToolName) -> Approval:
        """Return the approval of a call: run, ask or refuse."""
        default: Approval = "auto" if tool in READING_TOOLS else "ask"
        if self.approve is None:
            return default
        if isinstance(self.approve, dict):
            return self.approve.get(tool, default)
        return self.approve

    def approves_by_itself(self) -> tuple[ToolName, ...]:
        """The tools beyond reading that would run without asking: what trust is about."""
        return tuple(
            tool
            for tool in self.tools
            if tool not in READING_TOOLS and self.approval_for(tool) == "auto"
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
    """The run of `lfg run -p PROMPT`: one ticket that answers and, if asked, works."""
    ticket = Ticket(id="prompt", prompt=prompt, workspace=str(workspace))
    return TicketsFile(title=_shorten(prompt), tickets=(ticket,))


def load_tickets(path: Path) -> TicketsFile:
    """Read and check a tickets file; raises `SourceError` with line and nearest name."""
    text = toml_file.read_text(path)
    document = toml_file.convert(path, text, toml_file.parse(path, text), TicketsDocument)
    if not document.ticket:
        raise SourceError(path, None, "no [[ticket]] in it; a run needs at least one")
    source = _Source(path, text)
    _check(source, document)
    read: dict[str, str] = {}
    tickets = tuple(
        _complete(source, document, index, read) for index in range(len(document.ticket))
    )
    return TicketsFile(document.title or path.stem, tickets, read)


def select(file: TicketsFile, only: tuple[str, ...]) -> TicketsFile:
    """The named tickets and all that they need, in file order."""
    by_id = {ticket.id: ticket for ticket in file.tickets}
    for name in only:
        if name not in by_id:
            raise UsageError(f'--only: no ticket "{name}"{did_you_mean(name, by_id)}')
    wanted = with_needs(by_id, only)
    tickets = tuple(ticket for ticket in file.tickets if ticket.id in wanted)
    return msgspec.structs.replace(file, tickets=tickets)


def with_needs(by_id: Mapping[str, Ticket], ids: Iterable[str]) -> set[str]:
    """Return the ids and those of all tickets that they need, directly or through others."""
    found: set[str] = set()
    pending = list(ids)
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += by_id[name].needs
    return found


class _Source(msgspec.Struct, frozen=True):
    """The file that is checked; where a key stands is looked up only to refuse it."""

    path: Path
    text: str

    def refusal(self, at: tuple[str | int, ...], message: str) -> SourceError:
        """The error to raise, at the key's line."""
        return SourceError(self.path, toml_file.line_of(self.text, at), message)


def _check(source: _Source, document: TicketsDocument) -> None:
    if document.defaults.needs:
        told = '"needs" belongs to a ticket, not to [defaults]'
        raise source.refusal(("defaults", "needs"), told)
    _refuse_not_yet(source, document.defaults, ("defaults",))
    first: dict[str, int] = {}
    for index, table in enumerate(document.ticket):
        at = ("ticket", index, "id")
        if not _ID.fullmatch(table.id):
            raise source.refusal(at, f'id "{table.id}": only letters, digits, ".", "_" and "-"')
        if table.id in first:
            earlier = toml_file.line_of(source.text, ("ticket", first[table.id], "id"))
            taken = f'id "{table.id}" is taken (line {earlier}); ids are unique'
            raise source.refusal(at, taken)
        first[table.id] = index
        _refuse_not_yet(source, table, ("ticket", index))
    for index, table in enumerate(document.ticket):
        for need in table.needs or ():
            if need not in first:
                hint = did_you_mean(need, first.keys() - {table.id})
                missing = f'"{table.id}" needs "{need}", which is not a ticket{hint}'
                raise source.refusal(("ticket", index, "needs"), missing)
    if circle := circle_of({t.id: t.needs or () for t in document.ticket}):
        told = f"circular needs: {' -> '.join(circle)}"
        raise source.refusal(("ticket", first[circle[0]], "needs"), told)


def _refuse_not_yet(source: _Source, keys: TicketKeys, at: tuple[str | int, ...]) -> None:
    for key in _NOT_YET:
        if getattr(keys, key):
            told = f'"{key}" is not supported by this version; remove it'
            raise source.refusal((*at, key), told)


def circle_of(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """A circle among the needs, as ids with the first repeated at the end; or nothing."""
    finished: set[str] = set()
    for start in needs:
        trail: list[str] = []
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                trail.pop()
                finished.add(name)
            elif name in trail:
                return [*trail[trail.index(name) :], name]
            elif name not in finished:
                trail.append(name)
                pending.append((name, True))
                pending.extend((need, False) for need in needs[name])
    return []


def _complete(
    source: _Source, document: TicketsDocument, index: int, read: dict[str, str]
) -> Ticket:
    table = document.ticket[index]
    said = {
        **msgspec.structs.asdict(document.defaults),
        **{k: v for k, v in msgspec.structs.asdict(table).items() if v is not None},
    }
    folder = source.path.absolute().parent

    def refuse(key: str, message: str) -> SourceError:
        at = ("ticket", index, key) if getattr(table, key) is not None else ("defaults", key)
        return source.refusal(at, message)

    for key in ("max_turns", "max_output_tokens", "timeout", "first_token_timeout", "idle_timeout"):
        if said[key] is not None and not said[key] > 0:  # nan is not, either
            raise refuse(key, f'"{key}" must be more than 0, not {said[key]}')
    workspace = _from(folder, str(said["workspace"] or "."))
    if not _is_folder(workspace):
        raise refuse("workspace", f'workspace "{workspace}" is not a folder')
    prompt, prompt_file = _prompt(source, folder, index, said)
    if prompt_file is not None:
        read[table.id] = str(prompt_file)
    values = {
        key: value
        for key, value in said.items()
        if value is not None and key not in ("id", "prompt", "prompt_file", "workspace", *_NOT_YET)
    }
    return Ticket(id=table.id, prompt=prompt, workspace=str(workspace.resolve()), **values)


def _prompt(
    source: _Source, folder: Path, index: int, said: dict[str, object]
) -> tuple[str, Path | None]:
    """Return the prompt and the file it was read from, if any."""
    at = ("ticket", index)
    if said["prompt"] is not None and said["prompt_file"] is not None:
        raise source.refusal(at, 'has both "prompt" and "prompt_file"; keep one')
    file: Path | None = None
    if said["prompt_file"] is not None:
        file = _resolved(_from(folder, str(said["prompt_file"])))
        if _is_endless(file):
            raise source.refusal(at, f'prompt_file "{file}" is a device or a pipe, not a file')
        prompt = toml_file.read_text(file)
    else:
        prompt = str(said["prompt"] or "")
    if not prompt.strip():
        raise source.refusal(at, f'ticket "{said["id"]}" has no prompt')
    return prompt, file


def _from(folder: Path, said: str) -> Path:
    try:
        return folder / Path(said).expanduser()
    except RuntimeError:  # "~name" of nobody: then it is a file's name
        return folder / said


def _resolved(path: Path) -> Path:
    """Return the path without links, so that the file shown to the person is the one read."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # reading it says what is wrong
        return path


def _is_endless(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its name is too long, or it may not be looked at
        return False


def _shorten(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
