"""A run goes to another machine and is the same run there."""

import contextlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lfgtui.__main__ import main
from lfgtui.errors import LfgError, UsageError
from lfgtui.history import transfer
from lfgtui.history.reader import Reader
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.history.conftest import Recorder
from tests.history.search.test_search import STORY
from tests.vocabulary import lives


def exported(recorder: Recorder, run: str) -> list[bytes]:
    with recorder.history.reader() as reader:
        return list(lines_of(reader, run))


def finished(recorder: Recorder) -> str:
    run = recorder.start("a", "b", title="Two tickets")
    recorder.play(run, "a", STORY)
    recorder.play(run, "b", [e.TicketQueued(), e.TicketCancelled()])
    recorder.history.finish_run(run, "failed")
    return run


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[bytes]]:
    recorder = Recorder(tmp_path_factory.mktemp("here") / "history.db")
    yield exported(recorder, finished(recorder))
    recorder.history.close()


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


def deep(lines: list[bytes], levels: int) -> list[bytes]:
    """The lines with a call whose arguments are nested like that."""
    inner = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
    at = next(i for i, line in enumerate(lines) if b'"arguments":{' in line)
    start = lines[at].index(b'"arguments":') + len(b'"arguments":')
    return [*lines[:at], lines[at][:start] + inner + b"}", *lines[at + 1 :]]


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
        ([*lines[:5], lines[5].replace(b"mend", b"\xff\xfe")], "x:6: no line of"),
        ([*lines, lines[-2]], f"x:{len(lines) + 1}: more lines than the export of one run has"),
        ([*lines[:4], b"[" * 100_000], "x:5: no line of"),
        *((deep(lines, levels), "x:19: no line of") for levels in (150, 900, 50_000)),
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


def test_the_file_is_not_kept_in_memory(lines: list[bytes], tmp_path: Path) -> None:
    padding = 1_000_000
    tracemalloc.start()
    try:
        import_run(tmp_path / "history.db", (line + b" " * padding for line in lines), "x")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < len(lines) * padding / 2


def mutated(lines: list[bytes], data: st.DataObject) -> list[bytes]:
    """The lines with one of them spoiled."""
    at = data.draw(st.integers(0, len(lines) - 1))
    numbers: list[object] = [None, -1, 0, 2**63, 10**30, 1e308, True, [], {}, [[1]], {"a": "b"}]
    texts = ["", "\0", "\ud800", "\x1b[2J", "../..", "x" * 5000, "running", "lfg_run", "text_delta"]
    values = st.sampled_from([*numbers, *texts])
    line = lines[at]
    match data.draw(
        st.sampled_from(["value", "deep value", "drop", "twice", "cut", "byte", "raw"])
    ):
        case "value" | "deep value" as which:
            record = json.loads(line)
            inner = record.get("ticket") if which == "deep value" else record
            inner = inner if isinstance(inner, dict) else record
            inner[data.draw(st.sampled_from([*inner, "note", "id", "call_id"]))] = data.draw(values)
            line = json.dumps(record).replace('": ', '":').encode()
        case "drop":
            return [*lines[:at], *lines[at + 1 :]]
        case "twice":
            return [*lines[:at], line, *lines[at:]]
        case "cut":
            line = line[: data.draw(st.integers(0, len(line)))]
        case "byte":
            where = data.draw(st.integers(0, len(line) - 1))
            line = line[:where] + data.draw(st.binary(min_size=1, max_size=3)) + line[where + 1 :]
        case _:
            line = data.draw(st.binary(max_size=50))
    return [*lines[:at], line, *lines[at + 1 :]]


@settings(suppress_health_check=list(HealthCheck), max_examples=60, deadline=None)
@given(st.data())
def test_a_spoiled_export_is_refused_in_a_line_or_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("spoiled")
    try:
        run = import_run(folder / "history.db", mutated(lines, data), "x")
    except LfgError as error:
        assert len(str(error).splitlines()) == 1 and len(str(error)) < 500
        with Reader(folder / "history.db") as reader:
            assert reader.runs() == []
        return
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
        patch.setenv("LFG_DATA_DIR", str(folder))
        patch.setenv("LFG_CONFIG", str(folder / "config.toml"))
        for arguments in (
            ["show", run],
            ["show", run, "--json"],
            ["history", "--json"],
            ["search", "lexer"],
            ["export", run, "--format", "md"],
            ["export", run, "--format", "jsonl"],
        ):
            assert main(arguments) == 0, (arguments, said.getvalue())
    with Reader(folder / "history.db") as reader:
        import_run(folder / "again.db", lines_of(reader, run), "x")


def test_a_line_without_end_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LONGEST_LINE", 2 * 1024**2)
    with (
        Path("/dev/zero").open("rb") as endless,
        pytest.raises(UsageError, match=r"^zero:1: the line has more than 2 MB$"),
    ):
        list(transfer.lines_in(endless, "zero"))
