"""`lfg simulator`: the options of the server in `lfgtui/simulator`."""

import asyncio
from pathlib import Path

import click

from lfgtui.cli.options import FiniteRange
from lfgtui.simulator.scenario import load_scenario
from lfgtui.simulator.server import serve
from lfgtui.simulator.state import Settings


class _Speed(FiniteRange):
    """A factor; `max` becomes 0, which the simulator takes as no waiting at all."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        return 0.0 if str(value) == "max" else super().convert(value, param, ctx)


@click.command()
@click.option("--port", default=0, show_default="any free port", type=click.IntRange(0, 65535))
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same output.")
@click.option(
    "--speed", type=_Speed(min=0), default=1, show_default=True, help="Speed factor, or 'max'."
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add a scenario; its model has the file's name without the suffix.",
)
@click.option("--require-key", metavar="KEY", help="Reject any other API key.")
@click.option("--embedded", "is_embedded", is_flag=True, hidden=True)
def simulator(
    port: int,
    seed: int,
    speed: float,
    scenarios: tuple[Path, ...],
    require_key: str | None,
    is_embedded: bool,
) -> int:
    """Serve simulated models on localhost: Anthropic Messages, OpenAI Responses and chat.

    Point any client's base URL at the printed address; the model's name
    chooses the scenario. An agent server (wire "agent-websocket") is at /agent.
    """
    loaded = {path.stem: load_scenario(path) for path in scenarios}
    settings = Settings(seed, speed, loaded, require_key, is_embedded)
    return asyncio.run(serve(settings, port=port))
