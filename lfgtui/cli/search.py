"""`lfg search`. It should start fast, so it imports little, and nothing that needs msgspec."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, pairwise

import click

from lfgtui.history import search as history_search
from lfgtui.history.storage import file
from lfgtui.settings import paths
from lfgtui.text import figures, output

_INVALID = (
    "invalid query (AND, OR and NOT go between words; close quotes and brackets);"
    " searched for its words as plain text"
)


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--ranked", is_flag=True, help="Best matches first instead of newest first.")
@click.option("--code", is_flag=True, help="Match text exactly, with punctuation and within words.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10**9),  # SQLite refuses integers of more than 64 bits
    help="Show at most this many.",
)
def search(query: tuple[str, ...], ranked: bool, code: bool, as_json: bool, limit: int) -> None:
    """Search answers, reasoning, tool calls, their output, prompts and errors.

    All words must occur; "a phrase" in quotes, prefix*, AND, OR and NOT work.
    Filter with run: title: ticket: provider: model: state: kind: tool:
    file: before: after: (state:failed after:7d parser); title: also searches
    notes.
    """
    path = paths.history_file()
    with closing(file.connect_to_read(path)) as connection, file.opening(path):
        result = history_search.search(connection, " ".join(query), limit, ranked=ranked, code=code)
    if result.is_literal:
        output.print_remark(_INVALID)
    if as_json:
        hits = [hit._asdict() for hit in result.hits]
        output.print_json(json.dumps(hits, ensure_ascii=False, separators=(",", ":")) + "\n")
        return
    for hit in result.hits:
        output.print_line(f"{hit.run}/{hit.ticket}  {hit.kind}  {figures.day_and_time(hit.at)}")
        output.print_line("    ", *_highlighted(hit))
    if not result.hits:
        output.print_remark("nothing found")
    if result.is_partly_ranked:
        output.print_remark(f"ranked only the newest {history_search.RANKED:,} matches")
    if len(result.hits) == limit:
        order = "best" if ranked else "newest"
        output.print_remark(f"showing the {order} {limit}; use --limit for more")


def _highlighted(hit: history_search.SearchHit) -> Iterator[output.Styled]:
    """Yield the snippet without line breaks, its matches in bold."""
    edges = [0, *chain(*hit.matches), len(hit.snippet)]
    for number, (start, stop) in enumerate(pairwise(edges)):
        text = re.sub(r"\s+", " ", hit.snippet[start:stop])
        yield output.Styled(text, output.BOLD if number % 2 else None)
