import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from lfgtui import events as e
from lfgtui.errors import HistoryError
from lfgtui.history import Reader, leases, schema
from lfgtui.history.migrations import MIGRATIONS
from lfgtui.history.segments import OpenSegments
from lfgtui.tickets import Ticket
from tests.vocabulary import entries

from .test_search import STORY


def test_file_and_folder_are_for_their_owner_alone(path: Path) -> None:
    with closing(schema.connect(path)):
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes and set(modes.values()) == {0o600}


def test_a_new_file_is_in_wal_mode_and_up_to_date(path: Path) -> None:
    with closing(schema.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_opening_again_changes_nothing(path: Path) -> None:
    def tables() -> list[tuple[str]]:
        with closing(schema.connect(path)) as connection:
            return connection.execute("SELECT sql FROM sqlite_schema").fetchall()

    assert tables() == tables()


def test_many_may_make_the_file_at_the_same_moment(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        connections = list(pool.map(lambda _: schema.connect(path), range(16)))
    for connection in connections:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        connection.close()


@pytest.mark.parametrize("connect", [schema.connect, schema.connect_to_read])
def test_a_newer_lfgs_file_is_refused(
    path: Path, connect: Callable[[Path], sqlite3.Connection]
) -> None:
    with closing(schema.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HistoryError, match=r"history\.db was written by a newer lfg .*update lfg"):
        connect(path)


@pytest.mark.parametrize("connect", [schema.connect, schema.connect_to_read])
def test_a_file_that_is_no_database_is_refused(
    path: Path, connect: Callable[[Path], sqlite3.Connection]
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all\n" * 400)
    with pytest.raises(HistoryError, match=r"history\.db: .*move it away") as refusal:
        connect(path)
    assert "\n" not in str(refusal.value)
    assert path.read_bytes().startswith(b"not a database")


def test_another_programs_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(HistoryError, match="another program's database"):
        schema.connect(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match=r"cannot be opened: .*LFG_DATA_DIR"):
        schema.connect(tmp_path / "file" / "history.db")


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    with closing(schema.connect(path)) as connection:
        with pytest.raises(ZeroDivisionError), schema.transaction(connection):
            connection.execute(
                "INSERT INTO runs VALUES ('r', 't', 'running', NULL, 1, NULL, 0, '')"
            )
            raise ZeroDivisionError
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_reading_a_missing_file_makes_none(path: Path) -> None:
    with closing(schema.connect_to_read(path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not path.parent.exists()


def written_by_the_first_lfg(path: Path, life: list[e.Event]) -> None:
    """A file of schema 1, as its writer left it."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(MIGRATIONS[0])
        db.execute("INSERT INTO runs VALUES ('r', 'old', 'done', NULL, 1.0, 2.0)")
        spec = msgspec.json.encode(Ticket(id="a", prompt="p", workspace="/")).decode()
        db.execute(
            "INSERT INTO tickets (id, run, position, name, spec, state, ended_at)"
            " VALUES (7, 'r', 0, 'a', ?, 'failed', 2.0)",
            (spec,),
        )
        segments = OpenSegments()
        for entry in entries(life):
            body = e.encode_event(entry.event).decode()
            db.execute("INSERT INTO entries VALUES (7, ?, 1, ?, ?)", (entry.seq, entry.at, body))
            for one in segments.apply(entry):
                values = (one.first_seq, one.last_seq, one.kind, one.call, one.at)
                row = db.execute("INSERT INTO segments VALUES (NULL, 7, 1, ?, ?, ?, ?, ?)", values)
                db.execute(
                    "INSERT INTO segments_fts (rowid, text)"
                    " SELECT id, text FROM segment_text WHERE id = ?",
                    (row.lastrowid,),
                )
        db.execute("PRAGMA user_version = 1")
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.commit()


def test_an_older_lfgs_file_is_carried_forward_and_kept_beside_it(path: Path) -> None:
    written_by_the_first_lfg(path, STORY)
    before = path.read_bytes()
    with Reader(path) as reader:
        read = list(reader.entries("r", "a"))
        assert [entry.event for entry in read] == STORY
        assert [hit.kind for hit in reader.search("tokeniser OR main OR drizzle")] == [
            "tool_output",
            "tool_call",
            "reasoning",
        ]
    with closing(schema.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)
        connection.execute("INSERT INTO segments_fts (segments_fts) VALUES ('integrity-check')")
    copy = path.with_name("history.db.schema-1")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert len(copy.read_bytes()) == len(before)
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT count(*) FROM entries").fetchone() == (len(STORY),)
        assert old.execute("PRAGMA user_version").fetchone() == (1,)


def test_nothing_is_updated_under_an_older_lfg_that_runs(path: Path) -> None:
    written_by_the_first_lfg(path, STORY)
    older = leases.take(path.parent / "locks", "r")
    assert older is not None
    with pytest.raises(HistoryError, match="run r is being run by an older lfg"):
        schema.connect(path)
    assert not path.with_name("history.db.schema-1").exists()
    older.release()
    schema.connect(path).close()


def test_a_migration_that_breaks_off_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_by_the_first_lfg(path, STORY)
    broken = (*MIGRATIONS, "CREATE TABLE runs (again TEXT);")
    monkeypatch.setattr("lfgtui.history.schema.MIGRATIONS", broken)
    with pytest.raises(HistoryError, match="runs"):
        schema.connect(path)
    monkeypatch.undo()
    with closing(schema.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
