"""With the index `--code` finds what it finds without, only sooner."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui import events as e
from lfgtui.history import History, Reader, code_index, removal, schema
from lfgtui.history.search import search
from lfgtui.tickets import Ticket

from .conftest import Recorder

TEXTS = st.text(st.sampled_from('abÄ" \n\0*(é𝒳'), min_size=1, max_size=12)


def say(history: History, text: str) -> str:
    run = history.start_run("t", [Ticket(id="a", prompt="p", workspace="/")], None)
    for event in (e.TicketQueued(), e.UserMessage(text), e.TicketCancelled()):
        history.submit(run, "a", 1, 1.0, event)
    history.finish_run(run, "failed")
    return run


def found(path: Path, text: str) -> list[str]:
    with Reader(path) as reader:
        return [hit.run for hit in reader.search(text, code=True)]


def is_sound(path: Path) -> bool:
    """Whether the index lists just what the segments hold."""
    with closing(schema.connect(path)) as db:
        db.execute("INSERT INTO segments_code (segments_code) VALUES ('integrity-check')")
        return code_index.is_whole(db)


@settings(max_examples=30)
@given(said=st.lists(TEXTS, min_size=1, max_size=8), sought=TEXTS)
def test_with_and_without_it_the_same_is_found(
    tmp_path_factory: pytest.TempPathFactory, said: list[str], sought: str
) -> None:
    path = tmp_path_factory.mktemp("code") / "history.db"
    with closing(schema.connect(path)) as db:
        db.execute("INSERT INTO runs (id, title, state, started_at) VALUES ('r', 't', 'done', 1)")
        db.execute(
            "INSERT INTO tickets (id, run, position, name, spec, state)"
            " VALUES (1, 'r', 0, 'a', '', 'done')"
        )
        for text in said:
            db.execute(
                "INSERT INTO segments (ticket, attempt, first_seq, last_seq, kind, at, text)"
                " VALUES (1, 1, 1, 1, 'text', 1, ?)",
                (text,),
            )
        without = search(db, sought, 50, code=True)
        code_index.build(path)
        assert code_index.is_whole(db)
        assert search(db, sought, 50, code=True) == without


def test_it_keeps_up_with_what_is_written_and_deleted(recorder: Recorder) -> None:
    old = say(recorder.history, "x = frobnicate(1)")
    code_index.build(recorder.path)
    new = say(recorder.history, "y = frobnicate(2)")
    assert found(recorder.path, "= frobnicate(") == [new, old]
    removal.delete(recorder.path, [old])
    assert found(recorder.path, "= frobnicate(") == [new]
    assert is_sound(recorder.path)
    code_index.drop(recorder.path)
    assert found(recorder.path, "= frobnicate(") == [new]
    code_index.drop(recorder.path)  # twice is harmless


def test_a_build_that_was_broken_off_goes_on(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [say(recorder.history, f"call number{n}(") for n in range(5)]
    build_some = code_index._build_some
    steps = iter([True])

    def one_step(db: sqlite3.Connection) -> bool:
        next(steps)
        return build_some(db)

    monkeypatch.setattr(code_index, "_AT_ONCE", 2)
    monkeypatch.setattr(code_index, "_build_some", one_step)
    with pytest.raises(StopIteration):
        code_index.build(recorder.path)
    monkeypatch.undo()
    with closing(schema.connect_to_read(recorder.path)) as db:
        assert not code_index.is_whole(db)
    removal.delete(recorder.path, [runs[0], runs[4]])  # one that is not in the index yet
    late = say(recorder.history, "call number9(")  # takes the ids of one that was deleted
    expected = [late, *reversed(runs[1:4])]
    assert found(recorder.path, "call number") == expected
    code_index.build(recorder.path)
    assert is_sound(recorder.path)
    assert found(recorder.path, "call number") == expected


def test_what_is_too_short_for_it_is_looked_for_without() -> None:
    assert code_index.expression("ab") is None
    assert code_index.expression('a"b') == '"a""b"'
