"""A new event is one class with its facets, one row of the table of moves, one arm of the fold."""

from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from lfgtui.export.figures import RunDocument
from lfgtui.export.html import run_html
from lfgtui.export.markdown import DOCUMENT, PLAIN, run_markdown
from lfgtui.history.reader import Reader
from lfgtui.history.storage import file
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.model import event_json
from lfgtui.model import events as e
from lfgtui.model.facets import Facets
from lfgtui.model.fold.items import NoteItem
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.notes import NOTES
from lfgtui.model.fold.states import MOVES
from lfgtui.model.redaction import EventRedactor
from lfgtui.settings.themes import load_themes
from lfgtui.text.redactor import Redactor
from tests.helpers.any_events import entries
from tests.history.conftest import Recording
from tests.text.secrets import GITHUB


class PlanDelta(e.WireEvent, frozen=True):
    """A piece of a plan, of which there may be two."""

    facets = Facets("reasoning", "steps", merges=True)

    steps: str
    plan: Literal["a", "b"]


BEGIN = (e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1))
END = (e.ResponseFinished(1, "end"), e.TicketDone("end"))


@pytest.fixture(autouse=True)
def vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        event_json, "decoder", msgspec.json.Decoder(PlanDelta | event_json.decoder.type)
    )
    kind: type[e.Event] = PlanDelta
    monkeypatch.setitem(MOVES, kind, MOVES[e.TextDelta])
    monkeypatch.setitem(NOTES, kind, lambda event: NoteItem("status", f"planned: {event.steps}"))


def told(recorder: Recording, *events: e.Event) -> str:
    """A run in which a ticket comes to these events, redacted as they are live."""
    run = recorder.start("a")
    redactor = EventRedactor(Redactor())
    life = [one for event in (*BEGIN, *events, *END) for one in redactor.feed(event)]
    recorder.play(run, "a", life)
    recorder.finish_run(run, "done")
    return run


def test_it_is_stored_with_its_neighbours_as_one_packed_and_read_back(recorder: Recording) -> None:
    run = told(recorder, *(PlanDelta(f"dig {n}, ", "a") for n in range(200)), PlanDelta("!", "b"))
    plans = [entry.event for entry in recorder.entries if isinstance(entry.event, PlanDelta)]
    assert "".join(plan.steps for plan in plans[:-1]).endswith("dig 199, ")
    assert plans[-1] == PlanDelta("!", "b") and len(plans) < 200
    with recorder.reader() as reader:
        assert list(reader.entries(run, "a")) == recorder.entries
    with closing(file.connect_to_read(recorder.path)) as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (0,)
        assert len(b"".join(body for (body,) in db.execute("SELECT body FROM packs"))) < 1000


def test_a_secret_cut_over_two_of_it_is_redacted(recorder: Recording) -> None:
    told(recorder, PlanDelta(f"use {GITHUB[:9]}", "a"), PlanDelta(f"{GITHUB[9:]} now", "a"))
    said = "".join(one.event.steps for one in recorder.entries if isinstance(one.event, PlanDelta))
    assert said == "use [redacted: github token] now"


def test_it_is_found_while_it_is_said_and_afterwards(recorder: Recording) -> None:
    run = recorder.start("a")
    for events in ([*BEGIN, PlanDelta("dig a well", "a")], END):
        recorder.play(run, "a", events)
        with recorder.reader() as reader:
            assert [hit.snippet for hit in reader.search("kind:reasoning well")] == ["dig a well"]


def test_it_is_exported_and_imported(recorder: Recording, tmp_path: Path) -> None:
    run = told(recorder, PlanDelta("dig a well", "a"))
    with recorder.reader() as here:
        lines = list(lines_of(here, run, Redactor()))
    assert any(b'"type":"plan_delta","steps":"dig a well","plan":"a"' in line for line in lines)
    import_run(tmp_path / "other.db", lines, "a file")
    with Reader(tmp_path / "other.db") as there:
        assert list(there.entries(run, "a")) == recorder.entries


def test_it_is_shown_and_stands_in_every_document(recorder: Recording) -> None:
    run = told(recorder, PlanDelta("dig a well", "a"))
    with recorder.reader() as reader:
        document = RunDocument(reader, run)
        for pieces in (
            run_markdown(document, DOCUMENT),
            run_markdown(document, PLAIN),
            run_html(document, load_themes(), "dark"),
        ):
            assert "planned: dig a well" in "".join(pieces)


def test_it_counts_as_tokens() -> None:
    meter = Meter()
    for entry in entries([*BEGIN, PlanDelta("dig ", "a"), PlanDelta("it", "b")]):
        meter.apply(entry)
    assert meter.output_tokens() == (2, True)
