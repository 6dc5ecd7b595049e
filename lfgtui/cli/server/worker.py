"""`lfg worker`: takes tickets of runs on other machines; see docs/workers.md."""

import asyncio
import os
import socket

import click

from lfgtui.cli import launching
from lfgtui.errors import UsageError
from lfgtui.model.tickets import label_mistake
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.settings.machines import check_redis


@click.command()
@click.argument("url", metavar="[URL]", default="")
@click.option(
    "--slots",
    default=4,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Tickets running at once.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="LABEL",
    help="Also take tickets that require this label; repeatable.",
)
def worker(url: str, slots: int, labels: tuple[str, ...]) -> int:
    """Work on tickets of runs that were started elsewhere with --workers URL.

    URL is that of a Redis server: redis://, rediss:// for TLS, or unix://; without it, `url` under
    [workers] of the config, where a password is not in the list of processes. Providers, keys and
    the sandbox come from this machine's config. Anyone who can write to that server can run
    commands here.
    """
    if mistake := label_mistake(labels):
        raise UsageError(f"--label: {mistake}")
    check_redis()
    config = load_config(paths.config_file())
    if not (url := url or config.workers.url or ""):
        raise UsageError("lfg worker needs the URL of a Redis server, or url under [workers]")
    name = f"{socket.gethostname()[:40]}-{os.getpid()}"
    work = launching.worker.run_worker(url, name, config, slots, tuple(dict.fromkeys(labels)))
    return asyncio.run(work)
