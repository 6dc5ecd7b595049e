"""The `lfg` command and its subcommands, each loaded when it is asked for.

`lfg history` has no use for a terminal library and `lfg run` none for the
simulator's web stack, so a subcommand's module is imported only to run it or
to show its own help.
"""

import errno
import signal
from collections.abc import Sequence
from importlib import import_module

import click

from lfgtui import __version__
from lfgtui.errors import LfgError, UsageError, did_you_mean
from lfgtui.settings.debug_log import debug_log
from lfgtui.text import output

_COMMANDS = {
    "demo": ("lfgtui.cli.run", "demo", "Watch simulated agents do real work: no key, no network."),
    "run": ("lfgtui.cli.run", "run", "Run the tickets of a file, or one prompt."),
    "resume": ("lfgtui.cli.run", "resume", "Go on with what a run did not finish."),
    "history": ("lfgtui.cli.history", "history", "Past runs, newest first."),
    "search": ("lfgtui.cli.search", "command", "Search everything that was ever on the screen."),
    "show": ("lfgtui.cli.history", "show", "Show one run or ticket."),
    "replay": ("lfgtui.cli.replay", "command", "Play a stored run again, at its own pace."),
    "doctor": ("lfgtui.cli.doctor", "doctor", "Check the set-up, or whether a provider streams."),
    "export": ("lfgtui.cli.export", "export_command", "Write a run out."),
    "import": ("lfgtui.cli.export", "import_command", "Store a run that was exported."),
    "config": ("lfgtui.cli.config", "config", "Where the files are and what is in force."),
    "simulator": ("lfgtui.cli.simulator", "simulator", "Serve simulated models on loopback."),
    "completion": ("lfgtui.cli.config", "completion", "Print a shell's completion script."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise UsageError(f'no command "{args[0]}"{did_you_mean(args[0], _COMMANDS)}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, _, told) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lfg")
def lfg() -> None:
    """A terminal control room for AI agents: one live pane a ticket, many at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code. Mistakes are one line on stderr and a 2."""
    output.install()
    try:
        with debug_log():
            result = lfg.main(
                None if arguments is None else list(arguments),
                prog_name="lfg",
                standalone_mode=False,
            )
    except click.exceptions.NoArgsIsHelpError as error:
        output.print_text(f"{error.format_message()}\n")
        return 0
    except click.Abort:
        return 130
    except click.ClickException as error:
        return _complain(error.format_message())
    except LfgError as error:
        return _complain(str(error))
    except UnicodeEncodeError as error:
        # An argument or a path: neither the history nor JSON can hold it. What else is text was
        # decoded once.
        return _complain(f'"{error.object}" is not UTF-8; rename it, or write it in UTF-8')
    except BrokenPipeError:
        output.discard()
        return 1
    except OSError as error:
        if error.filename is None and error.errno == errno.EIO:  # the terminal was closed
            return 128 + signal.SIGHUP
        if error.filename is not None or error.errno != errno.ENOSPC:
            raise
        output.discard()
        return _complain(f"the output cannot be written: {error.strerror}")
    return result if isinstance(result, int) else 0


def _complain(message: str) -> int:
    output.print_error(message)
    return 2
