"""`lfg export` and `lfg import`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import click
import msgspec

from lfgtui import paths
from lfgtui.cli.cast import CastOptions, cast_lines
from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.transcript.record import ticket_markdown, ticket_record

Format: TypeAlias = Literal["md", "json", "jsonl", "cast"]


@click.command(name="export")
@click.argument("name", metavar="RUN")
@click.option("--format", "form", type=click.Choice(["md", "json", "jsonl", "cast"]), default="md")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this new file.")
@click.option("--size", metavar="120x40", help="cast: columns and rows.")
@click.option("--speed", type=click.FloatRange(0.05, 100), help="cast: so many times as fast.")
@click.option("--idle-limit", type=click.FloatRange(min=0), help="cast: cut longer gaps to this.")
def export_command(
    name: str,
    form: Format,
    output: Path | None,
    size: str | None,
    speed: float | None,
    idle_limit: float | None,
) -> None:
    """Write RUN out: to read (md), for programs (json), for `lfg import` (jsonl), to watch (cast).

    A cast is a recording of `lfg replay` for asciinema and its players.
    """
    cast = CastOptions(size, speed, idle_limit)
    if cast.is_said and form != "cast":
        raise UsageError("--size, --speed and --idle-limit go with --format cast only")
    with Reader(paths.history_file()) as reader:
        run = reader.find_run(name)
        pieces = cast_lines(reader, run, cast) if form == "cast" else _pieces(reader, run, form)
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
