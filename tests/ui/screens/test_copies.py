"""The copies of a ticket side by side: read, chosen, left."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from lfgtui.engine.commands import Choose
from lfgtui.model import events as e
from lfgtui.model.choices import choices
from lfgtui.ui.app import LfgApp
from lfgtui.ui.attention import needing_attention
from lfgtui.ui.replay.run import ReplayedRun
from lfgtui.ui.replay.timeline import Timeline
from lfgtui.ui.screens.copies import CopiesView
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import lines, make_app, opened, repainted, run_screen, toasts
from tests.ui.waiting import shown

LONG = "\n".join(f"Line {number} of the answer." for number in range(80))


def drafted(*, ended: bool = True, model: str = "model") -> FakeLive:
    """Three copies of `draft`, `final`, which needs it, and another ticket."""
    live = FakeLive("draft.1", "draft.2", "draft.3", "final", "other")
    *copies, final, other = live.tickets
    copies = [replace(one, copy_of="draft", title="Draft the plan") for one in copies]
    live.tickets = (*copies, replace(final, needs=("draft",)), other)
    live.start()
    for number, copy in enumerate(copies, 1):
        live.begin(copy.id, model=f"{model}-{number}")
        live.stream(copy.id, f"Answer {number} begins.\n\n{LONG}\n\nShall I go on?", after=0.3)
        if ended and number < 3:
            live.finish(copy.id, tokens=(1200, 100 * number))
    if ended:
        live.happen("draft.3", e.TicketFailed("server", "HTTP 500", True))
    return live


@asynccontextmanager
async def compared(
    size: tuple[int, int], live: FakeLive | None = None
) -> AsyncIterator[tuple[FakeLive, LfgApp, Pilot[int]]]:
    """The comparison, opened with `b` on the first copy."""
    live = live or drafted()
    app = make_app(live)
    async with opened(app, size) as pilot:
        await pilot.press("b")
        await shown(pilot, "COPIES")
        yield live, app, pilot


async def test_answers_stand_side_by_side_from_their_beginning_with_figures() -> None:
    async with compared((120, 40)) as (_, app, pilot):
        await shown(pilot, "Answer 1 begins.")
        assert any("Answer 1" in line and "Answer 2" in line for line in lines(app))
        assert any("model-1" in line and "model-2" in line for line in lines(app))
        assert lines(app)[-2].startswith(" draft.1 anthropic/model-1 · none chosen · ttft 0.30 s")
        assert "enter choose" in lines(app)[-1] and "esc leave" in lines(app)[-1]
        await pilot.press("tab")
        assert lines(app)[-2].startswith(" draft.2 anthropic/model-2 · none chosen")
        await pilot.press("escape")
        assert run_screen(app).mode.is_live


async def test_a_long_name_of_a_model_is_shown_by_its_beginning() -> None:
    async with compared((120, 40), drafted(model="claude-sonnet-4-5")) as (_, app, _):
        assert lines(app)[1].count("claude-sonn…") == 3
        assert lines(app)[-2].startswith(" draft.1 anthropic/claude-sonnet-4-5-1 · none chosen")


async def test_on_a_narrow_screen_tab_goes_from_one_to_the_next() -> None:
    async with compared((80, 24)) as (_, app, pilot):
        for number in (1, 2):
            await shown(pilot, f"Answer {number} begins.")
            assert sum("begins." in line for line in lines(app)) == 1
            await pilot.press("tab")
        await pilot.press("2", "enter")
        assert run_screen(app).mode.is_live


async def test_they_scroll_together_or_alone() -> None:
    async with compared((120, 40)) as (_, app, pilot):
        await shown(pilot, "Answer 1 begins.")

        def tops() -> list[str]:
            row = lines(app)[3]
            return [row[1:40].strip(), row[41:80].strip()]

        before = tops()
        await pilot.press("pagedown", "down")
        await pilot.pause()
        both = tops()
        assert both[0] == both[1] != before[0]
        await pilot.press("w", "up")
        await pilot.pause()
        assert tops()[1] == both[1] and tops()[0] != both[0]


async def test_enter_chooses_what_is_done_until_what_needs_it_has_begun() -> None:
    async with compared((120, 40)) as (live, app, pilot):
        await pilot.press("3", "enter")
        assert toasts(app)[-1] == "“draft.3” is not done; only a copy that is done can be chosen"
        await pilot.press("2", "enter")
        assert live.sent == [Choose("draft.2")] and run_screen(app).mode.is_live
        assert toasts(app)[-1] == "“draft.2” is chosen"
        live.begin("final")
        await pilot.press("b")
        await shown(pilot, "★ chosen")
        assert run_screen(app).current == "draft.1"
        assert "chosen: draft.2" in lines(app)[-2]
        await pilot.press("enter")
        assert toasts(app)[-1] == "“final” has already started with the earlier choice"
        assert live.sent == [Choose("draft.2")]
        live.begin("other")
        live.finish("other")
        live.finish("final")
        await pilot.press("escape")
        assert "all done" in (await repainted(pilot))[0]  # whatever became of the third


async def test_keys_of_work_do_nothing_and_b_leaves_or_opens_attempts() -> None:
    async with compared((120, 40)) as (live, app, pilot):
        await pilot.press("c", "r", "p")
        assert live.sent == [] and "read-only" in toasts(app)[-1]
        await pilot.press("b")
        assert run_screen(app).mode.is_live
        live.happen("draft.3", e.TicketQueued())
        live.begin("draft.3")
        await pilot.press("b", "3", "b")
        await shown(pilot, "ATTEMPTS")


async def test_what_waits_for_a_choice_opens_it_and_names_it() -> None:
    live = drafted()
    app = make_app(live)
    async with opened(app, (120, 40)) as pilot:
        await pilot.press("4")
        await shown(pilot, "waiting for your choice of “draft”")
        assert "b choose" in lines(app)[-1] and "1 to choose" in lines(app)[0]
        await pilot.press("b")
        await shown(pilot, "COPIES")
        assert run_screen(app).current == "draft.1"


async def test_a_due_choice_needs_attention_and_is_in_the_inbox() -> None:
    live = drafted()
    needs = needing_attention(live, [one.id for one in live.tickets], live.now, 10.0)
    reasons = {ticket: [one.reason for one in why] for ticket, why in needs.items()}
    assert reasons == {"draft.1": ["choice"], "draft.3": ["failed"]}
    assert needs["draft.1"][0].since == live.transcript("draft.3").since
    app = make_app(live)
    async with opened(app, (120, 40)) as pilot:
        await pilot.press("5", "n")
        assert (run_screen(app).current, toasts(app)) == ("draft.1", ["choose one of the copies"])
        await pilot.press("5", "i")
        assert run_screen(app).current == "draft.1" and "inbox:1" in lines(app)[-1]
        await pilot.press("b", "enter")
        await shown(pilot, "nothing left to answer")
    assert live.sent == [Choose("draft.1")]
    assert not needing_attention(live, ["draft.1", "draft.2", "draft.3"], live.now, 10.0)


async def test_a_past_run_is_compared_and_nothing_chosen() -> None:
    app = make_app(FakeLive("a"), run=CopiesView(drafted(), "draft"))
    async with opened(app, (120, 40)) as pilot:
        await pilot.press("b")
        await shown(pilot, "COPIES")
        assert lines(app)[-1].startswith(" esc leave  tab next pane")
        await pilot.press("enter")
        assert "read-only" in toasts(app)[-1] and run_screen(app).mode.label == "COPIES"


def test_a_replay_has_the_choice_from_when_it_was_made() -> None:
    live = drafted()
    live.send(Choose("draft.1"))
    replayed = ReplayedRun(live.run, live.title, live.tickets, Timeline(live.stored))
    made = []
    for position in (replayed.timeline.length, 0.0):
        replayed.seek(position)
        replayed.proceed()
        made.append(choices(replayed))
    assert made == [{"draft": "draft.1"}, {}]


async def test_in_the_tree_copies_stand_under_their_ticket_and_what_needs_it_with_them() -> None:
    live = drafted()
    async with opened(make_app(live), (150, 30)) as pilot:
        await pilot.press("v", "v", "<")  # round to the last column
        rows = [line[19:] for line in (await repainted(pilot))[2:8]]
        names = ["draft  3 copies", "└ draft.1", "└ draft.2", "└ draft.3", "└ final", "other"]
        assert [row[: len(name)] for row, name in zip(rows, names, strict=True)] == names


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_what_it_looks_like(
    snap_compare: Callable[..., bool], utc: None, size: tuple[int, int]
) -> None:
    async def run_before(pilot: Pilot[int]) -> None:
        await pilot.press("b")
        await shown(pilot, "Answer 1 begins.")
        await repainted(pilot)

    before: Callable[[Pilot[int]], Awaitable[None]] = run_before
    assert snap_compare(make_app(drafted()), terminal_size=size, run_before=before)


async def test_changes_of_copies_are_counted_and_shown_one_after_the_other() -> None:
    live = drafted()
    live.happen("draft.1", e.ChangesCounted(3, 40, 2))
    async with compared((120, 40), live) as (_, app, pilot):
        assert "±3   +40   −2" in lines(app)[-2]
        await pilot.press("g")
        await shown(pilot, "changes   draft.1")
        await pilot.press("tab")
        await shown(pilot, "changes   draft.2")
        await pilot.press("escape")
        await shown(pilot, "COPIES")
