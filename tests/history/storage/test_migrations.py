"""Migrations of older files, and files with objects that no migration made."""

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import file, leases, migrations
from tests.history.conftest import Recording, events, run_ids, stored
from tests.history.story import STORY
from tests.history.test_bad_values import SAID, keep

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id FROM n"
FOREIGN = {
    "CREATE TRIGGER wipe AFTER INSERT ON runs BEGIN DELETE FROM packs; END": "a trigger .*: wipe",
    f"CREATE VIEW more AS {ENDLESS}": "a view .*: more",
    f"ALTER TABLE runs RENAME TO kept; CREATE VIEW runs AS {ENDLESS}": "an? (index|view) .*: runs",
    "ALTER TABLE runs ADD COLUMN x GENERATED ALWAYS AS (zeroblob(999999999))": "a table .*: runs",
    "ALTER TABLE packs ADD COLUMN x CHECK (x < 3)": "a table .*: packs",
    "CREATE UNIQUE INDEX one ON entries (ticket)": "an index .*: one",
    "CREATE VIRTUAL TABLE more USING fts5 (text)": "a table .*: more",
    'CREATE VIEW "two\nlines\x1b]0;x\x07" AS SELECT 1': "a view .*: two",
}


@pytest.mark.parametrize(("script", "why"), FOREIGN.items())
def test_what_is_foreign_is_never_run(path: Path, tmp_path: Path, script: str, why: str) -> None:
    run = keep(path, "good")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    (damage,) = maintenance.damage(path)
    assert re.match(f"it has {why}", damage)
    before = path.read_bytes()
    for connect in (file.connect, file.connect_to_read):
        with pytest.raises(HistoryError, match=f"contains {why}.*lfg history repair") as refused:
            connect(path)
        assert len(str(refused.value).splitlines()) == 1
    assert path.read_bytes() == before
    maintenance.recover(path, tmp_path / "saved.db")
    if "VIEW runs" not in script:
        assert events(tmp_path / "saved.db", run) == SAID


def test_all_that_lfg_makes_is_known_to_be_its_own(path: Path) -> None:
    keep(path, "good")
    with closing(sqlite3.connect(path)) as db:
        db.executescript("ANALYZE; CREATE TABLE lost_and_found (a, b); PRAGMA optimize; VACUUM")
    assert len(run_ids(path)) == 1
    Recorder(path).close()


ADDED = "ALTER TABLE runs ADD COLUMN mood TEXT;\nUPDATE runs SET mood = 'calm';\n"
"""A migration that some later lfg may have."""


def update(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    """Make this lfg one that knows these migrations too."""
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, *scripts))


def test_an_older_lfgs_file_is_carried_forward_and_kept_beside_it(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, run = recorder.path, recorder.play_run(STORY)
    recorder.close()
    size = path.stat().st_size
    update(monkeypatch, ADDED, "CREATE INDEX runs_by_mood ON runs (mood);")
    assert recorder.stored(run) == recorder.entries  # reading alone updates it
    assert [hit.run for hit in recorder.search("tokeniser")] == [run]
    with closing(file.connect(path)) as db:
        assert db.execute("SELECT mood FROM runs").fetchall() == [("calm",)]
        assert db.execute("PRAGMA user_version").fetchone() == (4,)
    copy = path.with_name("history.db.schema-2")
    assert maintenance.copies(path) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.stat().st_size == size
    monkeypatch.undo()
    assert stored(copy, run) == recorder.entries
    with pytest.raises(HistoryError, match=r"newer lfg \(schema 4, this one knows 2\)"):
        Reader(path)


def test_nothing_is_updated_in_mid_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.connect(path).close()
    update(monkeypatch, ADDED)
    with leases.held(path.parent / "locks", "r"):
        with pytest.raises(HistoryError, match="run r is in progress in an older lfg"):
            file.connect(path)
        assert maintenance.copies(path) == []
    file.connect(path).close()
    assert len(maintenance.copies(path)) == 1


def test_a_broken_migration_leaves_the_file_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.connect(path).close()
    update(monkeypatch, ADDED, "CREATE TABLE runs (again TEXT);")
    with pytest.raises(HistoryError, match="runs"):
        file.connect(path)
    monkeypatch.undo()
    with closing(file.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
