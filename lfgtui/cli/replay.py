"""`lfg replay`: a stored run in the real screen, at its original pace."""

import time

import click

from lfgtui.cli.launching.reading import open_reader
from lfgtui.cli.launching.screen import run_app
from lfgtui.cli.options import IDLE_SECONDS, SPEED
from lfgtui.errors import UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.settings.themes import load_themes
from lfgtui.text import output
from lfgtui.ui.app import LfgApp
from lfgtui.ui.painting.gc_policy import collect_rarely
from lfgtui.ui.replay.playback import Playback
from lfgtui.ui.replay.run import read_replay
from lfgtui.ui.replay.seek import go_to
from lfgtui.ui.replay.timeline import IDLE_LIMIT
from lfgtui.ui.screens.replay import replay_screen


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--speed", type=SPEED, default=1.0, show_default=True)
@click.option(
    "--idle-limit",
    type=IDLE_SECONDS,
    metavar="SECONDS",
    default=IDLE_LIMIT,
    show_default=f"{IDLE_LIMIT:g}",
    help="Shorten idle gaps to this; 0 keeps them.",
)
@click.option(
    "--from", "begin", metavar="PLACE", help="Start at 1:30, 90s, 50%, 'api 17' or 14:03:22."
)
def replay(name: str, speed: float, idle_limit: float, begin: str | None) -> int:
    """Replay RUN as it was. RUN may be a unique prefix, or 'last'.

    p pauses and resumes, [ and ] skip 10 seconds, + and - change the speed,
    comma and dot step by events, g goes to a time or an event.
    """
    if not output.is_interactive():
        raise UsageError(
            f"lfg replay needs a terminal; `lfg export {name} --format cast` makes a recording"
        )
    with open_reader() as reader:
        replayed = read_replay(reader, reader.find_run(name), idle_limit)
    playback = Playback(replayed, time.monotonic, speed=speed)
    if begin is not None:
        go_to(playback, begin)
    app = LfgApp(
        replayed,
        config=load_config(paths.config_file()),
        open_reader=open_reader,
        simulated=replayed.is_simulated,
        themes=load_themes(paths.config_file().parent),
        first_screen=lambda context: replay_screen(playback, context),
    )
    collect_rarely()
    code = run_app(app)
    return code if code >= 128 or app.bug is not None else 0
