import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.storage import file, migrations


def test_file_and_folder_are_for_their_owner_alone(path: Path) -> None:
    with closing(file.connect(path)):
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes and set(modes.values()) == {0o600}


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_a_new_file_is_up_to_date_checked_and_as_durable_as_requested(
    path: Path, durability: file.Durability, level: int
) -> None:
    wanted = {
        "journal_mode": "wal",
        "user_version": len(migrations.MIGRATIONS),
        "foreign_keys": 1,
        "cell_size_check": 1,
        "synchronous": level,
        "fullfsync": level - 1,
    }
    with closing(file.connect(path, durability)) as db:
        found = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    assert found == wanted


def test_many_may_make_the_file_at_the_same_moment(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        connections = list(pool.map(lambda _: file.connect(path), range(16)))
    for connection in connections:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        connection.close()


def newer(path: Path) -> None:
    with closing(file.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def noise(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all\n" * 400)


def foreign(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


@pytest.mark.parametrize("connect", [file.connect, file.connect_to_read])
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (newer, r"history\.db was written by a newer lfg \(schema 99, .*update lfg"),
        (noise, r"history\.db: .*move it away"),
        (foreign, "another program's database"),
    ],
)
def test_a_file_of_others_is_refused_in_a_line_and_left_as_it_is(
    path: Path,
    make: Callable[[Path], None],
    why: str,
    connect: Callable[[Path], sqlite3.Connection],
) -> None:
    make(path)
    before = path.read_bytes()
    with pytest.raises(HistoryError, match=why) as refusal:
        connect(path)
    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == before


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    insert = "INSERT INTO runs VALUES ('r', 't', 'running', NULL, 1, NULL, 0, '')"
    with closing(file.connect(path)) as connection:
        with pytest.raises(ZeroDivisionError), file.transaction(connection):
            connection.execute(insert)
            raise ZeroDivisionError
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_reader_cannot_write(path: Path) -> None:
    file.connect(path).close()
    with (
        closing(file.connect_to_read(path)) as db,
        pytest.raises(HistoryError, match="readonly"),
        file.opening(path),
    ):
        db.execute("DELETE FROM runs")
