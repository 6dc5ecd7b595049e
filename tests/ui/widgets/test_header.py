"""The rows at the top and bottom: what they say, and that they fit."""

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.metrics import Health
from lfgtui.model.states import State
from lfgtui.ui.keymap import keys_in_force
from lfgtui.ui.text.styled_line import Line, line_width
from lfgtui.ui.widgets.footer import Situation, compose_footer
from lfgtui.ui.widgets.header import compose_header
from lfgtui.ui.widgets.totals import totals
from tests.ui.fake_live import FakeLive

STATES: tuple[State, ...] = ("queued", "streaming", "needs_approval", "paused", "done", "failed")


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def header(live: FakeLive, width: int = 120, *, past: bool = False) -> str:
    sums = totals(live, live.now)
    said = "PAST RUN" if past else ""
    return text(compose_header(live, sums, width=width, simulated=False, past=said, notice=None))


def worked() -> FakeLive:
    live = FakeLive("a", "b", "c", title="A title \x1b]0;that is rather long for a header\x07 row")
    for ticket in ("a", "b"):
        live.begin(ticket)
        live.stream(ticket, "word " * 40)
    live.finish("a", tokens=(128_000, 12_400))
    return live


def test_totals_add_up_over_tickets() -> None:
    live = worked()
    sums = totals(live, live.now)
    assert (sums.input, sums.cost, sums.running, sums.unfinished) == (128_000, 0.012, 1, 2)
    assert sums.output == 12_400 + 50
    assert sums.estimated
    assert sums.elapsed == 1.5
    assert sums.exit_code == 1


def test_the_time_between_an_interruption_and_the_resume_is_not_the_runs() -> None:
    live = FakeLive("a")
    live.begin("a")
    live.happen("a", e.TicketInterrupted())
    worked = totals(live, live.now).elapsed
    live.now += 86_400
    live.happen("a", e.TicketQueued())
    assert totals(live, live.now).elapsed == worked


def test_a_provider_that_keeps_failing_is_named_with_the_next_try() -> None:
    live = worked()
    live.health = Health(open_circuits={"openai": 12.4})
    assert "openai keeps failing, next try in 12 s" in header(live)
    live.health = Health(open_circuits={"openai": 0.0})
    assert "openai keeps failing, trying again" in header(live)
    live.health = Health(open_circuits={"openai": 12.4, "xai": 3.0})
    assert "2 providers keep failing" in header(live)


def test_the_exit_code_is_zero_only_when_all_are_done() -> None:
    live = FakeLive("a")
    live.begin("a")
    live.stream("a", "x")
    live.finish("a")
    assert totals(live, live.now).exit_code == 0


def test_figures_that_do_not_fit_are_left_out_from_the_end() -> None:
    wide, narrow = header(worked(), 140), header(worked(), 60)
    assert "$0.012" in wide
    assert "$0.012" not in narrow
    assert "● 1 running" in narrow


def test_bytes_to_save_are_shown_once_they_are_many() -> None:
    live = worked()
    live.health = Health(queued_bytes=900_000)
    assert "to save" not in header(live)
    live.health = Health(queued_bytes=3_400_000)
    assert "3.2 MB to save" in header(live)


def test_a_past_run_is_marked_and_asks_nobody_to_quit() -> None:
    live = FakeLive("a")
    live.happen("a", e.TicketQueued(), e.TicketCancelled())
    assert "q to quit" in header(live)
    assert "PAST RUN" in header(live, past=True)
    assert "q to quit" not in header(live, past=True)


@given(st.integers(60, 250))
def test_the_header_fits_and_obeys_no_title(width: int) -> None:
    line = header(worked(), width)
    assert "\x1b" not in line
    assert len(line) <= width


@given(
    st.integers(80, 200),
    st.sampled_from(STATES),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "“a pattern of some length” 12/345"]),
)
def test_the_footer_fits_and_always_has_a_way_out(
    width: int, state: State, live: bool, zoomed: bool, finding: str | None
) -> None:
    situation = Situation(state, live, zoomed, finding, "grid 12/16")
    line = compose_footer(situation, keys_in_force({}), width)
    assert line_width(line) <= width
    assert ("esc back" if finding else "q quit") in text(line)
