"""The rows at the top and bottom: what they say, and that they fit."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health, HistoryTrouble, OpenCircuit
from lfgtui.settings.keys import BY_ACTION, keys_in_force
from lfgtui.ui.attention import needing_attention
from lfgtui.ui.text.styled_line import Line, line_width
from lfgtui.ui.widgets.footer import APPROVAL, Offer, compose_footer
from lfgtui.ui.widgets.header import compose_header, compose_title
from tests.ui.fake_live import START, FakeLive

SOON = OpenCircuit(12.4, "HTTP 500")


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def header(live: FakeLive, width: int = 120, label: str = "") -> str:
    return text(compose_header(live, 10.0, width, live.now, label=label))


def worked() -> FakeLive:
    live = FakeLive("a", "b", "c", title="A title \x1b]0;that is rather long for a header\x07 row")
    for ticket in ("a", "b"):
        live.begin(ticket)
        live.stream(ticket, "word " * 40)
    live.finish("a", tokens=(128_000, 12_400))
    return live


def test_figures_add_up_over_tickets_and_are_left_out_from_the_end() -> None:
    wide, narrow = header(worked(), 140), header(worked(), 60)
    for figure in ("1 running · 1 done", "0:01", " 25 tok/s", "↑128k ↓~12.4k", "$0.012"):
        assert figure in wide
    assert "1 running · 1 done" in narrow
    assert "$0.012" not in narrow


@pytest.mark.parametrize(
    ("most", "figure", "colour"),
    [(1.0, "$0.012 of $1.00", "muted"), (0.015, "of $0.015", "warning"), (0.01, "", "error")],
)
def test_what_is_spent_of_a_limit_of_the_run_stands_in_the_header(
    most: float, figure: str, colour: str
) -> None:
    live = worked()
    live.happen("a", e.RunLimitsSet(max_run_cost=most, max_run_tokens=1_000_000, max_run_time=60))
    assert "0:01 of 1:00" in header(live, 180) and "of 1.0M tokens" in header(live, 180)
    spans = compose_header(live, 10.0, 180, live.now)
    (span,) = (span for span in spans if span.text.startswith("$"))
    assert figure in span.text and span.colour == colour


def test_parked_tickets_are_counted_and_do_not_run() -> None:
    live = worked()
    live.happen("b", e.Parked("p", live.now + 3600, "full"))
    assert "1 parked · 1 done" in header(live) and "running" not in header(live)


def test_flagged_tickets_are_counted_and_only_one_that_is_held_waits() -> None:
    live = worked()
    live.happen("b", e.GuardTripped("rm", "seen", "flag"))
    live.finish("b")
    assert "1 flagged" in header(live) and title(live, live.now) == "lfg"


def busy() -> FakeLive:
    """A ticket of almost every kind."""
    done = ("asks", "done-1", "done-2", "done-3")
    working = ("waits-1", "waits-2", "works-1", "works-2", "retries")
    live = FakeLive("stalls", *working, *done, "fails", "queued")
    live.begin("stalls")
    live.now += 40.0
    for ticket in (*working, *done, "fails"):
        live.begin(ticket)
    for ticket in ("works-1", "done-3"):
        live.happen(ticket, e.ConflictDetected("a.py", ("done-1",)))
    for ticket in done:
        live.stream(ticket, "Shall I go on?" if ticket == "asks" else "Done.", after=0.0)
        live.finish(ticket)
    live.ask("waits-1")
    live.ask("waits-2")
    live.happen("fails", e.TicketFailed("server", "500", True))
    live.happen("retries", e.Retrying("busy", 5.0, 2, "overloaded"))
    live.happen("queued", e.TicketQueued())
    return live


def test_each_ticket_is_counted_once_the_most_urgent_kind_first() -> None:
    counts = (
        "2 to approve · 1 question · 1 failed · 2 running · 1 stalled · 1 conflict · "
        "1 retrying · 1 queued · 2 done "
    )
    assert f"rewrite  {counts}" in header(busy(), 150)


def test_where_it_is_narrow_the_least_urgent_counts_go_first_and_to_approve_last() -> None:
    whole = header(busy(), 150).partition("  ")[2].partition("  ")[0].split(" · ")
    numbers = []
    for width in range(150, 17, -1):
        shown = header(busy(), width)
        assert len(shown) <= width
        number = next(n for n in range(len(whole), 0, -1) if " · ".join(whole[:n]) in shown)
        assert not any(count in shown for count in whole[number:])
        numbers.append(number)
    assert numbers == sorted(numbers, reverse=True) and numbers[-1] == 1
    assert "2 to approve · 1 question" in header(busy(), 44)


def test_alarms_leave_room_for_what_is_to_be_approved() -> None:
    live = busy()
    live.health = Health(HistoryTrouble("disk full"), {"openai": SOON})
    assert "2 to approve" in header(live, 40)
    assert "history not saved" in header(live, 40)


def test_what_a_run_ended_with_that_needs_a_person_goes_before_how_to_leave_it() -> None:
    live = worked()
    live.finish("b")
    live.happen("c", e.TicketQueued(), e.TicketFailed("server", "500", True))
    assert "1 failed · 2 done  finished – q to quit" in header(live, 80)
    assert "1 failed  finished – q to quit" in header(live, 60)
    assert "1 failed " in header(live, 26) and "finished" not in header(live, 26)


def test_a_run_that_is_done_but_for_a_question_is_finished() -> None:
    live = FakeLive("a")
    live.begin("a")
    live.stream("a", "Shall I?")
    live.finish("a")
    assert "1 question  finished – q to quit" in header(live)


def test_the_time_between_an_interruption_and_the_resume_is_not_the_runs() -> None:
    live = FakeLive("a")
    live.begin("a")
    live.happen("a", e.TicketInterrupted(), after=90.0)
    live.happen("a", e.TicketQueued(), after=86_400.0)
    assert " 1:30 " in header(live)


@pytest.mark.parametrize("wait", [e.Paused(), e.Parked("p", START + 3600, "full")])
def test_the_time_stands_still_while_all_that_began_wait(wait: e.Event) -> None:
    live = FakeLive("a", "b", "new")
    live.begin("a")
    live.happen("b", e.TicketQueued(), e.AttemptStarted("p", "m"), after=30.0)
    live.happen("b", wait, after=60.0)
    live.happen("a", e.ResponseFinished(1, "tool_use"), e.Parked("p", START + 3600, "full"))
    live.now += 600.0
    assert " 1:30 " in header(live)
    assert [live.meter(name).elapsed(live.now) for name in ("a", "b", "new")] == [90.0, 60.0, None]


def test_the_clock_goes_on_while_a_retry_is_waited_for_but_not_while_parked() -> None:
    live = FakeLive("a")
    live.begin("a")
    live.happen("a", e.Retrying("busy", 100.0, 2, "overloaded"), after=20.0)
    live.now += 60.0
    assert " 1:20 " in header(live)
    live.happen("a", e.Paused(), e.Resumed(), after=40.0)
    live.happen("a", e.AttemptStarted("p", "m"), e.RequestSent(1))
    assert " 2:00 " in header(live)
    live.happen("a", e.Retrying("busy", 100.0, 3, "overloaded"))
    live.happen("a", e.Parked("p", live.now + 7200, "full"), after=30.0)
    live.now += 3600.0
    assert " 2:30 " in header(live)
    live.happen("a", e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1))
    live.happen("a", e.Retrying("busy", 100.0, 2, "overloaded"))
    live.happen("a", e.TicketCancelled(), after=10.0)
    live.happen("a", e.TicketQueued(), after=86_400.0)
    assert " 2:40 " in header(live)


LONG = "openrouter/anthropic/claude-sonnet-4.5-20250929"


@pytest.mark.parametrize(
    ("circuits", "text"),
    [
        ({"sim": OpenCircuit(0.0, "timeout")}, "sim keeps failing (timeout), trying again"),
        ({"sim/slow": SOON}, "sim/slow keeps failing (HTTP 500), next try in 12 s"),
        ({LONG: SOON}, "openrouter/anthropic/cla… keeps failing (HTTP 500), next try in 12 s"),
        (
            {"sim/slow": SOON, "xai": SOON},
            "sim/slow keeps failing (HTTP 500), next try in 12 s (+1 more)",
        ),
        (
            {LONG: SOON, "xai": SOON, "sim": SOON},
            "openrouter/anthropic/clau… keeps failing, next try in 12 s (+2 more)",
        ),
    ],
)
def test_the_first_that_keeps_failing_is_named_with_the_next_try_and_the_others_are_counted(
    circuits: dict[str, OpenCircuit], text: str
) -> None:
    live = worked()
    live.health = Health(open_circuits=circuits)
    assert text in header(live, 80)


def test_an_unsaved_history_comes_before_what_keeps_failing() -> None:
    live = worked()
    live.health = Health(HistoryTrouble("disk full"), {LONG: SOON, "xai": SOON})
    assert header(live, 80).endswith(
        " history not saved: disk full  openrouter/an… keeps failing (+1 more) "
    )
    live.health = msgspec.structs.replace(
        live.health, behind=HistoryTrouble(f"disk full: {'x' * 99}")
    )
    assert "xxx… " in header(live, 80) and "failing" not in header(live, 80)


def test_a_history_in_another_file_is_not_said_to_be_unsaved() -> None:
    live = worked()
    live.health = Health(HistoryTrouble("/r (it was overwritten)", is_saved=True))
    assert header(live).endswith(" history saved elsewhere: /r (it was overwritten) ")


def test_bytes_to_save_are_shown_once_they_are_many() -> None:
    live = worked()
    live.health = Health(queued_bytes=900_000)
    assert "to save" not in header(live)
    live.health = Health(queued_bytes=3_400_000)
    assert "3.2 MB to save" in header(live)


def test_a_past_run_is_marked_and_asks_nobody_to_quit() -> None:
    live = FakeLive("a")
    live.happen("a", e.TicketQueued(), e.TicketCancelled())
    assert "finished – q to quit" in header(live)
    past = header(live, label="PAST RUN")
    assert "PAST RUN" in past and "q to quit" not in past


@given(
    st.integers(60, 250),
    st.sampled_from([None, HistoryTrouble("disk full"), HistoryTrouble("x" * 99, is_saved=True)]),
    st.dictionaries(st.sampled_from(["sim", "語/語\x1b", LONG]), st.just(SOON)),
    st.sampled_from(["", "PAST RUN"]),
)
def test_the_header_fits_and_obeys_no_text(
    width: int, behind: HistoryTrouble | None, circuits: dict[str, OpenCircuit], label: str
) -> None:
    live = worked()
    live.health = Health(behind, circuits)
    line = compose_header(live, 10.0, width, live.now, label=label, is_simulated=True)
    assert "\x1b" not in text(line)
    assert line_width(line) <= width


@given(
    st.integers(80, 200),
    st.permutations(sorted(BY_ACTION)),
    st.sampled_from(["", "“a pattern of some length” 12/345"]),
)
def test_the_footer_fits_and_keys_that_matter_come_before_the_place(
    width: int, actions: list[str], finding: str
) -> None:
    offers = map(Offer, ("zoom", "cancel", "quit", *actions[:9]))
    line = compose_footer(
        offers, keys_in_force({}), width, view_label="grid 12/16", finding=finding
    )
    assert line_width(line) <= width or {"approve", "approve_always", "deny"} & {*actions[:9]}
    assert "q quit" in text(line)


def test_a_remark_leaves_room_for_the_key_that_approves() -> None:
    remark = "press pgdn until you have seen all of it"
    offers = map(Offer, (*APPROVAL, "zoom", "quit"))
    line = text(
        compose_footer(offers, keys_in_force({}), 50, view_label="grid 1/2", finding=remark)
    )
    assert line.startswith(" press pgdn until you have seen all") and " a approve " in line


def title(live: FakeLive, now: float) -> str:
    """The terminal's title at that time."""
    needs = needing_attention(live, [ticket.id for ticket in live.tickets], now, 10.0)
    return compose_title(live, needs, 10.0, now)


def test_the_title_counts_who_needs_a_person_and_who_runs_and_says_how_all_ended() -> None:
    live = FakeLive("a", "b", title="not \x07 in it")
    assert title(live, live.now) == "lfg"
    live.begin("a")
    live.begin("b")
    assert title(live, live.now) == "2 running · lfg"
    live.ask("a")
    assert title(live, live.now) == "1 waiting · 1 running · lfg"
    assert title(live, live.now + 60) == "2 waiting · lfg"
    live.happen("a", e.ApprovalGiven("call-1"), e.TicketCancelled())
    live.finish("b")
    assert title(live, live.now) == "finished · lfg"
    live.happen("a", e.TicketQueued())
    live.begin("a")
    live.stream("a", "Shall I?")
    live.finish("a")
    assert title(live, live.now) == "1 waiting · finished · lfg"


def test_the_title_of_a_run_that_ended_well() -> None:
    live = FakeLive("a")
    live.begin("a")
    live.finish("a")
    assert title(live, live.now) == "all done · lfg"


def test_the_title_does_not_count_a_conflict_of_a_ticket_that_is_done() -> None:
    live = FakeLive("a", "b")
    for ticket in ("a", "b"):
        live.begin(ticket)
        live.happen(ticket, e.ConflictDetected("a.py", ("b",)))
    live.finish("a")
    assert title(live, live.now) == "1 waiting · 1 running · lfg"


def test_a_sandbox_that_is_missing_is_said_in_the_header() -> None:
    live = busy()
    assert "NO SANDBOX" not in header(live, 150)
    live.health = Health(without_sandbox=len(live.tickets))
    assert " NO SANDBOX " in header(live, 150)
    live.health = Health(without_sandbox=1)
    assert " 1 WITHOUT SANDBOX " in header(live, 150)
