"""`lfg tell`, `add`, `approve`, `deny`, `choose`, `cancel` and `concurrency`.

Each sends one command to the socket of a run in progress (`server/control/client.ask`), from
another shell; the run's engine carries it out.
"""

from pathlib import Path

import click
import msgspec

from lfgtui.cli import launching
from lfgtui.cli.launching.launch import file_tickets
from lfgtui.cli.launching.past_runs import reader
from lfgtui.cli.options import piped_tickets, prompt_text
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
from lfgtui.errors import STDIN, UsageError
from lfgtui.model.approval_options import Verdict, plain_option
from lfgtui.model.events import ApprovalOption
from lfgtui.server.control.client import RunOverError, ask
from lfgtui.server.control.messages import ListApprovals, ListTickets, WaitingCall
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text.output import can_ask, confirm, print_error, print_line, print_remark, print_text

_PLACE = click.argument("place", metavar="RUN/TICKET")  # read by `_ticket`


@click.command()
@_PLACE
@click.argument("text")
@click.option("--stop", is_flag=True, help="Stop its current response or tool first.")
def tell(place: str, text: str, stop: bool) -> None:
    """Send a message to a ticket's agent.

    RUN may be a unique prefix or suffix, or 'last': the newest in this folder's repository.
    """
    run, ticket = _ticket(place)
    if not text.strip():
        raise UsageError("the message is empty")
    ask(run, Tell(ticket, text, stop))


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

    '-' reads tickets from stdin: TOML, or JSON lines with a ticket's keys on each.

    Tickets of the file may need tickets of the run. A prompt gets the settings that most of the
    run's tickets have. RUN may be a unique prefix or suffix, or 'last': the newest in this folder's
    repository. Prints RUN/TICKET for each ticket once it is saved.

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
    reply = ask(run_id, command)
    if reply.unsaved:
        print_error(f"added {', '.join(reply.tickets)}, but not saved yet: {reply.unsaved}")
        return 1
    for ticket in reply.tickets:
        print_line(f"{run_id}/{ticket}")
    return 0


def _tickets_of(path: Path, run: str, provider: str | None, model: str | None, *, yes: bool) -> Add:
    """Return the command to add a file's tickets, which are read and checked in this process.

    Only here are its relative paths valid, and can its owner be asked for trust. The run checks
    again that it has the providers and tools that the tickets use.
    """
    known = ask(run, ListTickets()).tickets
    config = load_config(paths.config_file())
    piped = piped_tickets() if path == STDIN else None
    file = file_tickets(path, config, provider, model, known=known, piped=piped)
    if file.on_end:
        print_remark("ignoring on_end: the run has already started")
        file = msgspec.structs.replace(file, on_end=())
    launching.trust.ensure_trusted(path, file, config, yes=yes)
    return Add(file.tickets)


_OPTION = click.option(
    "--option", metavar="ID|NAME", help="Give this answer, one that the agent offers."
)


@click.command()
@_PLACE
@click.option("--call", "call_id", metavar="ID", help="Approve this call without asking.")
@_OPTION
def approve(place: str, call_id: str | None, option: str | None) -> None:
    """Show the call waiting for approval, and ask whether to approve it.

    An installed agent may offer answers of its own to a call, which are listed; --option gives
    one. If several calls are waiting, the first is shown.
    """
    run, ticket = _ticket(place)
    call, more = _waiting(run, ticket, call_id)
    answer = _answer(call, option, "allow") if option else plain_option(call.options, "allow")
    if call_id is None:
        print_text(f"{call.summary}\n\n{call.shown.rstrip()}\n\n")
        for one in call.options:
            print_line(f"--option {one.option_id}: {one.name}{_lasting(one)}")
        if more:
            print_line(f"{more} more call{'s' * (more != 1)} waiting")
        if not can_ask():
            how = f"--call {call.call_id}"
            if answer is not None and option:
                how += f" --option {answer.option_id}"
            raise UsageError(f"no terminal to ask on; to approve this call: {how}")
        says_more = answer is not None and (option or answer.kind == "allow_always")
        if not confirm(f"Approve ({answer.name})?" if answer and says_more else "Approve?"):
            print_remark(f"not approved; to deny it: lfg deny {place}")
            return
    chosen = answer.option_id if answer and option else ""
    ask(run, Approve(ticket, call.call_id, option=chosen))


@click.command()
@_PLACE
@click.argument("reason", default="")
@click.option("--call", "call_id", metavar="ID", help="Deny this call, if several are waiting.")
@_OPTION
def deny(place: str, reason: str, call_id: str | None, option: str | None) -> None:
    """Deny the call waiting for approval; REASON is sent to the model."""
    run, ticket = _ticket(place)
    call, _ = _waiting(run, ticket, call_id)
    answer = _answer(call, option, "reject").option_id if option else ""
    ask(run, Deny(ticket, call.call_id, reason, answer))


@click.command()
@_PLACE
def choose(place: str) -> None:
    """Choose this copy of a ticket for the tickets that need it, even after the run has ended."""
    run, ticket = _ticket(place)
    try:
        ask(run, Choose(ticket))
    except RunOverError:
        launching.past_runs.choose(run, ticket)


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
def cancel(place: str) -> None:
    """Cancel a ticket, or a whole run; its output is kept."""
    name, _, ticket = place.partition("/")
    ask(_run(name), Cancel(ticket) if ticket else CancelAll())


@click.command()
@click.argument("run")
@click.argument("slots", type=click.IntRange(min=1))
def concurrency(run: str, slots: int) -> None:
    """Change how many tickets of a run work at once; those already working continue."""
    ask(_run(run), SetConcurrency(slots))
    print_line(f"{slots} ticket{'s' * (slots != 1)} at a time")


def _run(name: str) -> str:
    """Return the id of a run from RUN on the command line."""
    with reader() as opened:
        return opened.find_run(name)


def _ticket(place: str) -> tuple[str, str]:
    """Return the ids of run and ticket from RUN/TICKET on the command line."""
    name, _, ticket = place.partition("/")
    if not ticket:
        raise UsageError(f'invalid ticket "{place}": expected RUN/TICKET')
    return _run(name), ticket


def _waiting(run: str, ticket: str, call_id: str | None) -> tuple[WaitingCall, int]:
    """Return the call of that id, or the first waiting call, and how many others wait."""
    waiting = ask(run, ListApprovals(ticket)).approvals
    if not waiting:
        raise UsageError(f"{ticket} is not waiting for approval")
    call = next((one for one in waiting if call_id in (None, one.call_id)), None)
    if call is None:
        raise UsageError(f"{ticket} is no longer waiting for approval of that call")
    return call, len(waiting) - 1


def _answer(call: WaitingCall, wanted: str, verdict: Verdict) -> ApprovalOption:
    """Return the answer with this id or name, of those that the agent offers; ids come first."""
    offered = [one for one in call.options if one.kind.startswith(verdict)]
    for one in (*(o for o in offered if o.option_id == wanted), *offered):
        if wanted in (one.option_id, one.name):
            return one
    names = ", ".join(f'{one.option_id} ("{one.name}")' for one in offered)
    raise UsageError(f'no answer "{wanted}" to that call; it offers {names or "none of its own"}')


def _lasting(option: ApprovalOption) -> str:
    """Return what the answer does, in brackets; its kind is e.g. `allow_once`, `reject_always`."""
    verdict, _, time = option.kind.partition("_")
    verb = "approves" if verdict == "allow" else "denies, with lfg deny"
    return f" ({verb}{', from here on' * (time == 'always')})"
