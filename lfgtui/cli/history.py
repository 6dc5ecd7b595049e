"""`lfg history` and `lfg show`: what the history holds."""

import time
from collections.abc import Iterator
from contextlib import suppress

import click
import msgspec

from lfgtui.cli import history_maintenance
from lfgtui.cli.missing_runs import tell_lost
from lfgtui.errors import HistoryError, LfgError, UsageError
from lfgtui.history.reader import Reader, StoredTicket
from lfgtui.history.recording.store import History
from lfgtui.model.record import TicketRecord, ticket_markdown, ticket_record
from lfgtui.settings import paths
from lfgtui.text import output


def open_reader() -> Reader:
    """The history, with the runs of processes that died marked as interrupted first."""
    path = paths.history_file()
    with suppress(
        HistoryError, OSError
    ):  # perhaps it can be read all the same; Reader says why not
        if path.exists():
            with History.open(path) as opened:
                tell_lost(opened.lost)
    return Reader(path)


def report_gaps(reader: Reader) -> int:
    """Say on stderr what could not be read, once each; returns the exit code."""
    for gap in dict.fromkeys(reader.gaps):
        output.print_error(gap)
    return 1 if reader.gaps else 0


def _print_json(value: object) -> None:
    output.print_json(f"{msgspec.json.encode(value).decode()}\n")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--ui", "on_screen", is_flag=True, help="On the screen: search, open, resume.")
@click.pass_context
def history(context: click.Context, as_json: bool, limit: int, on_screen: bool) -> int:
    """Past runs, newest first; and what keeps the file in order."""
    if context.invoked_subcommand is not None:
        if on_screen:
            raise UsageError("--ui goes with no subcommand")
        return 0
    if on_screen:
        return _browse(as_json)
    with open_reader() as reader:
        runs = reader.runs(limit)
    if as_json:
        _print_json(runs)
        return 0
    if not runs:
        output.print_remark("no runs yet; try: lfg demo")
    for run in runs:
        cost = "" if run.cost is None else f"  ${run.cost:.4f}"
        done = f"{run.done}/{run.tickets} done"
        output.print_line(
            f"{run.run}  {_when(run.started_at)}  {run.state:<11}  {done:>10}  "
            f"{'pinned  ' if run.pinned else ''}{run.title}{cost}"
        )
        if run.note:
            output.print_line(f"    {run.note}")
    _tell_limit(len(runs), limit)
    return 0


def _browse(as_json: bool) -> int:
    if as_json:
        raise UsageError("--ui and --json exclude each other")
    if not output.is_interactive():
        raise UsageError("--ui needs a terminal; without one: lfg history, lfg search")
    from lfgtui.cli.launching.launch import browse
    from lfgtui.settings.config import load_config

    config = load_config(paths.config_file())
    with (
        suppress(LfgError),
        open_reader(),
    ):  # its dead processes' runs are ended; the screen says more
        pass
    return browse(config)


history_maintenance.add_to(history)


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Markdown on stdout.")
@click.option("--raw", is_flag=True, help=f"With --markdown: {output.RAW_HELP}")
def show(place: str, as_json: bool, as_markdown: bool, raw: bool) -> int:
    """One run, or one ticket of it. RUN may be a unique prefix, or 'last'."""
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    if raw and not as_markdown:
        raise UsageError("--raw goes with --markdown")
    if raw:
        output.check_raw()
    markdown = output.Document(raw=raw)
    name, _, only = place.partition("/")
    with open_reader() as reader:
        run = reader.find_run(name)
        summary = reader.run(run)
        tickets = reader.tickets(run, only)
        if as_json:
            records = [_record(reader, run, ticket) for ticket in tickets]
            if only:
                _print_json(records[0])
            else:
                whole = {"run": run, "title": summary.title, "state": summary.state}
                _print_json({**whole, "tickets": records})
            return report_gaps(reader)
        for line in _pages(reader, run, "" if only else summary.title, tickets):
            if as_markdown:
                markdown.write(f"{line}\n")
            else:
                output.print_text(f"{line}\n")
        markdown.close()
        return report_gaps(reader)


def _record(reader: Reader, run: str, stored: StoredTicket) -> TicketRecord:
    return ticket_record(run, stored.ticket, reader.transcript(run, stored.ticket.id))


def _pages(reader: Reader, run: str, title: str, tickets: list[StoredTicket]) -> Iterator[str]:
    if title:
        yield f"# {title}\n"
    for stored in tickets:
        yield ticket_markdown(stored.ticket, reader.transcript(run, stored.ticket.id))


def _tell_limit(shown: int, limit: int) -> None:
    if shown == limit:
        output.print_remark(f"the newest {limit}; --limit shows more")


def _when(at: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    except (OverflowError, ValueError, OSError):  # a file that was damaged
        return "????-??-?? ??:??:??"
