"""Trust in tickets files that approve anything by themselves.

A tickets file in a cloned repository must not be able to do a thing on its
own. What is trusted is the content: all that the file says, prompts read from
other files included. Any change asks again.
"""

import hashlib
import sys
from pathlib import Path

import click
import msgspec

from lfgtui import paths
from lfgtui.errors import UsageError
from lfgtui.tickets import TicketsFile
from lfgtui.visible import visible_line


def ensure_trusted(path: Path, file: TicketsFile, *, yes: bool) -> None:
    """Return if the file may approve what it says; raises `UsageError` otherwise."""
    approving = [ticket for ticket in file.tickets if ticket.approves_by_itself()]
    digest = hashlib.sha256(msgspec.json.encode((str(path.resolve()), file))).hexdigest()
    if not approving or _is_trusted(digest):
        return
    if yes:
        _remember(digest, path)
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{path} approves tool calls by itself; look at it, then add --yes")
    click.echo(f"{path} lets agents do this without asking you:", err=True)
    for ticket in approving:
        tools = ", ".join(ticket.approves_by_itself())
        click.echo(f"  {ticket.id:<16} {tools}   in {visible_line(ticket.workspace)}", err=True)
    if not click.confirm("Trust this file as it is now?", default=False, err=True):
        raise UsageError("not trusted; nothing was started")
    _remember(digest, path)


def _trusted_file() -> Path:
    return paths.data_dir() / "trusted"


def _is_trusted(digest: str) -> bool:
    try:
        lines = _trusted_file().read_text("utf-8").splitlines()
    except OSError:
        return False
    return any(line.split(" ", 1)[0] == digest for line in lines)


def _remember(digest: str, path: Path) -> None:
    file = _trusted_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{digest} {path.resolve()}\n")
    except OSError as error:
        raise UsageError(
            f"{file}: that you trust {path} cannot be remembered: {error.strerror or error};"
            " set LFG_DATA_DIR to a folder you can write to"
        ) from None
