"""A run goes to another machine and is the same run there."""

import contextlib
import io
import json
import tracemalloc
from pathlib import Path

import msgspec
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
from tests.helpers.any_events import lives
from tests.history.conftest import Recording, run_ids, stored
from tests.history.story import STORY


def exported(path: Path, run: str) -> list[bytes]:
    with Reader(path) as reader:
        return list(lines_of(reader, run))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of one run of two tickets, of which one would approve everything."""
    recorder = Recording(tmp_path_factory.mktemp("here") / "history.db")
    tickets = [
        Ticket(id="a", prompt="p", workspace="/"),
        Ticket(id="b", prompt="p", workspace="/", approve="auto"),
    ]
    run = recorder.start_run("Two tickets", tickets, None)
    recorder.play(run, "a", STORY)
    recorder.play(run, "b", [e.TicketQueued(), e.TicketCancelled()])
    recorder.finish_run(run, "failed")
    recorder.close()
    return recorder.path


@pytest.fixture(scope="module")
def lines(here: Path) -> list[bytes]:
    return exported(here, *run_ids(here))


def test_an_imported_run_is_the_one_that_was_exported_but_asks_for_approvals(
    here: Path, path: Path, lines: list[bytes]
) -> None:
    run = import_run(path, lines, "x.jsonl")
    with Reader(path) as there, Reader(here) as reader:
        assert there.run(run) == reader.run(run)
        for one, other in zip(there.tickets(run), reader.tickets(run), strict=True):
            ticket = msgspec.structs.replace(other.ticket, approve=one.ticket.approve)
            assert one == msgspec.structs.replace(other, ticket=ticket)
        assert [one.ticket.approve for one in there.tickets(run)] == [None, "ask"]
        assert there.search("tokeniser OR drizzle") == reader.search("tokeniser OR drizzle")
    for name in "ab":
        assert stored(path, run, name) == stored(here, run, name)
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds[:4] == ["lfg_run", "lfg_ticket", "lfg_ticket", "ticket_queued"]
    assert kinds[-1] == "lfg_end"
    again = exported(path, run)
    assert (again[:2], again[3:]) == (lines[:2], lines[3:])
    with pytest.raises(UsageError, match="already exists here"):
        import_run(path, lines, "x")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(lives())
def test_any_life_is_kept(tmp_path_factory: pytest.TempPathFactory, life: list[e.Event]) -> None:
    folder = tmp_path_factory.mktemp("journey")
    recorder = Recording(folder / "here.db")
    run = recorder.play_run(life)
    recorder.close()
    import_run(folder / "there.db", exported(recorder.path, run), "x.jsonl")
    assert stored(folder / "there.db", run) == recorder.entries


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


def test_what_is_no_export_is_refused_and_leaves_nothing(lines: list[bytes], path: Path) -> None:
    run, count = lines[0], len(lines)
    wrong: list[tuple[list[bytes], str]] = [
        ([], "x: the file is empty"),
        ([b"{}"], "x:1: not a line of an exported run"),
        ([*lines[:4], b"not json"], "x:5: not a line of an exported run"),
        ([*lines[:4], *lines[5:]], "x:5: entry 3 after 1: a line is missing"),
        ([run, *lines[3:]], 'x:2: unknown ticket "a"'),
        ([run.replace(b'"version":1', b'"version":9')], "x:1: version 9"),
        ([run.replace(b'"failed"', b'"running"')], "x:1: run"),
        (lines[:-1], f"x:{count - 1}: the file is incomplete"),
        ([*lines[:-3], lines[-1]], f"x:{count - 2}: the file is incomplete"),
        ([run.replace(b'"run":"', b'"run":"../../'), *lines[1:]], "x:1: invalid run id"),
        ([*lines[:3], *lines[2:]], "x:4: invalid or duplicate ticket id"),
        ([run, needing(lines[1], "x"), *lines[2:]], f'x:{count}: "a" needs "x"'),
        ([run, needing(lines[1], "a"), *lines[2:]], f"x:{count}: circular needs"),
        ([run.replace(b'"started_at":', b'"started_at":1e300,"x":')], "x:1: not a line of"),
        ([*lines[:3], lines[3].replace(b'"at":', b'"at":1e300,"x":')], "x:4: not a line of"),
        ([*lines[:5], lines[5].replace(b"mend", b"\xff\xfe")], "x:6: not a line of"),
        ([*lines, lines[-2]], f"x:{count + 1}: unexpected line after the end of the run"),
        ([*lines[:4], b"[" * 100_000], "x:5: not a line of"),
        *((deep(lines, levels), "x:19: not a line of") for levels in (150, 900, 50_000)),
    ]
    for one, why in wrong:
        with pytest.raises(UsageError) as caught:
            import_run(path, one, "x")
        assert str(caught.value).startswith(why)
    assert run_ids(path) == set()


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
        assert run_ids(folder / "history.db") == set()
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
    import_run(folder / "again.db", exported(folder / "history.db", run), "x")


def test_a_line_without_end_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LONGEST_LINE", 2 * 1024**2)
    with (
        Path("/dev/zero").open("rb") as endless,
        pytest.raises(UsageError, match=r"^zero:1: the line has more than 2 MB$"),
    ):
        list(transfer.lines_in(endless, "zero"))
