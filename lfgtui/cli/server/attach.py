"""`lfg attach`: a run in progress, seen from another terminal or another machine."""

import click

from lfgtui.cli import launching
from lfgtui.cli.options import output_options
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text.output import is_interactive


@click.command()
@click.argument("names", metavar="[RUN] [HOST]...", nargs=-1)
@output_options
def attach(names: tuple[str, ...], headless: bool, as_json: bool) -> int:
    """Show a run in progress, wherever it was started, and act in it.

    RUN may be the beginning or the end of its id, or 'last'; without it, lfg shows the run in
    progress, or a list if there are several. Leaving (q or D) stops nothing. Any number of people
    may be attached.

    HOST is another machine, as ssh knows it, or one of [hosts] in the config; the runs of several
    are shown in one list. On a HOST, RUN may be an id, the beginning of one, or 'last'.

    \b
    lfg attach
    lfg attach last box
    lfg attach box build-server
    """
    config = load_config(paths.config_file())
    if as_json:
        return launching.attach.attach(names, config, "json")
    is_shown = is_interactive() and not headless
    return launching.attach.attach(names, config, None if is_shown else "states")
