"""The same texts in three places: what a search costs from the command line.

    python bench/history_peers.py HISTORY_FOLDER [--llm .../bin/llm] [--keep FOLDER]

HISTORY_FOLDER is one that `bench/history.py --keep` made. Beside `lfg search`
stand `llm logs -q` (pip install llm, in an environment of its own, its logs
written by llm itself) and ripgrep over the exported JSON lines. Whole
processes, interleaved; what is not installed is left out.
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lfgtui.history import Reader
from lfgtui.history.transfer import lines_of

WORDS = ("return", "asyncio", "frobnicate")
ROUNDS = 7
HITS = 20

# Runs in llm's own environment: one logged response a text, as `llm` itself logs it.
LOG = """
import json, sys
import llm, sqlite_utils
from llm.migrations import migrate

class Silent(llm.Model):
    model_id = "silent"
    def execute(self, prompt, stream, response, conversation):
        yield self.said

db = sqlite_utils.Database(sys.argv[1])
db.conn.execute("PRAGMA synchronous = OFF")
migrate(db)
model = Silent()
for line in sys.stdin:
    model.said = json.loads(line)
    response = model.prompt("")
    response.text()
    response.log_to_db(db)
"""


def texts(history: Path, limit: int) -> list[str]:
    """The newest segments' texts, oldest first."""
    with closing(sqlite3.connect(history)) as db:
        rows = db.execute("SELECT text FROM segments ORDER BY id DESC LIMIT ?", (limit,))
        return [text for (text,) in rows][::-1]


def log_with_llm(llm: Path, folder: Path, said: Sequence[str]) -> None:
    """Have llm write its log of these texts."""
    folder.mkdir(parents=True)
    lines = "".join(json.dumps(text) + "\n" for text in said)
    command = [str(llm.parent / "python"), "-c", LOG, str(folder / "logs.db")]
    subprocess.run(command, input=lines, text=True, check=True)


def export(history: Path, target: Path) -> None:
    """All runs as JSON lines in one file."""
    with Reader(history) as reader, target.open("wb") as file:
        for run in reader.runs(limit=1_000_000):
            for line in lines_of(reader, run.run):
                file.write(line + b"\n")


def spent_by(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of one run of it; exit code 1 is nothing found."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    null = subprocess.DEVNULL
    code = subprocess.run(
        command, env=environment, stdin=null, stdout=null, stderr=null, check=False
    ).returncode
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code in (0, 1), command
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def compare(sides: dict[str, tuple[list[str], dict[str, str]]]) -> None:
    """Median CPU and wall of each side, and their ratio to the first."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for turn in range(ROUNDS + 1):
        for name, (command, environment) in sides.items():
            took = spent_by(command, {**os.environ, **environment})
            if turn:  # the first one warms the page cache
                spent[name].append(took)
    first = next(iter(spent))
    for name, figures in spent.items():
        ratio = median(b[0] / a[0] for a, b in zip(spent[first], figures, strict=True))
        cpu, wall = (median(one[n] for one in figures) * 1000 for n in (0, 1))
        print(f"  {name:<24} {cpu:8.0f} ms CPU {wall:8.0f} ms wall   {ratio:6.2f} times")


def main() -> None:
    """Write what is missing, then compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", type=Path)
    parser.add_argument("--llm", type=Path)
    parser.add_argument("--texts", type=int, default=150_000, help="how many llm is given")
    parser.add_argument("--keep", type=Path, help="write there, or use what is there")
    chosen = parser.parse_args()
    history = chosen.history / "history.db"
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "all.jsonl").exists():
            export(history, folder / "all.jsonl")
        print(f"history.db   {history.stat().st_size / 1e6:8.1f} MB")
        print(f"JSON lines   {(folder / 'all.jsonl').stat().st_size / 1e6:8.1f} MB")
        if chosen.llm is not None:
            if not (folder / "llm" / "logs.db").exists():
                log_with_llm(chosen.llm, folder / "llm", texts(history, chosen.texts))
            size = (folder / "llm" / "logs.db").stat().st_size
            print(f"llm's log    {size / 1e6:8.1f} MB")
        for word in WORDS:
            lfg = [sys.executable, "-m", "lfgtui", "search", word, "--limit", str(HITS)]
            sides = {"lfg search": (lfg, {"LFG_DATA_DIR": str(chosen.history)})}
            if chosen.llm is not None:
                search = [str(chosen.llm), "logs", "-q", word, "-n", str(HITS)]
                sides["llm logs -q"] = (search, {"LLM_USER_PATH": str(folder / "llm")})
                sides["llm logs -q --latest"] = ([*search, "--latest"], sides["llm logs -q"][1])
            if rg := shutil.which("rg"):
                lines = str(folder / "all.jsonl")
                sides["rg, all of it"] = ([rg, "-c", "-w", word, lines], {})
                sides[f"rg, the first {HITS}"] = ([rg, "-m", str(HITS), "-w", word, lines], {})
            print(f"\n{word}")
            compare(sides)


if __name__ == "__main__":
    main()
