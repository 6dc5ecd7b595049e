"""`lfg attach`: a run at work, seen from another terminal."""

import click

from lfgtui.cli import launching
from lfgtui.cli.options import output_options
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text.output import is_interactive


@click.command()
@click.argument("name", metavar="[RUN]", required=False)
@output_options
def attach(name: str | None, headless: bool, as_json: bool) -> int:
    """Show a run that is at work, wherever it was started, and act in it.

    RUN may be the beginning or the end of its id, or 'last'; without it, the run that is at work,
    or a list of them. Leaving (q or D) stops nothing. Any number of people may be attached.
    """
    config = load_config(paths.config_file())
    if as_json:
        return launching.attach.attach(name, config, "json")
    is_shown = is_interactive() and not headless
    return launching.attach.attach(name, config, None if is_shown else "states")
