"""A run goes to another machine and is the same run there."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from lfgtui import events as e
from lfgtui.errors import UsageError
from lfgtui.history import Reader
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.tickets import Ticket
from tests.vocabulary import lives

from .conftest import Recorder
from .test_search import STORY


def exported(recorder: Recorder, run: str) -> list[bytes]:
    with recorder.history.reader() as reader:
        return list(lines_of(reader, run))


def finished(recorder: Recorder) -> str:
    run = recorder.start("a", "b", title="Two tickets")
    recorder.play(run, "a", STORY)
    recorder.play(run, "b", [e.TicketQueued(), e.TicketCancelled()])
    recorder.history.finish_run(run, "failed")
    return run


def test_what_is_imported_is_what_was_exported(recorder: Recorder, tmp_path: Path) -> None:
    run = finished(recorder)
    other = tmp_path / "other" / "history.db"
    lines = exported(recorder, run)
    assert import_run(other, lines, "x.jsonl") == run
    with Reader(other) as there, recorder.history.reader() as here:
        assert there.run(run) == here.run(run)
        assert there.tickets(run) == here.tickets(run)
        for ticket in "ab":
            assert list(there.entries(run, ticket)) == list(here.entries(run, ticket))
        assert there.search("tokeniser OR drizzle") == here.search("tokeniser OR drizzle")
        assert list(lines_of(there, run)) == lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(lives())
def test_any_life_survives_the_journey(
    tmp_path_factory: pytest.TempPathFactory, life: list[e.Event]
) -> None:
    folder = tmp_path_factory.mktemp("journey")
    recorder = Recorder(folder / "here.db")
    run = recorder.start("a")
    recorder.play(run, "a", life)
    recorder.history.finish_run(run, "failed")
    lines = exported(recorder, run)
    recorder.history.close()
    import_run(folder / "there.db", lines, "x.jsonl")
    with Reader(folder / "there.db") as there:
        assert list(there.entries(run, "a")) == recorder.entries


def test_every_line_is_json_with_a_type(recorder: Recorder) -> None:
    kinds = [json.loads(line)["type"] for line in exported(recorder, finished(recorder))]
    assert kinds[:3] == ["lfg_run", "lfg_ticket", "lfg_ticket"]
    assert (kinds[3], kinds[-1]) == ("ticket_queued", "lfg_end")


def needing(line: bytes, need: str) -> bytes:
    """The ticket's line, with a need."""
    said = json.loads(line)
    said["ticket"]["needs"] = [need]
    return json.dumps(said, separators=(",", ":")).encode()


def test_what_cannot_be_imported_names_its_line_and_leaves_nothing(
    recorder: Recorder, tmp_path: Path
) -> None:
    lines = exported(recorder, finished(recorder))
    other = tmp_path / "other" / "history.db"
    broken: list[tuple[list[bytes], str]] = [
        ([], "x: it is empty"),
        ([b"{}"], "x:1: no line of an exported run"),
        ([*lines[:4], b"not json"], "x:5: no line of an exported run"),
        ([*lines[:4], *lines[5:]], "x:5: entry 3 after 1: a line is missing"),
        ([lines[0], *lines[3:]], 'x:2: no ticket "a" was announced'),
        ([lines[0].replace(b'"version":1', b'"version":9')], "x:1: version 9"),
        ([lines[0].replace(b'"failed"', b'"running"')], "x:1: run"),
        (lines[:-1], f"x:{len(lines) - 1}: the file is cut off"),
        ([*lines[:-3], lines[-1]], f"x:{len(lines) - 2}: the file is cut off"),
        ([lines[0].replace(b'"run":"', b'"run":"../../'), *lines[1:]], "x:1: the run's id"),
        ([*lines[:3], lines[2], *lines[3:]], "x:4: a ticket's id"),
        ([lines[0], needing(lines[1], "x"), *lines[2:]], f'x:{len(lines)}: "a" needs "x"'),
        ([lines[0], needing(lines[1], "a"), *lines[2:]], f"x:{len(lines)}: needs go in a circle"),
        ([lines[0].replace(b'"started_at":', b'"started_at":1e300,"x":')], "x:1: no line of"),
        ([*lines[:3], lines[3].replace(b'"at":', b'"at":1e300,"x":')], "x:4: no line of"),
    ]
    for wrong, why in broken:
        with pytest.raises(UsageError) as caught:
            import_run(other, wrong, "x")
        assert str(caught.value).startswith(why)
    with Reader(other) as reader:
        assert reader.runs() == []
    import_run(other, lines, "x")
    with pytest.raises(UsageError, match="is here already"):
        import_run(other, lines, "x")


def test_what_was_approved_elsewhere_is_asked_about_here(
    recorder: Recorder, tmp_path: Path
) -> None:
    trusting = Ticket(id="a", prompt="p", workspace="/", approve="auto")
    run = recorder.history.start_run("t", [trusting], None)
    recorder.play(run, "a", [e.TicketQueued(), e.TicketCancelled()])
    recorder.history.finish_run(run, "failed")
    other = tmp_path / "other" / "history.db"
    import_run(other, exported(recorder, run), "x")
    with Reader(other) as there:
        assert [one.ticket.approve for one in there.tickets(run)] == ["ask"]
