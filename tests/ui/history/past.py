"""Past runs, put into a history."""

from collections.abc import Sequence

from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.fold.states import RunState
from lfgtui.model.tickets import Ticket
from tests.ui.fake_live import START

ANSWER = """\
## Plan

The schema keeps **one row a line item**; totals are derived.

1. Read `orders.py`
2. Move the totals into a view
3. Run the tests
"""


def begin(store: Recorder, title: str, *tickets: str) -> str:
    """A new run of these tickets."""
    asked = [Ticket(id=name, prompt="x", workspace="/") for name in tickets]
    return store.start_run(title, asked, None)


def play(store: Recorder, run: str, ticket: str, *events: e.Event) -> None:
    """Recorder the events, a second apart; each `AttemptStarted` begins the next attempt."""
    attempt = 0
    for second, event in enumerate(events):
        attempt += isinstance(event, e.AttemptStarted)
        store.submit(run, ticket, max(1, attempt), START + second, event)
    store.flush(saved=True).result(30)


def keep(store: Recorder, title: str, said: dict[str, str], state: RunState = "done") -> str:
    """Put a finished run into the history."""
    run = begin(store, title, *said)
    for ticket, text in said.items():
        end = e.TicketDone("end") if state == "done" else e.TicketInterrupted()
        play(store, run, ticket, *answered(ticket, text), end)
    store.finish_run(run, state)
    return run


def answered(ticket: str, text: str) -> Sequence[e.Event]:
    """An attempt of two turns, without its end."""
    return (
        e.TicketQueued(),
        e.AttemptStarted("anthropic", "claude-sonnet-4-5"),
        e.UserMessage("x"),
        e.RequestSent(1),
        e.ToolCallRequested("1", "run_command", {"command": "make"}),
        e.ResponseFinished(1, "tool_use"),
        e.ToolCallFinished("1", f"the {ticket} log\nexit code 0", None, 0, 0.1),
        e.RequestSent(2),
        e.TextDelta(text),
        e.Usage(100, 20, cost=0.02),
        e.ResponseFinished(2, "end"),
    )
