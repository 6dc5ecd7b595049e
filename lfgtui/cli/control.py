"""`lfg tell`, `approve`, `deny`, `cancel` and `concurrency`: a run at work, from another shell."""

import click

from lfgtui.cli.launching import control_socket
from lfgtui.cli.launching.past_runs import reader
from lfgtui.engine.commands import Approve, Cancel, CancelAll, Deny, SetConcurrency, Tell
from lfgtui.errors import UsageError
from lfgtui.text.output import can_ask, confirm, print_remark, print_text

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
