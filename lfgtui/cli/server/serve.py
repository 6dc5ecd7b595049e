"""`lfg serve`: the runs of this machine over HTTP."""

import os
import secrets

import click
from starlette.applications import Starlette

from lfgtui.cli.launching.detaching.detached import detached_process
from lfgtui.cli.launching.redactors import redactor_of
from lfgtui.errors import UsageError
from lfgtui.server.browser.pages import routes
from lfgtui.server.http.app import build_app
from lfgtui.server.http.listen import (
    own_socket,
    port_socket,
    read_address,
    socket_path,
)
from lfgtui.server.http.listen import (
    serve as serve_on,
)
from lfgtui.settings import environment, paths
from lfgtui.settings.config import load_config
from lfgtui.text.output import print_line, print_remark
from lfgtui.text.redactor import Redactor


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Listen on a port instead of the Unix socket.")
@click.option("--token-env", metavar="NAME", help="Require the token in this environment variable.")
@click.option("--web", is_flag=True, help="Serve the screen, and a page for a phone, to browsers.")
@click.option("--detach", is_flag=True, help="Serve in the background, and print the process id.")
def serve(listen: str | None, token_env: str | None, web: bool, detach: bool) -> None:
    """Serve the runs of this machine over HTTP: watch them, act in them, search, export.

    It owns no run: each is a process of its own, and goes on when this one ends. It listens on a
    Unix socket that only you can open. A port open to other machines requires a token.

    \b
    lfg serve
    lfg serve --web
    LFG_TOKEN=... lfg serve --listen 0.0.0.0:8334 --token-env LFG_TOKEN
    """
    token = _token(token_env)
    if listen is None and not web and token is not None:
        raise UsageError("--token-env requires --listen or --web; only you can open the socket")
    foreground = detached_process() if detach else None

    def ready(address: str) -> None:
        print_line(f"serve: {address}")
        if foreground is not None:
            print_remark(f"process {os.getpid()}; kill {os.getpid()} stops it, and no run")
            foreground.let_go()

    if listen is None and not web:
        with own_socket() as listener:
            serve_on(_app(None, False, False), listener, lambda: ready(str(socket_path())))
        return
    wanted = read_address(listen or "127.0.0.1:8334")
    if token is None and not wanted.is_loopback:
        raise UsageError(f"--listen {listen} is open to other machines: add --token-env NAME")
    is_made_up = token is None and web
    if is_made_up:  # any user of this machine can connect to loopback
        token = secrets.token_urlsafe(24)
    with port_socket(wanted) as (listener, address):
        shown = f"{address.url}#token={token}" if is_made_up else address.url
        app = _app(token, address.is_loopback and token is None, web)
        serve_on(app, listener, lambda: ready(shown))


def _app(token: str | None, is_open: bool, web: bool) -> Starlette:
    """Return the application; `is_open`: without a token, for anyone on this machine's loopback."""
    config = load_config(paths.config_file())

    def redactor() -> Redactor | None:
        return None if config.history.redact == "never" else redactor_of(config)

    return build_app(
        config, redactor, token=token, is_loopback=is_open, pages=routes() if web else ()
    )


def _token(name: str | None) -> str | None:
    """Return the token in this variable; raise `UsageError` if no client could send it."""
    if name is None:
        return None
    token = environment.variable(name)
    if not token:
        raise UsageError(f"--token-env {name}: the variable is not set or is empty")
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        # A header can have no other characters.
        raise UsageError(
            f"--token-env {name}: a token has ASCII characters only, and no space around them"
        )
    return token
