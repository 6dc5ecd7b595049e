"""The `lfg` command and its subcommands, each imported when it is used.

`lfg history` needs no terminal library and `lfg run` no web server, so a
subcommand's module is imported only to run it or to show its own help.
"""

import errno
import gc
import os
import signal
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import click

from lfgtui import __version__
from lfgtui.errors import LfgError, UsageError, did_you_mean
from lfgtui.settings.debug_log import debug_log
from lfgtui.text import output

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMPLETION = "click.shell_completion"  # imported when a shell asks

_COMMANDS = {
    "demo": ("run", "demo", "Watch simulated agents do real work: no key, no network."),
    "run": ("run", "run", "Run the tickets of a file, or one prompt."),
    "resume": ("run", "resume", "Continue a run that did not finish."),
    "history": ("history", "history", "List past runs, newest first."),
    "search": ("search", "search", "Search past output, prompts and errors."),
    "show": ("show", "show", "Show one run or ticket."),
    "diff": ("diff", "diff", "Show what a ticket or a run changed in its folder."),
    "undo": ("undo", "undo", "Restore files that a ticket changed, without git."),
    "stats": ("stats", "stats", "Show how past requests went: speed, failures, cost."),
    "replay": ("show", "replay", "Replay a past run at its original pace."),
    "attach": ("server.attach", "attach", "Watch a run in progress, and act in it."),
    "serve": ("server.serve", "serve", "Serve runs over HTTP, to programs and browsers."),
    "relay": ("server.relay", "relay", "Answer `lfg attach` from another machine."),
    "tell": ("control", "tell", "Send a message to an agent of a run in progress."),
    "add": ("control", "add", "Add tickets to a run in progress."),
    "approve": ("control", "approve", "Approve a waiting call from another shell."),
    "deny": ("control", "deny", "Deny a waiting call from another shell."),
    "choose": ("control", "choose", "Choose the copy of a ticket that others build on."),
    "cancel": ("control", "cancel", "Cancel a ticket or a run from another shell."),
    "concurrency": ("control", "concurrency", "Change how many tickets of a run work at once."),
    "worktrees": ("worktrees", "worktrees", "List the worktrees of tickets, or prune them."),
    "apply": ("worktrees", "apply", "Bring a ticket's worktree into your checkout."),
    "discard": ("worktrees", "discard", "Delete a ticket's worktree and its branch."),
    "doctor": ("doctor", "doctor", "Check the setup, a provider or an installed agent."),
    "export": ("export", "export", "Export a run as a document, data or a recording."),
    "import": ("export", "import_", "Import an exported run."),
    "config": ("config", "config", "Show file locations and settings."),
    "worker": ("server.worker", "worker", "Work on tickets of runs that were started elsewhere."),
    "simulator": ("simulator", "simulator", "Serve simulated models on localhost."),
    "completion": ("config", "completion", "Print a shell completion script."),
}
"""Module below `lfgtui.cli`, attribute and summary of each command, in the order of the help."""


def _module(name: str) -> ModuleType:
    """Import a command's module; garbage is collected from then on, but not looked for in that."""
    module = import_module(f"lfgtui.cli.{name}")
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    return module


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_help = args[:1] == ["help"]  # `lfg help run` is `lfg run --help`
        return super().parse_args(ctx, [*args[1:2], "--help"] if is_help else args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_unknown = bool(args) and args[0] not in _COMMANDS and not args[0].startswith("-")
        if is_unknown and not ctx.resilient_parsing:  # `resilient_parsing`: a shell completes
            raise UsageError(f'unknown command "{args[0]}"{did_you_mean(args[0], _COMMANDS)}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        item: type[CompletionItem] = import_module(_COMPLETION).CompletionItem
        return [
            item(name, help=summary)
            for name, (_, _, summary) in _COMMANDS.items()
            if name.startswith(incomplete)
        ] or super().shell_complete(ctx, incomplete)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="lfg")
@click.pass_context
def lfg(context: click.Context) -> None:
    """A terminal control room for AI agents: one live pane per ticket, many at once.

    Without a command, a start screen shows what can be run in this folder.
    """
    if context.invoked_subcommand is None:
        if not output.is_interactive():
            raise click.exceptions.NoArgsIsHelpError(context)
        context.exit(context.invoke(_module("run").run))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code, which is 2 after one line on stderr for a mistake."""
    output.install()
    try:
        if shell := os.environ.get("_LFG_COMPLETE", "").removesuffix("_complete"):
            return _complete(shell)
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
        # It is from an argument or a path, as all other text was decoded from UTF-8. Neither the
        # history nor JSON can hold it.
        return _complain(f'"{error.object}" is not valid UTF-8; rename it, or save it as UTF-8')
    except BrokenPipeError:
        output.discard()
        return 1
    except OSError as error:
        if error.filename is None and error.errno == errno.EIO:  # the terminal was closed
            return 128 + signal.SIGHUP
        if error.filename is not None:
            return _complain(f"{error.filename}: {error.strerror}")
        if error.errno != errno.ENOSPC:
            raise
        output.discard()
        return _complain(f"cannot write output: {error.strerror}")
    return result if isinstance(result, int) else 0


def _complete(shell: str) -> int:
    """Print completions of the command line, for a shell; return the exit code.

    click's own way would write bytes, past `output`.
    """
    if (completion_class := import_module(_COMPLETION).get_completion_class(shell)) is None:
        return 2
    output.print_text(completion_class(lfg, {}, "lfg", "_LFG_COMPLETE").complete() + "\n")
    return 0


def _complain(message: str) -> int:
    """Print the error; return the exit code of a mistake."""
    output.print_error(message)
    return 2
