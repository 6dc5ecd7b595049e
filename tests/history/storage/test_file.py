import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.maintenance import housekeeping
from lfgtui.history.reader import Reader
from lfgtui.history.storage import file, leases, migrations
from tests.history.conftest import Recorder
from tests.history.maintenance.test_housekeeping import finished


def test_file_and_folder_are_for_their_owner_alone(path: Path) -> None:
    with closing(file.connect(path)):
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes and set(modes.values()) == {0o600}


def test_a_new_file_is_in_wal_mode_and_up_to_date(path: Path) -> None:
    with closing(file.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(migrations.MIGRATIONS),)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_opening_again_changes_nothing(path: Path) -> None:
    def tables() -> list[tuple[str]]:
        with closing(file.connect(path)) as connection:
            return connection.execute("SELECT sql FROM sqlite_schema").fetchall()

    assert tables() == tables()


def test_many_may_make_the_file_at_the_same_moment(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        connections = list(pool.map(lambda _: file.connect(path), range(16)))
    for connection in connections:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        connection.close()


@pytest.mark.parametrize("connect", [file.connect, file.connect_to_read])
def test_a_newer_lfgs_file_is_refused(
    path: Path, connect: Callable[[Path], sqlite3.Connection]
) -> None:
    with closing(file.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HistoryError, match=r"history\.db was written by a newer lfg .*update lfg"):
        connect(path)


@pytest.mark.parametrize("connect", [file.connect, file.connect_to_read])
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
        file.connect(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match=r"cannot be opened: .*LFG_DATA_DIR"):
        file.connect(tmp_path / "file" / "history.db")


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    with closing(file.connect(path)) as connection:
        with pytest.raises(ZeroDivisionError), file.transaction(connection):
            connection.execute(
                "INSERT INTO runs VALUES ('r', 't', 'running', NULL, 1, NULL, 0, '')"
            )
            raise ZeroDivisionError
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_reading_a_missing_file_makes_none(path: Path) -> None:
    with closing(file.connect_to_read(path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not path.parent.exists()


ADDED = "ALTER TABLE runs ADD COLUMN mood TEXT;\nUPDATE runs SET mood = 'calm';\n"
"""A migration that some later lfg may have."""


def update(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    """Make this lfg one that knows these migrations too."""
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, *scripts))


def test_an_older_lfgs_file_is_carried_forward_and_kept_beside_it(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, run = recorder.path, finished(recorder, "alpha")
    recorder.history.close()
    size = path.stat().st_size
    update(monkeypatch, ADDED, "CREATE INDEX runs_by_mood ON runs (mood);")
    with Reader(path) as reader:  # also by who only reads
        assert list(reader.entries(run, "a")) == recorder.entries
        assert [hit.run for hit in reader.search("alpha")] == [run]
    with closing(file.connect(path)) as db:
        assert db.execute("SELECT mood FROM runs").fetchall() == [("calm",)]
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
    copy = path.with_name("history.db.schema-1")
    assert housekeeping.copies(path) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.stat().st_size == size
    monkeypatch.undo()
    with Reader(copy) as reader:
        assert list(reader.entries(run, "a")) == recorder.entries
    with pytest.raises(HistoryError, match=r"newer lfg \(schema 3, this one knows 1\)"):
        Reader(path)


def test_nothing_is_updated_under_an_older_lfg_that_runs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.connect(path).close()
    update(monkeypatch, ADDED)
    with leases.held(path.parent / "locks", "r"):
        with pytest.raises(HistoryError, match="run r is being run by an older lfg"):
            file.connect(path)
        assert housekeeping.copies(path) == []
    file.connect(path).close()
    assert len(housekeeping.copies(path)) == 1


def test_a_migration_that_breaks_off_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.connect(path).close()
    update(monkeypatch, ADDED, "CREATE TABLE runs (again TEXT);")
    with pytest.raises(HistoryError, match="runs"):
        file.connect(path)
    monkeypatch.undo()
    with closing(file.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
