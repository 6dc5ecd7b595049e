"""Past runs of a tickets file, and which of its tickets they leave to be run."""

from itertools import count
from pathlib import Path

import pytest

from lfgtui.cli.launching.past_runs import changed_since, plan_to_resume
from lfgtui.errors import UsageError
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets_file import load_tickets
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.machines import WorkersPolicy

TICKETS = """[[ticket]]
id = "a"
prompt = "Go."

[[ticket]]
id = "b"
prompt = "Go on."
needs = ["a"]
"""


def test_a_need_that_was_done_again_leaves_what_needs_it_to_be_run(tmp_path: Path) -> None:
    path = tmp_path / "tickets.toml"
    path.write_text(TICKETS)
    file = load_tickets(path)
    moments = map(float, count(1))

    def changed() -> tuple[str, ...]:
        return changed_since(path, file, Config())

    def do(recorder: Recorder, *tickets: str) -> None:
        for name in tickets:
            for event in (e.TicketQueued(), e.AttemptStarted("p", "m"), e.TicketDone("end")):
                recorder.submit(run, name, 1, next(moments), event)
        recorder.finish_run(run, "done")

    with Recorder(paths.history_file()) as recorder:
        run = recorder.start_run("Mine", file.tickets, path.resolve())
        with pytest.raises(UsageError, match=f"run {run} of .* is in progress"):
            changed()
        do(recorder, "a", "b")
        assert changed() == ()
        for again, left in (("a", ("b",)), ("b", ())):
            recorder.resume_run(run)
            do(recorder, again)
            assert changed() == left


def test_what_workers_have_is_begun_again_only_if_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "tickets.toml"
    path.write_text(TICKETS)
    file = load_tickets(path)
    with Recorder(paths.history_file()) as recorder:
        run = recorder.start_run("Mine", file.tickets, path.resolve())
        recorder.submit(run, "a", 1, 1.0, e.TicketQueued())
        recorder.hand_out(run, "a", 1, is_out=True)
    with pytest.raises(UsageError, match=f"workers have ticket a of run {run}: add --workers URL"):
        plan_to_resume(run, Config())
    assert plan_to_resume(run, Config(), may_repeat=True).resumes == run
    with_url = Config(workers=WorkersPolicy("redis://box"))
    assert plan_to_resume(run, with_url).resumes == run
