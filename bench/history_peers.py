"""The same texts in three places: what a search costs from the command line.

Beside `lfg search` stand `llm logs -q` (its logs written by llm itself) and
ripgrep over the exported JSON lines. Whole processes, interleaved; what is not
installed is left out.
"""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TypeAlias

from lfgtui.history.reader import Reader
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


Side: TypeAlias = tuple[list[str], dict[str, str]]
"""A command, and what is added to its environment."""


def texts(history: Path) -> list[str]:
    """The segments' texts, oldest first."""
    with closing(sqlite3.connect(history)) as db:
        return [text for (text,) in db.execute("SELECT text FROM segments ORDER BY id")]


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


def compare(sides: dict[str, Side]) -> None:
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


def peers(history: Path, folder: Path, llm: Path | None) -> None:
    """Write what is missing in `folder`, then compare. `llm`: its executable."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = folder / "all.jsonl"
    if not lines.exists():
        export(history, lines)
    print(f"\nhistory.db         {history.stat().st_size / 1e6:>10.1f} MB")
    print(f"as JSON lines      {lines.stat().st_size / 1e6:>10.1f} MB")
    if llm is not None:
        log = folder / "llm" / "logs.db"
        if not log.exists():
            log_with_llm(llm, log.parent, texts(history))
        print(f"as llm's log       {log.stat().st_size / 1e6:>10.1f} MB")
    for word in WORDS:
        lfg = [sys.executable, "-m", "lfgtui", "search", word, "--limit", str(HITS)]
        sides: dict[str, Side] = {"lfg search": (lfg, {"LFG_DATA_DIR": str(history.parent)})}
        if llm is not None:
            search = [str(llm), "logs", "-q", word, "-n", str(HITS)]
            sides["llm logs -q"] = (search, {"LLM_USER_PATH": str(folder / "llm")})
        if rg := shutil.which("rg"):
            sides["rg, all of it"] = ([rg, "-c", "-w", word, str(lines)], {})
            sides[f"rg, the oldest {HITS}"] = ([rg, "-m", str(HITS), "-w", word, str(lines)], {})
        print(word)
        compare(sides)
