"""`lfg export` and `lfg import`."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import click
import msgspec

from lfgtui.cli.cast import CastOptions, cast_lines
from lfgtui.cli.history import open_reader, report_gaps
from lfgtui.cli.launching.redactors import redactor_of, told
from lfgtui.cli.replay_options import IDLE_SECONDS, SPEED
from lfgtui.errors import UsageError
from lfgtui.export.run import RunDocument
from lfgtui.history.maintenance import annotations, deletion
from lfgtui.history.reader import Reader
from lfgtui.history.transfer import import_run, lines_in, lines_of
from lfgtui.model.record import ticket_record
from lfgtui.settings import paths
from lfgtui.settings.config import Config, load_config
from lfgtui.settings.durations import seconds_of
from lfgtui.text import output as out
from lfgtui.text.redaction.redactor import Redactor
from lfgtui.text.terminal_safe import json_safe

Format: TypeAlias = Literal["md", "html", "json", "jsonl", "cast"]
_FORMATS = (*get_args(Format), "markdown")


class _Asked(msgspec.Struct, frozen=True):
    """What is to be exported, and how."""

    run: str
    only: str
    form: Format
    redactor: Redactor | None
    config: Config
    cast: CastOptions


@click.command(name="export")
@click.argument("place", metavar="RUN[/TICKET]")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="md")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this new file.")
@click.option(
    "--redact/--no-redact", default=None, help="Take secrets out; the config says by default."
)
@click.option("--size", metavar="120x40", help="cast: columns and rows.")
@click.option("--speed", type=SPEED, help="cast: so many times as fast.")
@click.option("--idle-limit", type=IDLE_SECONDS, help="cast: cut longer gaps to this.")
def export_command(
    place: str,
    form: Format | Literal["markdown"],
    output: Path | None,
    redact: bool | None,
    size: str | None,
    speed: float | None,
    idle_limit: float | None,
) -> int:
    """Write RUN out: to read (md, html), for programs (json), for `lfg import` (jsonl).

    A cast is a recording of `lfg replay` for asciinema and its players.
    """
    cast = CastOptions(size, speed, idle_limit)
    if cast.is_said and form != "cast":
        raise UsageError("--size, --speed and --idle-limit go with --format cast only")
    form = "md" if form == "markdown" else form
    config = load_config(paths.config_file())
    if redact is None:
        redact = config.history.redact != "never"
    redactor = redactor_of(config) if redact else None
    name, _, only = place.partition("/")
    with open_reader() as reader:
        asked = _Asked(reader.find_run(name), only, form, redactor, config, cast)
        pieces = _pieces(reader, asked)
        if output is None:
            _print(pieces, form)
        else:
            _write(output, pieces)
        code = report_gaps(reader)
    if redactor is not None and redactor.found:
        out.print_remark(f"{told(redactor)}; --no-redact leaves them in")
    return code


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
def import_command(file: Path) -> None:
    """Store a run that `lfg export --format jsonl` wrote; '-' reads it from stdin."""
    if str(file) == "-":
        run = import_run(paths.history_file(), lines_in(sys.stdin.buffer, "stdin"), "stdin")
    else:
        try:
            with file.open("rb") as opened:
                run = import_run(paths.history_file(), lines_in(opened, str(file)), str(file))
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from None
    out.print_line(run)
    _keep(run)


def _keep(run: str) -> None:
    """Pin an imported run that would be deleted for its age when the next one starts."""
    age = load_config(paths.config_file()).history.retention
    if age is None or (seconds := seconds_of(age)) is None:
        return
    if run in deletion.older_than(paths.history_file(), time.time() - seconds):
        annotations.pin(paths.history_file(), run, True)
        out.print_remark(f"pinned: it is older than retention keeps ({age})")


def _print(pieces: Iterator[str], form: Format) -> None:
    if form in ("md", "html"):
        document = out.Document()
        for piece in pieces:
            document.write(piece)
        document.close(has_raw=False)
    else:
        for piece in pieces:
            out.print_json(piece)


def _pieces(reader: Reader, asked: _Asked) -> Iterator[str]:
    """The document, a piece at a time; what is JSON is safe to look at wherever it goes."""
    run, redactor = asked.run, asked.redactor
    if asked.only and asked.form in ("jsonl", "cast"):
        raise UsageError(f"--format {asked.form} takes a whole run")
    if asked.form == "jsonl":
        return (f"{json_safe(line.decode())}\n" for line in lines_of(reader, run, redactor))
    if asked.form == "cast":
        return (
            f"{json_safe(line.decode())}\n"
            for line in cast_lines(reader, run, asked.cast, asked.config, redactor)
        )
    exported = RunDocument(reader, run, asked.only, redactor)
    if asked.form == "md":
        from lfgtui.export.markdown import run_markdown

        return run_markdown(exported)
    if asked.form == "html":
        from lfgtui.export.html import run_html
        from lfgtui.settings.themes import load_themes

        themes = load_themes(paths.config_file().parent)
        return run_html(exported, themes, asked.config.theme)
    return _json(exported, is_one=bool(asked.only))


def _json(exported: RunDocument, *, is_one: bool) -> Iterator[str]:
    records = [ticket_record(exported.run, *each) for each in exported.tickets()]
    whole = {"run": exported.run, "title": exported.title, "state": exported.summary.state}
    record = records[0] if is_one else {**whole, "tickets": records}
    yield f"{json_safe(msgspec.json.encode(record).decode())}\n"


def _write(output: Path, pieces: Iterator[str]) -> None:
    """A new file, for its owner alone: a run may hold what nobody else should read."""
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{output} exists already; name a new file") from None
    except OSError as error:
        raise UsageError(f"{output}: {error.strerror}") from None
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle has no path
            file.writelines(piece.encode("utf-8", "replace") for piece in pieces)
    except OSError as error:
        output.unlink(missing_ok=True)
        raise UsageError(f"{output}: {error.strerror}") from None
    except BaseException:
        output.unlink(missing_ok=True)  # half a document would pass for a whole one
        raise
