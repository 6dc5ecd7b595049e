"""`lfg export` and `lfg import`."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from lfgtui.cli import launching
from lfgtui.cli.launching.past_runs import open_reader, report_gaps
from lfgtui.cli.launching.redactors import redactor_of
from lfgtui.cli.options import IDLE_SECONDS, SPEED
from lfgtui.errors import UsageError
from lfgtui.export.documents import Form, pieces_of, safe_lines
from lfgtui.export.figures import RunDocument
from lfgtui.export.otlp.encoding import encode
from lfgtui.export.otlp.spans import RunSpans, trace_id
from lfgtui.history import deletion, maintenance
from lfgtui.history.transfer import import_run, lines_in
from lfgtui.settings import paths
from lfgtui.settings.config import Config, load_config
from lfgtui.text import output as out
from lfgtui.text.figures import age_seconds
from lfgtui.text.redactor import Redactor

_FORMS: dict[str, Form] = {"html": "html", "json": "json", "jsonl": "jsonl"}
"""The forms of `pieces_of`, apart from Markdown; otlp and cast are made in other ways."""


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html", "json", "jsonl", "otlp", "cast", "markdown"]),
    default="md",
    show_default=True,
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this new file.")
@click.option("--redact/--no-redact", default=None, help="Remove secrets; default: the config's.")
@click.option("--content", is_flag=True, help="otlp: with prompts, answers, input and output.")
@click.option(
    "--to",
    metavar="[URL]",
    is_flag=False,
    flag_value="",
    help="otlp: send to this collector; default: OTEL_EXPORTER_OTLP_ENDPOINT.",
)
@click.option("--size", metavar="120x40", help="cast: columns and rows.")
@click.option("--speed", type=SPEED, help="cast: playback speed.")
@click.option("--idle-limit", type=IDLE_SECONDS, help="cast: shorten idle gaps to this.")
def export(
    place: str,
    form: str,
    output: Path | None,
    redact: bool | None,
    content: bool,
    to: str | None,
    size: str | None,
    speed: float | None,
    idle_limit: float | None,
) -> int:
    """Export RUN: to read (md, html), for programs (json), for `lfg import` (jsonl).

    otlp is OpenTelemetry spans, for a file or a collector. A cast is a recording of `lfg replay`
    for asciinema and its players.
    """
    if form != "cast" and (size, speed, idle_limit) != (None, None, None):
        raise UsageError("--size, --speed and --idle-limit require --format cast")
    if form != "otlp" and (content or to is not None):
        raise UsageError("--content and --to require --format otlp")
    if to is not None and output is not None:
        raise UsageError("--to cannot be combined with -o")
    name, _, only = place.partition("/")
    if only and form in ("jsonl", "cast"):
        raise UsageError(f"--format {form} exports whole runs only; remove /{only}")
    config = load_config(paths.config_file())
    if redact is None:
        redact = config.history.redact != "never"
    redactor = redactor_of(config) if redact else None
    with open_reader() as reader:
        run = reader.find_run(name)
        pieces: Iterator[str]
        if form == "otlp":
            document = RunDocument(reader, run, only, redactor)
            pieces = _spans(document, run, config, content=content)
        elif form == "cast":
            pace = {"speed": speed, "idle_limit": idle_limit}
            cast = launching.replay.cast_lines(reader, run, config, redactor, size=size, **pace)
            pieces = safe_lines(cast)
        else:
            read_as, theme = _FORMS.get(form, "md"), config.theme
            pieces = pieces_of(reader, run, read_as, only=only, redactor=redactor, theme=theme)
        is_sent = True
        if to is not None:
            is_sent = _send(to, pieces)
        elif output is not None:
            _write(output, pieces)
        else:
            _print(pieces, is_document=form in ("md", "markdown", "html"))
        code = max(report_gaps(reader), not is_sent)
    if redactor is not None and redactor.counts:
        _print_redactions(redactor)
    return code


def _spans(document: RunDocument, run: str, config: Config, *, content: bool) -> Iterator[str]:
    wires = {name: provider.wire for name, provider in config.providers.items()}
    spans = RunSpans(document, wires, content=content)
    return safe_lines(encode(trace_id(run), batch) for batch in spans.batches())


def _print_redactions(redactor: Redactor) -> None:
    count = redactor.counts.total()
    kinds = ", ".join(f"{kind} {times}" for kind, times in redactor.counts.most_common())
    secrets = f"{count} secret{'s' * (count != 1)}"
    out.print_remark(f"{secrets} redacted ({kinds}); --no-redact keeps them")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Import a run that `lfg export --format jsonl` wrote; '-' reads it from stdin."""
    history, age = paths.history_file(), load_config(paths.config_file()).history.retention
    if str(file) == "-":
        run = import_run(history, lines_in(sys.stdin.buffer, "stdin"), "stdin")
    else:
        with file.open("rb") as opened:
            run = import_run(history, lines_in(opened, str(file)), str(file))
    out.print_line(run)
    if age is not None and run in deletion.older_than(history, time.time() - age_seconds(age)):
        maintenance.pin(history, run, True)
        out.print_remark(f"pinned, since it is older than retention ({age})")


def _send(address: str, lines: Iterator[str]) -> bool:
    """Send each line to the collector, and print the outcome; return True if it took all spans."""
    from lfgtui.export.otlp.collector import Collector  # imports an HTTP client

    collector, sent, rejected = Collector(address), 0, 0
    for line in lines:
        outcome = collector.send(line.encode())
        if outcome.message:
            out.print_error(f"{collector.name}: {outcome.message}")
        if outcome.failure:
            were = "request before it was" if sent == 1 else "requests before it were"
            before = f"; {sent} {were} accepted" if sent else ""
            out.print_error(f"{collector.name}: {outcome.failure}{before}")
            return False
        sent, rejected = sent + 1, rejected + outcome.rejected
    if rejected:
        out.print_error(f"{collector.name} rejected {rejected} span{'s' * (rejected != 1)}")
    else:
        out.print_remark(f"sent to {collector.name}")
    return not rejected


def _print(pieces: Iterator[str], *, is_document: bool) -> None:
    document = out.Document()
    for piece in pieces:
        (document.write if is_document else out.print_json)(piece)
    document.close(has_raw=False)


def _write(output: Path, pieces: Iterator[str]) -> None:
    """Write a new file that only its owner may read: a run may hold secrets."""
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{output} already exists; choose a new file") from None
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle has no path
            file.writelines(piece.encode("utf-8", "replace") for piece in pieces)
    except BaseException as error:
        output.unlink(missing_ok=True)  # an incomplete document would look complete
        if isinstance(error, OSError):  # one of a handle has no file name
            raise UsageError(f"{output}: {error.strerror}") from None
        raise
