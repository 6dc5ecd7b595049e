"""A history of a million events: how large it is, and how soon something is found.

    python bench/history.py [--events N] [--keep FOLDER] [--llm .../bin/llm]

Written by lfg's own writer, one ticket after the other, from texts of Python's
standard library. Times are medians of warm searches in this process. Beside
them stand ripgrep and, where it is named, llm (pip install llm, in an
environment of its own) on the same texts.
"""

import argparse
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.history_corpus import Texts, ticket
from bench.history_peers import peers
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.tickets import Ticket

TICKETS_A_RUN = 20
ENTRIES_A_TICKET = 100
QUERIES = ("the", "return", "self", '"return self"', "frobnicate", "asyncio AND lock", "tok*")


def build(folder: Path, events: int) -> None:
    """Write that many entries."""
    texts, dice = Texts(), random.Random(2)
    tickets = events // ENTRIES_A_TICKET
    began = time.process_time()
    with Recorder(folder / "history.db") as history:
        for first in range(0, tickets, TICKETS_A_RUN):
            names = [f"t{first + n}" for n in range(TICKETS_A_RUN)]
            run = history.start_run(
                texts.say(30), [Ticket(id=n, prompt="p", workspace="/") for n in names], None
            )
            for name in names:
                for event in ticket(texts, dice, ENTRIES_A_TICKET):
                    history.submit(run, name, 1, time.time(), event)
                history.flush(saved=True).result()
            history.finish_run(run, "done")
            if first % 1000 == 0:
                print(f"\r  {first / tickets:4.0%}", end="", file=sys.stderr)
    print(f"\rwritten in {time.process_time() - began:.0f} s of CPU", file=sys.stderr)


def sizes(path: Path) -> None:
    """The file beside the text in it."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (entries,) = db.execute("SELECT count(*) FROM entries").fetchone()
        (text,) = db.execute("SELECT sum(length(CAST(text AS BLOB))) FROM segments_fts").fetchone()
        try:
            parts = db.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8"
            ).fetchall()
        except sqlite3.OperationalError:
            parts = []
    size = path.stat().st_size
    print(f"entries unpacked   {entries:>12,}")
    print(f"text searched      {text / 1e6:>10.1f} MB")
    print(f"file               {size / 1e6:>10.1f} MB   {size / text:.2f} times the text (aim 1.8)")
    for name, part in parts:
        print(f"  {name:<22} {part / 1e6:>8.1f} MB")


def timed(search: Callable[[], object], rounds: int = 9) -> float:
    """Milliseconds, the median of warm calls."""
    search()
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        search()
        spent.append(time.perf_counter() - began)
    return median(spent) * 1000


def searches(path: Path) -> None:
    """Newest first, by how common the words are."""
    with Reader(path) as reader:
        for query in QUERIES:
            hits = reader.search(query, 50)
            spent = timed(partial(reader.search, query, 50))
            print(f"newest 50 of {query:<18} {spent:8.2f} ms  {len(hits)} hits")
        for query in QUERIES[:3]:
            spent = timed(partial(reader.search, query, 50, ranked=True))
            print(f"best 50 of   {query:<18} {spent:8.2f} ms")
        for text in ("def __init__(self", "frobnicate("):  # one that is common, one that is not
            spent = timed(partial(reader.search, text, 50, code=True))
            print(f"as it stands {text:<18} {spent:8.2f} ms")


def command_line(folder: Path) -> None:
    """CPU of `lfg search` beside that of a Python with the same two imports."""
    environment = {**os.environ, "LFG_DATA_DIR": str(folder)}
    sides = {
        "python -c": [sys.executable, "-c", "import sqlite3, click"],
        "lfg search": [sys.executable, "-m", "lfgtui", "search", "return", "--limit", "20"],
    }
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(9):
        for name, command in sides.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            null = subprocess.DEVNULL
            subprocess.run(command, env=environment, stdout=null, stderr=null, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    plain, ours = median(spent["python -c"]), median(spent["lfg search"])
    ratio = median(b / a for a, b in zip(*spent.values(), strict=True))
    print(f"python -c 'import sqlite3, click'  {plain * 1000:6.0f} ms of CPU")
    print(f"lfg search                         {ours * 1000:6.0f} ms, {ratio:.2f} times (aim 2)")


def main() -> None:
    """Build unless there is one to measure, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="build there, or measure what is there")
    parser.add_argument("--llm", type=Path, help="the llm command to compare with")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        if not (folder / "history.db").exists():
            folder.mkdir(parents=True, exist_ok=True)
            build(folder, chosen.events)
        sizes(folder / "history.db")
        searches(folder / "history.db")
        command_line(folder)
        peers(folder / "history.db", folder / "peers", chosen.llm)


if __name__ == "__main__":
    main()
