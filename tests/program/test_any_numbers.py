"""Whatever numbers a stored event holds, the run folds, shows, lists, replays and is exported."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lfgtui.__main__ import main
from lfgtui.export.figures import RunDocument
from lfgtui.export.html import run_html
from lfgtui.export.markdown import DOCUMENT, run_markdown
from lfgtui.export.record import run_record
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage.packing import pack, unpack
from lfgtui.history.transfer import lines_of
from lfgtui.model import events as e
from lfgtui.model.bounds import RANGES, Bounded, within
from lfgtui.model.event_json import decode_event, encode_event
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.settings.themes import load_themes
from lfgtui.text import figures
from lfgtui.ui.replay.timeline import Timeline
from tests.helpers.any_events import KINDS, lives

TICKET = Ticket(id="a", prompt="Go.", workspace="/")
THEMES = load_themes()
PLAIN = "a number, not a string"
HUGE = ["9" * 400, "-" + "9" * 400, "9" * 5000]
NUMBERS = st.one_of(
    st.sampled_from([*HUGE, "1e999", "-1e999", "null", "-1", "0"]),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
)
MOMENTS = st.floats(allow_nan=False)  # SQLite has no NaN


@st.composite
def stored_lives(draw: st.DrawFn) -> list[tuple[float, str]]:
    """Any life of a ticket as rows of a history file, with any numbers in it."""
    rows = []
    for event in draw(lives()):
        body = json.loads(encode_event(event))
        for name in RANGES.keys() & body.keys():
            if isinstance(body[name], int | float):
                body[name] = f"{PLAIN}{draw(NUMBERS)}{PLAIN}"
        text = json.dumps(body).replace(f'"{PLAIN}', "").replace(f'{PLAIN}"', "")
        rows.append((draw(MOMENTS), text))
    return rows


def store(folder: Path, rows: Sequence[tuple[float, str]]) -> tuple[Path, str]:
    """A history file with one run of these rows, as another program may have left it."""
    path = folder / "history.db"
    with Recorder(path) as history:
        run = history.start_run("Any", [TICKET], None)
        history.finish_run(run, "done")
    with closing(sqlite3.connect(path)) as db, db:
        (ticket,) = db.execute("SELECT id FROM tickets WHERE run = ?", (run,)).fetchone()
        db.executemany(
            "INSERT INTO entries (ticket, seq, attempt, at, body) VALUES (?, ?, 1, ?, ?)",
            [(ticket, seq, at, body) for seq, (at, body) in enumerate(rows, 1)],
        )
        if rows:
            times = (rows[0][0], rows[-1][0])
            db.execute("UPDATE runs SET started_at = ?, ended_at = ? WHERE id = ?", (*times, run))
            db.execute("UPDATE tickets SET started_at = ?, ended_at = ?, cost = -1e300", times)
    return path, run


def shown(reader: Reader, run: str) -> Iterator[object]:
    """Everything that is made of a stored run."""
    entries = list(reader.entries(run, "a"))
    transcript = reader.transcript(run, "a")
    yield [summary.cost for summary in reader.runs()]
    yield list(lines_of(reader, run))
    told = RunDocument(reader, run)
    yield json.dumps(msgspec.to_builtins(run_record(told)), allow_nan=False)
    yield "".join(run_markdown(told, DOCUMENT))
    yield "".join(run_html(told, THEMES, "dark"))
    yield from gauges(transcript, entries)
    timeline = Timeline({"a": entries})
    yield [timeline.recorded_at(timeline.played_at(count)) for count in range(timeline.count + 1)]


def gauges(transcript: Transcript, entries: Sequence[e.Entry]) -> Iterator[str]:
    meter = Meter()
    for entry in entries:
        meter.apply(entry)
        now = entry.at
        meter.history(now)
        meter.is_stalled(now, 10.0)
        yield figures.count(meter.rate(now))
        yield figures.count(meter.output_tokens()[0])
        yield figures.duration(meter.elapsed(now))
    for attempt in transcript.attempts:
        assert (attempt.usage.cost or 0.0) >= 0
        yield figures.money(attempt.usage.cost) + figures.count(attempt.tokens_per_second or 0)
        yield figures.day_and_time(attempt.started_at)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rows=stored_lives())
def test_any_stored_numbers_are_borne(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, str]]
) -> None:
    path, run = store(tmp_path_factory.mktemp("any"), rows)
    with Reader(path) as reader:
        assert list(shown(reader, run))
        reader.search("a")


@given(rows=stored_lives())
def test_any_stored_numbers_can_be_packed(rows: list[tuple[float, str]]) -> None:
    stored = [(seq, 1, at, body) for seq, (at, body) in enumerate(rows, 1)]
    assert unpack(pack(stored, []), lambda _: {}) == stored


def test_the_commands_of_the_history_bear_them(capsys: pytest.CaptureFixture[str]) -> None:
    usage = f'{{"type":"usage","input":{HUGE[0]},"output":{HUGE[0]},"cached":-5,"cost":-1e300}}'
    bodies = [
        '{"type":"ticket_queued"}',
        '{"type":"attempt_started","provider":"p","model":"m","continues":false}',
        '{"type":"user_message","text":"Go."}',
        '{"type":"request_sent","turn":-1}',
        '{"type":"text_delta","text":"Gone."}',
        usage,
        f'{{"type":"response_finished","turn":{HUGE[0]},"stop_reason":"end"}}',
        '{"type":"ticket_done","stop_reason":"end"}',
    ]
    rows = [(1e300 * seq, body) for seq, body in enumerate(bodies, 1)]
    paths.data_dir().mkdir(parents=True, exist_ok=True)
    _, run = store(paths.history_file().parent, rows)
    commands = ["history", "history --json", "history size", "search Go"]
    commands += [f"show {run}", f"show {run} --json"]
    commands += [f"export {run} --format {form}" for form in ("md", "json", "jsonl", "html")]
    for command in commands:
        assert main(command.split()) == 0, command
    out = capsys.readouterr().out
    assert "inf" not in out.lower().replace("info", "")
    assert '"output":1000000000' in out


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_no_json_are_read_too(number: str) -> None:
    """Python writes them, and so may who writes a file to import."""
    usage = decode_event(f'{{"type":"usage","input":{number},"output":1,"cost":{number}}}')
    assert isinstance(usage, e.Usage)
    assert 0 <= usage.input <= 10**9
    assert usage.cost is not None
    assert 0 <= usage.cost <= 1e6


# An event cannot be made with a number that it cannot hold.


@given(st.integers(), st.floats(), st.floats())
def test_an_event_holds_no_impossible_number(whole: int, cost: float, seconds: float) -> None:
    usage = e.Usage(whole * 10**30, -whole, whole, cost)
    for name in ("input", "output", "cached", "cost"):
        value = getattr(usage, name)
        assert within(value, RANGES[name]) == value
    finished = e.ToolCallFinished("x", "", None, whole * 10**30, seconds)
    assert decode_event(encode_event(finished)) == finished
    assert decode_event(encode_event(usage)) == usage
    retrying = e.Retrying("r", seconds, whole)
    assert 0 <= retrying.delay <= 1e9


def test_every_number_of_every_event_has_bounds() -> None:
    for kind in KINDS:
        hints = get_type_hints(kind)
        numeric = {
            name
            for name in kind.__struct_fields__
            if {int, float} & {hints[name], *getattr(hints[name], "__args__", ())}
        }
        assert numeric <= RANGES.keys(), kind
        assert not numeric or issubclass(kind, Bounded), kind


def test_a_value_within_bounds_keeps_its_type() -> None:
    usage = e.Usage(1, 2, 0, 0.5)
    assert msgspec.to_builtins(usage) == {
        "type": "usage", "input": 1, "output": 2, "cached": 0, "cost": 0.5,
    }  # fmt: skip
    assert isinstance(e.Usage(10**400, 0).input, int)
