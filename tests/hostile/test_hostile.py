"""A part of `make hostile` in every run of the tests, with nothing timed but what hangs.

Many misbehave at once in one program, since none may harm anybody else.
"""

import contextlib
import signal
from collections.abc import Iterator, Sequence

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.model.fold.states import ENDED
from lfgtui.settings.providers import WireName
from tests.helpers.waiting import PATIENCE, until
from tests.hostile.cases import WHOLE, WORDS, Case
from tests.hostile.catalogue import CASES
from tests.hostile.judge import (
    PEAK_BYTES,
    case_faults,
    end_faults,
    end_of,
    output_faults,
    stored_tickets,
    text_of,
)
from tests.hostile.process import Gauge
from tests.hostile.session import FIRST, KEYS, NEIGHBOUR, SECOND, Server, Session, servers, session

SERVERS = (
    "endless-headers",
    "redirect-to-another-host",
    "html-in-a-200",
    "half-closed",
    "two-calls-of-one-id",
    "flood-of-empty-objects",
    "gzip-bomb",
    "gzip-bomb-in-a-refusal",
    "endless-refusal",
    "retry-after-a-year-that-cannot-be",
    "usage-no-number",
    "escapes-everywhere",
    "deep-json",
    "other-types",
    "no-utf8",
    "output-without-end",
    "flood-of-text",
    "marks-in-a-call",
    "combining-marks",
    "usage-of-400-digits",
    "damaged-record-in-a-call",
    "flood-of-changes",
    "text-of-30-mb",
    "brackets",
    "table-of-2000-columns",
    "ten-thousand-calls",
)
"""What servers do, all at once."""

TERMINALS = (
    "typed-bytes-that-are-no-text",
    "clock-set-forward",
    "clock-set-back",
    "keys-among-titles-that-look-like-markup",
)
"""What is done to a program that goes on, one after the other."""

LAST = ("terminal-that-stops-reading", "history-deleted")
"""What leaves neither screen nor history to be judged."""

Chosen = Sequence[tuple[Case, WireName]]


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    with servers() as both:
        yield both


@pytest.fixture
def both(pair: tuple[Server, Server]) -> tuple[Server, Server]:
    """The two servers, with nothing noted yet."""
    for server in pair:
        server.notes.clear()
    return pair


def chosen(names: Sequence[str]) -> Chosen:
    """The cases, each on one wire, all wires among them."""
    cases = [CASES[name] for name in names]
    return [(case, case.wires[n % len(case.wires)]) for n, case in enumerate(cases)]


def have_ended(one: Session, *names: str) -> bool:
    """Whether the history knows the end of these tickets; of every one where none is named."""
    file = one.data / "history.db"
    if not file.exists():
        return False
    with Reader(file) as reader:
        runs = reader.runs()
        tickets = reader.tickets(runs[0].run) if runs else []
        chosen = [t for t in tickets if not names or t.ticket.id in names]
        return bool(chosen) and all(t.state in ENDED for t in chosen)


def is_heard(one: Session) -> bool:
    """Whether the neighbour's end is in the history, or lfg says where else it is."""
    with contextlib.suppress(HistoryError):  # its file is being made anew
        return have_ended(one, NEIGHBOUR) or b"saved in" in one.terminal.written
    return False


def test_none_of_many_hostile_servers_harms_anybody(both: tuple[Server, Server]) -> None:
    cases = chosen(SERVERS)
    with session(cases, *both) as one:
        gauge = Gauge(one.pid, one.terminal.reader_id)
        until(lambda: both[1].count(event="word") > 0, "the neighbour never began")

        def have_ended_under_keys() -> bool:
            for key in KEYS:  # all of them: help that is left open would take the key that quits
                assert one.press(key, PATIENCE) is not None, "a key was not answered"
            return have_ended(one)

        until(have_ended_under_keys, "a ticket never ended", patience=4 * PATIENCE)
        one.terminal.type(b"q")
        check_what_is_left(one, cases, code=1)  # not all tickets are done
        gauge.stop()
        assert gauge.peak < PEAK_BYTES


def test_what_a_terminal_and_a_clock_do_harms_nobody(both: tuple[Server, Server]) -> None:
    cases = chosen(TERMINALS)
    with session(cases, *both) as one:
        until(lambda: both[1].count(event="word") > 0, "the neighbour never began")
        for case, _ in cases:
            assert case.act is not None
            case.act(one)
            for key in (SECOND, FIRST):
                assert one.press(key, PATIENCE) is not None, (
                    f"no key was answered after {case.name}"
                )
        until(lambda: have_ended(one), "a ticket never ended")
        one.terminal.type(b"q")
        check_what_is_left(one, cases, code=0)


@pytest.mark.parametrize("case_name", LAST)
def test_sigterm_is_obeyed_whatever_happened(case_name: str, both: tuple[Server, Server]) -> None:
    case = CASES[case_name]
    with session([(case, case.wires[0])], *both) as one:
        until(lambda: both[1].count(event="word") > 0, "the neighbour never began")
        assert case.act is not None
        case.act(one)
        until(lambda: both[1].count(event="word") == len(WORDS), "the neighbour was held up")
        until(lambda: is_heard(one), "the neighbour never ended")
        assert one.signal(signal.SIGTERM, PATIENCE) is not None
        assert one.terminal.process.returncode == 143
        one.close()
        written = bytes(one.terminal.written)
        assert not list(output_faults(one, written))
        tickets, _ = stored_tickets(one)
        assert text_of(tickets[NEIGHBOUR]) == WHOLE or b"saved in" in written
        name = one.name_of(case, case.wires[0])
        assert not list(case_faults(case, one, name, tickets, written, {}))


def check_what_is_left(one: Session, cases: Chosen, *, code: int) -> None:
    """The exit code, the terminal's bytes, the history, how each ticket ended."""
    assert one.terminal.wait(PATIENCE) == code
    one.close()
    written = bytes(one.terminal.written)
    tickets, unreadable = stored_tickets(one)
    wrong = [*output_faults(one, written), *unreadable]
    assert not wrong
    assert text_of(tickets[NEIGHBOUR]) == WHOLE
    requests = {str(note["case"]): 1 for note in one.hostile.notes}
    for case, wire in cases:
        name = one.name_of(case, wire)
        wrong += end_faults(case, end_of(tickets[name]))
        wrong += case_faults(case, one, name, tickets, written, requests)
    assert not wrong
