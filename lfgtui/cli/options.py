"""Options and output that commands share."""

import math
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click
import msgspec

from lfgtui.errors import UsageError
from lfgtui.text import output

P = ParamSpec("P")
R = TypeVar("R")


class FiniteRange(click.FloatRange):
    """A number in a range; "nan" is one to Python and compares with nothing."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a valid number", param, ctx)
        return number


SPEED = FiniteRange(0.05, 100)
IDLE_SECONDS = FiniteRange(min=0)

RAW_HELP = "keep control characters instead of showing them as symbols."

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


def output_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--headless` and `--json` to a command that runs tickets."""
    as_json = click.option("--json", "as_json", is_flag=True, help="No screen; JSON lines.")
    headless = click.option("--headless", is_flag=True, help="No screen; a line per state change.")
    return headless(as_json(command))


def prompt_text(prompt: str) -> str:
    """Return the prompt of `-p`, which '-' has read from stdin; raises `UsageError`."""
    try:
        text = sys.stdin.read() if prompt == "-" else prompt
    except UnicodeDecodeError:
        raise UsageError("-p -: the prompt on stdin is not UTF-8") from None
    if not text.strip():
        raise UsageError("-p: the prompt is empty")
    return text


def print_value(value: object) -> None:
    """Print the value as one line of JSON."""
    output.print_json(f"{msgspec.json.encode(value).decode()}\n")
