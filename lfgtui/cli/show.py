"""`lfg show`."""

from collections.abc import Iterator

import click

from lfgtui.cli.launching.reading import open_reader, report_gaps
from lfgtui.cli.options import RAW_HELP, json_option, print_value
from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader, StoredTicket
from lfgtui.model.record import TicketRecord, ticket_markdown, ticket_record
from lfgtui.text import output


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown.")
@click.option("--raw", is_flag=True, help=f"With --markdown: {RAW_HELP}")
def show(place: str, as_json: bool, as_markdown: bool, raw: bool) -> int:
    """Show one run, or one ticket of it. RUN may be a unique prefix, or 'last'."""
    if as_json and as_markdown:
        raise UsageError("--json and --markdown cannot be combined")
    if raw and not as_markdown:
        raise UsageError("--raw requires --markdown")
    if raw:
        output.check_raw()
    name, _, only = place.partition("/")
    with open_reader() as reader:
        run = reader.find_run(name)
        summary = reader.run(run)
        tickets = reader.tickets(run, only)
        if as_json:
            records = [_record(reader, run, ticket) for ticket in tickets]
            whole = {"run": run, "title": summary.title, "state": summary.state}
            print_value(records[0] if only else {**whole, "tickets": records})
            return report_gaps(reader)
        markdown = output.Document(raw=raw)
        write = markdown.write if as_markdown else output.print_text
        for page in _pages(reader, run, "" if only else summary.title, tickets):
            write(f"{page}\n")
        markdown.close()
        return report_gaps(reader)


def _record(reader: Reader, run: str, stored: StoredTicket) -> TicketRecord:
    return ticket_record(run, stored.ticket, reader.transcript(run, stored.ticket.id))


def _pages(reader: Reader, run: str, title: str, tickets: list[StoredTicket]) -> Iterator[str]:
    if title:
        yield f"# {title}\n"
    for stored in tickets:
        yield ticket_markdown(stored.ticket, reader.transcript(run, stored.ticket.id))
