"""`lfg export` and `lfg import`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import click
import msgspec

from lfgtui import paths
from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.transcript.record import ticket_markdown, ticket_record

Format: TypeAlias = Literal["md", "json", "jsonl"]


@click.command(name="export")
@click.argument("name", metavar="RUN")
@click.option("--format", "form", type=click.Choice(["md", "json", "jsonl"]), default="md")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this new file.")
def export_command(name: str, form: Format, output: Path | None) -> None:
    """Write RUN out: to read (md), for programs (json), for `lfg import` (jsonl)."""
    with Reader(paths.history_file()) as reader:
        pieces = _pieces(reader, reader.find_run(name), form)
        if output is None:
            for piece in pieces:
                click.echo(piece, nl=False)
            return
        _write(output, pieces)


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
def import_command(file: Path) -> None:
    """Store a run that `lfg export --format jsonl` wrote; '-' reads it from stdin."""
    if str(file) == "-":
        run = import_run(paths.history_file(), sys.stdin.buffer, "stdin")
    else:
        try:
            with file.open("rb") as lines:
                run = import_run(paths.history_file(), lines, str(file))
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from None
    click.echo(run)


def _pieces(reader: Reader, run: str, form: Format) -> Iterator[bytes]:
    if form == "jsonl":
        for line in lines_of(reader, run):
            yield line + b"\n"
        return
    summary = reader.run(run)
    stored = reader.tickets(run)
    if form == "md":
        yield f"# {summary.title}\n\n".encode()
        for one in stored:
            yield ticket_markdown(one.ticket, reader.transcript(run, one.ticket.id)).encode()
            yield b"\n"
        return
    tickets = [ticket_record(run, t.ticket, reader.transcript(run, t.ticket.id)) for t in stored]
    whole = {"run": run, "title": summary.title, "state": summary.state, "tickets": tickets}
    yield msgspec.json.encode(whole) + b"\n"


def _write(output: Path, pieces: Iterator[bytes]) -> None:
    """A new file, for its owner alone: a run may hold what nobody else should read."""
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{output} exists already; name a new file") from None
    except OSError as error:
        raise UsageError(f"{output}: {error.strerror}") from None
    with open(handle, "wb") as file:  # noqa: PTH123 - a handle has no path
        file.writelines(pieces)
