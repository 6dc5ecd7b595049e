"""`python -m lfgtui.simulator`, the process that lfg starts; `lfg simulator` calls `run`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from lfgtui.errors import UsageError
from lfgtui.simulator.scenario import load_scenario
from lfgtui.simulator.server import serve
from lfgtui.simulator.state import Settings
from lfgtui.text import output


def run(
    *,
    port: int = 0,
    seed: int = 0,
    speed: float = 1.0,
    scenarios: Sequence[Path] = (),
    require_key: str | None = None,
    is_embedded: bool = False,
) -> int:
    """Serve until a signal stops it; returns the exit code. Raises `UsageError`.

    `scenarios` are files that add to the bundled ones, each named by its stem.
    """
    if speed < 0:
        raise UsageError(f"--speed must be 0 (no waiting) or more, not {speed:g}")
    settings = Settings(
        seed=seed,
        speed=speed,
        scenarios={path.stem: load_scenario(path) for path in scenarios},
        require_key=require_key,
        is_embedded=is_embedded,
    )
    return asyncio.run(serve(settings, port=port))


def parse_speed(text: str) -> float:
    """Return a factor, 0 for `max`: no waiting at all; raises `ValueError`."""
    return 0.0 if text == "max" else float(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    output.install()
    parser = argparse.ArgumentParser(prog="lfg simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes")
    parser.add_argument("--speed", type=parse_speed, default=1.0, help="a factor, or max")
    parser.add_argument("--scenario", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--require-key", metavar="KEY", help="refuse any other")
    parser.add_argument("--embedded", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    try:
        return run(
            port=given.port,
            seed=given.seed,
            speed=given.speed,
            scenarios=given.scenario,
            require_key=given.require_key,
            is_embedded=given.embedded,
        )
    except UsageError as error:
        output.print_remark(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main())
