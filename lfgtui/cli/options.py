"""Options, readers of stdin and JSON output that several commands share."""

import math
import sys
from collections.abc import Callable
from functools import reduce, wraps
from typing import ParamSpec, TypeVar, get_args

import click
import msgspec

from lfgtui.errors import STDIN, SourceError, UsageError
from lfgtui.model.ticket_keys.run_limits import AtLimit, RunLimits
from lfgtui.settings.config import Config
from lfgtui.text import output

P = ParamSpec("P")  # of a command
R = TypeVar("R")


class FiniteRange(click.FloatRange):
    """A finite number in a range; click's own type accepts "nan", which is in no range."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a valid number", param, ctx)
        return number


_MOST_BYTES = 64 << 20
"""Limit for tickets from a pipe, which may never end."""

SPEED = FiniteRange(0.05, 100)  # times the original pace
IDLE_SECONDS = FiniteRange(min=0)  # for --idle-limit; 0 keeps idle gaps

RAW_HELP = "keep control characters instead of showing them as symbols."

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


detach_option = click.option(
    "--detach", is_flag=True, help="Run in the background, and print the run's id."
)


def output_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--headless` and `--json` to a command that runs tickets."""
    as_json = click.option("--json", "as_json", is_flag=True, help="No screen; JSON lines.")
    headless = click.option("--headless", is_flag=True, help="No screen; a line per state change.")
    return headless(as_json(command))


NO_WORKERS = ""
"""The value that `--no-workers` gives instead of a URL; None is neither of the two options."""


def with_workers(config: Config, url: str | None) -> Config:
    """Return the config with the value of `--workers` or `--no-workers`, if one was given."""
    if url is None:
        return config
    workers = msgspec.structs.replace(config.workers, url=url or None)
    return msgspec.structs.replace(config, workers=workers)


def workers_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--workers` and `--no-workers`, which the command takes as one value, `workers`."""
    url = click.option(
        "--workers", metavar="URL", help="Have workers run the tickets, through this Redis server."
    )
    here = click.option(
        "--no-workers",
        "workers",
        flag_value=NO_WORKERS,
        help="Run the tickets here.",
    )
    return url(here(command))


def limit_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add `--max-run-...` and `--at-limit`; the command takes them as one value, `limits`."""

    @wraps(command)
    def with_limits(
        *,
        max_run_cost: float | None,
        max_run_tokens: int | None,
        max_run_time: float | None,
        at_limit: AtLimit | None,
        **others: object,
    ) -> R:
        limits = RunLimits(max_run_cost, max_run_tokens, max_run_time, at_limit)
        return command(limits=limits, **others)

    options = (
        click.option(
            "--max-run-cost",
            type=FiniteRange(1e-6, 1e6),
            help="Limit in USD for all tickets together.",
        ),
        click.option(
            "--max-run-tokens", type=click.IntRange(1, 10**12), help="The same, in tokens."
        ),
        click.option(
            "--max-run-time",
            type=FiniteRange(1e-3, 1e9),
            help="The same, in seconds of work.",
        ),
        click.option(
            "--at-limit",
            type=click.Choice(get_args(AtLimit)),
            help="At a limit: stop, hold, or hold and ask (the default).",
        ),
    )
    return reduce(lambda made, option: option(made), reversed(options), with_limits)


def prompt_text(prompt: str) -> str:
    """Return the prompt of `-p`, or stdin if it is '-'; raises `UsageError` if it is empty."""
    try:
        text = sys.stdin.read() if prompt == "-" else prompt
    except UnicodeDecodeError:
        raise UsageError("-p -: the prompt on stdin is not UTF-8") from None
    if not text.strip():
        raise UsageError("-p: the prompt is empty")
    return text


def piped_tickets() -> str:
    """Return the text of stdin, TOML or JSON lines; raises `SourceError`."""
    data = output.read_piped(_MOST_BYTES)
    if len(data) > _MOST_BYTES:
        raise SourceError(STDIN, None, f"more than {_MOST_BYTES >> 20} MB of tickets")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(STDIN, line, "not valid UTF-8") from None
    if not text.strip():
        raise SourceError(STDIN, None, "empty; expected tickets, as TOML or as JSON lines")
    return text


def print_value(value: object) -> None:
    """Print the value as one line of JSON."""
    output.print_json(f"{msgspec.json.encode(value).decode()}\n")
