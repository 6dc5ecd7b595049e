"""Runs to play: made-up ones of any shape, and the entries of a small real life."""

from collections.abc import Callable, Mapping, Sequence

from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.events import Entry
from lfgtui.model.tickets import Ticket
from lfgtui.ui.replay.run import ReplayedRun
from lfgtui.ui.replay.timeline import IDLE_LIMIT, Timeline
from tests.ui.fake_live import START, FakeLive

Lives = Mapping[str, Sequence[Entry]]

_GAPS = st.one_of(
    st.just(0.0),
    st.floats(0.001, 3.0),
    st.floats(3.0, 200_000.0),
    st.floats(-50.0, 0.0),  # a clock that was set back
)


@st.composite
def lives(draw: st.DrawFn) -> Lives:
    """Up to three tickets of words, with any times, that of a ticket going back too."""
    said: dict[str, list[Entry]] = {}
    for name in draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")])):
        at, said[name] = START + draw(st.floats(0.0, 5.0)), []
        for seq, gap in enumerate(draw(st.lists(_GAPS, max_size=8)), 1):
            at += gap
            said[name].append(Entry("r", name, 1, seq, at, e.TextDelta(f"{name}{seq}")))
    return said


def worked() -> FakeLive:
    """Three tickets: a retry, a tool, a failure that is tried again two days later, a need."""
    live = FakeLive("api", "docs", "last")
    live.start()
    live.begin("api")
    live.begin("docs")
    for number in range(6):
        live.stream("api", f"Paragraph {number} of *api*.\n\n", after=0.7)
        live.stream("docs", f"- point {number}\n", after=0.4)
    live.happen("docs", e.Heartbeat(), after=25.0)
    live.happen("api", e.Retrying("overloaded", 1.5, 2, "overloaded"), after=0.5)
    live.happen("api", e.AttemptStarted("anthropic", "claude-sonnet-4-5"), after=1.5)
    live.happen("api", e.UserMessage("Do api."), e.RequestSent(1))
    live.happen("api", e.ReasoningDelta("Again, then. "), after=0.6)
    live.stream("api", "| a | b |\n|---|---|\n| 1 | 2 |\n")
    live.ask("api")
    live.happen("api", e.ApprovalGiven("call-1"), after=4.0)
    live.happen("api", e.ToolOutputDelta("call-1", "stdout", "1 passed\n"), after=1.0)
    live.happen("api", e.ToolCallFinished("call-1", "1 passed\n", None, 0, 2.0), after=1.0)
    live.happen("api", e.RequestSent(2))
    live.stream("api", "It works.")
    live.finish("api")
    live.happen("docs", e.TicketFailed("server", "the server is overloaded", True), after=2.0)
    live.happen("docs", e.TicketQueued(), after=2 * 86_400)
    live.begin("docs")
    live.stream("docs", "All of it, at last.")
    live.finish("docs")
    live.begin("last")
    live.stream("last", "And that is that.")
    live.finish("last")
    return live


def replayed(live: FakeLive, ticks: Callable[[], float] = lambda: 0.0) -> ReplayedRun:
    """A replay of what was worked; seeking takes no time unless `ticks` says so."""
    return ReplayedRun(live.run, live.title, live.tickets, Timeline(live.stored), ticks=ticks)


def bare(said: Lives, idle_limit: float = IDLE_LIMIT) -> ReplayedRun:
    """A made-up run, to be played."""
    tickets = [Ticket(id=name, prompt="p", workspace="/") for name in said]
    return ReplayedRun("r", "Any", tickets, Timeline(said, idle_limit))
