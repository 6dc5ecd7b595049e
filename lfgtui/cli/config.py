"""`lfg config` and `lfg completion`."""

import click
import msgspec
import tomli_w
from click.shell_completion import get_completion_class

from lfgtui.cli.commands import lfg
from lfgtui.errors import UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text import output


@click.group()
def config() -> None:
    """Where the files are and what is in force."""


@config.command("path")
def config_path() -> None:
    """Print where config, history and themes are."""
    output.print_line(f"config   {paths.config_file()}")
    output.print_line(f"history  {paths.history_file()}")
    output.print_line(f"themes   {paths.config_file().parent / 'themes'}")


@config.command("show")
def config_show() -> None:
    """Print the settings in force, as TOML. Keys are never printed."""
    from lfgtui.cli.launching.redactors import redactor_of

    settings = load_config(paths.config_file())
    said = tomli_w.dumps(_without_none(msgspec.to_builtins(settings)))
    output.print_text(redactor_of(settings).text(said))


@config.command("init")
def config_init() -> None:
    """Write a commented config file to start from."""
    path = paths.config_file()
    if path.exists():
        raise UsageError(f"{path} exists already; edit it, or move it away first")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)  # headers may hold what nobody else should read
    path.write_text(paths.shipped("config.example.toml").read_text("utf-8"), "utf-8")
    output.print_line(f"wrote {path}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script; for bash: eval "$(lfg completion bash)"."""
    found = get_completion_class(shell)
    assert found is not None
    output.print_text(found(lfg, {}, "lfg", "_LFG_COMPLETE").source() + "\n")


def _without_none(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return {
        key: _without_none(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item is not None
    }
