"""The verdict on a case: measured while it runs, judged afterwards."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from lfgtui.settings.providers import WireName
from tests.helpers.terminal import BEGINS
from tests.helpers.terminal_sequences import SCREEN, foreign_sequences
from tests.hostile.cases import WHOLE, Aftermath, Case
from tests.hostile.measuring import HANG, Figures, measured
from tests.hostile.session import NEIGHBOUR, Server, Session, session

KEY_SECONDS = 1.0
SIGTERM_SECONDS = 3.0
LAG_SECONDS = 0.5
PEAK_BYTES = 300 * 1024 * 1024

_TROUBLE = re.compile(rb"Traceback \(most recent|Exception in |exception was never|a bug:|Error:")
_COMMANDS = (("history", "--json"), ("history", "check"))
_RUN_COMMANDS = (
    ("show", "--json"),
    ("show", "--markdown"),
    ("export", "--format", "jsonl"),
    ("export", "--format", "html"),
)


Tickets: TypeAlias = Mapping[str, Mapping[str, object]]
"""Each as in `lfg show --json`."""


class Verdict(NamedTuple):
    """A case on a wire. `late` is what another try on a quieter machine might mend."""

    case: Case
    wire: WireName
    figures: Figures
    end: str
    wrong: list[str]
    late: list[str]

    @property
    def is_well(self) -> bool:
        """True if nothing is wrong."""
        return not (self.wrong or self.late)


def judged(case: Case, wire: WireName, hostile: Server, healthy: Server) -> Verdict:
    """Run the case beside a healthy ticket, then once more into a SIGTERM."""
    mark = len(hostile.notes)
    with session([(case, wire)], hostile, healthy, again=True) as one:
        figures = measured(case, one)
        written = bytes(one.terminal.written)
        wrong, end = _faults(case, one, written, mark, code=143)
    return Verdict(case, wire, figures, end, wrong, list(_late(figures)))


def _late(figures: Figures) -> Iterator[str]:
    if figures.slowest > KEY_SECONDS:
        yield f"a key took {figures.slowest:.1f} s"
    if figures.ended is None or figures.ended > SIGTERM_SECONDS:
        yield f"SIGTERM took {figures.ended or HANG:.1f} s"
    if figures.lag is None:
        yield "a word of the neighbour never showed"
    elif figures.lag > LAG_SECONDS:
        yield f"the neighbour was {figures.lag:.1f} s late"
    if figures.peak > PEAK_BYTES:
        yield f"{figures.peak >> 20} MB"


def _faults(
    case: Case, one: Session, written: bytes, mark: int, *, code: int
) -> tuple[list[str], str]:
    """Return the faults that no quieter machine would mend, and the hostile ticket's end."""
    wrong = list(output_faults(one, written))
    exit_code = one.terminal.process.returncode
    if exit_code != code and case.sees_all:
        wrong.append(f"exit code {exit_code}, not {code}")
    tickets, unreadable = stored_tickets(one)
    if "gone" not in case.ends:
        wrong += unreadable
    if case.sees_all and text_of(tickets.get(NEIGHBOUR, {})) != WHOLE:
        wrong.append("the neighbour's text is not whole in the history")
    name = one.name_of(case, one.cases[0][1])
    end = end_of(tickets[name]) if name in tickets else "gone"
    if end != "interrupted":
        wrong += end_faults(case, end)
    requests = {str(note["case"]): 1 for note in one.hostile.notes[mark:]}
    return wrong + list(case_faults(case, one, name, tickets, written, requests)), end


def end_faults(case: Case, end: str) -> Iterator[str]:
    """Yield what is wrong with its end; an internal error always is."""
    if end == "failed:internal" or not {end, end.partition(":")[0]} & case.ends:
        yield f"{case.name} ended {end}, not {' or '.join(sorted(case.ends))}"


def case_faults(
    case: Case,
    one: Session,
    name: str,
    tickets: Tickets,
    written: bytes,
    requests: Mapping[str, int],
) -> Iterator[str]:
    """Yield the faults that the case itself finds."""
    if case.look is not None:
        neighbour, ticket = text_of(tickets.get(NEIGHBOUR, {})), tickets.get(name, {})
        code = one.terminal.process.returncode
        after = Aftermath(ticket, neighbour, one.workspace(name), written, requests, code)
        yield from case.look(after)


def output_faults(one: Session, written: bytes) -> Iterator[str]:
    """Yield what should not have been written to the terminal or the log."""
    is_cut = any(case.is_cut for case, _ in one.cases)
    written = written.removeprefix(f"{BEGINS}\r\n".encode())
    for sequence in foreign_sequences(written, SCREEN, is_cut=is_cut):
        yield f"to the terminal: {sequence}"
    if match := _TROUBLE.search(written):
        yield f"on stderr: {written[match.start() : match.start() + 200]!r}"
    log = one.folder / "log"
    if log.exists() and (match := _TROUBLE.search(logged := log.read_bytes())):
        yield f"in the log: {logged[match.start() :].decode(errors='replace')}"


def stored_tickets(one: Session) -> tuple[Tickets, list[str]]:
    """Return the tickets of the history, and which of its commands fail."""
    wrong: list[str] = []
    runs: list[Mapping[str, object]] = []
    for arguments in _COMMANDS:
        done = one.command(*arguments)
        if done.returncode == 0 and arguments == ("history", "--json"):
            runs = json.loads(done.stdout)
        if done.returncode:
            wrong.append(f"lfg {' '.join(arguments)}: {done.returncode} {done.stderr[-200:]!r}")
    if not runs:
        return {}, [*wrong, "there is no run in the history"]
    tickets: Tickets = {}
    for command, *options in _RUN_COMMANDS:
        done = one.command(command, str(runs[0]["run"]), *options)
        if done.returncode or b"Traceback" in done.stderr:
            complaint = done.stderr[-200:]
            wrong.append(f"lfg {command} {' '.join(options)}: {done.returncode} {complaint!r}")
        elif (command, *options) == ("show", "--json"):
            run = json.loads(done.stdout)
            tickets = {ticket["ticket"]: ticket for ticket in run["tickets"]}
    return tickets, wrong


def text_of(ticket: Mapping[str, object]) -> str:
    """The visible answer."""
    attempts = ticket.get("attempts")
    assert attempts is None or isinstance(attempts, list)
    return "".join(attempt["text"] for attempt in attempts or [])


def end_of(ticket: Mapping[str, object]) -> str:
    """Its state, with the kind of error where it failed."""
    attempts, state = ticket["attempts"], str(ticket["state"])
    assert isinstance(attempts, list)
    error = attempts[-1]["error"] if attempts else None
    return f"{state}:{error['kind']}" if state == "failed" and error else state


def load() -> str:
    """The machine's load, which is what makes a figure doubtful."""
    return f"load {os.getloadavg()[0]:.1f}"
