"""`lfg search`: it is typed often, so it imports little."""

import json
import re
import time
from contextlib import closing

import click

from lfgtui.history.search.search import RANKED, SearchHit, search
from lfgtui.history.storage import file
from lfgtui.settings import paths
from lfgtui.text import output

_LITERAL = (
    "not a valid query (AND, OR and NOT go between words; close quotes and brackets);"
    " searched for its words as they are"
)


@click.command(name="search")
@click.argument("query", nargs=-1, required=True)
@click.option("--ranked", is_flag=True, help="Best first instead of newest first.")
@click.option("--code", is_flag=True, help="The text as it stands, marks and parts of words too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
def command(query: tuple[str, ...], ranked: bool, code: bool, as_json: bool, limit: int) -> None:
    """Search answers, reasoning, tool calls, their output, prompts and errors.

    Words must all occur; "a phrase" in quotes, prefix*, AND, OR and NOT work.
    Restrict it with run: title: ticket: provider: model: state: kind: tool:
    file: before: after: as in  state:failed after:7d parser. title: looks in
    the titles of runs and the notes beside them.
    """
    path = paths.history_file()
    with closing(file.connect_to_read(path)) as connection, file.opening(path):
        result = search(connection, " ".join(query), limit, ranked=ranked, code=code)
    if result.is_literal:
        output.print_remark(_LITERAL)
    if as_json:
        hits = json.dumps([hit._asdict() for hit in result.hits], ensure_ascii=False)
        output.print_json(f"{hits}\n")
        return
    for hit in result.hits:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(hit.at))
        output.print_line(f"{hit.run}/{hit.ticket}  {hit.kind}  {when}")
        output.print_line("    ", *_marked(hit))
    if not result.hits:
        output.print_remark("nothing found")
    if result.is_partly_ranked:
        output.print_remark(f"ranked among the newest {RANKED:,} matches only")
    if len(result.hits) == limit:
        order = "best" if ranked else "newest"
        output.print_remark(f"the {order} {limit}; --limit shows more")


def _marked(hit: SearchHit) -> list[str | output.Styled]:
    """The snippet on one line, what matched in bold."""
    pieces: list[str | output.Styled] = []
    end = 0
    for start, stop in hit.matches:
        pieces.append(_one_line(hit.snippet[end:start]))
        pieces.append(output.Styled(_one_line(hit.snippet[start:stop]), output.BOLD))
        end = stop
    return [*pieces, _one_line(hit.snippet[end:])]


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
