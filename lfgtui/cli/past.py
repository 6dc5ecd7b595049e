"""`lfg history` and `lfg show`: what the history holds."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import click
import msgspec

from lfgtui import paths
from lfgtui.cli import upkeep
from lfgtui.cli.lost import tell_lost
from lfgtui.errors import HistoryError, LfgError, UsageError
from lfgtui.history import History, Reader, StoredTicket
from lfgtui.transcript.record import TicketRecord, ticket_markdown, ticket_record
from lfgtui.visible import visible, visible_line


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


def _print_json(value: object) -> None:
    click.echo(msgspec.json.encode(value).decode())


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
        click.echo("no runs yet; try: lfg demo", err=True)
    for run in runs:
        cost = "" if run.cost is None else f"  ${run.cost:.4f}"
        done = f"{run.done}/{run.tickets} done"
        click.echo(
            f"{run.run}  {_when(run.started_at)}  {run.state:<11}  {done:>10}  "
            f"{'pinned  ' if run.pinned else ''}{visible_line(run.title)}{cost}"
        )
        if run.note:
            click.echo(f"    {visible_line(run.note)}")
    _tell_limit(len(runs), limit)
    return 0


def _browse(as_json: bool) -> int:
    if as_json:
        raise UsageError("--ui and --json exclude each other")
    if not all(f.isatty() for f in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("--ui needs a terminal; without one: lfg history, lfg search")
    from lfgtui.cli.launch import browse
    from lfgtui.config import load_config

    config = load_config(paths.config_file())
    with (
        suppress(LfgError),
        open_reader(),
    ):  # its dead processes' runs are ended; the screen says more
        pass
    return browse(config)


upkeep.add_to(history)


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Raw Markdown on stdout.")
def show(place: str, as_json: bool, as_markdown: bool) -> None:
    """One run, or one ticket of it. RUN may be a unique prefix, or 'last'."""
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
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
            return
        for line in _pages(reader, run, "" if only else summary.title, tickets):
            click.echo(line if as_markdown else visible(line))


def _record(reader: Reader, run: str, stored: StoredTicket) -> TicketRecord:
    return ticket_record(run, stored.ticket, reader.transcript(run, stored.ticket.id))


def _pages(reader: Reader, run: str, title: str, tickets: list[StoredTicket]) -> Iterator[str]:
    if title:
        yield f"# {title}\n"
    for stored in tickets:
        yield ticket_markdown(stored.ticket, reader.transcript(run, stored.ticket.id))


def _tell_limit(shown: int, limit: int) -> None:
    if shown == limit:
        click.echo(f"the newest {limit}; --limit shows more", err=True)


def _when(at: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    except (OverflowError, ValueError, OSError):  # a file that was damaged
        return "????-??-?? ??:??:??"
