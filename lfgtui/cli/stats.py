"""`lfg stats`: the requests of past runs in figures."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from shutil import get_terminal_size
from typing import Literal

import click
from msgspec.structs import asdict, astuple

from lfgtui.cli.launching.past_runs import open_reader, report_gaps
from lfgtui.cli.options import json_option, print_value
from lfgtui.errors import UsageError
from lfgtui.history.stats import Percentiles, Request, Statistics, summarize
from lfgtui.settings.prices import price_table
from lfgtui.text import figures, output
from lfgtui.text.terminal_safe import visible_line

_NARROWEST = 80
"""Columns that tables and plots use, even in a narrower terminal."""

_ROWS = 12
"""Rows of dots in a plot."""

_AXIS = 23
"""Columns of a plot beside its dots."""

_NAMED = 4
"""Most models without a price that are named; the others are counted."""

By = Literal["model", "provider", "day"]

_KEYS: dict[By, Callable[[Request], str]] = {
    "model": lambda request: figures.model_name(request.provider, request.model),
    "provider": lambda request: request.provider,
    "day": lambda request: figures.day_and_time(request.sent_at)[:10],
}


@click.command()
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1, 36_500),
    help="Count only requests of the last N days; 1 is today.",
)
@click.option("--by", type=click.Choice(["model", "provider", "day"]), help="Print a row for each.")
@click.option("--plot", is_flag=True, help="Draw the time to the first token of each request.")
@json_option
def stats(days: int | None, by: By | None, plot: bool, as_json: bool) -> int:
    """Show how past requests went: how many finished, how fast, at what cost, who waited.

    done: the share that finished, not counting requests that were stopped.
    drops: responses that broke off. connect: time to open a connection, where one
    was opened. first byte: time until the response began. ttft: time to the first
    token. commit, paint: time from the arrival of the first content to the history, and
    to the frame that shows it. models, tools, people: how long tickets waited
    for each, added up. p90: 90 % of the requests had this value or less.
    """
    if plot and find_spec("plotille") is None:
        raise UsageError("--plot needs the extra: pip install 'lfgtui[plot]'")
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
        for remark in _remarks(total):
            output.print_remark(remark)
        if plot:
            _plot(requests)
    return code


def _grouped(requests: Sequence[Request], by: By | None) -> list[tuple[str, Statistics]]:
    """Return each group's figures: days in order, models and providers by number of requests."""
    if by is None:
        return []
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(_KEYS[by](request), []).append(request)
    order = sorted(groups.items())
    if by != "day":
        order.sort(key=lambda group: -len(group[1]))
    return [(name, summarize(group)) for name, group in order]


def _tables(one: Statistics) -> Sequence[Sequence[tuple[str, str]]]:
    """Return one group's row of each table: pairs of heading and figure.

    The tables are narrow enough for a terminal of `_NARROWEST` columns.
    """
    rate = one.completion_rate
    return (
        (
            ("requests", f"{one.requests:,}"),
            ("done", "–" if rate is None else f"{100 * rate:.1f}%"),
            ("drops", f"{one.drops:,}"),
            ("retries", f"{one.retries:,}"),
            ("in", figures.count(one.input)),
            ("cached", f"{100 * one.cached / one.input:.0f}%" if one.input else "–"),
            ("out", figures.count(one.output)),
            ("cost", figures.money(one.cost, one.cost_estimated) or "–"),
        ),
        (
            *_percentiles("connect", one.connect_ms, _seconds),
            *_percentiles("first byte", one.first_byte_ms, _seconds),
        ),
        (
            *_percentiles("ttft", one.ttft_ms, _seconds),
            *_percentiles("tok/s", one.tokens_per_s, figures.count),
        ),
        (
            *_percentiles("commit", one.commit_ms, _milliseconds),
            *_percentiles("paint", one.paint_ms, _milliseconds),
        ),
        (
            ("models", figures.age(one.waited_s.models)),
            ("tools", figures.age(one.waited_s.tools)),
            ("people", figures.age(one.waited_s.people)),
        ),
    )


def _remarks(total: Statistics) -> Iterator[str]:
    """Yield what the figures leave out or estimate: reused answers, prices."""
    if total.reused:
        answers = "1 answer" if total.reused == 1 else f"{total.reused:,} answers"
        yield f"{answers} came from the history (cache_answers), without a request"
    if total.price_dates:
        dates = ", ".join(total.price_dates)
        newest = price_table().date
        yield f"~ estimated with the prices of {dates}; this version's table is of {newest}"
    if total.unpriced:
        names = ", ".join(map(visible_line, total.unpriced[:_NAMED]))
        more = f" and {len(total.unpriced) - _NAMED} more" if len(total.unpriced) > _NAMED else ""
        yield f"no price is known for {names}{more}: their cost is not included"


def _plot(requests: Sequence[Request]) -> None:
    """Draw the times to the first token, one dot per request."""
    from plotille import Figure  # installed only with the extra `plot`

    sent = (one for one in requests if not one.is_reused)
    dots = [(one.sent_at, one.ttft) for one in sent if one.ttft is not None]
    if not dots:
        output.print_remark("no request had a first token")
        return
    times, ttfts = zip(*((datetime.fromtimestamp(at), ttft) for at, ttft in dots), strict=True)
    figure = Figure()
    figure.width, figure.height = max(get_terminal_size().columns, _NARROWEST) - _AXIS, _ROWS
    figure.x_label, figure.y_label, figure.origin = "sent", "ttft", False
    figure.set_y_limits(min_=0)
    figure.register_label_formatter(float, _label)
    figure.scatter(times, ttfts)
    for line in figure.show().splitlines():
        output.print_line(line)


def _label(value: float, chars: int, **_: object) -> str:
    """Return a label of the axis of seconds; plotille calls it."""
    return f"{value:.2f}s".rjust(chars)


def _milliseconds(milliseconds: float) -> str:
    return f"{milliseconds:.0f}ms"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f}s"


def _percentiles(
    name: str, found: Percentiles | None, written: Callable[[float], str]
) -> Iterator[tuple[str, str]]:
    """Yield three columns, as pairs of heading and figure; `written` formats a figure."""
    values = ["–"] * 3 if found is None else map(written, astuple(found))
    return zip((f"{name} p50", "p90", "p99"), values, strict=True)


def _print(rows: Sequence[tuple[str, Statistics]]) -> None:
    """Print the tables; a name that is too long loses its beginning, as models differ at the end.

    `rows` are groups with their names; each is a row of every table.
    """
    names = ["", *(visible_line(name) for name, _ in rows)]
    for table in zip(*(_tables(one) for _, one in rows), strict=True):
        headings = [heading for heading, _ in table[0]]
        lines = [headings, *([figure for _, figure in row] for row in table)]
        widths = [max(map(len, column)) + 2 for column in zip(*lines, strict=True)]
        room = max(get_terminal_size().columns, _NARROWEST) - 1 - sum(widths)
        width = min(max(room, 1), max(map(len, names)))
        for name, line in zip(names, lines, strict=True):
            shown = name if len(name) <= width else f"…{name[1 - width :]}"
            output.print_line(shown.ljust(width) + "".join(map(str.rjust, line, widths)))
        output.print_line("")
