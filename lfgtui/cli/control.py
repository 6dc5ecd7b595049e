"""`lfg tell`, `add`, `approve` and their like: a run in progress, from another shell."""

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
    Choose,
    Deny,
    SetConcurrency,
    Tell,
)
from lfgtui.errors import UsageError
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text.output import can_ask, confirm, print_error, print_line, print_remark, print_text

_PLACE = click.argument("place", metavar="RUN/TICKET")


@click.command()
@_PLACE
@click.argument("text")
@click.option("--stop", is_flag=True, help="Stop its current response or tool first.")
def tell(place: str, text: str, stop: bool) -> None:
    """Send a message to a ticket's agent. RUN may be a unique prefix, or 'last'."""
    run, ticket = _ticket(place)
    if not text.strip():
        raise UsageError("the message is empty")
    control_socket.ask(run, Tell(ticket, text, stop))


@click.command()
@click.argument("run")
@click.argument("file", metavar="[TICKETS.toml]", required=False, type=click.Path(path_type=Path))
@click.option("-p", "--prompt", help="Add this prompt instead; '-' reads it from stdin.")
@click.option("--provider", help="Use this provider for the file's tickets.")
@click.option("--model", help="Use this model for them, as MODEL or PROVIDER/MODEL.")
@click.option("--yes", is_flag=True, help="Trust the tickets file without asking.")
def add(
    run: str,
    file: Path | None,
    prompt: str | None,
    provider: str | None,
    model: str | None,
    yes: bool,
) -> int:
    """Add the tickets of a file, or a prompt, to a run in progress.

    Tickets of the file may need tickets of the run. A prompt gets the settings that most of the
    run's tickets have. RUN may be a unique prefix, or 'last'. Prints RUN/TICKET for each ticket
    once it is saved.

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
    reply = control_socket.ask(run_id, command)
    if reply.unsaved:
        print_error(
            f"added {', '.join(reply.tickets)}, but not in the history yet: {reply.unsaved}"
        )
        return 1
    for ticket in reply.tickets:
        print_line(f"{run_id}/{ticket}")
    return 0


def _tickets_of(path: Path, run: str, provider: str | None, model: str | None, *, yes: bool) -> Add:
    """Read and check the file here, where its paths lead somewhere and its owner can be asked.

    The run, whose keys and history they are, checks again that it has what the tickets use.
    """
    known = control_socket.ask(run, control_socket.ListTickets()).tickets
    config = load_config(paths.config_file())
    file = file_tickets(path, config, provider, model, known=known)
    launching.trust.ensure_trusted(path, file, config, yes=yes)
    return Add(file.tickets)


@click.command()
@_PLACE
@click.option("--call", "call_id", metavar="ID", help="Approve this call without asking.")
def approve(place: str, call_id: str | None) -> None:
    """Show the call waiting for approval, and ask whether to approve it."""
    run, ticket = _ticket(place)
    if call_id is None:
        call = _waiting(run, ticket)
        print_text(f"{call.summary}\n\n{call.shown.rstrip()}\n\n")
        if not can_ask():
            raise UsageError(f"no terminal to ask on; to approve this call: --call {call.call_id}")
        if not confirm("Approve?"):
            print_remark(f"not approved; to deny it: lfg deny {place}")
            return
        call_id = call.call_id
    control_socket.ask(run, Approve(ticket, call_id))


@click.command()
@_PLACE
@click.argument("reason", default="")
def deny(place: str, reason: str) -> None:
    """Deny the call waiting for approval; REASON is sent to the model."""
    run, ticket = _ticket(place)
    control_socket.ask(run, Deny(ticket, _waiting(run, ticket).call_id, reason))


@click.command()
@_PLACE
def choose(place: str) -> None:
    """Choose this copy of a ticket for the tickets that need it, also when the run is over."""
    run, ticket = _ticket(place)
    try:
        control_socket.ask(run, Choose(ticket))
    except control_socket.RunOverError:
        launching.past_runs.choose(run, ticket)


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
def cancel(place: str) -> None:
    """Cancel a ticket, or a whole run; its output is kept."""
    name, _, ticket = place.partition("/")
    control_socket.ask(_run(name), Cancel(ticket) if ticket else CancelAll())


@click.command()
@click.argument("run")
@click.argument("slots", type=click.IntRange(min=1))
def concurrency(run: str, slots: int) -> None:
    """Change how many tickets of a run work at once; those already working continue."""
    control_socket.ask(_run(run), SetConcurrency(slots))
    print_line(f"{slots} ticket{'s' * (slots != 1)} at a time")


def _run(name: str) -> str:
    with reader() as opened:
        return opened.find_run(name)


def _ticket(place: str) -> tuple[str, str]:
    name, _, ticket = place.partition("/")
    if not ticket:
        raise UsageError(f'"{place}" names no ticket: expected RUN/TICKET')
    return _run(name), ticket


def _waiting(run: str, ticket: str) -> control_socket.WaitingCall:
    """Return the call that waits; there is one at most."""
    waiting = control_socket.ask(run, control_socket.ListApprovals(ticket)).approvals
    if not waiting:
        raise UsageError(f"{ticket} is not waiting for approval")
    return waiting[0]
