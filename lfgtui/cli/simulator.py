"""`lfg simulator`."""

from pathlib import Path

import click

from lfgtui.errors import UsageError
from lfgtui.simulator.__main__ import parse_speed, run


@click.command()
@click.option("--port", default=0, show_default="any free port", type=click.IntRange(0, 65535))
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same output.")
@click.option("--speed", default="1", show_default=True, help="A factor, or 'max'.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add a scenario; the file's name without suffix is the model's.",
)
@click.option("--require-key", metavar="KEY", help="Reject any other API key.")
def simulator(
    port: int, seed: int, speed: str, scenarios: tuple[Path, ...], require_key: str | None
) -> int:
    """Serve simulated models on localhost: Anthropic Messages, OpenAI Responses and chat.

    Point any client's base URL at the printed address; the model's name
    chooses the scenario.
    """
    try:
        factor = parse_speed(speed)
    except ValueError:
        raise UsageError(f'--speed: invalid value "{speed}": expected a number or "max"') from None
    return run(port=port, seed=seed, speed=factor, scenarios=scenarios, require_key=require_key)
