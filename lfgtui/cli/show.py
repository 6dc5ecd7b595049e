"""`lfg show` and `lfg replay`."""

from collections.abc import Iterator
from shutil import get_terminal_size

import click

from lfgtui.cli import launching
from lfgtui.cli.launching.past_runs import open_reader, report_gaps
from lfgtui.cli.options import IDLE_SECONDS, RAW_HELP, SPEED, json_option, print_value
from lfgtui.errors import UsageError
from lfgtui.export.figures import RunDocument
from lfgtui.export.markdown import PLAIN, run_markdown, ticket_markdown
from lfgtui.export.record import run_record
from lfgtui.text import output


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
@json_option
@click.option(
    "--markdown",
    "as_markdown",
    is_flag=True,
    help="Print Markdown, with all input and output of calls.",
)
@click.option("--raw", is_flag=True, help=f"With --markdown: {RAW_HELP}")
def show(place: str, as_json: bool, as_markdown: bool, raw: bool) -> int:
    """Show one run, or one ticket of it.

    RUN may be a unique prefix or suffix, or 'last': the newest in this folder's repository.
    """
    if as_json and as_markdown:
        raise UsageError("--json and --markdown cannot be combined")
    if raw and not as_markdown:
        raise UsageError("--raw requires --markdown")
    if raw:
        output.check_raw()
    name, _, only = place.partition("/")
    with open_reader() as reader:
        document = RunDocument(reader, reader.find_run(name), only)
        if as_json:
            print_value(run_record(document))
            return report_gaps(reader)
        if output.prints_on_terminal() and not as_markdown:
            _print_page(document)
            return report_gaps(reader)
        markdown = output.Document(raw=raw)
        write = markdown.write if as_markdown else output.print_text
        for piece in _ticket(document) if only else run_markdown(document, PLAIN):
            write(piece)
        markdown.close()
        return report_gaps(reader)


def _ticket(document: RunDocument) -> Iterator[str]:
    """Yield the Markdown of the one ticket that the document was opened for."""
    return (ticket_markdown(each, PLAIN) for each in document.tickets())


def _print_page(document: RunDocument) -> None:
    """Print the run or ticket with styles, in the terminal's width."""
    from lfgtui.export.terminal import lines_of, run_page

    for line in lines_of(run_page(document), get_terminal_size().columns):
        output.print_line(*(output.Styled(text, style) for text, style, _ in line))


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--speed", type=SPEED, default=1.0, show_default=True)
@click.option(
    "--idle-limit",
    type=IDLE_SECONDS,
    metavar="SECONDS",
    help="Shorten idle gaps to this; 0 keeps them.  [default: 15]",  # `timeline.IDLE_LIMIT`
)
@click.option(
    "--from", "begin", metavar="PLACE", help="Start at 1:30, 90s, 50%, 'api 17' or 14:03:22."
)
def replay(name: str, speed: float, idle_limit: float | None, begin: str | None) -> int:
    """Replay RUN as it was.

    RUN may be a unique prefix or suffix, or 'last': the newest in this folder's repository.

    p pauses and resumes, [ and ] skip 10 seconds, + and - change the speed,
    comma and dot step by events, g goes to a time or an event.
    """
    if not output.is_interactive():
        raise UsageError(
            f"lfg replay needs a terminal; `lfg export {name} --format cast` makes a recording"
        )
    return launching.replay.play(name, speed=speed, idle_limit=idle_limit, begin=begin)
