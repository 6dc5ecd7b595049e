"""`lfg config` and `lfg completion`."""

import click
import msgspec
import tomli_w
from click.shell_completion import get_completion_class

from lfgtui.cli.commands import lfg
from lfgtui.cli.launching.redactors import redactor_of
from lfgtui.errors import UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import installed_agents, load_config
from lfgtui.settings.machines import address_of
from lfgtui.text import output


@click.group()
def config() -> None:
    """Show file locations and the settings in effect."""


@config.command("path")
def config_path() -> None:
    """Print the paths of config, history and themes."""
    output.print_line(f"config   {paths.config_file()}")
    output.print_line(f"history  {paths.history_file()}")
    output.print_line(f"themes   {paths.config_file().parent / 'themes'}")


@config.command("show")
def config_show() -> None:
    """Print the settings in effect as TOML. Keys are never printed."""
    settings = load_config(paths.config_file())
    if settings.workers.url is not None:
        shown = msgspec.structs.replace(settings.workers, url=address_of(settings.workers.url))
        settings = msgspec.structs.replace(settings, workers=shown)
    document = tomli_w.dumps(_without_none(msgspec.to_builtins(settings)))
    output.print_text(redactor_of(settings).text(document))


@config.command("init")
def config_init() -> None:
    """Write a commented config file as a starting point."""
    path = paths.config_file()
    if path.exists():
        raise UsageError(f"{path} already exists; edit it, or move it away first")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)  # a provider's headers may hold secrets
    path.write_text(paths.shipped("config.example.toml").read_text("utf-8"), "utf-8")
    output.print_line(f"wrote {path}")
    if agents := installed_agents(load_config(path)):
        line = f'model = "{agents[0]}"'
        output.print_line(
            f"installed agents: {', '.join(agents)}; to make one the default, set {line} in it"
        )


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script; for bash: eval "$(lfg completion bash)"."""
    completion_class = get_completion_class(shell)
    assert completion_class is not None
    output.print_text(completion_class(lfg, {}, "lfg", "_LFG_COMPLETE").source() + "\n")


def _without_none(value: object) -> dict[str, object]:
    """Return the table without the None values, at any depth: TOML has no null."""
    assert isinstance(value, dict)
    return {
        key: _without_none(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item is not None
    }
