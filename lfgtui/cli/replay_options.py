"""How a replay's pace is said on the command line."""

import math

import click


class _Finite(click.FloatRange):
    """A number in a range; "nan" is one to Python and compares with nothing."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number", param, ctx)
        return number


SPEED = _Finite(0.05, 100)
IDLE_SECONDS = _Finite(min=0)
