"""`lfg tell`, `add`, `approve` and their like: a run at work, from another shell."""

from pathlib import Path

import click

from lfgtui.cli import launching
from lfgtui.cli.launching import control_socket
from lfgtui.cli.launching.launch import file_tickets
from lfgtui.cli.launching.past_runs import reader
from lfgtui.cli.options import prompt_text
from lfgtui.engine.commands import (
    Add,
    AddPrompt,
    Approve,
    Cancel,
    CancelAll,
    Deny,
    SetConcurrency,
    Tell,
)
from lfgtui.errors import UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text.output import can_ask, confirm, print_line, print_remark, print_text

_PLACE = click.argument("place", metavar="RUN/TICKET")


@click.command()
@_PLACE
@click.argument("text")
@click.option("--stop", is_flag=True, help="Stop its response or its tool first.")
def tell(place: str, text: str, stop: bool) -> None:
    """Say something to a ticket's agent, as `s` does. RUN may be a unique prefix, or 'last'."""
    run, ticket = _ticket(place)
    if not text.strip():
        raise UsageError("the message is empty")
    control_socket.ask(run, Tell(ticket, text, stop))


@click.command()
@click.argument("run")
@click.argument("file", metavar="[TICKETS.toml]", required=False, type=click.Path(path_type=Path))
@click.option("-p", "--prompt", help="Add this prompt instead; '-' reads it from stdin.")
@click.option("--provider", help="Use this provider for the tickets of the file.")
@click.option("--model", help="Use this model for them, as MODEL or PROVIDER/MODEL.")
@click.option("--yes", is_flag=True, help="Trust the tickets file without asking.")
def add(
    run: str,
    file: Path | None,
    prompt: str | None,
    provider: str | None,
    model: str | None,
    yes: bool,
) -> None:
    """Add tickets to a run: those of a file, which may need tickets of the run, or a prompt.

    A prompt gets the settings that most of the run's tickets have. RUN may be a unique prefix,
    or 'last'. Prints RUN/TICKET for each ticket once it is saved.

    \b
    lfg add last more.toml
    lfg add last -p "Now write the tests."
    """
    if (file is None) == (prompt is None):
        raise UsageError("give RUN and either a tickets file or -p PROMPT")
    if file is None and (provider or model or yes):
        raise UsageError("--provider, --model and --yes require a tickets file")
    run_id = _run(run)
    command: Add | AddPrompt
    if file is None:
        command = AddPrompt(prompt_text(prompt or ""))
    else:
        command = _tickets_of(file, run_id, provider, model, yes=yes)
    for ticket in control_socket.ask(run_id, command).tickets:
        print_line(f"{run_id}/{ticket}")


def _tickets_of(path: Path, run: str, provider: str | None, model: str | None, *, yes: bool) -> Add:
    """Read and check the file here, where its paths lead somewhere and its owner can be asked.

    The run, whose keys and history they are, checks again that it has what the tickets use.
    """
    known = control_socket.ask(run, control_socket.ListTickets()).tickets
    file = file_tickets(path, load_config(paths.config_file()), provider, model, known=known)
    launching.trust.ensure_trusted(path, file, yes=yes)
    return Add(file.tickets)


@click.command()
@_PLACE
@click.option("--call", "call_id", metavar="ID", help="Approve this call without asking you.")
def approve(place: str, call_id: str | None) -> None:
    """Show the call that waits for approval, and approve it if you say so."""
    run, ticket = _ticket(place)
    if call_id is None:
        call = _waiting(run, ticket)
        print_text(f"{call.summary}\n\n{call.shown.rstrip()}\n\n")
        if not can_ask():
            raise UsageError(f"nobody can be asked here; --call {call.call_id} approves this call")
        if not confirm("Approve?"):
            print_remark("not approved; `lfg deny` refuses it")
            return
        call_id = call.call_id
    control_socket.ask(run, Approve(ticket, call_id))


@click.command()
@_PLACE
@click.argument("reason", default="")
def deny(place: str, reason: str) -> None:
    """Refuse the call that waits for approval; the reason goes to the model."""
    run, ticket = _ticket(place)
    control_socket.ask(run, Deny(ticket, _waiting(run, ticket).call_id, reason))


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
def cancel(place: str) -> None:
    """Cancel a ticket, or all of a run; output is saved."""
    name, _, ticket = place.partition("/")
    control_socket.ask(_run(name), Cancel(ticket) if ticket else CancelAll())


@click.command()
@click.argument("run")
@click.argument("slots", type=click.IntRange(min=1))
def concurrency(run: str, slots: int) -> None:
    """Change how many tickets of a run work at once. Those at work go on."""
    control_socket.ask(_run(run), SetConcurrency(slots))
    print_line(f"{slots} ticket{'s' * (slots != 1)} at a time")


def _run(name: str) -> str:
    with reader() as opened:
        return opened.find_run(name)


def _ticket(place: str) -> tuple[str, str]:
    name, _, ticket = place.partition("/")
    if not ticket:
        raise UsageError(f'"{place}" names no ticket; write RUN/TICKET')
    return _run(name), ticket


def _waiting(run: str, ticket: str) -> control_socket.WaitingCall:
    """Return the call that waits; there is one at most."""
    waiting = control_socket.ask(run, control_socket.ListApprovals(ticket)).approvals
    if not waiting:
        raise UsageError(f"{ticket} waits for no approval")
    return waiting[0]
