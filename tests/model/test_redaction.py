"""Secrets in events: cut over deltas, in any field, and what must stay as it is."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.event_json import EVENTS, encode_event
from lfgtui.model.pieces import call_of, text_of, with_text
from lfgtui.model.redaction import (
    EventRedactor,
    is_empty_delta,
    redacted_entries,
    redacted_ticket,
    ticket_for_others,
)
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.guards import Guard
from lfgtui.model.tickets import Ticket
from lfgtui.text.diffs import diff
from lfgtui.text.redactor import Redactor
from tests.helpers.any_events import BY_KIND, DELTAS, any_event, entries, lives
from tests.text.secrets import GITHUB, JWT, drawn, pem

MARK = "[redacted: github token]"
SIGNED = e.ProviderItem("anthropic", {"type": "thinking", "signature": "c2lnbmVk"})
HALF, REST = GITHUB[:9], GITHUB[9:]


def redacted(*events: e.Event) -> list[e.Event]:
    """What is stored of the events, empty deltas left out."""
    redactor = EventRedactor(Redactor())
    told = [told for event in events for told in redactor.feed(event)]
    return [event for event in [*told, *redactor.finish()] if not is_empty_delta(event)]


def test_what_comes_in_between_ends_no_text() -> None:
    said = e.UserMessage("And then?", origin="person")
    between = (e.Heartbeat(), e.Usage(1, 2), e.Status("still here"), said)
    told = redacted(e.TextDelta(HALF), *between, e.TextDelta(REST), e.TicketCancelled())
    assert told == [*between, e.TextDelta(MARK), e.TicketCancelled()]


def test_what_was_held_comes_before_what_ends_it() -> None:
    thought, end = e.ReasoningDelta("hm"), e.TicketDone("end")
    told = redacted(e.TextDelta("it is sk-"), thought, end)
    assert told == [e.TextDelta("it is "), e.TextDelta("sk-"), thought, end]


def test_texts_of_calls_that_arrive_by_turns_are_texts_of_their_own() -> None:
    told = redacted(
        e.ToolArgumentsDelta("1", f'{{"a": "{HALF}'),
        e.ToolArgumentsDelta("2", '{"b": 1'),
        e.ToolArgumentsDelta("1", f'{REST}"}}'),
        e.ToolOutputDelta("a", "stdout", HALF),
        e.ToolCallFinished("b", "done", None, 0, 0.1),  # ends its own text alone
        e.ToolArgumentsDelta("2", "}"),
        e.ToolOutputDelta("a", "stdout", f"{REST}\n"),
    )
    joined: defaultdict[str, str] = defaultdict(str)
    for event in told:
        joined[call_of(event)] += text_of(event)
    assert joined == {"1": f'{{"a": "{MARK}"}}', "2": '{"b": 1}', "a": f"{MARK}\n", "b": "done"}


def test_an_item_with_a_secret_is_left_out_and_another_stays() -> None:
    fine, not_fine = e.ProviderItem("w", {"x": "y"}), e.ProviderItem("w", {"x": [JWT]})
    assert redacted(fine, not_fine) == [fine, e.ProviderItem("redacted", {})]


def test_what_signs_redacted_reasoning_is_left_out() -> None:
    assert redacted(
        e.RequestSent(1),
        e.ReasoningDelta(GITHUB),
        SIGNED,
        e.RequestSent(2),
        e.ReasoningDelta("Hm."),
        SIGNED,
    )[2:] == [e.ProviderItem("redacted", {}), e.RequestSent(2), e.ReasoningDelta("Hm."), SIGNED]


@given(lives())
def test_what_holds_no_secret_stays_as_it_is(life: list[e.Event]) -> None:
    stored = entries(life)
    assert list(redacted_entries(Redactor(), stored)) == stored


@given(
    st.lists(any_event, max_size=8),
    st.lists(any_event, max_size=8),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_entries_keep_their_numbers_and_their_text(
    before: list[e.Event], behind: list[e.Event], cuts: list[int]
) -> None:
    text = f"see {GITHUB}, {JWT[:40]} and so on"
    places = sorted({0, *cuts, len(text)})
    run = [e.TextDelta(text[a:b]) for a, b in pairwise(places)]
    ends = e.UserMessage("next")
    stored = entries([*before, ends, *run, ends, *behind])
    told = redacted_entries(Redactor(), stored)
    assert [(one.seq, one.at, type(one.event)) for one in told] == [
        (one.seq, one.at, type(one.event)) for one in stored
    ]
    first = len(before) + 1
    joined = "".join(
        one.event.text
        for one in told[first : first + len(run)]
        if isinstance(one.event, e.TextDelta)
    )
    assert joined == f"see {MARK}, {JWT[:40]} and so on"


def test_a_ticket() -> None:
    ticket = Ticket(
        id="a", prompt=f"Use {GITHUB}.", workspace="/w", system=GITHUB, extra={"k": [GITHUB]}
    )
    told = redacted_ticket(Redactor(), ticket)
    assert (told.prompt, told.system, told.extra) == (f"Use {MARK}.", MARK, {"k": [MARK]})
    assert (told.id, told.workspace) == ("a", "/w")


def test_a_ticket_that_leaves_the_machine_has_no_secret_in_its_setup_and_guards() -> None:
    harmless = Guard("rm", match="rm -rf")
    guards = (
        harmless,
        Guard("token", match=GITHUB),
        Guard("name", phrase="Falcon", action="redact"),
    )
    ticket = Ticket(
        id="a", title="", prompt="Go.", workspace="", setup=f"TOKEN={GITHUB} make", guards=guards
    )
    shown = ticket_for_others(Redactor(), ticket)
    assert shown.setup == f"TOKEN={MARK} make"
    assert shown.guards == (harmless,)
    assert redacted_ticket(Redactor(), ticket).setup == ticket.setup  # it is to be run


KEY_IN_USE = "corp/" + drawn(40, seed=8)
# What is looked for, in a text that holds it: of a private key a line will do.
PLANTED = {GITHUB: GITHUB, JWT: JWT, KEY_IN_USE: KEY_IN_USE, pem(): pem().splitlines()[2]}


def values(hint: object, text: str) -> Iterator[object]:
    """Values of a field's type with the text wherever one may be."""
    if hint is str:
        yield text
    elif get_origin(hint) is tuple:
        yield from ((inside,) for inside in values(get_args(hint)[0], text))
    elif hint is ApprovalRule:
        yield ApprovalRule("run_command", "prefix", text)
    elif hint is e.ApprovalOption:
        yield e.ApprovalOption("1", text, "allow_once")
    elif hint is e.PlanStep:
        yield e.PlanStep(text)
    elif get_origin(hint) is dict:
        yield {"a": text, text: text if hint == dict[str, str] else [1, {"b": text}]}
    elif get_origin(hint) is not Literal:
        for one in get_args(hint):
            yield from values(one, text)


def planted(kind: type[e.Event], text: str) -> Iterator[dict[str, object]]:
    """Fields of the kind in turn, with the text in them."""
    for name, hint in get_type_hints(kind).items():
        yield from ({name: value} for value in values(hint, text))


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("secret", PLANTED, ids=("github", "jwt", "key in use", "private key"))
@settings(max_examples=3)
@given(data=st.data())
def test_no_field_keeps_a_secret(kind: type[e.Event], secret: str, data: st.DataObject) -> None:
    redactor = Redactor(keys=[KEY_IN_USE])
    plain = data.draw(BY_KIND[kind])
    for field in planted(kind, f"see {secret} there"):
        event = msgspec.structs.replace(plain, **field)
        assert PLANTED[secret].encode() in encode_event(event)
        events = EventRedactor(redactor)
        stored = [*EventRedactor(redactor).feed(event), *events.feed(event), *events.finish()]
        assert PLANTED[secret].encode() not in b"".join(map(encode_event, stored))


def test_every_event_that_says_anything_was_planted() -> None:
    silent = {kind for kind in EVENTS if not [*planted(kind, "x")]}
    assert silent == {
        *(e.Heartbeat, e.TicketQueued, e.Paused, e.Resumed),
        *(e.TicketLimited, e.MessageTaken),
        *(e.ResponseStarted, e.ContextUsed, e.ChoiceMade, e.RestartRequested),
        *(e.ChangesCounted, e.RunLimitsSet),
    }


@pytest.mark.parametrize("kind", DELTAS)
@pytest.mark.parametrize("secret", [GITHUB, KEY_IN_USE])
@settings(max_examples=3)
@given(data=st.data())
def test_no_delta_keeps_a_cut_secret(kind: type[e.Event], secret: str, data: st.DataObject) -> None:
    redactor = Redactor(keys=[KEY_IN_USE])
    plain, text = data.draw(BY_KIND[kind]), f"it is {secret}."
    for cut in range(len(text) + 1):
        events = EventRedactor(redactor)
        pieces = [with_text(plain, p) for p in (text[:cut], text[cut : cut + 2], text[cut + 2 :])]
        stored = [*(one for piece in pieces for one in events.feed(piece)), *events.finish()]
        joined = "".join(map(text_of, stored))
        assert joined.startswith("it is [redacted: ") and joined.endswith("].")
        assert secret[:12] not in joined


def test_the_summary_of_a_call_that_holds_a_secret_tells_nothing_of_it() -> None:
    arguments: dict[str, object] = {"command": f"cat > key <<EOF\n{pem()}\nEOF"}
    summary = pem("RSA PRIVATE KEY", "⏎")
    asked = e.ApprovalRequested("1", "run_command", f"{summary[:80]} [... 9 more] {summary[-90:]}")
    _, told = redacted(e.ToolCallRequested("1", "run_command", arguments), asked)
    assert told == e.ApprovalRequested("1", "run_command", "[redacted: secret]")
    other = e.ApprovalRequested("2", "run_command", "$ ls")
    assert redacted(e.ToolCallRequested("1", "run_command", arguments), other)[1] == other


def test_a_private_key_on_one_line_as_lfg_writes_it() -> None:
    for newline in "⏎␊␍␤":
        text = pem(newline=newline)
        assert Redactor().text(text) == "[redacted: private key]"
        assert Redactor().text(text[:300]) == "[redacted: private key]"


def redacted_diff(diff: str) -> str:
    asked = e.ApprovalRequested("1", "write_file", "overwrite a (+1 −1)", diff)
    (told,) = redacted(asked)
    assert isinstance(told, e.ApprovalRequested) and told.summary == asked.summary
    return str(told.diff)


def test_a_secret_in_a_diff_is_hidden_in_its_line() -> None:
    hidden = "-key = {}\n+key = {} # new\n"
    told = redacted_diff("@@ -1,1 +1,1 @@\n" + hidden.format(GITHUB, GITHUB))
    mark = "[redacted: github token]"
    assert told == "@@ -1,1 +1,1 @@\n" + hidden.format(mark, mark)


@pytest.mark.parametrize("sign", ["-", "+", " "])
def test_a_secret_of_several_lines_is_hidden_in_a_diff_where_each_has_a_sign(sign: str) -> None:
    lines = "".join(f"{sign}{line}\n" for line in pem().split("\n"))
    told = redacted_diff(f"@@ -1,9 +1,9 @@\n{lines}")
    assert "[redacted: " in told
    assert not any(line in told for line in pem().split("\n")[1:-1])
    assert redacted_diff(f"@@ -1,9 +1,9 @@\n{sign}no key\n").endswith("no key\n")


def test_a_key_that_a_diff_parts_by_its_signs_hides_all_of_it() -> None:
    head, *body = pem().split("\n")
    lines = "".join(f"-{line}\n+other\n" for line in body)
    assert redacted_diff(f"@@ -1,9 +1,9 @@\n {head}\n{lines}") == "[redacted: secret]"


def edited(text: str) -> str:
    """The diff of an edit at the end of that text, as it is kept."""
    return redacted_diff(diff(f"{text}port = 1\nend\n", f"{text}port = 2\nend\n").text)


@pytest.mark.parametrize("column", range(440, 510, 10))
def test_no_part_of_a_secret_in_a_long_line_is_in_a_diff(column: int) -> None:
    told = edited("x" * (column - 1) + f" {GITHUB}\n")
    assert "port = 2" in told and GITHUB[:8] not in told


@pytest.mark.parametrize("lines", range(1, 9))
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_no_line_of_a_key_is_in_a_diff_beside_the_change(lines: int, newline: str) -> None:
    head, *body, end = pem().split("\n")
    told = edited(newline.join((head, *body[-lines:], end, "")))
    assert not any(line in told for line in body)
    far = "".join(f"{n}\n" for n in range(9))
    text = newline.join((head, *body, end, ""))
    told = redacted_diff(diff(f"a\n{far}{text}a\n", f"b\n{far}{text}b\n").text)
    assert not any(line in told for line in body)


def test_a_diff_beside_the_end_of_a_certificate_is_kept() -> None:
    assert "port = 2" in edited(pem().replace("PRIVATE KEY", "CERTIFICATE") + "\n")


def test_the_diff_of_a_call_that_holds_a_secret_tells_nothing_of_it() -> None:
    arguments: dict[str, object] = {"path": "key", "content": pem()}
    hidden = "[redacted: secret]"
    asked = e.ApprovalRequested("1", "write_file", "create key (9 lines)", f"@@ -1 +1 @@\n+{pem()}")
    _, told = redacted(e.ToolCallRequested("1", "write_file", arguments), asked)
    assert told == e.ApprovalRequested("1", "write_file", hidden, hidden)


def test_nor_does_the_change_of_a_file_that_an_agent_reports() -> None:
    head, *body, end = pem().splitlines()
    change = e.FileChange("1", "/w/key", f"@@ -1,3 +1,9 @@\n {head}\n+" + "\n+".join([*body, end]))
    (told,) = redacted(change)
    assert isinstance(told, e.FileChange) and not any(line in told.diff for line in body)
