"""A tickets file, `tickets.toml` or JSON lines: its keys, read and checked.

The text becomes a `TicketsDocument` of the keys as written, then a `TicketsFile` of complete
tickets. A new key of a ticket is a field of `TicketKeys` and, by the same name, of
`tickets.Ticket`, with a line in docs/guide.md. All mistakes are `SourceError`s that name the line.
"""

import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

import msgspec

from lfgtui.errors import STDIN, SourceError, did_you_mean, shortened
from lfgtui.model.ticket_keys.approvals import Approvals, ToolName, approval_mistake
from lfgtui.model.ticket_keys.context import ContextGlobs, mistake_in
from lfgtui.model.ticket_keys.guards import Guard, guard_mistakes, is_for
from lfgtui.model.ticket_keys.on_end import OnEnd, on_end_mistakes, with_program
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.model.tickets import (
    ID_CHARACTERS,
    PROMPT_ID,
    TICKET_ID,
    Amount,
    CacheAnswers,
    Compact,
    Copies,
    CopyProviders,
    Count,
    Reasoning,
    Repetition,
    SandboxMode,
    Ticket,
    Title,
    age_mistake,
    label_mistake,
    side_by_side,
)
from lfgtui.text import json_lines, toml_file
from lfgtui.text.json_schema import JsonSchema, SchemaError

_MOST_BYTES = 10_000_000
"""Bytes of the largest file that is read as a prompt; a message below names the number."""

_LARGEST_SCHEMA = 256_000
"""Bytes of the largest schema, since it goes with the prompt; a message below names the number."""

_NO_PROVIDERS = ("copies", "provider", "model")
"""Keys with which a ticket overrides `providers` in `[defaults]`."""


class TicketKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys that a ticket or `[defaults]` may have, as written; None where not given."""

    title: Title | None = None
    prompt: str | None = None
    prompt_file: str | None = None
    schema: str | None = None
    system: str | None = None
    provider: str | None = None
    model: str | None = None
    workspace: str | None = None
    context: ContextGlobs | None = None
    worktree: bool | None = None
    watch: bool | None = None
    watch_every: Count | None = None
    watch_interval: Amount | None = None
    setup: str | None = None
    copies: Copies | None = None
    providers: CopyProviders | None = None
    choose: Literal["first"] | None = None
    tools: tuple[ToolName, ...] | None = None
    mcp: tuple[str, ...] | None = None
    needs: tuple[str, ...] | None = None
    requires: tuple[str, ...] | None = None
    fallback: tuple[str, ...] | None = None
    reasoning: Reasoning | None = None
    extra: dict[str, object] | None = None
    max_turns: Count | None = None
    max_output_tokens: Count | None = None
    compact: Compact | None = None
    repetition: Repetition | None = None
    timeout: Amount | None = None
    first_token_timeout: Amount | None = None
    idle_timeout: Amount | None = None
    max_cost: Amount | None = None
    stream: bool | None = None
    cache: bool | None = None
    cache_answers: CacheAnswers | None = None
    approve: Approvals | None = None
    sandbox: SandboxMode | None = None
    network: bool | None = None
    readable: tuple[str, ...] | None = None
    writable: tuple[str, ...] | None = None


class TicketTable(TicketKeys, frozen=True, kw_only=True):
    """One `[[ticket]]`."""

    id: str


class TicketsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of a tickets file, as written."""

    ticket: tuple[TicketTable, ...] = ()
    title: Title | None = None
    run: RunLimits = RunLimits()
    defaults: TicketKeys = TicketKeys()
    guards: tuple[Guard, ...] = ()
    on_end: tuple[OnEnd, ...] = ()


class TicketsFile(msgspec.Struct, frozen=True):
    """A tickets file, checked: ids unique, needs known and free of cycles.

    `prompt_files` and `schema_files` are the files that were read, by ticket, with links resolved;
    the question whether the file is trusted lists them.
    """

    title: str
    tickets: tuple[Ticket, ...]
    prompt_files: dict[str, str] = {}
    schema_files: dict[str, str] = {}
    run: RunLimits = RunLimits()
    on_end: tuple[OnEnd, ...] = ()


def single_ticket(prompt: str, workspace: Path) -> TicketsFile:
    """Return the tickets of `lfg run -p PROMPT`: a single one in the workspace."""
    ticket = Ticket(id=PROMPT_ID, prompt=prompt, workspace=str(workspace))
    return TicketsFile(title=_shorten(prompt), tickets=(ticket,))


def load_tickets(path: Path, known: Collection[str] = ()) -> TicketsFile:
    """Read and check a tickets file, as `read_tickets` does."""
    return read_tickets(path, toml_file.read_text(path), known)


def read_tickets(path: Path, text: str, known: Collection[str] = ()) -> TicketsFile:
    """Read and check the text of a tickets file; paths in it are relative to the file's folder.

    For `STDIN` that is the current folder. `known` are the ids of the run that the tickets are
    added to: taken, and allowed as needs. Raises `SourceError` with the line and, for an unknown
    name, the most similar known one.
    """
    parse = json_lines.parse if json_lines.is_json(text) else toml_file.parse
    document = toml_file.convert(path, text, parse(path, text), TicketsDocument)
    if not document.ticket:
        raise SourceError(path, None, "no [[ticket]] in it; a run needs at least one")
    source = _Source(path, text, document)
    _check(source, known)
    read, schemas = dict[str, str](), dict[str, str]()
    taken = {*known, *(table.id for table in document.ticket)}
    tickets: list[Ticket] = []
    for index, table in enumerate(document.ticket):
        for ticket in _complete(source, index, read, schemas):
            if ticket.copy_of and ticket.id in taken:
                message = f'"{table.id}" has a copy "{ticket.id}", but that id is taken'
                raise source.refusal(message, index, "id")
            tickets.append(ticket)
    title = document.title or (path.stem if path != STDIN else _title(tickets))
    hooks = tuple(with_program(path.absolute().parent, one) for one in document.on_end)
    return TicketsFile(title, tuple(tickets), read, schemas, document.run, hooks)


def _title(tickets: Sequence[Ticket]) -> str:
    """Return a title for a run without a file's name."""
    first, *others = tickets
    more = f" and {len(others)} more" if others else ""
    return f"{_shorten(first.title or first.prompt)}{more}"


def find_cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a cycle among the needs, as ids with the first repeated at the end; or nothing."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1][:0:-1]  # as given, it goes from needs to dependents
        start = cycle.index(next(name for name in needs if name in cycle))
        return [*cycle[start:], *cycle[: start + 1]]
    return []


class _Source(msgspec.Struct, frozen=True):
    """The file that is checked; a key's line is looked up only for an error."""

    path: Path
    text: str
    document: TicketsDocument

    def refusal(self, message: str, *at: str | int) -> SourceError:
        """Return the error to raise, with the line of a key.

        `at` are the steps to it: `"defaults", "needs"`; an index before the key is a ticket's.
        """
        at = ("ticket", *at) if at and isinstance(at[0], int) else at
        return SourceError(self.path, toml_file.line_of(self.text, at), message)


def _check(source: _Source, known: Collection[str]) -> None:
    """Check ids, needs, hooks and guards, which concern more than one ticket."""
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
            message = f'the run already has a ticket "{table.id}"; choose another id'
            raise source.refusal(message, index, "id")
        if table.id in first:
            line = toml_file.line_of(source.text, ("ticket", first[table.id], "id"))
            message = f'id "{table.id}" is taken (line {line}); ids are unique'
            raise source.refusal(message, index, "id")
        first[table.id] = index
    _check_watchers(source)
    for index, table in enumerate(document.ticket):
        for need in table.needs or ():
            if need not in first and need not in known:
                hint = did_you_mean(need, {*first, *known} - {table.id})
                message = f'"{table.id}" needs "{need}", which is not a ticket{hint}'
                raise source.refusal(message, index, "needs")
    if cycle := find_cycle({table.id: table.needs or () for table in document.ticket}):
        message = f"circular needs: {' -> '.join(cycle)}"
        raise source.refusal(message, first[cycle[0]], "needs")
    for index, key, message in on_end_mistakes(document.on_end):
        raise source.refusal(message, "on_end", index, key)
    for index, key, message in guard_mistakes(document.guards, of_config=False):
        raise source.refusal(message, "guards", index, key)
    for index, guard in enumerate(document.guards):
        for name in guard.tickets:
            if name not in first:
                message = f'guard "{guard.name}": no ticket "{name}"{did_you_mean(name, first)}'
                raise source.refusal(message, "guards", index, "tickets")


def _check_watchers(source: _Source) -> None:
    """Check the tickets that `watch`: none needs them, and they have no work of their own."""
    document = source.document
    if document.defaults.watch:
        raise source.refusal('"watch" belongs to a ticket, not to [defaults]', "defaults", "watch")
    watchers = {table.id for table in document.ticket if table.watch}
    for index, table in enumerate(document.ticket):
        if needed := watchers.intersection(table.needs or ()):
            message = f'"{table.id}" needs "{min(needed)}", which watches until all have ended'
            raise source.refusal(message, index, "needs")
        for key in ("needs", "copies", "providers", "worktree", "context"):
            if table.watch and getattr(table, key):
                message = f'"{table.id}" watches the others from the start: it takes no "{key}"'
                raise source.refusal(message, index, key)


def _complete(
    source: _Source, index: int, read: dict[str, str], schemas: dict[str, str]
) -> Sequence[Ticket]:
    """Return a ticket with defaults merged, or the copies it runs as.

    Adds the file of its prompt, if any, to `read`, and that of its schema to `schemas`.
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

    if own.get("watch"):  # it does no work of its own
        keys |= dict.fromkeys(("copies", "providers", "worktree", "setup", "schema", "context"))
        keys |= {"tools": (), "mcp": (), **own}
    if keys["setup"] and not keys["worktree"]:
        raise refusal("setup", '"setup" needs worktree = true: it runs in a new worktree')
    workspace = _from(folder, keys.pop("workspace") or ".")
    if not _is_folder(workspace):
        raise refusal("workspace", f'workspace "{workspace}" is not a folder')
    for key in ("readable", "writable"):
        keys[key] = tuple(str(_resolved(_from(folder, name))) for name in keys[key] or ()) or None
    prompt = _prompt(source, index, keys.pop("prompt"), keys.pop("prompt_file"), read)
    if (schema_file := keys["schema"]) is not None:
        file = _resolved(_from(folder, schema_file))
        try:
            keys["schema"], schemas[table.id] = _schema(file), str(file)
        except SchemaError as error:
            raise refusal("schema", f'schema "{file}": {error}') from None
    if rival := next((key for key in _NO_PROVIDERS if key in own), None):
        if "providers" in own:
            both = f'ticket "{table.id}" has both "providers" and "{rival}"'
            raise refusal("providers", f"{both}; keep one")
        keys["providers"] = None
    mistakes = {
        "approve": approval_mistake(keys["approve"], keys["mcp"] or ()),
        "context": next(filter(None, map(mistake_in, keys["context"] or ())), ""),
        "cache_answers": age_mistake(keys["cache_answers"]),
        "requires": label_mistake(keys["requires"] or ()),
    }
    for key, mistake in mistakes.items():
        if mistake:
            raise refusal(key, mistake)
    copies, providers = keys.pop("copies") or 1, keys.pop("providers")
    values = {key: value for key, value in keys.items() if value is not None}
    guards = tuple(guard for guard in source.document.guards if is_for(guard, table.id))
    absolute = str(workspace.resolve())
    ticket = Ticket(prompt=prompt, workspace=absolute, guards=guards, **values)
    return side_by_side([_on(ticket, one) for one in providers] if providers else [ticket] * copies)


def _prompt(
    source: _Source, index: int, prompt: str | None, prompt_file: str | None, read: dict[str, str]
) -> str:
    """Return a ticket's prompt, which may be that of a file: that is added to `read`."""
    name = source.document.ticket[index].id
    if prompt is not None and prompt_file is not None:
        message = f'ticket "{name}" has both "prompt" and "prompt_file"; keep one'
        raise source.refusal(message, index)
    if prompt_file is not None:
        file = _resolved(_from(source.path.absolute().parent, prompt_file))
        if fault := _fault(file):
            raise source.refusal(f'prompt_file "{file}" is {fault}', index)
        prompt, read[name] = toml_file.read_text(file), str(file)
    if prompt is None or not prompt.strip():
        raise source.refusal(f'ticket "{name}" has no prompt', index)
    return prompt


def _on(ticket: Ticket, route: str) -> Ticket:
    """Return the ticket on PROVIDER/MODEL, or on the default model of a PROVIDER."""
    provider, _, model = route.partition("/")
    return msgspec.structs.replace(ticket, provider=provider, model=model or None)


def _from(folder: Path, name: str) -> Path:
    """Return the path that a file in the folder names, relative to it; `~` is the home folder."""
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
    """Return why the file must not be read, if so: the start screen reads files unasked."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # reading it says what is wrong
        return None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return "a device or a pipe, not a file"
    return "larger than 10 MB, too large for a prompt" if status.st_size > _MOST_BYTES else None


def _schema(file: Path) -> object:
    """Return the JSON Schema in the file; raise `SchemaError` if it cannot be used."""
    try:
        if _fault(file) or (not file.is_dir() and file.stat().st_size > _LARGEST_SCHEMA):
            raise SchemaError(_fault(file) or "larger than 256 KB, too large for a schema")
        schema = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise SchemaError(f"cannot read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"not valid JSON: {error}") from None
    JsonSchema(schema)
    return schema


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its name is too long, or it may not be looked at
        return False


def _shorten(text: str) -> str:
    return shortened(" ".join(text.split()), 60)
