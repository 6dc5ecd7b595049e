"""`lfg show`."""

from collections.abc import Iterator

import click

from lfgtui.cli.launching.reading import open_reader, report_gaps
from lfgtui.cli.options import RAW_HELP, json_option, print_value
from lfgtui.errors import UsageError
from lfgtui.export.figures import RunDocument
from lfgtui.export.markdown import PLAIN, run_markdown, ticket_markdown
from lfgtui.export.record import run_record
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
        document = RunDocument(reader, reader.find_run(name), only)
        if as_json:
            print_value(run_record(document))
            return report_gaps(reader)
        markdown = output.Document(raw=raw)
        write = markdown.write if as_markdown else output.print_text
        for piece in _ticket(document) if only else run_markdown(document, PLAIN):
            write(piece)
        markdown.close()
        return report_gaps(reader)


def _ticket(document: RunDocument) -> Iterator[str]:
    return (ticket_markdown(each, PLAIN) for each in document.tickets())
