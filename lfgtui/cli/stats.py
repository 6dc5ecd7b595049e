"""`lfg stats`: the requests of past runs in figures."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from shutil import get_terminal_size
from typing import Literal, NamedTuple

import click
from msgspec.structs import asdict
from rich.cells import cell_len

from lfgtui.cli.launching.past_runs import open_reader, report_gaps
from lfgtui.cli.options import json_option, print_value
from lfgtui.history.stats import Percentiles, Request, Statistics, summarize
from lfgtui.text import figures, output
from lfgtui.text.terminal_safe import visible_line

_NARROWEST = 80
"""Columns of a terminal that the tables fit."""

_LONGEST = 200
"""Characters of a name."""

By = Literal["model", "provider", "day"]

_KEYS: dict[By, Callable[[Request], str]] = {
    "model": lambda request: f"{request.provider}/{request.model}".strip("/"),
    "provider": lambda request: request.provider,
    "day": lambda request: figures.day_and_time(request.sent_at)[:10],
}


class Column(NamedTuple):
    """A column of figures, at its right edge."""

    heading: str
    width: int
    figure: Callable[[Statistics], str]


def _share(statistics: Statistics) -> str:
    rate = statistics.completion_rate
    return "–" if rate is None else f"{100 * rate:.1f}%"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f}s"


def _percentiles(
    name: str,
    width: int,
    of: Callable[[Statistics], Percentiles | None],
    written: Callable[[float], str],
) -> list[Column]:
    def figure(get: Callable[[Percentiles], float]) -> Callable[[Statistics], str]:
        return lambda one: "–" if (found := of(one)) is None else written(get(found))

    return [
        Column(f"{name} p50", len(name) + 6, figure(lambda found: found.p50)),
        Column("p90", width, figure(lambda found: found.p90)),
        Column("p99", width, figure(lambda found: found.p99)),
    ]


_TABLES = (
    (
        Column("requests", 10, lambda one: f"{one.requests:,}"),
        Column("done", 7, _share),
        Column("drops", 7, lambda one: f"{one.drops:,}"),
        Column("retries", 9, lambda one: f"{one.retries:,}"),
        Column("in", 7, lambda one: figures.count(one.input)),
        Column("out", 7, lambda one: figures.count(one.output)),
        Column("cost", 9, lambda one: figures.money(one.cost) or "–"),
    ),
    (
        *_percentiles("first byte", 8, lambda one: one.first_byte_ms, _seconds),
        *_percentiles("ttft", 8, lambda one: one.ttft_ms, _seconds),
    ),
    (
        *_percentiles("tok/s", 7, lambda one: one.tokens_per_s, figures.count),
        Column("models", 9, lambda one: figures.age(one.waited_s.models)),
        Column("tools", 8, lambda one: figures.age(one.waited_s.tools)),
        Column("people", 8, lambda one: figures.age(one.waited_s.people)),
    ),
)


@click.command()
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1, 36_500),
    help="Count only requests of the last N days; 1 is today.",
)
@click.option("--by", type=click.Choice(["model", "provider", "day"]), help="A row for each.")
@json_option
def stats(days: int | None, by: By | None, as_json: bool) -> int:
    """Show figures of past requests: how they ended, how fast, how much, who waited.

    done: of those that ended by themselves, how many came to their end. drops:
    responses that broke off. first byte: time to the head of the response.
    ttft: time to the first token. models, tools, people: how long tickets
    waited for each, added up. p90: 90 of 100 requests had no more.
    """
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = 0.0 if days is None else (midnight - timedelta(days=days - 1)).timestamp()
    with open_reader() as reader:
        requests = reader.requests(since)
        code = report_gaps(reader)
    groups = _grouped(requests, by)
    total = summarize(requests)
    if as_json:
        named = [{"name": name, **asdict(one)} for name, one in groups]
        print_value({"since": since or None, "by": by, "total": total, "groups": named})
    elif not requests:
        when = "yet; try: lfg demo" if days is None else "in that time"
        output.print_remark(f"no requests {when}")
    else:
        _print([*groups, ("all", total)] if len(groups) != 1 else groups)
    return code


def _grouped(requests: Sequence[Request], by: By | None) -> list[tuple[str, Statistics]]:
    """Return the figures of each group, days in their order and the largest of others first."""
    if by is None:
        return []
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(_KEYS[by](request), []).append(request)
    order = sorted(groups.items())
    if by != "day":
        order.sort(key=lambda group: -len(group[1]))
    return [(name, summarize(group)) for name, group in order]


def _print(rows: Sequence[tuple[str, Statistics]]) -> None:
    widest = max(sum(column.width for column in columns) for columns in _TABLES)
    names = [visible_line(name[-_LONGEST:]) for name, _ in rows]
    room = max(get_terminal_size().columns, _NARROWEST) - 1 - widest
    width = min(room, max(map(cell_len, names)))
    for columns in _TABLES:
        headings = "".join(column.heading.rjust(column.width) for column in columns)
        output.print_line(" " * width + headings)
        for name, (_, one) in zip(names, rows, strict=True):
            cells = (column.figure(one).rjust(column.width) for column in columns)
            output.print_line(_fitted(name, width) + "".join(cells))
        output.print_line("")


def _fitted(name: str, width: int) -> str:
    """Return the name in that many cells; of a longer one its end, which tells models apart."""
    if cell_len(name) > width:
        while cell_len(name) >= width:
            name = name[1:]
        name = f"…{name}"
    return name + " " * (width - cell_len(name))
