"""A history that somebody else made: what it brings along is not run."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.maintenance import housekeeping, recover
from lfgtui.history.reader import Reader
from lfgtui.history.recording.store import History
from lfgtui.history.storage import file
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
def test_what_lfg_did_not_make_is_named_and_never_run(
    path: Path, tmp_path: Path, script: str, why: str
) -> None:
    run = keep(path, "good")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    (damage,) = housekeeping.damage(path)
    assert re.match(f"it has {why}", damage)
    before = path.read_bytes()
    for connect in (file.connect, file.connect_to_read):
        with pytest.raises(HistoryError, match=f"has {why}.*lfg history repair") as refused:
            connect(path)
        assert len(str(refused.value).splitlines()) == 1
    assert path.read_bytes() == before
    recover.recover(path, tmp_path / "saved.db")
    with Reader(tmp_path / "saved.db") as saved:
        if "VIEW runs" not in script:
            assert [entry.event for entry in saved.entries(run, "a")] == list(SAID)


def test_all_that_lfg_makes_is_known_to_be_its_own(path: Path) -> None:
    keep(path, "good")
    with closing(sqlite3.connect(path)) as db:
        db.executescript("ANALYZE; CREATE TABLE lost_and_found (a, b); PRAGMA optimize; VACUUM")
    with Reader(path) as reader:
        assert len(reader.runs()) == 1
    History.open(path).close()


def test_pages_are_not_taken_at_their_word(path: Path) -> None:
    with closing(file.connect(path)) as writing, closing(file.connect_to_read(path)) as reading:
        for connection in (writing, reading):
            assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)
