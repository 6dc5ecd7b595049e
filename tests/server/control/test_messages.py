"""Two sides of different versions understand each other, or say in one line who is older."""

import msgspec
import pytest

from lfgtui.engine.commands import Tell
from lfgtui.errors import UsageError
from lfgtui.model import events as e
from lfgtui.model.event_json import entry_json, read_entry
from lfgtui.model.fold.metrics import AgentUsage, Health, HistoryTrouble, OpenCircuit
from lfgtui.model.tickets import Ticket
from lfgtui.server.control.messages import (
    PROTOCOL,
    Frame,
    Hello,
    Reply,
    Status,
    check,
    line,
    read_frame,
    read_hello,
    read_ticket,
    request_decoder,
    request_line,
    sender_of,
)

HEALTH = Health(
    HistoryTrouble("the disk is full"),
    {"sim/slow": OpenCircuit(4.5, "HTTP 500")},
    slots=8,
    waiting_for_slot=frozenset({"a"}),
    held_back={"b": "memory"},
    agents={"a": AgentUsage(1 << 20, 0.5)},
    held_at="run_cost",
)


def test_how_a_run_is_comes_out_as_it_went_in() -> None:
    for status in (Status(), Status(HEALTH, ("a", "b"))):
        assert read_frame(line(Frame(status=status))).status == status
        assert read_hello(line(Hello(PROTOCOL, status=status))).status == status


def test_what_a_newer_lfg_adds_is_passed_over() -> None:
    entry = e.Entry("run", "a", 1, 7, 1000.000001, e.Status("hi"))
    frame = read_frame(
        b'{"entries":[%s],"place":7,"of_tomorrow":[1],"status":{"health":{"held_at":"whim"}}}\n'
        % entry_json(entry).encode()
    )
    assert frame == Frame(frame.entries, 7)
    assert [read_entry(raw) for raw in frame.entries] == [entry]
    new = entry_json(entry).replace('"status"', '"of_tomorrow"').encode()
    unknown = read_entry(new)
    assert (unknown.seq, unknown.at) == (7, 1000.000001)
    assert isinstance(unknown.event, e.GuardTripped)
    assert "another version of lfg" in unknown.event.message
    with pytest.raises(msgspec.ValidationError):
        read_frame(b'{"place":"here"}')


def test_a_ticket_of_a_newer_lfg_is_shown_by_its_name() -> None:
    ticket = Ticket(id="a", prompt="do", workspace="/")
    raw = msgspec.json.encode(ticket)
    assert read_ticket(msgspec.Raw(raw)) == ticket
    odd = read_ticket(msgspec.Raw(raw.replace(b'"tools":[', b'"tools":["of_tomorrow",')))
    assert odd.id == "a" and "another version of lfg" in odd.title


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (
            Reply("not a request: Invalid value 'Watch'"),
            "an lfg, older than this one .* update it th",
        ),
        (Hello(PROTOCOL + 1, "9.1"), "lfg 9.1, newer than this one .* update this one"),
        (Hello(PROTOCOL, error="no run x"), "^no run x$"),
    ],
)
def test_the_older_side_is_named(sent: msgspec.Struct, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check(read_hello(line(sent)), "run x")


def test_a_request_says_who_sends_it_and_is_the_one_it_always_was() -> None:
    sent = request_line(Tell("a", "go on"), "ann@laptop")
    assert request_decoder.decode(sent) == Tell("a", "go on")
    assert sender_of(sent) == "ann@laptop"
    assert sender_of(b'{"type":"Tell","ticket":"a","text":"go on"}') == ""
