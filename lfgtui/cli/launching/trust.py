"""Trust in tickets files that reach beyond reading in their own folder.

A tickets file in a cloned repository must not be able to do anything harmful
unasked. Without trust it may only have agents read its own folder and send
that to the providers of the person's config. Anything further is a `Grant`,
which is shown first: tools that run without asking, MCP servers, a workspace or
a prompt from elsewhere (links resolved), a wider sandbox, installed agents
(they follow rules of their own, some of which may be in the folder), fields
added to requests (they may have a provider contact other servers), and
commands and addresses that get the run when it has ended. A new key of tickets
files that allows more needs a grant here.

What is trusted is the content: all that the file says, the prompts it reads
and the places that its paths lead to. Any change asks again. The digests of
trusted contents are in the file `trusted` in the data folder.
"""

import hashlib
import os
import shlex
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import msgspec

from lfgtui.errors import SourceError, UsageError, source_name
from lfgtui.model.ticket_keys.on_end import OnEnd
from lfgtui.model.tickets import Ticket
from lfgtui.model.tickets_file import TicketsFile, load_tickets
from lfgtui.settings import paths
from lfgtui.settings.config import Config, programs_of
from lfgtui.text import output
from lfgtui.text.terminal_safe import escaped

_LONGEST_VALUE = 300
"""Most characters shown of a field that is added to requests."""

_MOST_LINES = 40
"""Most permissions in one question: the first must not be out of sight when the last is read."""


class Grant(NamedTuple):
    """A permission that a ticket needs. `kind` names it in one error line, where nobody can be
    asked; `description` is what the question shows, in full."""

    ticket: str
    kind: str
    description: str


def ensure_trusted(path: Path, file: TicketsFile, config: Config, *, yes: bool) -> None:
    """Return if the file is trusted, or the person trusts it now; raise `UsageError` otherwise.

    `yes` trusts it without asking. To be called before anything of the file is run.
    """
    grants = [_hook(one) for one in file.on_end]
    grants += (grant for ticket in file.tickets for grant in _grants(path, file, config, ticket))
    digest = hashlib.sha256(msgspec.json.encode((str(path.resolve()), file))).hexdigest()
    if not grants or digest in _trusted():
        return
    if not yes:
        _ask(path, grants)
    for ticket in file.tickets:
        if os.path.realpath(ticket.workspace) != ticket.workspace:
            raise UsageError(
                f"{ticket.workspace} has become a link since it was checked; nothing was started"
            )
    of_hooks = [_digest_of_hooks(path, file)] if file.on_end else []
    _remember([digest, *of_hooks], path)


def trusted_hooks(path: Path) -> tuple[OnEnd, ...]:
    """Return the hooks of a tickets file for a resume: those that were trusted, or none."""
    with suppress(SourceError):
        file = load_tickets(path)
        if file.on_end and _digest_of_hooks(path, file) in _trusted():
            return file.on_end
    return ()


def _digest_of_hooks(path: Path, file: TicketsFile) -> str:
    of_hooks = msgspec.json.encode((str(path.resolve()), file.on_end))
    return hashlib.sha256(b"on_end" + of_hooks).hexdigest()


def _hook(hook: OnEnd) -> Grant:
    """Return the grant of a hook, which gets all of the run."""
    if hook.command:
        runs = f"runs `{escaped(shlex.join(hook.command))}` with all of the run, without a sandbox"
        return Grant("on_end", "runs a command when the run has ended", runs)
    signed = f", signed with {hook.secret_env}" if hook.secret_env else ""
    sends = f"sends all of the run to {escaped(hook.webhook or '')}{signed}"
    return Grant("on_end", "sends the run to an address when it has ended", sends)


def _grants(path: Path, file: TicketsFile, config: Config, ticket: Ticket) -> Iterator[Grant]:
    """Yield what one ticket of the file at `path` needs."""
    folder, place = path.absolute().parent.resolve(), _named(ticket.workspace)
    if tools := ticket.approves_by_itself():
        calls = f"{', '.join(tools)} without asking, in {place}"
        yield Grant(ticket.id, "approves tool calls by itself", f"runs {calls}")
    if ticket.setup:
        runs = f"runs `{escaped(ticket.setup)}`, with network, in a worktree of {place}"
        yield Grant(ticket.id, "runs a command before its tickets begin", runs)
    programs = programs_of(config, ticket)
    for program in programs.values():
        starts = f"starts {program} in {place}, which has tools and rules of its own"
        starts += "; approves all that it asks for" if ticket.approve == "auto" else ""
        yield Grant(ticket.id, "starts agents that follow rules of their own", starts)
    yield from _holes(ticket, has_programs=bool(programs) or "run_command" in ticket.tools)
    if ticket.mcp:
        starts = f"starts the MCP servers {', '.join(ticket.mcp)} in {place}"
        yield Grant(ticket.id, "starts MCP servers", starts)
    reads = ticket.tools or ticket.context or ticket.mcp or programs
    if reads and _is_outside(folder, Path(ticket.workspace)):
        yield Grant(ticket.id, "works outside its folder", f"reads {place}")
    for what, files in (("prompt", file.prompt_files), ("schema", file.schema_files)):
        read = files.get(ticket.file_id)
        if read is not None and not Path(read).is_relative_to(folder):
            kind = f"reads a {what} from outside its folder"
            yield Grant(ticket.id, kind, f"sends {read} to the model")
    for name, value in ticket.extra.items():
        shown = msgspec.json.encode(value).decode()
        if len(shown) > _LONGEST_VALUE:
            shown = f"{shown[:_LONGEST_VALUE]}… ({len(shown):,} characters)"
        yield Grant(ticket.id, "adds fields to requests", f"adds to requests: {name} = {shown}")


def _holes(ticket: Ticket, *, has_programs: bool) -> Iterator[Grant]:
    """Yield what the ticket opens in the sandbox of its commands and agents."""
    if not has_programs:
        return
    if ticket.sandbox == "none":
        runs = "runs commands, once they are approved, with all that you can read and change"
        yield Grant(ticket.id, "runs commands without a sandbox", f"{runs}, without a sandbox")
        return
    kind = "widens the sandbox"
    if ticket.network:
        yield Grant(ticket.id, kind, "lets commands use the network")
    for verb, paths_of in (("read", ticket.readable), ("change", ticket.writable)):
        for path in paths_of:
            yield Grant(ticket.id, kind, f"lets commands {verb} {path}")


def _is_outside(folder: Path, workspace: Path) -> bool:
    """Return True if the workspace is outside the file's folder, or contains the home folder."""
    home = _home()
    holds_home = home is not None and home.is_relative_to(workspace)
    return holds_home or not workspace.is_relative_to(folder)


def _named(workspace: str) -> str:
    """Return the workspace, with a note if it is or contains the home folder."""
    home = _home()
    if home is None or not home.is_relative_to(workspace):
        return workspace
    return f"{workspace} ({'your' if str(home) == workspace else 'with your'} home folder)"


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:  # this user has no home folder
        return None


def _ask(path: Path, grants: list[Grant]) -> None:
    """Show the grants, one line for tickets that need the same; raise `UsageError` for no."""
    name = source_name(path)
    if not output.can_ask():
        kinds = ", ".join(dict.fromkeys(grant.kind for grant in grants))
        raise UsageError(f"{name} {kinds}; review it, then add --yes")
    tickets: defaultdict[str, list[str]] = defaultdict(list)
    for grant in grants:
        tickets[grant.description].append(grant.ticket)
    if len(tickets) > _MOST_LINES:
        raise UsageError(
            f"{name} asks for {len(tickets)} permissions, too many to show in a question;"
            " review it, then add --yes"
        )
    output.print_paragraph(f"{name} asks for more than reading its own folder:")
    for description, names in tickets.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        output.print_paragraph(f"  {', '.join(names[:3])}{more}: {description}")
    if not output.confirm("Trust this file as it is now?"):
        raise UsageError("not trusted; nothing was started")


def _trusted_file() -> Path:
    return paths.data_dir() / "trusted"


def _trusted() -> dict[str, str]:
    """Return the lines of the file, `DIGEST PATH`, by digest; none if others could write it."""
    file = _trusted_file()
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            if not (_is_ours(os.fstat(lines.fileno())) and _is_ours(file.parent.stat())):
                return {}
            os.fchmod(lines.fileno(), 0o600)
            return {line.split(" ", 1)[0]: line for line in lines}
    except OSError:
        return {}


def _is_ours(status: os.stat_result) -> bool:
    """Return True if only this user may replace it; in a sticky folder others cannot."""
    others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return status.st_uid == os.geteuid() and (
        not others_write or bool(status.st_mode & stat.S_ISVTX)
    )


def _remember(digests: Iterable[str], path: Path) -> None:
    """Add a line for each digest, by replacing the file with one that only its owner can read."""
    file = _trusted_file()
    name = str(path.resolve()).replace("\n", "␊")
    lines = {**_trusted(), **{digest: f"{digest} {name}\n" for digest in digests}}
    text = "".join(lines.values()).encode("utf-8", "surrogateescape")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if paths.is_default_data_dir():
            file.parent.chmod(0o700)
        with NamedTemporaryFile(
            dir=file.parent, prefix=".trusted-", delete=False
        ) as beside:  # 0600
            try:
                beside.write(text)
                beside.flush()
                Path(beside.name).replace(file)
            finally:
                Path(beside.name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{file}: cannot store that you trust {source_name(path)}: {error.strerror or error};"
            " set LFG_DATA_DIR to a folder you can write to"
        ) from None
