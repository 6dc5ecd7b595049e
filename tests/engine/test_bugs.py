"""A bug where entries are folded or shown ends one ticket at most."""

from pathlib import Path
from typing import Any

import pytest

from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.metrics import Meter
from tests.engine.harness import finished, room, says, ticket

SCENARIOS = {"good": says("All is well."), "bad": says("Something else.")}


async def test_a_bug_in_the_fold_ends_its_ticket_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Meter.apply

    def broken(self: Meter, entry: e.Entry) -> None:
        if entry.ticket == "bad" and isinstance(entry.event, e.TextDelta):
            raise ZeroDivisionError("by nought")
        original(self, entry)

    monkeypatch.setattr(Meter, "apply", broken)
    tickets = [ticket("bad", tmp_path), ticket("good", tmp_path)]
    async with finished(tmp_path, tickets, scenarios=SCENARIOS) as r:
        assert (r.state("bad"), r.state("good")) == ("failed", "done")
        (failed,) = r.events("bad", e.TicketFailed)
        assert failed.message == "a bug in lfg: ZeroDivisionError: by nought"


async def test_a_bug_in_a_sink_stops_neither_the_run_nor_the_other_sinks(tmp_path: Path) -> None:
    tickets = [ticket("good", tmp_path)]

    def broken(entries: object) -> None:
        raise ZeroDivisionError

    async with room(tmp_path, tickets, scenarios=SCENARIOS) as r:
        r.engine.subscribe(broken)
        later: list[e.Entry] = []
        r.engine.subscribe(later.extend)
        await r.engine.wait_idle()
        assert r.state("good") == "done"
        assert later == r.seen[-len(later) :] != []


async def test_an_ending_that_can_not_be_stored_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Recorder.submit

    def broken(self: Recorder, run: str, ticket: str, *rest: Any) -> None:  # as `submit`
        if ticket == "bad" and isinstance(rest[-1], e.Ending):
            raise ZeroDivisionError("by nought")
        original(self, run, ticket, *rest)

    monkeypatch.setattr(Recorder, "submit", broken)
    tickets = [ticket("bad", tmp_path), ticket("good", tmp_path, needs=("bad",))]
    async with finished(tmp_path, tickets, scenarios=SCENARIOS) as r:
        assert r.state("good") == "blocked"
        assert "by nought" in str(r.engine.health.behind)
