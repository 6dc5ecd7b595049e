"""`lfg simulator`."""

from pathlib import Path

import click

from lfgtui.errors import UsageError
from lfgtui.simulator.__main__ import parse_speed, run


@click.command()
@click.option("--port", default=0, show_default="any free one", type=click.IntRange(0, 65535))
@click.option("--seed", default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--speed", default="1", show_default=True, help="A factor, or 'max'.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add a scenario; the file's stem is the model's name.",
)
@click.option("--require-key", metavar="KEY", help="Refuse any other API key.")
def simulator(
    port: int, seed: int, speed: str, scenarios: tuple[Path, ...], require_key: str | None
) -> int:
    """Serve simulated models: Anthropic Messages, OpenAI Responses and chat, on loopback.

    Point any client's base URL at the printed address; the model's name
    chooses the scenario.
    """
    try:
        factor = parse_speed(speed)
    except ValueError:
        raise UsageError(f'--speed is a number or "max", not "{speed}"') from None
    return run(port=port, seed=seed, speed=factor, scenarios=scenarios, require_key=require_key)
